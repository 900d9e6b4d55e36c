use super::*;
use rstest::rstest;

#[rstest]
#[case("one", &["one"])]
#[case("new, old", &["new", "old"])]
fn tokens_rotate_as_lists(#[case] written: &str, #[case] expected: &[&str]) {
    let settings = load(&[("SMS_OPERATOR__TOKEN", written), ("SMS_DELIVERY_REPORTS__SECRET", written)]);
    assert_eq!(settings.operator.token.unwrap().iter().collect::<Vec<_>>(), expected);
    assert_eq!(settings.delivery_reports.secret.unwrap().iter().collect::<Vec<_>>(), expected);

    let toml = format!("operator.token = {expected:?}\ndelivery_reports.secret = {expected:?}");
    let settings = from_file(&toml);
    assert_eq!(settings.operator.token.unwrap().iter().collect::<Vec<_>>(), expected);
    assert_eq!(settings.delivery_reports.secret.unwrap().iter().collect::<Vec<_>>(), expected);
}

#[rstest]
fn tokens_come_from_a_file(
    #[values("SMS_OPERATOR__TOKEN_FILE", "SMS_DELIVERY_REPORTS__SECRET_FILE")] variable: &str,
    #[values("new,old\n", "new\r\nold\r\n")] content: &str,
) {
    let file = value_file(content);
    let Settings { operator, delivery_reports, .. } = load(&[(variable, file.path().to_str().unwrap())]);
    let tokens = operator.token.or(delivery_reports.secret).unwrap();
    assert_eq!(tokens.iter().collect::<Vec<_>>(), ["new", "old"]);
}

#[rstest]
#[case("operator.token", "\"\"")]
#[case("operator.token", "[]")]
#[case("operator.token", "[\"new\", \" \"]")]
#[case("delivery_reports.secret", "\" \"")]
#[case("delivery_reports.secret", "[]")]
fn an_empty_secret_is_refused(#[case] key: &str, #[case] value: &str) {
    let refusal = load_file(&format!("{key} = {value}"), &[]).unwrap_err().to_string();
    assert_eq!(refusal, format!("{key} must not be empty"));
}

/// As a file of variables has it whose lines were copied from a shell: anybody may read in a document what it is.
#[rstest]
fn what_a_shell_would_have_made_a_secret_of_is_none(
    #[values(
        "logto.authorization",
        "operator.token",
        "delivery_reports.secret",
        "gatewayapi.api_token",
        "ledger.pseudonym_key",
        "ledger.url",
        "telemetry.otlp_headers"
    )]
    key: &str,
    #[values("Bearer $(openssl rand -hex 32)", "\"TOPSECRET TOPSECRET\"", " 'TOPSECRET TOPSECRET'")] value: &str,
) {
    let variable = format!("SMS_{}", key.replace('.', "__").to_uppercase());
    let file = value_file(value);
    let with = |name: &str, value: &str| {
        let mut source = environment(&[]);
        source.environment.retain(|(required, _)| *required != *variable);
        source.environment.push((name.into(), value.into()));
        Settings::load(&source).unwrap_err().to_string()
    };
    let refusals = [
        with(&variable, value),
        with(&format!("{variable}_FILE"), file.path().to_str().unwrap()),
        refusal_of_file(&format!("{key} = {value:?}")),
    ];
    for refusal in refusals {
        assert!(refusal.contains(&format!("{key}: must be the secret itself")), "{refusal}");
        assert!(!refusal.contains("TOPSECRET"), "{refusal}");
    }
}

#[test]
fn a_secret_may_have_quotes_and_dollars_of_its_own() {
    const TOKEN: &str = "a \"$secret\" (that's it) $";
    assert_eq!(load(&[("SMS_OPERATOR__TOKEN", TOKEN)]).operator.token.unwrap().iter().collect::<Vec<_>>(), [TOKEN]);
}

#[test]
fn a_secret_of_nothing_but_commas_is_refused() {
    assert_eq!(refusal(&[("SMS_OPERATOR__TOKEN", ",")]), "operator.token must not be empty");
}

#[rstest]
fn an_authorization_is_more_than_its_scheme(
    #[values("Bearer ", "bearer", "Basic", "Bearer open sesame,Bearer")] value: &str,
) {
    let mut source = environment(&[]);
    source.environment[0].1 = value.into();
    let refusal = Settings::load(&source).err().unwrap().to_string();
    assert_eq!(refusal, "logto.authorization must have a secret behind its scheme");
}

#[test]
fn a_short_operator_token_is_warned_about() {
    let warnings = |token| Settings::load(&environment(&[("SMS_OPERATOR__TOKEN", token)])).unwrap().warnings;
    let is_told = |token| warnings(token).iter().any(|warning| warning.starts_with("operator.token has fewer"));
    assert!(is_told("fifteen letters") && is_told("0123456789abcdef,short") && !is_told("sixteen letters!"));
}

#[rstest]
#[case("Bearer x", true)]
#[case("x", true)]
#[case("Bearer sixteen letters!", false)]
#[case("sixteen-letters!", false)]
#[case("Bearer  fifteen-letters", true)]
#[case("Bearer 0123456789abcdef,Bearer short", true)]
fn a_short_authorization_is_warned_about(#[case] value: &str, #[case] is_warned: bool) {
    let mut source = environment(&[]);
    source.environment[0].1 = value.into();
    let warnings = Settings::load(&source).unwrap().warnings;
    let told = warnings.iter().any(|warning| warning.starts_with("logto.authorization has fewer than 16 characters"));
    assert_eq!(told, is_warned, "{warnings:?}");
}

#[rstest]
#[case("https://user:TOPSECRET@gatewayapi.eu/rest/mtsms")]
#[case("https://TOPSECRET@gatewayapi.eu/rest/mtsms")]
#[case("https://:TOPSECRET@gatewayapi.eu/rest/mtsms")]
fn an_endpoint_holds_no_credentials(#[case] endpoint: &str) {
    let refusal = refusal(&[("SMS_GATEWAYAPI__ENDPOINT", endpoint)]);
    assert!(refusal.starts_with("gatewayapi.endpoint must hold no user and no password"), "{refusal}");
    assert!(!refusal.contains("TOPSECRET"), "{refusal}");
}

#[rstest]
fn a_secret_of_another_type_is_refused_and_not_shown(
    #[values(
        "logto.authorization",
        "operator.token",
        "delivery_reports.secret",
        "gatewayapi.api_token",
        "ledger.pseudonym_key",
        "ledger.url",
        "limits.test_numbers",
        "limits.always_allow",
        "limits.deny"
    )]
    key: &str,
    #[values("8675309", "867.5309", "[\"x\", 8675309]", "[[\"8675309\"]]", "{ x = 8675309 }", "true")] value: &str,
) {
    let refusal = refusal_of_file(&format!("{key} = {value}"));
    assert!(refusal.starts_with(&format!("{key}: ")), "{refusal}");
    assert!(!refusal.contains("8675309") && !refusal.contains("867.5309"), "{refusal}");
}

#[rstest]
#[case("SMS_LIMITS__TEST_NUMBERS", "+453112345667890123")]
#[case("SMS_LIMITS__TEST_NUMBERS", "+4531123456 until 31123456")]
#[case("SMS_LIMITS__DENY", "DK,31123456x")]
#[case("SMS_LIMITS__ALWAYS_ALLOW", "031123456")]
#[case("SMS_LEDGER__URL", "oracle://31123456@db.example")]
fn a_wrong_number_is_not_shown(#[case] variable: &str, #[case] value: &str) {
    let refusal = refusal(&[(variable, value)]);
    assert!(refusal.starts_with(variable) && !refusal.contains("31123456"), "{refusal}");
}

#[test]
fn debug_shows_neither_secrets_nor_numbers() {
    let settings = load(&[
        ("SMS_OPERATOR__TOKEN", "TOPSECRET"),
        ("SMS_DELIVERY_REPORTS__SECRET", "TOPSECRET,TOPSECRET"),
        ("SMS_LEDGER__URL", "postgres://sms:TOPSECRET@db.example/sms"),
        ("SMS_LEDGER__PSEUDONYM_KEY", "TOPSECRETTOPSECRET"),
        ("SMS_DELIVERY_REPORTS__URL", "https://TOPSECRET:TOPSECRET@sms.example.com/delivery-reports?token=TOPSECRET"),
        ("SMS_LIMITS__TEST_NUMBERS", "+4526091045 until 2026-12-31"),
        ("SMS_LIMITS__ALWAYS_ALLOW", "+4526091045"),
        ("SMS_LIMITS__DENY", "+4526091045,192.0.2.55"),
    ]);
    let shown = format!("{settings:?}");
    for hidden in ["TOPSECRET", "26091045", "192.0.2.55", "open sesame"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
