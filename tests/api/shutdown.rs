//! Stopping without losing a message.

use gatewayapi_sms_connector::simulator::Options;

use crate::app::{numbers, outlasting_a_stop, sign_in, spawn_app, spawn_app_with, until};

#[tokio::test]
async fn what_was_accepted_is_finished_and_new_calls_are_refused() {
    let mut app = spawn_app_with("gatewayapi.max_connections = 4", outlasting_a_stop()).await;
    app.gatewayapi.hold();
    assert_eq!(app.get(app.url("/health/ready")).await.status, 200);
    let calls: Vec<_> =
        numbers(200).map(|to| tokio::spawn(app.request(sign_in(&to, "493817").to_string()).send())).collect();
    // What the connections do not carry waits for them. How many lists that makes depends on how they arrive.
    // One that leaves between the two questions is counted by neither, and later.
    let messages = async || (app.gatewayapi.received().len() as f64, app.metric("sms_messages_waiting").await);
    until("messages", messages, |(received, waiting)| *waiting == Some(200.0 - received)).await;
    app.begin_stop();
    app.until_draining().await;
    assert_eq!(app.get(app.url("/health/live")).await.status, 200);
    let new = app.send(sign_in("4526091045", "493818")).await;
    assert_eq!((new.status.as_u16(), new.header("retry-after")), (503, Some("5")));
    app.gatewayapi.release();

    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(app.gatewayapi.received().len(), 200);
    app.stopped().await.unwrap();
}

#[tokio::test]
async fn a_call_that_does_not_end_does_not_hold_the_stop_beyond_its_grace() {
    let mut app = spawn_app_with("server.shutdown_grace = \"300ms\"", Options::default()).await;
    let never = tokio::spawn(app.request(sign_in("4526040001", "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    app.begin_stop();
    app.stopped().await.unwrap();
    // Its thread ended before the connection's, and hung up, or after it, and said that the outcome is unknown.
    if let Ok(answer) = never.await.unwrap() {
        assert_eq!(answer.status(), 504);
    }
    assert!(crate::log::text().contains("server.shutdown_grace is over"));
}

#[tokio::test]
async fn an_idle_service_stops_at_once() {
    let mut app = spawn_app().await;
    app.begin_stop();
    app.stopped().await.unwrap();
}
