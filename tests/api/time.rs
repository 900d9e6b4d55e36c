//! Deadlines, and how long connections live.

use std::time::Duration;

use gatewayapi_sms_connector::simulator::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::app::{AUTHORIZATION, GOOD, sign_in, spawn_app_with};

/// The head of a call, with which its deadline begins.
fn head(length: usize) -> String {
    format!(
        "POST /send HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// What comes next, if it comes in one piece.
async fn read(connection: &mut TcpStream) -> String {
    let mut answer = [0; 1024];
    let length = connection.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn a_deadline_that_passes_while_waiting_means_that_nothing_was_sent_nor_will_be() {
    let settings = "server.workers = 1\ngatewayapi.max_connections = 1\ndelivery.deadline = \"2s\"";
    let app = spawn_app_with(settings, Options::default()).await;
    app.gatewayapi.hold();
    // It begins before the first and comes after it, so its deadline passes while the first has the connection.
    let body = sign_in("4526091046", "493818").to_string();
    let mut second = TcpStream::connect(app.public).await.unwrap();
    second.write_all(head(body.len()).as_bytes()).await.unwrap();
    let first = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    second.write_all(body.as_bytes()).await.unwrap();
    let waiting = read(&mut second).await;
    assert!(waiting.starts_with("HTTP/1.1 503") && waiting.contains("\r\nretry-after: "), "{waiting}");
    assert_eq!(first.await.unwrap().unwrap().status(), 504);
    assert_eq!(app.gatewayapi.requests(), 1);
    // A third is sent when the connection is free again, and the second was not before it.
    app.gatewayapi.release();
    assert_eq!(app.send(sign_in("4526091047", "493819")).await.status, 200);
    let received: Vec<_> = app.gatewayapi.received().iter().map(|message| message.msisdn).collect();
    assert_eq!(received, [4_526_091_045, 4_526_091_047]);
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_soon_after_nobody_waits() {
    let settings = "gatewayapi.max_connections = 1\ndelivery.deadline = \"2s\"";
    let app = spawn_app_with(settings, Options::default()).await;
    assert_eq!(app.send(sign_in("4526040001", "493817")).await.status, 504);
    // Half a second later there is a connection again, long before the deadline of this one.
    assert_eq!(app.send(sign_in(GOOD, "493818")).await.status, 200);
}

#[tokio::test]
async fn an_older_code_leaves_before_a_newer_one_whichever_thread_took_it() {
    let settings = "server.workers = 4\ngatewayapi.max_connections = 1";
    let app = spawn_app_with(settings, Options::default()).await;
    app.gatewayapi.hold();
    let send = |to: &str, code: &str| tokio::spawn(app.request(sign_in(to, code).to_string()).send());
    let mut calls = vec![send("4526091001", "493817")];
    app.gatewayapi.until_requests(1).await;
    // The connection is busy now, and each code waits before the next is asked for, on a connection of its own.
    let codes = ["111193", "222293", "333393", "444493"];
    for (waiting, code) in (1..).zip(codes) {
        calls.push(send(GOOD, code));
        app.until_waiting(waiting).await;
    }
    app.gatewayapi.release();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    let received = app.gatewayapi.received();
    let places = codes.map(|code| received.iter().position(|message| message.text.contains(code)).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn a_message_that_waits_behind_the_question_for_the_credit_goes_next() {
    let app = spawn_app_with("gatewayapi.max_connections = 1", Options::default()).await;
    app.gatewayapi.hold_credit();
    // A second after the start. It is given up after 3 s.
    app.until_metric("sms_gatewayapi_connections_in_use", 1.0).await;
    let call = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.until_waiting(1).await;
    app.gatewayapi.release();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_connection_lives_longer_than_logto_keeps_it() {
    let app = spawn_app_with("", Options::default()).await;
    let mut connection = TcpStream::connect(app.public).await.unwrap();
    for (code, idle) in [("493817", 0), ("493818", 6)] {
        // Logto keeps an idle connection for 5 s. What is tested is the time itself.
        tokio::time::sleep(Duration::from_secs(idle)).await;
        let body = sign_in(GOOD, code).to_string();
        connection.write_all(format!("{}{body}", head(body.len())).as_bytes()).await.unwrap();
        let answer = read(&mut connection).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "the connection was closed before {code}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_at_the_deadline() {
    let app = spawn_app_with("delivery.deadline = \"500ms\"", Options::default()).await;
    let mut connection = TcpStream::connect(app.public).await.unwrap();
    connection.write_all(format!("{}{{", head(100)).as_bytes()).await.unwrap();
    assert!(read(&mut connection).await.starts_with("HTTP/1.1 408"));
}
