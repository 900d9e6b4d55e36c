//! Deadlines, and how long connections live.

use std::time::Duration;

use gatewayapi_sms_connector::simulator::{Behaviour, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::app::{AUTHORIZATION, GOOD, sign_in, spawn_app_with};

#[tokio::test]
async fn a_deadline_that_passes_while_waiting_means_that_nothing_was_sent() {
    let settings = "server.workers = 1\ngatewayapi.max_connections = 1\ndelivery.deadline = \"1s\"";
    let app = spawn_app_with(settings, Options { behaviour: Behaviour::Dead, ..Options::default() }).await;
    let written = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    let waiting = app.send(sign_in("4526091046", "493818")).await;
    assert_eq!(waiting.status, 503);
    assert!(waiting.header("retry-after").is_some());
    assert_eq!(written.await.unwrap().unwrap().status(), 504);
    assert_eq!(app.gatewayapi.requests(), 1);
}

#[tokio::test]
async fn a_message_given_up_while_waiting_is_never_sent_later() {
    let settings = "server.workers = 1\ngatewayapi.max_connections = 1\ndelivery.deadline = \"1s\"";
    // The answer to the first comes after the deadline of the second, and the connection is free then.
    let options = Options { latency: Duration::from_millis(1300), ..Options::default() };
    let app = spawn_app_with(settings, options).await;
    let first = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    assert_eq!(app.send(sign_in("4526091046", "493818")).await.status, 503);
    assert_eq!(first.await.unwrap().unwrap().status(), 504);
    // A third is sent when the connection is free again, and the second was not before it.
    app.gatewayapi.set_latency(Duration::ZERO);
    assert_eq!(app.send(sign_in("4526091047", "493819")).await.status, 200);
    let received: Vec<_> = app.gatewayapi.received().iter().map(|message| message.msisdn).collect();
    assert_eq!(received, [4_526_091_045, 4_526_091_047]);
    assert_eq!(app.metric(r#"sms_late_outcomes_total{outcome="accepted"}"#).await, Some(1.0));
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_soon_after_nobody_waits() {
    let settings = "gatewayapi.max_connections = 1\ndelivery.deadline = \"1s\"";
    let app = spawn_app_with(settings, Options::default()).await;
    let hanging = tokio::spawn(app.request(sign_in("4526040001", "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    // Half a second after the deadline of the first there is a connection again, before the deadline of this one.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(app.send(sign_in(GOOD, "493818")).await.status, 200);
    assert_eq!(hanging.await.unwrap().unwrap().status(), 504);
}

#[tokio::test]
async fn an_older_code_leaves_before_a_newer_one_whichever_thread_took_it() {
    let settings = "server.workers = 4\ngatewayapi.max_connections = 1";
    let app = spawn_app_with(settings, Options { latency: Duration::from_secs(2), ..Options::default() }).await;
    let send = |to: &str, code: &str| tokio::spawn(app.request(sign_in(to, code).to_string()).send());
    let mut calls = vec![send("4526091001", "493817")];
    app.gatewayapi.until_requests(1).await;
    // The connection is busy now, and each code waits before the next is asked for, on a connection of its own.
    let codes = ["111193", "222293", "333393", "444493"];
    for (waiting, code) in (1..).zip(codes) {
        calls.push(send(GOOD, code));
        while app.metric("sms_messages_waiting").await != Some(f64::from(waiting)) {}
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    let received = app.gatewayapi.received();
    let places = codes.map(|code| received.iter().position(|message| message.text.contains(code)).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn a_message_that_waits_behind_the_question_for_the_credit_goes_next() {
    // The only connection asks for the credit a second after the start, and hears nothing for 2 s.
    let settings = "gatewayapi.max_connections = 1";
    let app = spawn_app_with(settings, Options { latency: Duration::from_secs(2), ..Options::default() }).await;
    while app.metric("sms_gatewayapi_connections_in_use").await != Some(1.0) {}
    app.gatewayapi.set_latency(Duration::ZERO);
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
}

#[tokio::test]
async fn a_connection_lives_longer_than_logto_keeps_it() {
    let app = spawn_app_with("", Options::default()).await;
    let mut connection = TcpStream::connect(app.public).await.unwrap();
    for code in ["493817", "493818"] {
        let body = sign_in(GOOD, code).to_string();
        let request = format!(
            "POST /send HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 1024];
        let length = connection.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "the connection was closed before {code}");
        // Logto keeps an idle connection for 5 s. What is tested is the time itself.
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_at_the_deadline() {
    let app = spawn_app_with("delivery.deadline = \"500ms\"", Options::default()).await;
    let mut connection = TcpStream::connect(app.public).await.unwrap();
    let head = format!(
        "POST /send HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let length = connection.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 408"));
}
