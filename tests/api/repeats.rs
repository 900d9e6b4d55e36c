//! A message leaves once, however often it is asked for.

use gatewayapi_sms_connector::simulator::{Behaviour, Options};
use serde_json::json;

use crate::app::{GOOD, call, latency, sign_in, spawn_app, spawn_app_with};

#[tokio::test]
async fn two_equal_calls_at_the_same_time_send_one_message_and_get_the_same_answer() {
    let app = spawn_app_with("", latency(100)).await;
    let answers = app.send_all([sign_in(GOOD, "493817"), sign_in(GOOD, "493817")]).await;
    assert_eq!(answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>(), [200, 200]);
    assert_eq!(answers[0].message_id(), answers[1].message_id());
    app.received_one();
    assert_eq!(app.metric("sms_repeats_total").await, Some(1.0));
}

#[tokio::test]
async fn a_later_equal_call_gets_the_first_answer_whatever_the_numbers_form() {
    let app = spawn_app().await;
    let first = app.send(sign_in("4526091045", "493817")).await;
    let second = app.send(sign_in("+45 26 09 10 45", "493817")).await;
    assert_eq!((first.status, second.status), (second.status, first.status));
    assert_eq!(first.message_id(), second.message_id());
    app.received_one();
}

#[tokio::test]
async fn another_code_usage_type_or_number_is_another_message() {
    let app = spawn_app().await;
    for call in [
        sign_in(GOOD, "493817"),
        sign_in(GOOD, "493818"),
        sign_in("4526091046", "493817"),
        call(GOOD, "Register", json!({"code": "493817"})),
    ] {
        assert_eq!(app.send(call).await.status, 200);
    }
    assert_eq!(app.gatewayapi.received().len(), 4);
}

#[tokio::test]
async fn the_consoles_test_code_is_sent_each_time() {
    let app = spawn_app().await;
    for _ in 0..2 {
        assert_eq!(app.send(call(GOOD, "Generic", json!({"code": "000000"}))).await.status, 200);
    }
    assert_eq!(app.gatewayapi.received().len(), 2);
}

#[tokio::test]
async fn a_failed_or_unknown_outcome_is_not_remembered() {
    let app = spawn_app_with(r#"delivery.deadline = "1s""#, Options::default()).await;
    for to in ["4526020533", "4526040003"] {
        let before = app.gatewayapi.requests();
        let first = app.send(sign_in(to, "493817")).await;
        let second = app.send(sign_in(to, "493817")).await;
        assert_eq!(first.status, second.status);
        assert_ne!(first.message_id(), second.message_id());
        assert_eq!(app.gatewayapi.requests() - before, 2);
    }
}

#[tokio::test]
async fn equal_calls_that_fail_at_the_same_time_fail_alike_and_once() {
    // The first fails when all have come. Whether they have is not to be seen from outside.
    let app = spawn_app_with("", latency(1000)).await;
    let answers = app.send_all((0..5).map(|_| sign_in("4526020533", "493817"))).await;
    assert!(answers.iter().all(|answer| answer.status == 422));
    assert_eq!(app.gatewayapi.requests(), 1);
}

#[tokio::test]
async fn an_older_code_is_not_tried_again_once_a_newer_one_was_asked_for() {
    let app = spawn_app().await;
    // Both fail at first, and neither knows it before both were asked for.
    app.gatewayapi.set_behaviour(Behaviour::Failing(503));
    app.gatewayapi.hold();
    let older = tokio::spawn(app.request(sign_in(GOOD, "111193").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    let (newer, ()) = tokio::join!(app.send(sign_in(GOOD, "222293")), async {
        app.gatewayapi.until_requests(2).await;
        app.gatewayapi.set_behaviour(Behaviour::Normal);
        app.gatewayapi.release();
    });
    let older = older.await.unwrap().unwrap();
    let codes: Vec<_> = app.gatewayapi.received().iter().map(|message| message.text.contains("222293")).collect();
    assert_eq!((older.status().as_u16(), newer.status.as_u16(), codes), (503, 200, vec![true]));
}
