use super::*;
use actix_web::http::header::{HeaderName, HeaderValue};
use jsonwebtoken::{EncodingKey, Header};
use rstest::rstest;
use serde_json::json;

/// From GatewayAPI's documentation; its secret is `secret`.
const PUBLISHED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjoxNTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbCwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOciAJedZFB13r9wEo8t3Y";

fn verifier(secrets: &str) -> ReportVerifier {
    let toml = format!("secret = {secrets}");
    let config = config::Config::builder().add_source(config::File::from_str(&toml, config::FileFormat::Toml));
    ReportVerifier::of(&config.build().unwrap().get("secret").unwrap())
}

fn verify(token: &str) -> Result<Option<Map<String, Value>>, SignatureError> {
    let mut headers = HeaderMap::new();
    headers.append(HeaderName::from_static(SIGNATURE), HeaderValue::from_str(token).unwrap());
    verifier(r#""secret""#).verify(&headers)
}

/// Of a header and claims as they stand here, signed with the published secret.
fn signed(header: &str, claims: &str, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(b"secret"), algorithm).unwrap();
    format!("{message}.{signature}")
}

#[test]
fn the_published_signature_is_gatewayapis() {
    let claims = verify(PUBLISHED).unwrap().unwrap();
    assert_eq!((&claims["id"], &claims["status"]), (&json!(2381703), &json!("DELIVERED")));
    assert_eq!(verifier(r#""another""#).claims(PUBLISHED), Err(SignatureError::Wrong));
}

#[test]
fn any_of_several_secrets_will_do() {
    for secrets in [r#"["secret", "next"]"#, r#"["next", "secret"]"#, r#"" secret\n""#] {
        assert!(verifier(secrets).claims(PUBLISHED).is_ok(), "{secrets}");
    }
    assert_eq!(format!("{:?}", verifier(r#"["secret", "next"]"#)), "ReportVerifier(2 secrets)");
}

#[rstest]
fn each_algorithm_with_our_secret_will_do(
    #[values(Algorithm::HS256, Algorithm::HS384, Algorithm::HS512)] algorithm: Algorithm,
) {
    let key = EncodingKey::from_secret(b"secret");
    let token = jsonwebtoken::encode(&Header::new(algorithm), &json!({"exp": 1, "aud": "x"}), &key).unwrap();
    assert_eq!(verify(&token).unwrap().unwrap()["exp"], 1);
}

#[rstest]
#[case::none(r#"{"alg":"none"}"#)]
#[case::none_in_other_letters(r#"{"alg":"nOnE"}"#)]
#[case::rsa(r#"{"alg":"RS256"}"#)]
#[case::rsa_pss(r#"{"alg":"PS256"}"#)]
#[case::elliptic_curve(r#"{"alg":"ES256"}"#)]
#[case::edwards_curve(r#"{"alg":"EdDSA"}"#)]
#[case::other_letters(r#"{"alg":"hs256"}"#)]
#[case::a_space(r#"{"alg":"HS256 "}"#)]
#[case::missing(r#"{"typ":"JWT"}"#)]
#[case::null(r#"{"alg":null}"#)]
#[case::a_list(r#"{"alg":["HS256"]}"#)]
#[case::in_other_letters(r#"{"Alg":"HS256"}"#)]
fn no_other_algorithm_will_do_though_the_secret_is_right(#[case] header: &str) {
    let token = signed(header, "{}", Algorithm::HS256);
    assert_eq!(verify(&token), Err(SignatureError::Algorithm));
    let unsigned = &token[..=token.rfind('.').unwrap()];
    assert_eq!(verify(unsigned), Err(SignatureError::Algorithm));
}

#[rstest]
#[case::not_that_hash(&signed(r#"{"alg":"HS384"}"#, "{}", Algorithm::HS256), SignatureError::Wrong)]
#[case::algorithm_twice(&signed(r#"{"alg":"none","alg":"HS256"}"#, "{}", Algorithm::HS256), SignatureError::Malformed)]
#[case::header_no_object(&signed("[]", "{}", Algorithm::HS256), SignatureError::Malformed)]
#[case::header_no_json(&signed("HS256", "{}", Algorithm::HS256), SignatureError::Malformed)]
#[case::nothing("", SignatureError::Malformed)]
#[case::dots("..", SignatureError::Malformed)]
#[case::one_part(&PUBLISHED[..36], SignatureError::Malformed)]
#[case::two_parts(PUBLISHED.rsplit_once('.').unwrap().0, SignatureError::Malformed)]
#[case::no_signature(&PUBLISHED[..=PUBLISHED.rfind('.').unwrap()], SignatureError::Wrong)]
#[case::a_byte_short(&PUBLISHED[..PUBLISHED.len() - 1], SignatureError::Wrong)]
#[case::a_byte_more(&format!("{PUBLISHED}A"), SignatureError::Wrong)]
#[case::padding(&format!("{PUBLISHED}="), SignatureError::Wrong)]
#[case::other_end(&PUBLISHED.replace("o8t3Y", "o8t3Z"), SignatureError::Wrong)]
#[case::a_part_more(&format!("{PUBLISHED}.e30"), SignatureError::Wrong)]
#[case::a_part_before(&format!("e30.{PUBLISHED}"), SignatureError::Algorithm)]
#[case::scheme_before(&format!("Bearer {PUBLISHED}"), SignatureError::Malformed)]
#[case::space_inside(&PUBLISHED.replacen('.', ". ", 1), SignatureError::Wrong)]
#[case::twice(&format!("{PUBLISHED}, {PUBLISHED}"), SignatureError::Wrong)]
fn nothing_else_is_gatewayapis(#[case] token: &str, #[case] expected: SignatureError) {
    assert_eq!(verify(token), Err(expected));
}

#[rstest]
fn what_is_gatewayapis_need_not_be_an_object(#[values("DELIVERED", "[1]")] claims: &str) {
    assert_eq!(verify(&signed(r#"{"alg":"HS256"}"#, claims, Algorithm::HS256)), Ok(None));
}

#[test]
fn no_byte_may_be_changed() {
    for at in 0..PUBLISHED.len() {
        let mut token = PUBLISHED.as_bytes().to_vec();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(std::str::from_utf8(&token).unwrap()).is_err(), "byte {at}");
    }
}

#[test]
fn there_must_be_one_header() {
    let verifier = verifier(r#""secret""#);
    let mut headers = HeaderMap::new();
    assert_eq!(verifier.verify(&headers), Err(SignatureError::Missing));
    for expected in [Ok(()), Err(SignatureError::Several)] {
        headers.append(HeaderName::from_static(SIGNATURE), HeaderValue::from_static(PUBLISHED));
        assert_eq!(verifier.verify(&headers).map(drop), expected);
    }
    headers.insert(HeaderName::from_static(SIGNATURE), HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(verifier.verify(&headers), Err(SignatureError::Malformed));
}
