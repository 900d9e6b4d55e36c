use super::*;
use rstest::rstest;

const KEY: &str = "0123456789abcdef";

#[test]
fn the_defaults_are_those_of_the_reference() {
    let Ledger { url, retention, required, pseudonym_key, ca_file } = load(&[]).ledger;
    assert_eq!(url.to_string(), "SQLite data/ledger.db");
    assert_eq!(retention.get().as_secs(), 30 * 24 * 3600);
    assert!(!required && pseudonym_key.is_none() && ca_file.is_none());
}

#[rstest]
#[case("true", true)]
#[case("false", false)]
fn every_key_comes_from_the_environment(#[case] written: &str, #[case] expected: bool) {
    let Ledger { url, retention, required, pseudonym_key, ca_file } = load(&[
        ("SMS_LEDGER__URL", "sqlite:///var/lib/sms/ledger.db"),
        ("SMS_LEDGER__RETENTION", "7d"),
        ("SMS_LEDGER__REQUIRED", written),
        ("SMS_LEDGER__PSEUDONYM_KEY", KEY),
        ("SMS_LEDGER__CA_FILE", "/etc/ca.pem"),
    ])
    .ledger;
    assert!(matches!(url, LedgerUrl::Sqlite(path) if path == Path::new("/var/lib/sms/ledger.db")));
    assert_eq!((retention.to_string().as_str(), required), ("7d", expected));
    assert_eq!(pseudonym_key.unwrap().expose_secret(), KEY);
    assert_eq!(ca_file.unwrap(), Path::new("/etc/ca.pem"));
}

#[test]
fn every_key_comes_from_a_file_in_its_own_type() {
    let toml =
        format!("ledger = {{ url = \"sqlite::memory:\", retention = 60, required = true, pseudonym_key = \"{KEY}\" }}");
    let Ledger { url, retention, required, pseudonym_key, .. } = from_file(&toml).ledger;
    assert!(matches!(url, LedgerUrl::Memory));
    assert_eq!((retention.get().as_secs(), required), (60, true));
    assert_eq!(pseudonym_key.unwrap().expose_secret(), KEY);
}

#[test]
fn its_secrets_come_from_files() {
    let url = value_file("postgres://sms:pass@db.example/sms\n");
    let key = value_file(&format!("{KEY}\n"));
    let settings = load(&[
        ("SMS_LEDGER__URL_FILE", url.path().to_str().unwrap()),
        ("SMS_LEDGER__PSEUDONYM_KEY_FILE", key.path().to_str().unwrap()),
    ]);
    let LedgerUrl::Postgres(url) = settings.ledger.url else { panic!("{:?}", settings.ledger.url) };
    assert_eq!(url.expose_secret(), "postgres://sms:pass@db.example/sms");
    assert_eq!(settings.ledger.pseudonym_key.unwrap().expose_secret(), KEY);
}

#[rstest]
#[case("sqlite://data/ledger.db", "SQLite data/ledger.db")]
#[case("sqlite:ledger.db", "SQLite ledger.db")]
#[case("sqlite:///ledger.db", "SQLite /ledger.db")]
#[case("sqlite::memory:", "in memory")]
#[case("postgres://db.example/sms", "PostgreSQL db.example/sms")]
#[case("postgresql://sms@db.example:5432/sms", "PostgreSQL db.example:5432/sms")]
#[case("postgres://sms:TOPSECRET@a,b:5433/sms?sslmode=require", "PostgreSQL a,b:5433/sms")]
#[case("postgres://sms:TOP/SECRET@[::1]:5432/sms", "PostgreSQL [::1]:5432/sms")]
#[case("postgres://sms:TOP%40SECRET@[::1]/sms", "PostgreSQL [::1]/sms")]
#[case("postgres://db.example/sms?user=sms&password=TOPSECRET", "PostgreSQL db.example/sms")]
#[case("postgres:///sms?host=/run/postgresql", "PostgreSQL /sms")]
fn a_place_is_shown_without_credentials(#[case] url: &str, #[case] shown: &str) {
    let ledger = load(&[("SMS_LEDGER__URL", url), ("SMS_LEDGER__PSEUDONYM_KEY", KEY)]).ledger;
    assert_eq!(ledger.url.to_string(), shown);
    let debug = format!("{ledger:?}");
    assert!(!debug.contains("TOP") && !debug.contains(KEY), "{debug}");
}

#[rstest]
fn another_place_is_refused(
    #[values(
        "mysql://sms:TOPSECRET@db.example/sms",
        "TOPSECRET",
        "sqlite://",
        "sqlite://data/TOPSECRET/",
        "sqlite://:memory:",
        "sqlite:file:TOPSECRET",
        "sqlite::memory",
        "sqlite://TOPSECRET?mode=ro",
        "postgres://sms:TOP@SECRET@db.example/sms",
        "postgres://sms:TOP?SECRET@db.example/sms",
        "postgres://sms:TOP#SECRET@db.example/sms",
        "postgres://sms:TOPSECRET/sms",
        "postgres://db.example/sms?password=TOP@SECRET"
    )]
    url: &str,
) {
    let refusal = refusal(&[("SMS_LEDGER__URL", url), ("SMS_LEDGER__PSEUDONYM_KEY", KEY)]);
    assert!(refusal.starts_with("SMS_LEDGER__URL: ledger.url: must be "), "{refusal}");
    assert!(!refusal.contains("TOP") && !refusal.contains("SECRET"), "{refusal}");
}

#[rstest]
#[case("RETENTION", "0", "ledger.retention must be at least 1 s")]
#[case("RETENTION", "long", "SMS_LEDGER__RETENTION: ledger.retention: ")]
#[case("REQUIRED", "maybe", "SMS_LEDGER__REQUIRED: ledger.required: ")]
#[case("PSEUDONYM_KEY", "0123456789abcde", "ledger.pseudonym_key must have at least 16 characters")]
#[case("PSEUDONYM_KEY", "                    ", "ledger.pseudonym_key must have at least 16 characters")]
#[case("URL", "postgres://db.example/sms", "ledger.pseudonym_key must be set with PostgreSQL")]
fn a_wrong_value_is_told(#[case] key: &str, #[case] value: &str, #[case] told: &str) {
    let refusal = refusal(&[(&format!("SMS_LEDGER__{key}"), value)]);
    assert!(refusal.starts_with(told) && !refusal.contains("0123456789"), "{refusal}");
}

#[rstest]
#[case("ledger.retention = \"1h\"", true)]
#[case("ledger.retention = \"24h\"", false)]
#[case("ledger.retention = \"24h\"\nlimits.service.rates = [\"100/2d\"]", true)]
#[case("ledger.retention = \"1h\"\nlimits = { number.rates = [], ip.rates = [], country.rates = [] }", true)]
#[case(
    "ledger.retention = \"1h\"\nlimits = { number.rates = [], ip = { rates = [], max_countries = 0 }, country.rates = [] }",
    false
)]
fn a_ledger_that_forgets_what_limits_count_is_warned_about(#[case] toml: &str, #[case] is_warned: bool) {
    let warnings = load_file(toml, &[]).unwrap().warnings;
    assert_eq!(
        warnings.iter().any(|warning| warning.starts_with("ledger.retention is shorter")),
        is_warned,
        "{warnings:?}"
    );
}
