//! What Logto sends, in all its forms, and what it would never send.

use reqwest::header::CONTENT_TYPE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    app::{AUTHORIZATION, GOOD, call, sign_in, spawn_app},
    log,
};

#[tokio::test]
async fn unknown_keys_are_welcome() {
    let app = spawn_app().await;
    let mut call = call(GOOD, "SignIn", json!({"code": "493817", "locale": "en", "user": {"id": 7}, "x": [1, null]}));
    call["tenant"] = json!({"id": "t"});
    assert_eq!(app.send(call).await.status, 200);
}

#[rstest]
#[case("Generic")]
#[case("Test")]
#[case("PasskeyRecovery")]
#[tokio::test]
async fn an_unknown_usage_type_is_generic(#[case] usage_type: &str) {
    let app = spawn_app().await;
    app.send(call(GOOD, usage_type, json!({"code": "493817"}))).await;
    let generic = "ExampleShop: 493817 is your verification code.";
    assert!(app.received_one().text.starts_with(generic), "{}", app.received_one().text);
}

#[tokio::test]
async fn an_invitation_without_a_code_reads_well() {
    let app = spawn_app().await;
    let payload = json!({"link": "https://example.com/invitation"});
    assert_eq!(app.send(call(GOOD, "OrganizationInvitation", payload)).await.status, 200);
    let text = app.received_one().text;
    assert!(!text.contains(['{', '}']), "{text}");
}

#[rstest]
#[case::not_json("{")]
#[case::empty("")]
#[case::list("[]")]
#[case::values_in_order(r#"["4526091045","SignIn",{"code":"493817"},null]"#)]
#[case::no_to(r#"{"type":"SignIn","payload":{}}"#)]
#[case::number_as_number(r#"{"to":4526091045,"type":"SignIn","payload":{}}"#)]
#[case::no_type(r#"{"to":"4526091045","payload":{}}"#)]
#[case::no_payload(r#"{"to":"4526091045","type":"SignIn"}"#)]
#[case::payload_as_text(r#"{"to":"4526091045","type":"SignIn","payload":"{}"}"#)]
#[case::deep(&"[".repeat(5000))]
#[tokio::test]
async fn a_body_that_logto_does_not_send_is_malformed(#[case] body: &str) {
    let app = spawn_app().await;
    let answer = app.post(app.request(body.to_owned())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn a_body_is_json_of_at_most_64_kib() {
    let app = spawn_app().await;
    let of_length = |length: usize| {
        let mut call = sign_in(GOOD, "493817");
        call["filler"] = Value::String(String::new());
        let filler = length - call.to_string().len();
        call["filler"] = "x".repeat(filler).into();
        call.to_string()
    };
    assert_eq!(app.post(app.request(of_length(64 * 1024))).await.status, 200);
    assert_eq!(app.post(app.request(of_length(64 * 1024 + 1))).await.status, 413);

    for (content_type, status) in [
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("nonsense", 415),
    ] {
        let (client, request) = app.request(sign_in(GOOD, "493818").to_string()).build_split();
        let mut request = request.unwrap();
        request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        assert_eq!(client.execute(request).await.unwrap().status(), status, "{content_type}");
    }
}

#[rstest]
#[case(json!("203.0.113.7"), "4")]
#[case(json!("::ffff:203.0.113.7"), "4")]
#[case(json!("2001:db8::1"), "6")]
#[case(json!("203.0.113.7, 10.1.2.3"), "unreadable")]
#[case(json!(7), "unreadable")]
#[case(json!(null), "none")]
#[tokio::test]
async fn an_address_that_is_none_is_ignored(#[case] ip: Value, #[case] version: &str) {
    let app = spawn_app().await;
    let mut call = sign_in(GOOD, "493817");
    call["ip"] = ip;
    let answer = app.send(call).await;
    assert_eq!(answer.status, 200);
    assert_eq!(log::lines_of(answer.message_id())[0]["ip_version"], version);
    let lines = log::text();
    let told = lines.lines().filter(|line| line.contains("ip_version") || line.contains("address")).count();
    assert_eq!(told, 1, "no line besides the call's own, which a flood of refused calls does not have: {lines}");
}

#[tokio::test]
async fn other_methods_and_paths_are_told() {
    let app = spawn_app().await;
    let answer = app.get(app.url("/send")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    assert_eq!(app.get(app.url("/")).await.status, 404);
    assert_eq!(app.get(app.url("/metrics")).await.status, 404, "what operators see is not for the world");
    let post = reqwest::Client::new().post(app.url("/health/ready")).header("authorization", AUTHORIZATION);
    let answer = app.post(post).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD")));
}
