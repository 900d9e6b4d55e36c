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

fn postgres(url: &str, more: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let variables = [&[("SMS_LEDGER__URL", url), ("SMS_LEDGER__PSEUDONYM_KEY", KEY)], more].concat();
    Settings::load(&environment(&variables))
}

#[rstest]
#[case("postgres://db.example/sms", true)]
#[case("postgres://sms:pass@db.example:5432/sms?application_name=x", true)]
#[case("postgres://127.0.0.1,db.example/sms", true)]
#[case("postgres://[2001:db8::1]:5432/sms", true)]
#[case("postgres:///sms?host=db.example", true)]
#[case("postgres://localhost/sms?hostaddr=192.0.2.1", true)]
#[case("postgres://db.example/sms?hostaddr=127.0.0.1", false)]
#[case("postgres://db.example/sms?sslmode=require", false)]
#[case("postgres://db.example/sms?connect_timeout=3&sslmode=disable", false)]
#[case("postgres://db.example/sms?ssl%6Dode=prefer", false)]
#[case("postgres://localhost/sms", false)]
#[case("postgres://127.0.0.2:5433,[::1]:5432/sms", false)]
#[case("postgres://%2Frun%2Fpostgresql/sms", false)]
#[case("postgres:///sms?host=/run/postgresql", false)]
#[case("sqlite://data/ledger.db", false)]
fn a_database_over_the_network_without_a_word_about_tls_is_warned_of(#[case] url: &str, #[case] is_warned: bool) {
    let warnings = postgres(url, &[]).unwrap().warnings;
    let told = warnings.iter().any(|warning| warning.starts_with("ledger.url has no sslmode: "));
    assert_eq!(told, is_warned, "{warnings:?}");
}

#[rstest]
#[case("postgres://db.example/sms", true)]
#[case("postgres://db.example/sms?sslmode=require", true)]
#[case("postgres://db.example/sms?sslmode=prefer", false)]
#[case("postgres://db.example/sms?sslmode=disable", false)]
#[case("postgres://db.example/sms?sslmode=require&sslmode=prefer", false)]
fn who_names_an_authority_means_tls(#[case] url: &str, #[case] is_fine: bool) {
    match postgres(url, &[("SMS_LEDGER__CA_FILE", "/etc/ca.pem")]) {
        Ok(Loaded { warnings, .. }) => {
            assert!(is_fine && !warnings.iter().any(|warning| warning.contains("sslmode")), "{warnings:?}");
        }
        Err(refusal) => {
            let refusal = refusal.to_string();
            assert!(!is_fine && refusal.starts_with("ledger.ca_file must not stand with sslmode="), "{refusal}");
        }
    }
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
