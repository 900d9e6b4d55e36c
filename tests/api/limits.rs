//! The limits, as Logto and a person at its page meet them.

use gatewayapi_sms_connector::simulator::{Behaviour, Options};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, GOOD, TestApp, latency, numbers, sign_in, spawn_app_on, spawn_app_with, spawn_app_with_limits},
    database::Database,
    log,
};

const OFF: &str = r#"limits.number.mode = "off""#;

/// From an address of the world.
fn from(ip: &str, to: &str, code: &str) -> Value {
    json!({"to": to, "type": "SignIn", "payload": {"code": code, "locale": "en"}, "ip": ip})
}

/// Which limit refused, and that nothing else came of it.
async fn refused<'a>(app: &TestApp, answer: &'a Answer) -> &'a str {
    let limit = answer.header("x-limit").expect("a refusal names its limit");
    let line = &log::lines_of(answer.message_id())[0];
    assert_eq!((&line["outcome"], &line["limit"]), (&"limited".into(), &limit.into()));
    let refused = app.metric(&format!(r#"sms_limits_refused_total{{limit="{limit}"}}"#)).await;
    assert!(refused >= Some(1.0), "{refused:?}");
    assert!(!answer.body.contains(|character: char| character.is_ascii_digit()), "{}", answer.body);
    limit
}

fn wait(answer: &Answer) -> u64 {
    answer.header("retry-after").expect("a refusal says how long to wait").parse().unwrap()
}

#[tokio::test]
async fn a_second_code_within_the_cooldown_is_refused() {
    let app = spawn_app_with_limits("").await;
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
    let answer = app.send(sign_in(GOOD, "493818")).await;
    assert_eq!((answer.status.as_u16(), refused(&app, &answer).await), (429, "number"));
    assert!((1..=25).contains(&wait(&answer)), "{}", wait(&answer));
    assert!(answer.body.contains("just been sent"), "{}", answer.body);
    assert_eq!(app.received_one().text.split(' ').nth(1), Some("493817"));
    // A repeat of the first call is answered as the first one was.
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
}

#[tokio::test]
async fn two_calls_at_the_same_instant_do_not_both_pass() {
    let app = spawn_app_with_limits("").await;
    let answers = app.send_all((0..20).map(|code| sign_in(GOOD, &(493_800 + code).to_string()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(app.gatewayapi.received().len(), 1);
}

#[tokio::test]
async fn what_did_not_leave_is_given_back() {
    let app = spawn_app_with_limits("").await;
    let blacklisted = "4526020533";
    for code in ["493811", "493812", "493813"] {
        let answer = app.send(sign_in(blacklisted, code)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-limit")), (422, None));
    }
}

#[tokio::test]
async fn what_may_have_left_counts() {
    let app = spawn_app_with_limits("").await;
    let without_an_answer = "4526040003";
    assert_eq!(app.send(sign_in(without_an_answer, "493817")).await.status, 504);
    let answer = app.send(sign_in(without_an_answer, "493818")).await;
    assert_eq!(refused(&app, &answer).await, "number");
}

#[tokio::test]
async fn a_refused_newer_code_does_not_give_up_the_older_one() {
    let app = spawn_app_with(r#"limits.number.mode = "enforce""#, Options::default()).await;
    app.gatewayapi.set_behaviour(Behaviour::Failing(503));
    app.gatewayapi.hold();
    let (older, newer) = tokio::join!(app.send(sign_in(GOOD, "493817")), async {
        app.gatewayapi.until_requests(1).await;
        let newer = app.send(sign_in(GOOD, "493818")).await;
        app.gatewayapi.set_behaviour(Behaviour::Normal);
        app.gatewayapi.release();
        newer
    });
    assert_eq!((older.status.as_u16(), newer.status.as_u16()), (200, 429));
}

#[tokio::test]
async fn one_address_asks_for_ten_codes_in_ten_minutes() {
    let app = spawn_app_with_limits("").await;
    for to in numbers(10) {
        assert_eq!(app.send(from("203.0.113.7", &to, "493817")).await.status, 200);
    }
    let eleventh = numbers(11).last().unwrap();
    let answer = app.send(from("203.0.113.7", &eleventh, "493817")).await;
    assert_eq!((answer.status.as_u16(), refused(&app, &answer).await), (429, "ip"));
    assert!(wait(&answer) <= 60, "{}", wait(&answer));
    // Another address, and calls without one, are not touched by it.
    assert_eq!(app.send(from("203.0.113.8", &eleventh, "493818")).await.status, 200);
    // Ten numbers of one range are the most that the range takes without a remark.
    assert_eq!(app.metric(r#"sms_limits_monitored_total{limit="range"}"#).await, Some(1.0));
}

#[rstest]
#[case::private("10.1.2.3")]
#[case::loopback("127.0.0.1")]
#[case::mapped("::ffff:192.168.1.1")]
#[case::unique_local("fd00::1")]
#[case::trusted("198.51.100.9")]
#[tokio::test]
async fn an_address_that_is_not_a_persons_does_not_count(#[case] ip: &str) {
    let app = spawn_app_with_limits(r#"limits.trusted_networks = ["198.51.100.0/24"]"#).await;
    for to in numbers(15) {
        assert_eq!(app.send(from(ip, &to, "493817")).await.status, 200);
    }
}

#[tokio::test]
async fn one_address_asks_for_three_countries() {
    let app = spawn_app_with_limits("").await;
    for to in ["4526091045", "46701234567", "491701234567"] {
        assert_eq!(app.send(from("203.0.113.7", to, "493817")).await.status, 200, "{to}");
    }
    let answer = app.send(from("203.0.113.7", "33612345678", "493817")).await;
    assert_eq!(refused(&app, &answer).await, "ip");
    assert_eq!(app.send(from("203.0.113.7", "46701234568", "493817")).await.status, 200);
}

#[rstest]
#[case::not_allowed(r#"limits.countries.allow = ["SE", "NO"]"#)]
#[case::denied(r#"limits.countries.deny = ["DK"]"#)]
#[tokio::test]
async fn a_country_may_be_left_out(#[case] settings: &str) {
    let app = spawn_app_with_limits(settings).await;
    let answer = app.send(sign_in(GOOD, "493817")).await;
    assert_eq!((answer.status.as_u16(), refused(&app, &answer).await), (429, "countries"));
    assert!(answer.body.contains("country"), "{}", answer.body);
    assert_eq!(app.send(sign_in("46701234567", "493817")).await.status, 200);
}

#[rstest]
#[case::premium("+4590123456")]
#[case::toll_free("+18005551234")]
#[case::shared_cost("+491800123456")]
#[tokio::test]
async fn a_number_that_is_no_persons_is_refused(#[case] to: &str) {
    let app = spawn_app_with_limits("").await;
    let answer = app.send(sign_in(to, "493817")).await;
    assert_eq!((answer.status.as_u16(), refused(&app, &answer).await), (422, "line_types"));
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn the_whole_service_and_a_country_have_rates() {
    let settings = format!(
        "{OFF}\nlimits.service.rates = [\"3/1m\"]\nlimits.country.mode = \"enforce\"\nlimits.country.override.DK = \"2/1h\""
    );
    let app = spawn_app_with(&settings, Options::default()).await;
    let mut numbers = numbers(3);
    let mut next = || sign_in(&numbers.next().unwrap(), "493817");
    assert_eq!(app.send(next()).await.status, 200);
    assert_eq!(app.send(next()).await.status, 200);
    assert_eq!(refused(&app, &app.send(next()).await).await, "country");
    assert_eq!(app.send(sign_in("46701234567", "493817")).await.status, 200);
    assert_eq!(refused(&app, &app.send(sign_in("46701234568", "493817")).await).await, "service");
}

#[tokio::test]
async fn a_day_costs_no_more_than_its_budget() {
    // The simulator's price of a Danish segment is known after the first.
    let app = spawn_app_with("limits.spend.per_day.DKK = 0.5", Options::default()).await;
    let mut statuses = Vec::new();
    for to in numbers(12) {
        let answer = app.send(sign_in(&to, "493817")).await;
        statuses.push(answer.status.as_u16());
        if answer.status == 429 {
            assert_eq!(refused(&app, &answer).await, "spend");
        }
    }
    assert!(statuses.contains(&200) && statuses.ends_with(&[429]), "{statuses:?}");
    let spent = app.metric(r#"sms_cost_total{currency="DKK"}"#).await.unwrap();
    assert!(spent <= 0.5, "{spent}");
    let share = app.metric(r#"sms_limits_spend_ratio{currency="DKK"}"#).await.unwrap();
    assert!((share - spent / 0.5).abs() < 1e-6, "{share}");
    assert_eq!(log::text().matches("most of limits.spend.per_day is spent").count(), 1);
}

#[tokio::test]
async fn a_test_number_is_answered_and_not_sent_to() {
    let tests = r#"limits.test_numbers = ["+4526091045", "+4526091046 until 2020-01-01"]"#;
    let app = spawn_app_with_limits(tests).await;
    for code in ["493817", "493818", "493819"] {
        let answer = app.send(sign_in(GOOD, code)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(log::lines_of(answer.message_id())[0]["outcome"], "test_number");
    }
    assert_eq!(app.gatewayapi.requests(), 0);
    assert_eq!(app.metric("sms_test_numbers_total").await, Some(3.0));
    assert_eq!(app.send(sign_in("4526091046", "493817")).await.status, 200);
    assert_eq!(app.gatewayapi.requests(), 1, "its end date is over");
}

#[tokio::test]
async fn the_more_exact_entry_of_the_lists_wins() {
    let lists = r#"
        limits.deny = ["DK", "203.0.113.0/24"]
        limits.always_allow = ["+4526*"]
    "#;
    let app = spawn_app_with_limits(lists).await;
    for code in ["493811", "493812", "493813"] {
        assert_eq!(app.send(from("198.51.100.7", GOOD, code)).await.status, 200, "no limit counts it");
    }
    assert_eq!(refused(&app, &app.send(from("198.51.100.7", "4540091045", "493817")).await).await, "deny");
    assert_eq!(refused(&app, &app.send(from("203.0.113.7", "46701234567", "493817")).await).await, "deny");
}

#[tokio::test]
async fn a_flood_of_refused_calls_does_not_reach_the_database() {
    let app = spawn_app_with_limits("").await;
    app.send(sign_in(GOOD, "493817")).await;
    let written = "sms_ledger_batch_size_sum";
    let before = app.metric(written).await;
    assert!(before >= Some(2.0), "opened and settled: {before:?}");
    let answers = app.send_all((0..500).map(|code| sign_in(GOOD, &(500_000 + code).to_string()))).await;
    assert!(answers.iter().all(|answer| answer.status == 429));
    assert_eq!(app.metric(written).await, before);
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let database = Database::create().await;
    let limits = r#"limits.number.mode = "enforce""#;
    let mut app = spawn_app_on(database.clone(), limits, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
    app.begin_stop();
    app.stopped().await.unwrap();
    let app = spawn_app_on(database, limits, Options::default()).await;
    assert_eq!(refused(&app, &app.send(sign_in(GOOD, "493818")).await).await, "number");
}

#[tokio::test]
async fn limits_hold_across_two_replicas() {
    let database = Database::postgres().await;
    let limits = r#"
        limits.number.mode = "enforce"
        limits.service.rates = "30/1h"
    "#;
    let one = spawn_app_on(database.clone(), limits, latency(20)).await;
    let other = spawn_app_on(database, limits, latency(20)).await;
    // The same numbers on both, at the same instant.
    let calls = |code: &'static str| numbers(20).map(move |to| sign_in(&to, code));
    let (ones, others) = tokio::join!(one.send_all(calls("493817")), other.send_all(calls("493818")));
    for (to, (one, other)) in numbers(20).zip(ones.iter().zip(&others)) {
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 429], "{to}");
    }
    // Ten are left for the service, whichever replica is asked.
    let calls = |offset: usize| numbers(80).skip(offset).take(20).map(|to| sign_in(&to, "493819"));
    let (ones, others) = tokio::join!(one.send_all(calls(40)), other.send_all(calls(60)));
    let passed = ones.iter().chain(&others).filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 10);
    assert_eq!(one.gatewayapi.received().len() + other.gatewayapi.received().len(), 30);
}
