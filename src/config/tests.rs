mod ledger;
mod limits;
mod secrets;
mod telemetry;

use super::*;
use rstest::rstest;

const REQUIRED: [(&str, &str); 3] = [
    ("SMS_LOGTO__AUTHORIZATION", "Bearer open sesame to us"),
    ("SMS_GATEWAYAPI__API_TOKEN", "0123"),
    ("SMS_GATEWAYAPI__SENDER", "Acme"),
];

fn environment(variables: &[(&str, &str)]) -> Source {
    let environment = REQUIRED.iter().chain(variables).map(|(name, value)| (name.into(), value.into())).collect();
    Source { environment, ..Source::default() }
}

fn load(variables: &[(&str, &str)]) -> Settings {
    Settings::load(&environment(variables)).unwrap().settings
}

fn refusal(variables: &[(&str, &str)]) -> String {
    Settings::load(&environment(variables)).unwrap_err().to_string()
}

/// Loads a file, with the required keys from the environment.
fn load_file(toml: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), toml).unwrap();
    Settings::load(&Source { file: Some(file.path().to_owned()), ..environment(variables) })
}

fn from_file(toml: &str) -> Settings {
    load_file(toml, &[]).unwrap().settings
}

/// Why a file is refused, without its path.
fn refusal_of_file(toml: &str) -> String {
    let refusal = load_file(toml, &[]).unwrap_err().to_string();
    let (path, rest) = refusal.split_once(".toml: ").unwrap_or_else(|| panic!("{refusal}"));
    assert!(path.starts_with('/'), "{refusal}");
    rest.to_owned()
}

/// A file whose content is a value.
fn value_file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

#[test]
fn three_keys_are_enough() {
    let settings = load(&[]);
    assert_eq!(settings.server.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(settings.delivery.deadline.get().as_secs(), 8);
    assert_eq!(settings.gatewayapi.validity_period.get().as_secs(), 600);
    assert_eq!(settings.gatewayapi.endpoint.url().as_str(), "https://gatewayapi.eu/rest/mtsms");
    assert_eq!(settings.gatewayapi.max_connections, 32);
}

#[test]
fn a_secret_of_digits_keeps_its_zero() {
    assert_eq!(load(&[]).gatewayapi.api_token.expose_secret(), "0123");
}

#[rstest]
#[case(0, "logto.authorization is not set")]
#[case(1, "gatewayapi.api_token is not set")]
#[case(2, "gatewayapi.sender is not set")]
fn a_missing_key_is_named(#[case] missing: usize, #[case] sentence: &str) {
    let mut source = environment(&[]);
    source.environment.remove(missing);
    let refusal = Settings::load(&source).unwrap_err().to_string();
    assert!(refusal.starts_with(sentence), "{refusal}");
    assert!(refusal.contains(REQUIRED[missing].0), "{refusal}");
}

#[rstest]
#[case(
    "SMS_GATEWAYAPI__MAX_CONECTIONS",
    "3",
    "unknown key gatewayapi.max_conections in SMS_GATEWAYAPI__MAX_CONECTIONS"
)]
#[case("SMS_SERVICE_HOST", "10.0.0.1", "unknown key service_host in SMS_SERVICE_HOST")]
#[case("SMS_GATEWAYAPI__MAX_BATCH", "many", "SMS_GATEWAYAPI__MAX_BATCH: gatewayapi.max_batch: ")]
#[case("SMS_GATEWAYAPI__SENDERS__DENMARK", "Acme", "`DENMARK`: not the ISO code of a country")]
#[case("SMS_GATEWAYAPI__SENDERS__DK", "A much too long sender", "at most 11 characters")]
#[case("SMS_GATEWAYAPI__VALIDITY_PERIOD", "30s", "gatewayapi.validity_period must be 60 s")]
#[case("SMS_DELIVERY__DEADLINE", "18446744073709551615s", "delivery.deadline must be 1 ms to 60 s")]
#[case("SMS_DELIVERY__DEADLINE", "18446744073709560s", "delivery.deadline must be 1 ms to 60 s")]
#[case("SMS_DELIVERY__DEADLINE", "0", "delivery.deadline must be 1 ms to 60 s")]
#[case("SMS_GATEWAYAPI__CLASS", "gold", "must be one of: standard premium secret")]
#[case("SMS_LOG__LEVEL", "loud", "must be one of: error warn info debug trace")]
#[case("SMS_SERVER__LISTEN", "8080", "must be an IP address and a port, such as 0.0.0.0:8080")]
#[case("SMS_GATEWAYAPI__MAX_CONNECTIONS", "41", "gatewayapi.max_connections must be 1 to 40")]
#[case("SMS_GATEWAYAPI__ENDPOINT", "ftp://x", "an http or https address")]
#[case("SMS_LIMITS__NUMBER__COOLDOWN", "18446744073709551615", "limits.number.cooldown must be at most 31 d")]
#[case("SMS_LIMITS__DENY", "+45x", "must be a number (+4526091045), a beginning (+45 26 09*)")]
#[case("SMS_DELIVERY__DEADLINE", "soon", "a duration such as")]
#[case("SMS_LOGTO__AUTHORIZATION_FILE", "/nowhere", "can't read the file")]
fn a_wrong_value_is_refused_with_its_origin(#[case] variable: &str, #[case] value: &str, #[case] sentence: &str) {
    let refusal = refusal(&[(variable, value)]);
    assert!(refusal.contains(sentence), "{refusal}");
    let key = variable.trim_start_matches("SMS_").trim_end_matches("_FILE").replace("__", ".").to_lowercase();
    assert!(refusal.contains(variable) || refusal.contains(&key), "{refusal}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_two_places() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "token from a file\n").unwrap();
    let file = ("SMS_GATEWAYAPI__API_TOKEN_FILE", secret.path().to_str().unwrap());

    let mut source = environment(&[file]);
    source.environment.remove(1);
    let settings = Settings::load(&source).unwrap().settings;
    assert_eq!(settings.gatewayapi.api_token.expose_secret(), "token from a file");

    assert!(refusal(&[file]).contains("both set"));
}

#[test]
fn an_extra_ca_file_is_a_path_and_no_value_from_a_file() {
    let settings = load(&[("SMS_GATEWAYAPI__EXTRA_CA_FILE", "/etc/ca.pem")]);
    assert_eq!(settings.gatewayapi.extra_ca_file.unwrap(), Path::new("/etc/ca.pem"));
}

#[test]
fn authorizations_rotate_as_a_list() {
    let mut source = environment(&[]);
    source.environment[0].1 = "Bearer new, Bearer old".into();
    let settings = Settings::load(&source).unwrap().settings;
    assert_eq!(settings.logto.authorization.iter().collect::<Vec<_>>(), ["Bearer new", "Bearer old"]);
}

#[test]
fn maps_and_durations_come_from_the_environment() {
    let settings = load(&[
        ("SMS_GATEWAYAPI__SENDERS__DK", "AcmeDK"),
        ("SMS_TEMPLATES__VARIABLES__BRAND", "Acme Inc"),
        ("SMS_DELIVERY__DEADLINE", "500ms"),
        ("SMS_GATEWAYAPI__VALIDITY_PERIOD", "120"),
        ("SMS_GATEWAYAPI__CLASS", "premium"),
        ("SMS_GATEWAYAPI__PRIORITY", "VERY_URGENT"),
    ]);
    let senders = settings.gatewayapi.all_senders();
    assert_eq!(senders.for_country(Country::parse("DK")).as_str(), "AcmeDK");
    assert_eq!(senders.for_country(Country::parse("SE")).as_str(), "Acme");
    assert_eq!(settings.templates.variables["brand"], "Acme Inc");
    assert_eq!(settings.delivery.deadline.get().as_millis(), 500);
    assert_eq!(settings.gatewayapi.validity_period.get().as_secs(), 120);
    assert_eq!(settings.gatewayapi.class, Some(Class::Premium));
    assert_eq!(settings.gatewayapi.priority, Some(Priority::VeryUrgent));
}

#[test]
fn the_environment_is_over_the_file_and_the_file_over_the_defaults() {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), "delivery.max_segments = 5\ngatewayapi.max_batch = 7\n").unwrap();
    let mut source = environment(&[("SMS_GATEWAYAPI__MAX_BATCH", "9")]);
    source.file = Some(file.path().to_owned());
    let settings = Settings::load(&source).unwrap().settings;
    assert_eq!((settings.delivery.max_segments, settings.gatewayapi.max_batch), (5, 9));

    std::fs::write(file.path(), "gatewayapi.token = 7\n").unwrap();
    let refusal = Settings::load(&source).unwrap_err().to_string();
    assert!(refusal.contains("unknown key gatewayapi.token in"), "{refusal}");
    assert!(refusal.contains(file.path().to_str().unwrap()), "{refusal}");
}

#[rstest]
#[case("logto.authorization = \"Bearer TOPSECRET\ngatewayapi.sender = \"x\"")]
#[case("logto.authorization = Bearer-TOPSECRET")]
#[case("logto.authorization = 8675309")]
#[case("logto.authorization = [\"TOPSECRET\"")]
#[case("gatewayapi.api_token = 'TOPSECRET")]
fn an_error_in_a_file_shows_its_place_and_no_secret(#[case] toml: &str) {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let source = Source { file: Some(file.path().to_owned()), ..environment(&[]) };
    let refusal = Settings::load(&source).unwrap_err().to_string();
    assert!(!refusal.contains("TOPSECRET") && !refusal.contains("8675309"), "{refusal}");
    assert!(refusal.contains("line") || refusal.contains("logto.authorization"), "{refusal}");
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
}

#[rstest]
#[case("http://gatewayapi.eu/rest/mtsms", true)]
#[case("http://192.0.2.1/rest/mtsms", true)]
#[case("https://gatewayapi.eu/rest/mtsms", false)]
#[case("http://127.0.0.1:9200/rest/mtsms", false)]
#[case("http://[::1]:9200/rest/mtsms", false)]
#[case("http://localhost:9200/rest/mtsms", false)]
fn an_endpoint_without_tls_is_warned_about(#[case] endpoint: &str, #[case] is_warned: bool) {
    let warnings = Settings::load(&environment(&[("SMS_GATEWAYAPI__ENDPOINT", endpoint)])).unwrap().warnings;
    let told = warnings.iter().any(|warning| warning.starts_with("gatewayapi.endpoint is http: "));
    assert_eq!(told, is_warned, "{warnings:?}");
}

#[test]
fn a_country_has_one_sender() {
    let refusal = refusal_of_file("gatewayapi.senders = { DK = \"One\", dk = \"Two\" }");
    assert_eq!(refusal, "gatewayapi.senders: `dk` stands twice");
}

#[rstest]
#[case("DK")]
#[case("dk")]
fn a_sender_of_the_environment_is_over_that_of_the_file(#[case] written: &str) {
    let file = format!("gatewayapi.senders = {{ {written} = \"One\", SE = \"Other\" }}");
    let settings = load_file(&file, &[("SMS_GATEWAYAPI__SENDERS__DK", "Two")]).unwrap().settings;
    let senders: Vec<_> = settings.gatewayapi.senders.values().map(Sender::as_str).collect();
    assert_eq!(senders, ["Two", "Other"]);
}

#[test]
fn a_wrong_entry_of_a_map_is_told_from_its_neighbours() {
    let refusal = refusal(&[("SMS_GATEWAYAPI__SENDERS__DK", "Acme"), ("SMS_GATEWAYAPI__SENDERS__XX", "Acme")]);
    let told = "SMS_GATEWAYAPI__SENDERS__XX: gatewayapi.senders: `XX`: not the ISO code of a country";
    assert!(refusal.starts_with(told), "{refusal}");
}

#[test]
fn every_key_that_the_reference_only_names_exists() {
    let keys = DEFAULTS.lines().scan("", |section, line| {
        if let Some(name) = line.strip_prefix('[') {
            *section = name.trim_end_matches(']');
        }
        let key = line.strip_prefix("# ").and_then(|key| key.split_once(" ="));
        Some(key.filter(|(key, rest)| rest.is_empty() && !key.contains(' ')).map(|(key, _)| format!("{section}.{key}")))
    });
    let keys: Vec<_> = keys.flatten().collect();
    assert!(keys.len() >= 10 && keys.contains(&"ledger.pseudonym_key".to_owned()), "{keys:?}");
    for key in keys {
        // Right or wrong as a value, but known as a key.
        let result = load_file(&format!("{key} = \"-\""), &[]);
        assert!(!matches!(result, Err(ConfigError::Unknown { .. } | ConfigError::Layer { .. })), "{key}: {result:?}");
    }
}

#[rstest]
#[case("0s", "0s")]
#[case("500ms", "500ms")]
#[case("25", "25s")]
#[case("90s", "90s")]
#[case("600s", "10m")]
#[case("90m", "90m")]
#[case("120m", "2h")]
#[case("1d", "24h")]
#[case("30d", "30d")]
#[case("36h", "36h")]
#[case("1500ms", "1s 500ms")]
fn a_duration_is_written_as_it_is_read(#[case] text: &str, #[case] written: &str) {
    let cooldown = |text: &str| from_file(&format!("limits.number.cooldown = \"{text}\"")).limits.number.cooldown;
    assert_eq!(cooldown(text).to_string(), written);
    assert_eq!(cooldown(written), cooldown(text));
}

#[test]
fn empty_variables_count_as_not_set() {
    assert_eq!(load(&[("SMS_GATEWAYAPI__LABEL", "")]).gatewayapi.label, None);
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", load(&[]));
    assert!(!shown.contains("open sesame") && !shown.contains("0123"), "{shown}");
}
