//! One test for each answer of GatewayAPI, each with what was sent, or that nothing was.

use gatewayapi_sms_connector::{
    gatewayapi::ErrorCode,
    simulator::{Behaviour, Options},
};
use rstest::rstest;
use serde_json::json;

use crate::{
    app::{GOOD, TestApp, call, sign_in, spawn_app, spawn_app_with},
    operators::Operator,
};

/// Short, so that a test of it is; still enough for a retry or two.
const SHORT_DEADLINE: &str = r#"delivery.deadline = "1500ms""#;

async fn spawn_app_with_short_deadline() -> TestApp {
    spawn_app_with(SHORT_DEADLINE, Options::default()).await
}

/// The simulator's number for an error code.
fn number_of(code: u16) -> String {
    format!("452602{code:04}")
}

#[tokio::test]
async fn an_accepted_message_is_sent_once_with_all_that_belongs_to_it() {
    let settings = r#"
        gatewayapi.class = "premium"
        gatewayapi.priority = "URGENT"
        gatewayapi.validity_period = "300s"
        gatewayapi.label = "logto"
        delivery_reports.url = "https://sms.example.com/delivery-reports"
    "#;
    let app = spawn_app_with(settings, Options::default()).await;
    let answer = app.send(sign_in(GOOD, "493817")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "Your text message is on its way."));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let message = app.received_one();
    assert_eq!(message.msisdn.to_string(), GOOD);
    assert_eq!(
        message.text,
        "ExampleShop: 493817 is your sign-in code. It expires in 5 min. Don't share it with anyone."
    );
    assert_eq!(message.sender.as_deref(), Some("ExampleShop"));
    assert_eq!((message.encoding.as_str(), message.parts), ("UTF8", 1));
    assert_eq!((message.class.as_str(), message.priority.as_str()), ("premium", "URGENT"));
    assert_eq!(message.validity_period, Some(300));
    assert_eq!(message.label.as_deref(), Some("logto"));
    assert_eq!(message.userref.as_deref(), Some(answer.message_id()));
    assert_eq!(message.callback_url.as_deref(), Some("https://sms.example.com/delivery-reports"));
    assert_eq!(uuid::Uuid::parse_str(answer.message_id()).unwrap().get_version_num(), 7);
}

#[tokio::test]
async fn a_text_outside_the_gsm_alphabet_is_sent_as_ucs2() {
    let app = spawn_app().await;
    let answer = app.send(call(GOOD, "SignIn", json!({"code": "493817", "locale": "ru"}))).await;
    assert_eq!(answer.status, 200);
    let message = app.received_one();
    assert_eq!((message.encoding.as_str(), message.parts), ("UCS2", 1));
    assert!(message.lossless);
}

#[tokio::test]
async fn a_country_may_have_its_own_sender() {
    let app = spawn_app_with(r#"gatewayapi.senders.dk = "AcmeDK""#, Options::default()).await;
    app.send(sign_in(GOOD, "493817")).await;
    app.send(sign_in("46701234567", "493817")).await;
    let senders: Vec<_> = app.gatewayapi.received().into_iter().filter_map(|message| message.sender).collect();
    assert_eq!(senders, ["AcmeDK", "ExampleShop"]);
}

#[rstest]
#[case::request(&[0x0220, 0x0221, 0x0222, 0x0310], 502)]
#[case::credentials(&[0x0210, 0x0211, 0x0212, 0x0223, 0x0224, 0x0225, 0x0226, 0x0229], 502)]
#[case::address(&[0x0213], 502)]
#[case::blacklisted_for_now(&[0x0214], 422)]
#[case::blacklisted(&[0x0215], 422)]
#[case::credit(&[0x0216], 502)]
#[case::destination(&[0x0217, 0x021f], 422)]
#[case::feature(&[0x0219, 0x021a, 0x021b, 0x021c, 0x021d], 502)]
#[case::frozen(&[0x022a], 502)]
#[case::settings(&[0x0218, 0x0311], 502)]
#[case::content(&[0x0312], 422)]
#[case::class_not_configured(&[0x021e], 502)]
#[case::generic_fault_of_ours(&[0x0102, 0x0103, 0x0107, 0x0108], 502)]
#[tokio::test]
async fn a_refusal_is_final_and_nothing_is_sent(#[case] codes: &[u16], #[case] status: u16) {
    let app = spawn_app().await;
    for (requests, code) in (1..).zip(codes) {
        let answer = app.send(sign_in(&number_of(*code), "493817")).await;
        assert_eq!(answer.status.as_u16(), status, "{code:#06x}");
        assert_eq!(app.gatewayapi.requests(), requests, "{code:#06x} was tried again");
        let line = &crate::log::lines_of(answer.message_id())[0];
        assert_eq!(line["gatewayapi_code"], ErrorCode(*code).to_string());
        assert!(line["incident_uuid"].is_string(), "{line}");
    }
    assert_eq!(app.gatewayapi.received().len(), 0);
}

#[rstest]
// It asks for a second before the next try.
#[case::too_fast("4526030429", r#"delivery.deadline = "4s""#)]
#[case::internal("4526030500", SHORT_DEADLINE)]
#[case::bad_gateway("4526030502", SHORT_DEADLINE)]
#[case::unavailable("4526030503", SHORT_DEADLINE)]
#[case::gateway_timeout("4526030504", SHORT_DEADLINE)]
#[case::unknown_fault("4526020257", SHORT_DEADLINE)]
#[case::try_again("4526020265", SHORT_DEADLINE)]
#[tokio::test]
async fn a_transient_fault_is_tried_again_and_ends_as_not_sent(#[case] to: &str, #[case] settings: &str) {
    let app = spawn_app_with(settings, Options::default()).await;
    let answer = app.send(sign_in(to, "493817")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert!(app.gatewayapi.requests() > 1, "{} requests", app.gatewayapi.requests());
    assert_eq!(app.gatewayapi.received().len(), 0);
}

#[rstest]
#[case::wrong_request("4526030400", 502)]
#[case::unauthorized("4526030401", 502)]
#[case::forbidden("4526030403", 502)]
#[case::not_found("4526030404", 502)]
#[case::unprocessable("4526030422", 502)]
#[case::redirect("4526030302", 502)]
#[tokio::test]
async fn a_status_without_a_code_decides_and_no_redirect_is_followed(#[case] to: &str, #[case] status: u16) {
    let app = spawn_app().await;
    assert_eq!(app.send(sign_in(to, "493817")).await.status.as_u16(), status);
    assert_eq!((app.gatewayapi.requests(), app.gatewayapi.received().len()), (1, 0));
}

#[rstest]
#[case::unavailable_once("4526040007", 2)]
#[case::too_fast_once("4526040008", 2)]
#[case::unavailable_twice("4526040009", 3)]
#[tokio::test]
async fn a_fault_that_passes_is_not_noticed_by_the_person(#[case] to: &str, #[case] requests: usize) {
    let app = spawn_app().await;
    assert_eq!(app.send(sign_in(to, "493817")).await.status, 200);
    assert_eq!(app.gatewayapi.requests(), requests);
    app.received_one();
    assert_eq!(app.metric("sms_retries_total").await, Some((requests - 1) as f64));
}

#[rstest]
#[case::dies_in_the_middle_of_its_answer("4526040002", 1)]
#[case::hangs_up_without_an_answer("4526040003", 1)]
#[case::answers_html("4526040004", 1)]
#[case::answers_without_ids("4526040005", 0)]
#[case::answers_too_long("4526040006", 1)]
#[tokio::test]
async fn an_unknown_outcome_is_said_and_never_tried_again(#[case] to: &str, #[case] accepted: usize) {
    let app = spawn_app_with_short_deadline().await;
    let answer = app.send(sign_in(to, "493817")).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!((app.gatewayapi.requests(), app.gatewayapi.received().len()), (1, accepted));
}

#[tokio::test]
async fn no_answer_by_the_deadline_is_unknown() {
    let app = spawn_app_with_short_deadline().await;
    assert_eq!(app.send(sign_in("4526040001", "493817")).await.status, 504);
    assert_eq!(app.gatewayapi.requests(), 1);
}

#[tokio::test]
async fn an_unreachable_gatewayapi_is_not_sent() {
    let app = spawn_app().await;
    app.gatewayapi.stop().await;
    let answer = app.send(sign_in(GOOD, "493817")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(crate::log::lines_of(answer.message_id())[0]["error_kind"], "unreachable");
}

#[tokio::test]
async fn a_connection_that_is_not_encrypted_as_expected_is_not_sent() {
    let app = spawn_app().await;
    let endpoint = app.gatewayapi.endpoint().replace("http:", "https:");
    let settings = format!("{SHORT_DEADLINE}\ngatewayapi.endpoint = \"{endpoint}\"");
    let encrypted = spawn_app_with(&settings, Options::default()).await;
    assert_eq!(encrypted.send(sign_in(GOOD, "493817")).await.status, 503);
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_an_account_fault() {
    let app = spawn_app_with(r#"gatewayapi.api_token = "another token""#, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 502);
    assert_eq!(app.gatewayapi.received().len(), 0);
}

#[tokio::test]
async fn a_run_of_account_faults_is_answered_at_once_until_gatewayapi_works_again() {
    let app = spawn_app().await;
    app.gatewayapi.set_behaviour(Behaviour::AccountFault(0x0216));
    for code in 0..25 {
        assert_eq!(app.send(sign_in(GOOD, &format!("4938{code:02}"))).await.status, 502);
    }
    let requests = app.gatewayapi.requests();
    assert!(requests < 25, "the breaker stayed closed: {requests} requests");
    assert_eq!(app.metric("sms_gatewayapi_breaker_state").await, Some(1.0));
    let rows = Operator::of(&app).page("limit=25").await.0;
    let handed_over = rows.iter().filter(|message| !message["sent_at"].is_null()).count();
    assert_eq!(handed_over, requests, "what the breaker answered was not handed over");

    app.gatewayapi.set_behaviour(Behaviour::Normal);
    let mut code = 1000;
    while app.send(sign_in(GOOD, &format!("49{code}"))).await.status != 200 {
        code += 1;
    }
    assert_eq!(app.metric("sms_gatewayapi_breaker_state").await, Some(0.0));
}
