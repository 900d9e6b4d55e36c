//! Logto's official HTTP SMS connector as the client (`@logto/connector-http-sms` from npm).

use std::{
    io::Write,
    process::{Command, Stdio},
};

use gatewayapi_sms_connector::simulator::Options;
use serde_json::{Value, json};

use crate::{
    app::{AUTHORIZATION, TestApp, latency, numbers, spawn_app, spawn_app_with},
    log,
};

const USAGE_TYPES: [&str; 9] = [
    "SignIn",
    "Register",
    "ForgotPassword",
    "OrganizationInvitation",
    "Generic",
    "UserPermissionValidation",
    "BindNewIdentifier",
    "MfaVerification",
    "BindMfa",
];

/// Has the connector send messages, and gives what it made of each answer.
async fn connector(app: &TestApp, authorization: Option<&str>, messages: Vec<Value>, parallel: bool) -> Vec<Value> {
    messages.iter().for_each(log::forbid_call);
    let endpoint = app.url("/send");
    let input = json!({
        "endpoint": endpoint, "authorization": authorization, "messages": messages, "parallel": parallel
    });
    let run = move || {
        let mut node = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/send.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/run.sh installs Node");
        writeln!(node.stdin.take().unwrap(), "{input}").unwrap();
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success(), "the connector failed; tests/run.sh installs its packages");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn message(to: &str, usage_type: &str, payload: Value) -> Value {
    json!({"to": to, "type": usage_type, "payload": payload, "ip": "::ffff:203.0.113.7"})
}

#[tokio::test]
async fn each_usage_type_is_sent() {
    let app = spawn_app().await;
    let messages =
        USAGE_TYPES.map(|usage_type| message("4526091045", usage_type, json!({"code": "493817", "locale": "fr"})));
    let answers = connector(&app, Some(AUTHORIZATION), messages.to_vec(), false).await;
    assert_eq!(answers, vec![json!({"ok": true}); 9]);
    let received = app.gatewayapi.received();
    assert_eq!(received.len(), 9);
    for message in &received {
        assert!(message.text.starts_with("ExampleShop : ") && message.text.contains("493817"), "{}", message.text);
    }
    let mut texts: Vec<_> = received.iter().map(|message| &message.text).collect();
    texts.dedup();
    assert_eq!(texts.len(), 9, "each usage type says what it is for");
}

#[tokio::test]
async fn the_person_sees_our_sentence_and_nothing_else() {
    let settings = r#"delivery.deadline = "1s""#;
    let app = spawn_app_with(settings, Options::default()).await;
    let in_spanish = |to: &str| message(to, "SignIn", json!({"code": "493817", "locale": "es-MX"}));
    let refused = [
        ("1", "Este número"),
        ("4526020533", "No se pueden enviar SMS a este número"),
        ("4526020534", "En este momento no podemos"),
        ("4526030503", "No se ha podido enviar"),
        ("4526040003", "No sabemos"),
    ];
    let answers =
        connector(&app, Some(AUTHORIZATION), refused.iter().map(|(to, _)| in_spanish(to)).collect(), false).await;
    for ((to, begins), answer) in refused.iter().zip(&answers) {
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("general")), "{to}");
        let sentence = answer["message"].as_str().unwrap();
        assert!(sentence.starts_with(begins), "{to}: {sentence}");
    }
}

#[tokio::test]
async fn a_connector_without_authorization_is_refused() {
    let app = spawn_app().await;
    let answers = connector(&app, None, vec![message("4526091045", "SignIn", json!({"code": "493817"}))], false).await;
    assert_eq!(answers[0]["ok"], json!(false));
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn fifty_at_once_are_sent() {
    let app = spawn_app_with("", latency(80)).await;
    let messages = numbers(50).map(|to| message(&to, "SignIn", json!({"code": "493817", "locale": "en"}))).collect();
    let answers = connector(&app, Some(AUTHORIZATION), messages, true).await;
    assert_eq!(answers, vec![json!({"ok": true}); 50]);
    assert_eq!(app.gatewayapi.received().len(), 50);
}
