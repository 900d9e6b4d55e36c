//! What a person reads.

use gatewayapi_sms_connector::simulator::Options;
use rstest::rstest;
use serde_json::json;

use crate::app::{GOOD, call, sign_in, spawn_app, spawn_app_with};

#[rstest]
#[case(json!({"code": "1", "locale": "de"}), "de", "Diese Telefonnummer")]
#[case(json!({"code": "1", "locale": "es-419"}), "es", "Este número")]
#[case(json!({"code": "1", "locale": "he", "uiLocales": "xx sv-FI en"}), "sv", "Det här telefonnumret")]
#[case(json!({"code": "1", "locale": "he"}), "en", "This phone number")]
#[case(json!({"code": "1"}), "en", "This phone number")]
#[tokio::test]
async fn a_refusal_is_in_the_persons_language(
    #[case] payload: serde_json::Value,
    #[case] language: &str,
    #[case] begins: &str,
) {
    let app = spawn_app().await;
    let answer = app.send(call("1", "SignIn", payload)).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-language")), (422, Some(language)));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(answer.body.starts_with(begins), "{}", answer.body);
}

#[tokio::test]
async fn a_message_is_in_the_persons_language_or_the_default() {
    let app = spawn_app_with(r#"templates.default_locale = "da""#, Options::default()).await;
    app.send(call(GOOD, "SignIn", json!({"code": "493817", "locale": "zh-Hant-TW"}))).await;
    app.send(call(GOOD, "SignIn", json!({"code": "493818", "locale": "tlh"}))).await;
    let texts: Vec<_> = app.gatewayapi.received().into_iter().map(|message| message.text).collect();
    assert!(texts[0].contains("登入驗證碼"), "{}", texts[0]);
    assert!(texts[1].contains("er din kode"), "{}", texts[1]);
}

#[rstest]
#[case("application/json")]
#[case("application/problem+json")]
#[case("text/html;q=0.5, application/json;q=0.9")]
#[tokio::test]
async fn a_program_gets_rfc_9457(#[case] accept: &str) {
    let app = spawn_app().await;
    let answer = app.post(app.request(sign_in("1", "493817").to_string()).header("accept", accept)).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:gatewayapi-sms-connector:problem:number_unusable");
    assert_eq!((&problem["title"], &problem["status"]), (&json!("Unprocessable Entity"), &json!(422)));
    assert_eq!(problem["message_id"], answer.message_id());
    assert!(problem["detail"].as_str().unwrap().contains("phone number"));

    let answer = app.post(app.request(sign_in(GOOD, "493817").to_string()).header("accept", accept)).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["message_id"], answer.message_id());
}

#[tokio::test]
async fn no_answer_shows_what_gatewayapi_said() {
    let app = spawn_app().await;
    for to in ["4526020528", "4526020533", "4526020534", "4526020786"] {
        let answer = app.send(sign_in(to, "493817")).await;
        for hidden in ["0x", "GatewayAPI", "493817", to, "{", "incident"] {
            assert!(!answer.body.contains(hidden), "{}", answer.body);
        }
    }
}
