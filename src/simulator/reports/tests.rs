use super::*;
use crate::simulator::{Options, Simulator, client};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{HeaderMap, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rstest::rstest;
use serde_json::{Value, json};
use std::{collections::HashSet, convert::Infallible};
use tokio::{net::TcpListener, sync::mpsc};

/// A webhook that answers with each of these in turn, and with 204 afterwards.
async fn webhook(answers: &'static [u16]) -> (String, mpsc::UnboundedReceiver<(HeaderMap, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/reports", listener.local_addr().unwrap());
    let (heard, reports) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.iter();
        while let Ok((stream, _)) = listener.accept().await {
            let status = answers.next().copied().unwrap_or(204);
            let heard = heard.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let heard = heard.clone();
                async move {
                    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/reports"));
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    heard.send((head.headers, serde_json::from_slice(&body).unwrap())).unwrap();
                    let answer = Response::builder().status(status).body(Empty::<Bytes>::new()).unwrap();
                    Ok::<_, Infallible>(answer)
                }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    });
    (url, reports)
}

fn simulator(reports: Reports) -> Simulator {
    let reports = Reports { delay: Duration::ZERO, retry_after: Duration::from_millis(1), ..reports };
    Simulator::start(Options { reports: Some(reports), ..Options::default() }).unwrap()
}

async fn send(simulator: &Simulator, msisdn: u64, callback_url: &str) {
    let recipients = json!([{"msisdn": msisdn}]);
    let message = json!({"message": "Hi", "recipients": recipients, "userref": "ref", "callback_url": callback_url});
    assert_eq!(client::send(simulator, message).await.unwrap().status, 200);
}

#[rstest]
#[case::ordinary(4526091045, &["BUFFERED", "ENROUTE", "DELIVERED"])]
#[case::delivered(4526050001, &["BUFFERED", "ENROUTE", "DELIVERED"])]
#[case::undeliverable(4526050002, &["UNDELIVERABLE 0x1001"])]
#[case::expired(4526050003, &["EXPIRED"])]
#[case::rejected(4526050004, &["REJECTED 0x1904"])]
#[case::out_of_order(4526050005, &["DELIVERED", "ENROUTE"])]
#[case::twice(4526050006, &["DELIVERED", "DELIVERED"])]
#[case::unknown_state(4526050007, &["TELEPORTED"])]
#[tokio::test]
async fn a_number_chooses_its_reports(#[case] msisdn: u64, #[case] expected: &[&str]) {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports::default());
    send(&simulator, msisdn, &url).await;
    simulator.until_reports_answered(expected.len()).await;
    for expected in expected {
        let (_, event) = reports.recv().await.unwrap();
        let code = event["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
        assert_eq!(format!("{}{code}", event["status"].as_str().unwrap()), *expected);
    }
    assert_eq!(simulator.reports_answered(), expected.len());
}

#[tokio::test]
async fn a_test_may_choose_the_reports_of_every_number() {
    let (url, mut reports) = webhook(&[]).await;
    let states = vec![ReportedState::of("ENROUTE"), ReportedState::failed("SKIPPED", "0x1094", "Flooding")];
    let simulator = simulator(Reports { states: Some(states), ..Reports::default() });
    send(&simulator, 4526050003, &url).await;
    for (status, code, error) in [("ENROUTE", None, None), ("SKIPPED", Some("0x1094"), Some("Flooding"))] {
        let (_, event) = reports.recv().await.unwrap();
        assert_eq!((event["status"].as_str(), event["code"].as_str()), (Some(status), code));
        assert_eq!(event["error"].as_str(), error);
    }
}

#[tokio::test]
async fn all_reports_may_come_before_the_answer() {
    // The first report is not taken; its repetition is not waited for.
    let (url, mut reports) = webhook(&[500]).await;
    let simulator = Simulator::start(Options {
        reports: Some(Reports {
            delay: Duration::from_millis(20),
            retry_after: Duration::from_secs(3600),
            before_answer: true,
            ..Reports::default()
        }),
        ..Options::default()
    })
    .unwrap();
    let message = |msisdn: u64| json!({"message": "Hi", "recipients": [{"msisdn": msisdn}], "callback_url": url});
    let list = json!([message(4526091045), message(4526050003)]);
    assert_eq!(client::send(&simulator, list).await.unwrap().status, 200);
    let mut before = Vec::new();
    while let Ok((_, event)) = reports.try_recv() {
        before.push(event["status"].as_str().unwrap().to_owned());
    }
    before.sort();
    assert_eq!(before, ["BUFFERED", "DELIVERED", "ENROUTE", "EXPIRED"]);
    // A message that is never reported does not hold up its answer.
    assert_eq!(client::send(&simulator, message(4526050008)).await.unwrap().status, 200);
}

#[tokio::test]
async fn reports_may_be_redirected_while_it_runs() {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports { url: Some("http://127.0.0.1:9/".to_owned()), ..Reports::default() });
    simulator.report_to(&*url);
    send(&simulator, 4526050003, "http://127.0.0.1:9/").await;
    assert_eq!(reports.recv().await.unwrap().1["status"], "EXPIRED");
}

#[tokio::test]
async fn a_number_may_never_be_reported() {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports::default());
    send(&simulator, 4526050008, &url).await;
    send(&simulator, 4526050003, &url).await;
    // Only the second message's report comes, and it was sent last.
    assert_eq!(reports.recv().await.unwrap().1["msisdn"], 4526050003u64);
    assert!(reports.try_recv().is_err());
}

#[tokio::test]
async fn a_report_is_shaped_as_documented() {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports::default());
    send(&simulator, 4526050003, &url).await;
    let (headers, mut event) = reports.recv().await.unwrap();
    assert_eq!(headers["content-type"], "application/json");
    assert!(!headers.contains_key("x-gwapi-signature"));
    assert!(event["time"].take().as_u64().unwrap() > 1_700_000_000);
    assert_eq!(
        event,
        json!({
            "id": 1000001, "msisdn": 4526050003u64, "time": null, "status": "EXPIRED", "error": null, "code": null,
            "userref": "ref", "country_code": "DK", "country_prefix": 45,
        })
    );
}

#[tokio::test]
async fn a_signature_has_the_whole_event_as_its_claims() {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports { secret: Some("secret".to_owned()), ..Reports::default() });
    send(&simulator, 4526050003, &url).await;
    let (headers, event) = reports.recv().await.unwrap();
    let signature = headers["x-gwapi-signature"].to_str().unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    let claims = |secret: &[u8]| {
        jsonwebtoken::decode::<Value>(signature, &DecodingKey::from_secret(secret), &validation)
            .map(|token| token.claims)
    };
    assert_eq!(claims(b"secret").unwrap(), event);
    assert!(claims(b"other").is_err());
}

#[tokio::test]
async fn a_message_without_a_callback_is_reported_to_the_fallback() {
    let (url, mut reports) = webhook(&[]).await;
    let simulator = simulator(Reports { url: Some(url), ..Reports::default() });
    let message = json!({"message": "Hi", "recipients": [{"msisdn": 4526050002u64}]});
    client::send(&simulator, message).await.unwrap();
    let (_, event) = reports.recv().await.unwrap();
    assert_eq!((&event["userref"], &event["error"]), (&Value::Null, &json!("Unknown subscriber")));
}

#[tokio::test]
async fn a_report_is_repeated_until_it_is_answered_with_2xx() {
    let (url, mut reports) = webhook(&[500, 302, 404]).await;
    let simulator = simulator(Reports::default());
    send(&simulator, 4526050003, &url).await;
    simulator.until_reports_answered(1).await;
    let (_, first) = reports.recv().await.unwrap();
    for _ in 0..3 {
        assert_eq!(reports.recv().await.unwrap().1, first);
    }
    assert!(reports.try_recv().is_err());
}

#[tokio::test]
async fn a_message_tells_the_state_of_its_last_report() {
    let (url, _reports) = webhook(&[]).await;
    let simulator = simulator(Reports::default());
    send(&simulator, 4526050004, &url).await;
    simulator.until_reports_answered(1).await;
    let answer = client::call(&simulator, "GET", "/rest/mtsms/1000001", String::new()).await.unwrap().json();
    let recipient = &answer["recipients"][0];
    assert_eq!((&recipient["dsnstatus"], &recipient["dsnerrorcode"]), (&json!("REJECTED"), &json!("0x1904")));
}
