//! Many messages over few connections.

use std::collections::BTreeSet;

use gatewayapi_sms_connector::simulator::{Behaviour, Options};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::app::{GOOD, TestApp, latency, numbers, sign_in, spawn_app_with};

const ONE_CONNECTION: &str = "server.workers = 1\ngatewayapi.max_connections = 1";

/// Sends calls so that they travel as one list: they wait while the only connection is busy.
async fn send_as_one_list(app: &TestApp, numbers: &[String]) -> Vec<u16> {
    app.gatewayapi.hold();
    let first = tokio::spawn(app.request(sign_in(GOOD, "000000").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    let (answers, ()) = tokio::join!(app.send_all(numbers.iter().map(|to| sign_in(to, "493817"))), async {
        app.until_waiting(numbers.len()).await;
        app.gatewayapi.release();
    });
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    answers.iter().map(|answer| answer.status.as_u16()).collect()
}

/// The numbers that GatewayAPI accepted a message to, besides the first; each must be there once.
fn received_once(app: &TestApp) -> BTreeSet<String> {
    let received: Vec<_> = app.gatewayapi.received().iter().skip(1).map(|message| message.msisdn.to_string()).collect();
    let distinct: BTreeSet<_> = received.iter().cloned().collect();
    assert_eq!(received.len(), distinct.len(), "a message was sent twice");
    distinct
}

#[rstest]
// 0x0214 does not name the number, 0x0215 does.
#[case::unnamed("4526020532")]
#[case::named("4526020533")]
#[tokio::test]
async fn one_bad_number_among_fifty_is_refused_alone(#[case] bad: &str) {
    let app = spawn_app_with(ONE_CONNECTION, Options::default()).await;
    let mut to: Vec<_> = numbers(50).collect();
    to[17] = bad.to_owned();
    let statuses = send_as_one_list(&app, &to).await;
    for (index, status) in statuses.iter().enumerate() {
        assert_eq!(*status, if index == 17 { 422 } else { 200 }, "{index}");
    }
    let good: BTreeSet<_> = to.iter().filter(|to| *to != bad).cloned().collect();
    assert_eq!(received_once(&app), good);
    assert!(app.gatewayapi.requests() < 20, "they did not travel as lists");
}

#[tokio::test]
async fn several_bad_numbers_are_refused_alone() {
    let app = spawn_app_with("server.workers = 1\ngatewayapi.max_connections = 4", latency(30)).await;
    let mut to: Vec<_> = numbers(60).collect();
    for (index, bad) in [(3, "4526020532"), (4, "4526020535"), (31, "4526020533"), (59, "4526020786")] {
        to[index] = bad.to_owned();
    }
    let answers = app.send_all(to.iter().map(|to| sign_in(to, "493817"))).await;
    let refused: Vec<_> = (0..60).filter(|index| answers[*index].status == 422).collect();
    assert_eq!(refused, [3, 4, 31, 59]);
    assert_eq!(app.gatewayapi.received().len(), 56);
}

#[tokio::test]
async fn a_list_whose_outcome_is_unknown_is_not_sent_again() {
    let app = spawn_app_with(ONE_CONNECTION, Options::default()).await;
    let mut to: Vec<_> = numbers(20).collect();
    to[7] = "4526040002".to_owned();
    assert_eq!(send_as_one_list(&app, &to).await, [504; 20]);
    assert_eq!(app.gatewayapi.requests(), 2);
    assert_eq!(received_once(&app), to.into_iter().collect());
}

#[tokio::test]
async fn an_account_fault_fails_the_whole_list_at_once() {
    let app = spawn_app_with(ONE_CONNECTION, Options::default()).await;
    let mut to: Vec<_> = numbers(20).collect();
    to[7] = "4526020534".to_owned();
    assert_eq!(send_as_one_list(&app, &to).await, [502; 20]);
    assert_eq!(app.gatewayapi.requests(), 2);
}

#[tokio::test]
async fn gatewayapi_dying_under_load_sends_no_message_twice() {
    let app = spawn_app_with("gatewayapi.max_connections = 8", latency(20)).await;
    for round in 0..4 {
        let behaviour = if round % 2 == 0 { Behaviour::Normal } else { Behaviour::DroppingAfterAcceptance };
        app.gatewayapi.set_behaviour(behaviour);
        let code = format!("5{round}0417");
        let answers = app.send_all(numbers(100).map(|to| sign_in(&to, &code))).await;
        let expected = if round % 2 == 0 { 200 } else { 504 };
        assert!(answers.iter().all(|answer| answer.status == expected), "round {round}");
    }
    let received = app.gatewayapi.received();
    let distinct: BTreeSet<_> = received.iter().map(|message| message.userref.clone()).collect();
    assert_eq!((received.len(), distinct.len()), (400, 400));
}

#[tokio::test]
async fn a_thousand_at_once_are_all_sent_over_few_connections() {
    let app = spawn_app_with("", latency(80)).await;
    let answers = app.send_all(numbers(1000).map(|to| sign_in(&to, "493817"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let distinct: BTreeSet<_> = app.gatewayapi.received().iter().map(|message| message.msisdn).collect();
    assert_eq!((app.gatewayapi.received().len(), distinct.len()), (1000, 1000));
    assert_eq!(app.gatewayapi.refused_connections(), 0);
    assert!(app.gatewayapi.most_open_connections() <= 32, "{}", app.gatewayapi.most_open_connections());
    assert!(app.gatewayapi.requests() < 500, "{} requests", app.gatewayapi.requests());
}

#[rstest]
#[case(1)]
#[case(3)]
#[tokio::test]
async fn never_more_connections_than_configured(#[case] connections: usize) {
    let settings = format!("server.workers = 4\ngatewayapi.max_connections = {connections}");
    let app = spawn_app_with(&settings, Options::default()).await;
    for round in 0..40 {
        let code = format!("60{round:02}17");
        let answers = app.send_all(numbers(30).map(|to| sign_in(&to, &code))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
    assert!(app.gatewayapi.most_open_connections() <= connections, "{}", app.gatewayapi.most_open_connections());
}

#[tokio::test]
async fn more_messages_than_may_wait_are_refused_at_once() {
    let settings = format!("{ONE_CONNECTION}\ngatewayapi.max_waiting = 5");
    let app = spawn_app_with(&settings, Options::default()).await;
    app.gatewayapi.hold();
    let mut calls = JoinSet::new();
    calls.spawn(app.request(sign_in(GOOD, "000000").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    for to in numbers(20) {
        calls.spawn(app.request(sign_in(&to, "493817").to_string()).send());
    }
    let mut next = async || calls.join_next().await.unwrap().unwrap().unwrap().status();
    for _ in 0..15 {
        assert_eq!(next().await, 503);
    }
    app.gatewayapi.release();
    for _ in 0..6 {
        assert_eq!(next().await, 200);
    }
    assert_eq!(received_once(&app).len(), 5);
}
