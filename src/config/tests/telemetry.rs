use super::*;

const ENDPOINT: (&str, &str) = ("SMS_TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:4318");

#[test]
fn nothing_is_told_to_a_collector_unless_one_is_named() {
    let telemetry = load(&[]).telemetry;
    assert!(telemetry.otlp_endpoint.is_none() && telemetry.otlp_headers.is_none());
    assert!((telemetry.sample_ratio - 1.0).abs() < f64::EPSILON);
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_build_without_traces_says_so() {
    let refusal = refusal(&[ENDPOINT]);
    assert!(refusal.starts_with("telemetry.otlp_endpoint is set, but this build makes no traces"), "{refusal}");
}

#[cfg(feature = "otlp")]
#[test]
fn the_headers_are_a_secret() {
    let headers = value_file("authorization=Basic dTpw\n");
    let headers = ("SMS_TELEMETRY__OTLP_HEADERS_FILE", headers.path().to_str().unwrap());
    let settings = load(&[ENDPOINT, headers, ("SMS_TELEMETRY__EXTRA_CA_FILE", "ca.pem")]);
    assert_eq!(settings.telemetry.otlp_headers.as_ref().unwrap().expose_secret(), "authorization=Basic dTpw");
    assert!(!format!("{settings:?}").contains("dTpw"));
}

#[rstest]
#[case("OTLP_HEADERS", "a=b", "telemetry.otlp_headers goes with telemetry.otlp_endpoint only")]
#[case("EXTRA_CA_FILE", "ca.pem", "telemetry.extra_ca_file goes with telemetry.otlp_endpoint only")]
#[case("SAMPLE_RATIO", "1.5", "telemetry.sample_ratio must be 0 to 1")]
#[case("SAMPLE_RATIO", "nan", "telemetry.sample_ratio must be 0 to 1")]
#[case("SAMPLE_RATIO", "half", "SMS_TELEMETRY__SAMPLE_RATIO: telemetry.sample_ratio: ")]
#[case("OTLP_ENDPOINT", "127.0.0.1:4318", "an http or https address")]
fn a_wrong_value_is_refused(#[case] key: &str, #[case] value: &str, #[case] sentence: &str) {
    let refusal = refusal(&[(&format!("SMS_TELEMETRY__{key}"), value)]);
    assert!(refusal.contains(sentence), "{refusal}");
}
