//! What became of the messages of the last minutes, as operators ask for it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    app::{GOOD, TestApp, sign_in, spawn_app, until},
    delivery_reports::app_with_reports,
    operators::Operator,
};

const SWEDISH: &str = "46701740605";
/// Numbers to which something else happens at the simulated GatewayAPI.
const UNDELIVERABLE: &str = "4526050002";
const NEVER_REPORTED: &str = "4526050008";
const BLOCKED: &str = "4526020533";
const WITHOUT_CREDIT: &str = "4526020534";

async fn deliveries(app: &TestApp) -> Value {
    let answer = Operator::of(app).get("/api/deliveries").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")), "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn the_last_hour_is_told_by_outcome_and_country() {
    let app = app_with_reports().await;
    for to in [GOOD, UNDELIVERABLE, NEVER_REPORTED, BLOCKED, WITHOUT_CREDIT, SWEDISH] {
        app.send(sign_in(to, "493817")).await;
    }
    app.gatewayapi.until_reports_answered(3 + 1 + 3).await;
    let found = deliveries(&app).await;
    let outcomes = |accepted: u64, rejected: u64, account_fault: u64| {
        json!({"open": 0, "accepted": accepted, "rejected": rejected, "account_fault": account_fault, "not_sent": 0,
            "unknown": 0, "template_fault": 0})
    };
    assert_eq!((&found["due"]["total"]["messages"], &found["due"]["complete"]), (&json!(0), &json!(true)));
    assert!(found["last_report_at"].is_string(), "{found}");
    let young = &found["young"];
    let danish = &young["countries"][0];
    let expected = json!({
        "country": "DK", "messages": 5, "outcomes": outcomes(3, 1, 1), "delivered": 1, "undelivered": 1,
        "unconfirmed": 0, "waiting": 1, "overdue": 0, "silent": 0, "time_to_delivery": danish["time_to_delivery"],
    });
    assert_eq!(*danish, expected);
    assert!(danish["time_to_delivery"]["p90"].as_u64().unwrap() <= 2, "{danish}");
    let swedish = &young["countries"][1];
    assert_eq!((&swedish["country"], &swedish["delivered"]), (&json!("SE"), &json!(1)));
    assert_eq!((&young["total"]["messages"], &young["total"]["outcomes"]), (&json!(6), &outcomes(4, 1, 1)));
    assert_eq!((&young["total"]["delivered"], &young["complete"]), (&json!(2), &json!(true)));
    assert_eq!(found["overdue_after_seconds"], 300);
    for digits in ["26091045", "26050002", "701740605"] {
        assert!(!found.to_string().contains(digits), "{found}");
    }
}

#[tokio::test]
async fn messages_of_which_no_report_comes_are_overdue_after_minutes() {
    let app = spawn_app().await;
    for to in [GOOD, SWEDISH] {
        assert_eq!(app.send(sign_in(to, "493817")).await.status, 200);
    }
    assert_eq!(deliveries(&app).await["young"]["total"]["waiting"], 2);
    app.database.age(Duration::from_secs(301)).await;
    // An answer serves for a second.
    let found =
        until("deliveries", async || deliveries(&app).await, |found| found["due"]["total"]["overdue"] == 2).await;
    assert_eq!(found["due"]["total"]["silent"], 2);
    assert_eq!((&found["young"]["total"]["messages"], &found["last_report_at"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn however_many_ask_the_ledger_counts_once_in_a_second() {
    let app = spawn_app().await;
    app.send(sign_in(GOOD, "493817")).await;
    let operator = Operator::of(&app);
    let begun = Instant::now();
    let asked: Vec<_> =
        (0..50).map(|_| tokio::spawn(operator.request(reqwest::Method::GET, "/api/deliveries").send())).collect();
    let mut moments = BTreeSet::new();
    for answer in asked {
        let found: Value = serde_json::from_str(&answer.await.unwrap().unwrap().text().await.unwrap()).unwrap();
        assert_eq!(found["young"]["total"]["messages"], 1);
        moments.insert(found["until"].to_string());
    }
    assert!(moments.len() as u64 <= begun.elapsed().as_secs() + 1, "{moments:?}");
}

#[tokio::test]
async fn another_time_may_be_asked_for() {
    let app = spawn_app().await;
    let found = Operator::of(&app).get("/api/deliveries?minutes=1440").await.json();
    let moment = |name: &str| humantime::parse_rfc3339(found[name].as_str().unwrap()).unwrap();
    assert_eq!(moment("until").duration_since(moment("since")).unwrap(), Duration::from_secs(24 * 3600));
    let due = &found["due"];
    assert_eq!((&due["since"], &due["until"]), (&found["since"], &found["young"]["since"]));
    assert_eq!((&due["countries"], &due["total"]["time_to_delivery"]), (&json!([]), &Value::Null));
}

#[rstest]
#[case("minutes=4", "minutes")]
#[case("minutes=1441", "minutes")]
#[case("minutes=5&minutes=5", "minutes")]
#[case("country=DK", "country")]
#[tokio::test]
async fn a_wrong_parameter_is_named(#[case] query: &str, #[case] parameter: &str) {
    let app = spawn_app().await;
    let answer = Operator::of(&app).get(&format!("/api/deliveries?{query}")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!(parameter)));
}
