//! What GatewayAPI reports on messages that it accepted, and what nobody else may.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatewayapi_sms_connector::{
    config::{Settings, Source},
    ledger::{Admission, Applicant, Effect, Ledger, OpenMessage, Settlement},
    metrics::Metrics,
    simulator::{Options, Reports},
    sms::{DeliveryReport, DeliveryStatus, MessageId, Outcome, Recipient, Timestamp, UsageType},
};
use jsonwebtoken::Algorithm;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use uuid::Uuid;

use crate::{
    app::{
        GOOD, REPORT_SECRET, TestApp, outlasting_a_stop, sign, sign_in, spawn_app, spawn_app_on, spawn_app_with,
        spawn_app_without, until,
    },
    database::Database,
    log,
};

/// From GatewayAPI's documentation; its secret is `secret`.
const PUBLISHED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjoxNTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbCwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOciAJedZFB13r9wEo8t3Y";
/// Accepted, and then the connection is closed without an answer.
const HANGS_UP: &str = "4526040003";

fn report(userref: &str, status: &str, time: u64) -> Value {
    json!({
        "id": 1000001, "msisdn": 4526091045u64, "time": time, "status": status, "error": null, "code": null,
        "userref": userref, "country_code": "DK", "country_prefix": 45
    })
}

fn now() -> u64 {
    u64::try_from(Timestamp::now().millis()).unwrap() / 1000
}

async fn results(app: &TestApp, result: &str) -> Option<f64> {
    app.metric(&format!(r#"sms_delivery_reports_total{{result="{result}"}}"#)).await
}

async fn refused(app: &TestApp, reason: &str) -> Option<f64> {
    app.metric(&format!(r#"sms_delivery_reports_refused_total{{reason="{reason}"}}"#)).await
}

/// How many Danish messages were accepted, and how many delivered.
async fn accepted_and_delivered(app: &TestApp) -> (Option<f64>, Option<f64>) {
    let accepted = app.metric(r#"sms_accepted_total{country="DK"}"#).await;
    (accepted, app.metric(r#"sms_delivered_total{country="DK"}"#).await)
}

/// The service, and an accepted message's id.
async fn app_with_message() -> (TestApp, String) {
    let app = spawn_app().await;
    let id = app.send(sign_in(GOOD, "493817")).await.message_id().to_owned();
    (app, id)
}

#[tokio::test]
async fn a_delivered_message_is_counted_with_the_time_that_it_took() {
    let (app, _) = app_with_message().await;
    app.database.age(Duration::from_secs(90)).await;
    let (id, _) = app.database.outcomes().await.pop_first().unwrap();
    let answer = app.report(&report(&id, "DELIVERED", now())).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "Noted.\n"));
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
    assert_eq!(results(&app, "applied").await, Some(1.0));
    let seconds = app.metric("sms_delivery_seconds_sum").await.unwrap();
    assert!((89.0..=120.0).contains(&seconds), "{seconds}");

    let lines = log::lines_of(&id);
    let line = lines.iter().find(|line| line["effect"] == "applied").unwrap();
    assert_eq!((&line["level"], &line["status"]), (&json!("INFO"), &json!("DELIVERED")));
}

#[rstest]
#[case::a_little_behind(-3, 1.0)]
#[case::behind(-3600, 0.0)]
#[case::ahead(3600, 0.0)]
#[tokio::test]
async fn a_clock_that_is_wrong_tells_no_time(#[case] off: i64, #[case] times: f64) {
    let (app, id) = app_with_message().await;
    // An id tells when it was admitted.
    let (admitted_at, _) = Uuid::parse_str(&id).unwrap().get_timestamp().unwrap().to_unix();
    app.report(&report(&id, "DELIVERED", admitted_at.saturating_add_signed(off))).await;
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
    assert_eq!(app.metric("sms_delivery_seconds_sum").await, Some(0.0));
    assert_eq!(app.metric("sms_delivery_seconds_count").await, Some(times));
}

#[rstest]
#[case::of_the_phone("UNDELIVERABLE", json!("0x1001"), Some("HLR"))]
#[case::of_gatewayapi("REJECTED", json!("0x1904"), Some("GWAPI"))]
#[case::as_a_number("REJECTED", json!(0x1050), Some("ROUTE"))]
#[case::not_listed("SKIPPED", json!("0x7777"), Some("OTHER"))]
#[case::without_a_code("EXPIRED", Value::Null, Some("none"))]
#[case::deleted("DELETED", Value::Null, Some("none"))]
#[case::accepted_and_no_more_is_known("ACCEPTED", Value::Null, None)]
#[case::on_its_way("ENROUTE", json!("0x1001"), None)]
#[tokio::test]
async fn an_undelivered_message_is_counted_by_its_group_of_errors(
    #[case] status: &str,
    #[case] code: Value,
    #[case] group: Option<&str>,
) {
    let (app, id) = app_with_message().await;
    let mut claims = report(&id, status, now());
    claims["code"] = code;
    assert_eq!(app.report(&claims).await.status, 200);
    assert_eq!(results(&app, "applied").await, Some(1.0));
    let label = group.unwrap_or("HLR");
    let undelivered = format!(r#"sms_undelivered_total{{country="DK",error_group="{label}"}}"#);
    assert_eq!(app.metric(&undelivered).await, group.map(|_| 1.0));
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), None));
}

#[tokio::test]
async fn reports_may_come_in_any_order_and_again() {
    let (app, id) = app_with_message().await;
    let time = now();
    for (status, time, result, count) in [
        ("ENROUTE", time, "applied", 1.0),
        ("BUFFERED", time - 2, "late", 1.0),
        ("ENROUTE", time, "duplicate", 1.0),
        ("DELIVERED", time + 1, "applied", 2.0),
        ("DELIVERED", time + 1, "duplicate", 2.0),
        ("ENROUTE", time + 2, "late", 2.0),
        ("EXPIRED", time + 2, "late", 3.0),
    ] {
        assert_eq!(app.report(&report(&id, status, time)).await.status, 200);
        assert_eq!(results(&app, result).await, Some(count), "{status}");
    }
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
    assert_eq!(app.metric("sms_delivery_seconds_count").await, Some(1.0));
}

#[tokio::test]
async fn a_state_that_nobody_knows_is_counted_and_never_taken_for_delivered() {
    let (app, id) = app_with_message().await;
    assert_eq!(app.report(&report(&id, "TELEPORTED", now())).await.status, 200);
    assert_eq!(results(&app, "unknown_state").await, Some(1.0));
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), None));
    assert!(log::lines_of(&id).iter().any(|line| line["unknown_status"] == "TELEPORTED"));
    app.report(&report(&id, "DELIVERED", now())).await;
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
}

#[rstest]
#[case::missing(Value::Null)]
#[case::of_somebody_else(json!("order 7"))]
#[case::forgotten(json!("019a8d3c-5c5e-7a62-9d0e-0c3b1f1f8f01"))]
#[tokio::test]
async fn a_message_that_is_not_known_is_answered_all_the_same(#[case] userref: Value) {
    let app = spawn_app().await;
    let mut claims = report("", "DELIVERED", now());
    claims["userref"] = userref;
    assert_eq!(app.report(&claims).await.status, 200);
    assert_eq!(results(&app, "unknown_message").await, Some(1.0));
    assert_eq!(accepted_and_delivered(&app).await, (None, None));
}

#[rstest]
#[case::incoming_message(json!({"id": 1000001, "msisdn": 4526091045u64, "receiver": 451204, "message": "STOP"}))]
#[case::no_object(json!(["DELIVERED"]))]
#[tokio::test]
async fn what_is_signed_but_no_report_is_not_asked_for_again(#[case] claims: Value) {
    let app = spawn_app().await;
    assert_eq!(app.report(&claims).await.status, 200);
    assert_eq!(results(&app, "unreadable").await, Some(1.0));
}

#[tokio::test]
async fn the_longest_report_fits() {
    let (app, id) = app_with_message().await;
    let mut claims = report(&id, "UNDELIVERABLE", now());
    claims["error"] = json!("x".repeat(8 * 1024));
    claims["callback_url"] = json!(format!("https://sms.example.com/{}", "x".repeat(8 * 1024)));
    assert_eq!(app.report(&claims).await.status, 200);
    assert_eq!(results(&app, "applied").await, Some(1.0));
}

#[tokio::test]
async fn the_published_signature_is_taken() {
    let app = spawn_app_with(r#"delivery_reports.secret = "secret""#, Options::default()).await;
    log::forbid("4542609045");
    assert_eq!(app.post(app.report_request(PUBLISHED)).await.status, 200);
    assert_eq!(results(&app, "unknown_message").await, Some(1.0));
}

#[tokio::test]
async fn both_secrets_will_do_while_one_replaces_the_other() {
    let settings = format!(r#"delivery_reports.secret = ["the next secret", "{REPORT_SECRET}"]"#);
    let app = spawn_app_with(&settings, Options::default()).await;
    let claims = report("", "DELIVERED", now());
    for (secret, status) in [(REPORT_SECRET, 200), ("the next secret", 200), ("the last secret", 401), ("", 401)] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let answer = app.post(app.report_request(&sign(&claims, secret, algorithm))).await;
            assert_eq!(answer.status.as_u16(), status, "{secret} {algorithm:?}");
        }
    }
    assert_eq!(refused(&app, "signature").await, Some(6.0));
}

/// Altered signatures, the header and claims of which are in base64 already.
fn forgeries(id: &str) -> Vec<(&'static str, String)> {
    let claims = report(id, "DELIVERED", now());
    let token = sign(&claims, REPORT_SECRET, Algorithm::HS256);
    let other = sign(&report(id, "EXPIRED", now()), REPORT_SECRET, Algorithm::HS256);
    let parts: Vec<_> = token.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let other_parts: Vec<_> = other.split('.').collect();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let with_header = |json: &str| {
        let signed = format!("{}.{body}", encode(json));
        let key = jsonwebtoken::EncodingKey::from_secret(REPORT_SECRET.as_bytes());
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{signed}.{signature}")
    };
    vec![
        ("algorithm", with_header(r#"{"alg":"none"}"#)),
        ("algorithm", format!("{}.{body}.", encode(r#"{"alg":"none"}"#))),
        ("malformed", format!("{}.{body}", encode(r#"{"alg":"none"}"#))),
        ("algorithm", with_header(r#"{"alg":"None"}"#)),
        ("algorithm", with_header(r#"{"alg":"RS256"}"#)),
        ("algorithm", with_header(r#"{"alg":"PS256"}"#)),
        ("algorithm", with_header(r#"{"alg":"ES256"}"#)),
        ("algorithm", with_header(r#"{"alg":"EdDSA"}"#)),
        ("algorithm", with_header(r#"{"alg":"hs256"}"#)),
        ("algorithm", with_header(r#"{"typ":"JWT"}"#)),
        ("signature", with_header(r#"{"alg":"HS512"}"#)),
        ("malformed", with_header("{")),
        ("malformed", String::new()),
        ("malformed", header.to_owned()),
        ("malformed", format!("{header}.{body}")),
        ("signature", format!("{header}.{body}.")),
        ("signature", format!("{header}..{signature}")),
        ("malformed", format!(".{body}.{signature}")),
        ("signature", token[..token.len() - 1].to_owned()),
        ("signature", token[..token.len() - 20].to_owned()),
        ("signature", format!("{header}.{}.{signature}", other_parts[1])),
        ("signature", format!("{header}.{body}.{}", other_parts[2])),
        ("signature", format!("{header}.{}.{signature}", body.to_lowercase())),
        ("signature", sign(&claims, "another secret", Algorithm::HS256)),
        ("signature", sign(&claims, "", Algorithm::HS256)),
        ("signature", sign(&claims, &REPORT_SECRET.to_uppercase(), Algorithm::HS256)),
        ("signature", format!("{token}.{signature}")),
        ("signature", format!("{token}=")),
        ("signature", format!("{token}!")),
        ("malformed", format!("{header}==.{body}.{signature}")),
        ("malformed", format!("Bearer {token}")),
        ("malformed", format!("\"{token}\"")),
        ("signature", format!("{header}. {body}.{signature}")),
        ("signature", format!("{token},{token}")),
        ("signature", format!("{token} {token}")),
    ]
}

#[tokio::test]
async fn what_gatewayapi_did_not_sign_is_refused_and_counted_by_reason() {
    let (app, id) = app_with_message().await;
    let mut expected = std::collections::BTreeMap::new();
    for (reason, token) in forgeries(&id) {
        assert_eq!(app.post(app.report_request(&token)).await.status, 401, "{token}");
        *expected.entry(reason).or_insert(0.0) += 1.0;
        assert_eq!(refused(&app, reason).await, expected.get(reason).copied(), "{token}");
    }
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), None));
    assert_eq!(results(&app, "applied").await, None);
}

#[tokio::test]
async fn the_signature_is_one_header_and_the_body_is_none() {
    let (app, id) = app_with_message().await;
    let claims = report(&id, "DELIVERED", now());
    let token = sign(&claims, REPORT_SECRET, Algorithm::HS256);
    let unsigned = || reqwest::Client::new().post(app.url("/delivery-reports")).body(claims.to_string());
    for request in [
        unsigned(),
        unsigned().bearer_auth(&token),
        unsigned().header("x-signature", &token),
        unsigned().header("cookie", format!("x-gwapi-signature={token}")),
    ] {
        assert_eq!(app.post(request).await.status, 401);
    }
    assert_eq!(refused(&app, "no_signature").await, Some(4.0));

    let twice = app.report_request(&token).header("x-gwapi-signature", &token);
    assert_eq!(app.post(twice).await.status, 401);
    assert_eq!(refused(&app, "several_signatures").await, Some(1.0));
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), None));

    // What the body says does not count.
    let expired = report(&id, "EXPIRED", now()).to_string();
    assert_eq!(app.post(app.report_request(&token).body(expired)).await.status, 200);
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn without_a_secret_there_is_nothing() {
    let app = spawn_app_without("delivery_reports.secret").await;
    let answer = app.report(&report("", "DELIVERED", now())).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, "There is nothing here.\n"));
    assert_eq!(app.get(app.url("/delivery-reports")).await.status, 404);
}

#[tokio::test]
async fn another_method_is_told_which_one_to_use() {
    let app = spawn_app().await;
    let answer = app.get(app.url("/delivery-reports")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn the_body_holds_nothing_up_and_leaves_the_connection_usable() {
    let app = spawn_app().await;
    let token = sign(&report("", "DELIVERED", now()), REPORT_SECRET, Algorithm::HS256);
    let mut connection = TcpStream::connect(app.public).await.unwrap();
    let mut answer = [0; 1024];
    for (length, body) in [(2, "{}".to_owned()), (60_000, "x".repeat(60_000)), (100, "slow".to_owned())] {
        let head = format!(
            "POST /delivery-reports HTTP/1.1\r\nHost: x\r\nX-Gwapi-Signature: {token}\r\nContent-Length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(body.as_bytes()).await.unwrap();
        let begun = Instant::now();
        let read = connection.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{length}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    assert_eq!(results(&app, "unknown_message").await, Some(3.0));

    let long = app.report_request(&token).body("x".repeat(100_000));
    assert_eq!(app.post(long).await.status, 200);
}

#[tokio::test]
async fn a_report_before_our_own_answer_counts_the_message_once() {
    let app = spawn_app().await;
    app.gatewayapi.hold();
    let call = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_received(1).await;
    let userref = app.received_one().userref.unwrap();
    assert_eq!(app.report(&report(&userref, "DELIVERED", now() + 1)).await.status, 200);
    assert_eq!(accepted_and_delivered(&app).await, (None, Some(1.0)));
    app.gatewayapi.release();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn a_report_on_a_message_whose_outcome_was_unknown_tells_that_it_was_accepted() {
    let app = spawn_app().await;
    assert_eq!(app.send(sign_in(HANGS_UP, "493817")).await.status, 504);
    assert_eq!(accepted_and_delivered(&app).await, (None, None));
    let userref = app.received_one().userref.unwrap();
    for status in ["ENROUTE", "DELIVERED", "DELIVERED"] {
        assert_eq!(app.report(&report(&userref, status, now())).await.status, 200);
        assert_eq!(accepted_and_delivered(&app).await.0, Some(1.0), "{status}");
    }
    assert_eq!(accepted_and_delivered(&app).await.1, Some(1.0));
}

#[tokio::test]
async fn a_ledger_that_is_away_asks_for_the_report_again() {
    let database = Database::sqlite();
    let Database::Sqlite(folder) = &database else { panic!("no folder") };
    let file = folder.path().join("ledger.db");
    let app = spawn_app_on(database.clone(), "", Options::default()).await;
    let id = app.send(sign_in(GOOD, "493817")).await.message_id().to_owned();

    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let claims = report(&id, "DELIVERED", now());
    let answer = app.report(&claims).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
    assert_eq!(refused(&app, "ledger_away").await, Some(1.0));
    other.execute_batch("ROLLBACK").unwrap();
    until("the report", async || app.report(&claims).await.status, |status| *status == 200).await;
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn an_acceptance_that_only_a_report_told_in_time_is_counted() {
    let app = spawn_app_with("delivery.deadline = \"1s\"", Options::default()).await;
    app.gatewayapi.hold();
    let call = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_received(1).await;
    let userref = app.received_one().userref.unwrap();
    assert_eq!(app.report(&report(&userref, "DELIVERED", now())).await.status, 200);
    assert_eq!(call.await.unwrap().unwrap().status(), 504);
    app.until_metric(r#"sms_accepted_total{country="DK"}"#, 1.0).await;
    app.gatewayapi.release();
    app.until_metric(r#"sms_late_outcomes_total{outcome="accepted"}"#, 1.0).await;
    assert_eq!(accepted_and_delivered(&app).await, (Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn reports_are_taken_until_the_service_stops() {
    let mut app = spawn_app_with("", outlasting_a_stop()).await;
    app.gatewayapi.hold();
    let call = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_received(1).await;
    app.begin_stop();
    app.until_draining().await;
    let userref = app.received_one().userref.unwrap();
    assert_eq!(app.report(&report(&userref, "DELIVERED", now())).await.status, 200);
    app.gatewayapi.release();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    app.stopped().await.unwrap();
}

/// A service that GatewayAPI reports to by itself, at once: before its own answer to the message.
pub async fn app_with_reports() -> TestApp {
    // The service's port is known only when it runs, so it is reached through this one.
    let webhook = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!(r#"delivery_reports.url = "http://{}/delivery-reports""#, webhook.local_addr().unwrap());
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let public: std::net::SocketAddr = told.await.unwrap();
        while let Ok((mut report, _)) = webhook.accept().await {
            let mut service = TcpStream::connect(public).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut report, &mut service).await });
        }
    });
    let (secret, delay) = (Some(REPORT_SECRET.to_owned()), Duration::ZERO);
    let reports = Reports { secret, delay, before_answer: true, ..Reports::default() };
    let app = spawn_app_with(&settings, Options { reports: Some(reports), ..Options::default() }).await;
    tell.send(app.public).unwrap();
    app
}

#[rstest]
#[case::ordinary(GOOD, 3, &[("applied", 3.0)], Some(1.0))]
#[case::undeliverable("4526050002", 1, &[("applied", 1.0)], None)]
#[case::out_of_order("4526050005", 2, &[("applied", 1.0), ("late", 1.0)], Some(1.0))]
#[case::twice("4526050006", 2, &[("applied", 1.0), ("duplicate", 1.0)], Some(1.0))]
#[case::unknown_state("4526050007", 1, &[("unknown_state", 1.0)], None)]
#[case::outcome_unknown(HANGS_UP, 3, &[("applied", 3.0)], Some(1.0))]
#[tokio::test]
async fn gatewayapis_own_reports_are_understood(
    #[case] to: &str,
    #[case] reports: usize,
    #[case] expected: &[(&str, f64)],
    #[case] delivered: Option<f64>,
) {
    let app = app_with_reports().await;
    app.send(sign_in(to, "493817")).await;
    app.gatewayapi.until_reports_answered(reports).await;
    for (result, count) in expected {
        assert_eq!(results(&app, result).await, Some(*count), "{result}");
    }
    assert_eq!(app.metric(r#"sms_delivered_total{country="DK"}"#).await, delivered);
}

/// A ledger without the service around it.
async fn ledger() -> (Ledger, Database) {
    let database = Database::create().await;
    let preset = format!(
        r#"
        logto.authorization = "Bearer x"
        gatewayapi.api_token = "x"
        gatewayapi.sender = "ExampleShop"
        ledger.url = "{}"
        ledger.pseudonym_key = "a key for the pseudonyms"
        "#,
        database.url()
    );
    let source = Source { preset: Some(preset), ..Source::default() };
    let settings = Settings::load(&source).unwrap().settings;
    (Ledger::open(&settings, Arc::new(Metrics::new())).unwrap(), database)
}

async fn admit(ledger: &Ledger) -> OpenMessage {
    let recipient = Recipient::parse(GOOD).unwrap();
    let applicant = Applicant { id: MessageId::generate(), usage_type: UsageType::SignIn, recipient, ip: None };
    match ledger.admit(applicant, soon()).await.unwrap() {
        Admission::Open(open) => open,
        Admission::Test => panic!("no test number"),
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[rstest]
#[case::before_our_own_answer(None, Outcome::Accepted, false)]
#[case::before_our_own_answer_got_lost(None, Outcome::Unknown, false)]
#[case::after_an_unknown_outcome(Some(Outcome::Unknown), Outcome::Accepted, true)]
#[case::after_our_own_answer(Some(Outcome::Accepted), Outcome::Accepted, false)]
#[tokio::test]
async fn a_reported_message_ends_as_accepted_and_delivered(
    #[case] before: Option<Outcome>,
    #[case] after: Outcome,
    #[case] newly_accepted: bool,
) {
    let (ledger, _database) = ledger().await;
    let open = admit(&ledger).await;
    let settle = |outcome| Settlement::of(open.id(), outcome, Timestamp::now());
    if let Some(outcome) = before {
        ledger.settle(&open, settle(outcome), soon()).await;
    }
    let status = DeliveryStatus::Delivered;
    let report =
        DeliveryReport { message: open.id(), gatewayapi_id: 7, status, time: Timestamp::now(), error_code: None };
    let reported = ledger.report(report).await.unwrap();
    assert_eq!((reported.effect, reported.newly_accepted), (Effect::Applied, newly_accepted));
    let again = ledger.report(report).await.unwrap();
    assert_eq!((again.effect, again.newly_accepted), (Effect::Duplicate, false));
    ledger.settle(&open, settle(after), soon()).await;

    let record = ledger.message(open.id()).await.unwrap().unwrap();
    assert_eq!((record.status.as_str(), record.outcome.as_deref()), ("delivered", Some("accepted")));
    assert_eq!((record.error_kind, record.gatewayapi_id), (None, Some(7)));
    assert!(record.settled_at.is_some());
    assert!(record.delivered_at.is_some());
}
