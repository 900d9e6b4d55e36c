//! Templates that change while the service runs.

use gatewayapi_sms_connector::simulator::Options;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{GOOD, TestApp, sign_in, spawn_app_with};

fn write(directory: &TempDir, text: &str) {
    let templates = ["SignIn", "Register", "ForgotPassword", "Generic"]
        .map(|usage_type| json!({"usageType": usage_type, "content": text}));
    std::fs::write(directory.path().join("all.json"), json!(templates).to_string()).unwrap();
}

async fn text(app: &TestApp, code: &str) -> String {
    assert_eq!(app.send(sign_in(GOOD, code)).await.status, 200);
    app.gatewayapi.received().pop().unwrap().text
}

#[tokio::test]
async fn a_new_set_is_taken_and_a_faulty_one_refused() {
    let directory = TempDir::new().unwrap();
    write(&directory, "old {{code}}");
    let settings = format!("templates.directory = {:?}", directory.path());
    let app = spawn_app_with(&settings, Options::default()).await;
    assert_eq!(text(&app, "493817").await, "old 493817");

    write(&directory, "new {{code}}");
    app.templates.reload().unwrap();
    assert_eq!(text(&app, "493818").await, "new 493818");

    write(&directory, " ");
    let faults = app.templates.reload().unwrap_err().to_string();
    assert!(faults.contains("all.json, usage type SignIn, locale en: the text is empty"), "{faults}");
    assert_eq!(text(&app, "493819").await, "new 493819");
    assert_eq!(app.metric(r#"sms_template_reloads_total{result="loaded"}"#).await, Some(1.0));
    assert_eq!(app.metric(r#"sms_template_reloads_total{result="refused"}"#).await, Some(1.0));
}

#[tokio::test]
async fn a_text_of_too_many_segments_is_not_sent_and_names_its_template() {
    let directory = TempDir::new().unwrap();
    write(&directory, "{{code}} {{note}}");
    let settings = format!("templates.directory = {:?}", directory.path());
    let app = spawn_app_with(&settings, Options::default()).await;
    let mut call = sign_in(GOOD, "493817");
    call["payload"]["note"] = "x".repeat(460).into();
    let answer = app.send(call).await;
    assert_eq!(answer.status, 500);
    assert_eq!(app.gatewayapi.requests(), 0);
    let line = &crate::log::lines_of(answer.message_id())[0];
    assert_eq!(line["error"], "template SignIn, locale en: the text takes 4 segments");
    assert_eq!(line["level"], "ERROR");
}
