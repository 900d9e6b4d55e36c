//! What operators and monitoring see.

use gatewayapi_sms_connector::simulator::Options;

use crate::{
    app::{GOOD, sign_in, spawn_app, spawn_app_with},
    log,
};

#[tokio::test]
async fn a_call_is_one_log_line() {
    let app = spawn_app().await;
    let answer = app.send(sign_in(GOOD, "493817")).await;
    let lines = log::lines_of(answer.message_id());
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["level"], "INFO");
    for (field, value) in [
        ("outcome", "accepted"),
        ("usage_type", "SignIn"),
        ("country", "DK"),
        ("to", "+45******45"),
        ("locale", "en"),
        ("encoding", "UTF8"),
    ] {
        assert_eq!(line[field], value, "{field}");
    }
    assert_eq!((&line["segments"], &line["attempts"]), (&1.into(), &1.into()));
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    let fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "attempts",
        "country",
        "duration_ms",
        "encoding",
        "gatewayapi_id",
        "ip_version",
        "level",
        "locale",
        "message",
        "message_id",
        "outcome",
        "repeat",
        "segments",
        "timestamp",
        "to",
        "usage_type",
    ];
    assert_eq!(fields, expected, "no trace_id but where traces go to a collector");
}

#[tokio::test]
async fn a_refused_call_is_one_log_line_too() {
    let app = spawn_app().await;
    app.post(app.request("{")).await;
    assert_eq!(log::text().lines().filter(|line| line.contains(r#""outcome":"malformed""#)).count(), 1);
}

/// A counter that first appears at 1 has no increase, and an alert on it would miss what woke nobody.
#[tokio::test]
async fn what_never_happened_is_zero() {
    let app = spawn_app().await;
    for sample in [
        r#"sms_requests_total{outcome="template_fault",usage_type="SignIn"}"#,
        r#"sms_requests_total{outcome="ledger_away",usage_type="BindMfa"}"#,
        r#"sms_gatewayapi_requests_total{error_kind="credit",outcome="account_fault"}"#,
        r#"sms_template_reloads_total{result="refused"}"#,
        r#"sms_limits_refused_total{limit="spend"}"#,
    ] {
        assert_eq!(app.metric(sample).await, Some(0.0), "{sample}");
    }
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let app = spawn_app().await;
    app.send(sign_in(GOOD, "493817")).await;
    app.send(sign_in("4526020533", "493817")).await;
    app.send(sign_in("1", "493817")).await;
    for (sample, expected) in [
        (r#"sms_requests_total{outcome="accepted",usage_type="SignIn"}"#, 1.0),
        (r#"sms_requests_total{outcome="rejected",usage_type="SignIn"}"#, 1.0),
        (r#"sms_requests_total{outcome="number_unusable",usage_type="SignIn"}"#, 1.0),
        (r#"sms_gatewayapi_requests_total{error_kind="",outcome="accepted"}"#, 1.0),
        (r#"sms_gatewayapi_requests_total{error_kind="recipient",outcome="rejected"}"#, 1.0),
        ("sms_gatewayapi_batch_size_count", 2.0),
        (r#"sms_stage_duration_seconds_count{stage="total"}"#, 3.0),
        (r#"sms_stage_duration_seconds_count{stage="gatewayapi"}"#, 2.0),
        (r#"sms_message_segments_sum{encoding="UTF8"}"#, 2.0),
        ("sms_messages_waiting", 0.0),
        ("sms_gatewayapi_breaker_state", 0.0),
        (r#"sms_cost_total{currency="DKK"}"#, 0.12),
    ] {
        assert_eq!(app.metric(sample).await, Some(expected), "{sample}");
    }
    // Unless it asks for the credit.
    app.until_metric("sms_gatewayapi_connections_in_use", 0.0).await;
    let text = app.get(format!("http://{}/metrics", app.operator)).await;
    assert_eq!(text.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(text.body.contains("sms_build_info{version="));
    assert!(!text.body.contains("4526") && !text.body.contains("493817"));
}

#[tokio::test]
async fn the_credit_is_asked_for() {
    for credit_as_text in [false, true] {
        let app = spawn_app_with("", Options { credit_as_text, ..Options::default() }).await;
        app.until_metric(r#"sms_gatewayapi_credit{currency="DKK"}"#, 1234.56).await;
    }
}
