//! Who may ask for a message.

use gatewayapi_sms_connector::simulator::Options;
use rstest::rstest;

use crate::app::{AUTHORIZATION, GOOD, sign_in, spawn_app, spawn_app_with};

#[rstest]
#[case::nothing(None)]
#[case::empty(Some(""))]
#[case::another_secret(Some("Bearer what Logto does not know"))]
#[case::another_case(Some("bearer what Logto knows"))]
#[case::a_part(Some("what Logto knows"))]
#[case::more(Some("Bearer what Logto knows."))]
#[tokio::test]
async fn a_call_without_the_whole_header_is_refused_unread(#[case] header: Option<&str>) {
    let app = spawn_app().await;
    let mut request = reqwest::Client::new()
        .post(app.url("/send"))
        .header("content-type", "application/json")
        .body(sign_in(GOOD, "493817").to_string());
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    let answer = app.post(request).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("not set up correctly"), "{}", answer.body);
    assert_eq!(app.gatewayapi.requests(), 0);
    assert_eq!(app.metric(r#"sms_requests_total{outcome="unauthorized",usage_type="unknown"}"#).await, Some(1.0));
}

#[tokio::test]
async fn a_second_header_is_refused_though_the_first_is_right() {
    let app = spawn_app().await;
    let request = app.request(sign_in(GOOD, "493817").to_string()).header("authorization", "Bearer another");
    assert_eq!(app.post(request).await.status, 401);
}

#[tokio::test]
async fn both_secrets_are_let_in_while_they_are_rotated() {
    let settings = format!(r#"logto.authorization = ["Bearer the next", "{AUTHORIZATION}"]"#);
    let app = spawn_app_with(&settings, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
    let next = app.request(sign_in(GOOD, "493818").to_string());
    let (client, next) = next.build_split();
    let mut next = next.unwrap();
    next.headers_mut().insert("authorization", "Bearer the next".parse().unwrap());
    assert_eq!(client.execute(next).await.unwrap().status(), 200);
}
