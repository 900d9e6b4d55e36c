use super::*;
use crate::simulator::{Options, Simulator, client, magic_numbers};
use client::{AUTHORIZATION, Answer, JSON, call, call_at, simulator};
use rstest::rstest;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};

const ORDINARY: u64 = 4526091045;

fn message(msisdn: u64) -> Value {
    json!({"message": "123456", "recipients": [{"msisdn": msisdn}]})
}

async fn send(simulator: &Simulator, msisdn: u64) -> Result<Answer, hyper::Error> {
    client::send(simulator, message(msisdn)).await
}

/// Decides about a request to send without waiting for what the decision waits for.
fn decide(simulator: &Simulator, msisdn: u64) -> Reply {
    let request = Request::post(SEND).header(AUTHORIZATION.0, AUTHORIZATION.1).header(JSON.0, JSON.1);
    let (head, ()) = request.body(()).unwrap().into_parts();
    simulator.gateway.reply(&head, &message(msisdn).to_string().into(), 1)
}

#[tokio::test]
async fn a_message_is_accepted_and_kept() {
    let simulator = simulator();
    let message = json!({
        "message": "123456 is your code", "recipients": [{"msisdn": "4526091045"}], "sender": "ExampleShop",
        "encoding": "UCS2", "class": "premium", "priority": "URGENT", "validity_period": 300, "userref": "ref",
        "callback_url": "https://example.com/", "label": "logto", "destaddr": "DISPLAY", "max_parts": 2,
    });
    let answer = client::send(&simulator, message).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"ids": [1000001], "usage": {"countries": {"DK": 1}, "currency": "DKK", "total_cost": 0.15}})
    );
    let received = simulator.received().remove(0);
    assert_eq!((received.id, received.msisdn, received.parts, received.request), (1000001, ORDINARY, 1, 1));
    assert_eq!((received.text.as_str(), received.sender.as_deref()), ("123456 is your code", Some("ExampleShop")));
    assert_eq!((received.encoding.as_str(), received.class.as_str()), ("UCS2", "premium"));
    assert_eq!((received.priority.as_str(), received.validity_period), ("URGENT", Some(300)));
    assert_eq!((received.userref.as_deref(), received.label.as_deref()), (Some("ref"), Some("logto")));
    assert_eq!((received.callback_url.as_deref(), received.lossless), (Some("https://example.com/"), true));
    assert_eq!(format!("{received:?}"), "Received { id: 1000001, parts: 1, request: 1, .. }");
}

#[tokio::test]
async fn a_list_is_answered_in_order_and_billed_by_country() {
    let simulator = simulator();
    let list = json!([
        {"message": "a".repeat(161), "recipients": [{"msisdn": ORDINARY}, {"msisdn": 12125550123u64}]},
        {"message": "ж", "encoding": "UTF8", "recipients": [{"msisdn": 46701234567u64}]},
    ]);
    let answer = client::send(&simulator, list).await.unwrap().json();
    assert_eq!(answer["ids"], json!([1000001, 1000002]));
    assert_eq!(answer["usage"]["countries"], json!({"DK": 2, "SE": 1, "US": 2}));
    assert_eq!(answer["usage"]["total_cost"], json!(0.7));
    let received = simulator.received();
    assert_eq!(received.iter().map(|received| received.id).collect::<Vec<_>>(), [1000001, 1000001, 1000002]);
    assert!(!received[2].lossless);
}

#[tokio::test]
async fn a_list_is_refused_as_a_whole() {
    let simulator = simulator();
    let answer = client::send(&simulator, json!([message(ORDINARY), message(4526020533)])).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!("0x0215")));
    let answer = client::send(&simulator, json!([message(ORDINARY), {"message": "no recipient"}])).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json().get("code")), (400, None));
    assert_eq!((simulator.received().len(), simulator.requests()), (0, 2));
}

#[rstest]
#[case::none(&[], "0x0210")]
#[case::other_token(&[("authorization", "Basic b3RoZXI6")], "0x0210")]
#[case::with_password(&[("authorization", "Basic c2ltdWxhdG9yOnB3")], "0x0211")]
#[case::bearer(&[("authorization", "Bearer simulator")], "0x0210")]
#[case::no_colon(&[("authorization", "Basic c2ltdWxhdG9y")], "0x0210")]
#[tokio::test]
async fn the_token_is_the_user_name(#[case] headers: &[(&str, &str)], #[case] code: &str) {
    let simulator = simulator();
    for (method, path) in [("POST", SEND), ("GET", ACCOUNT), ("GET", "/rest/mtsms/1")] {
        let headers = [headers, &[JSON]].concat();
        let answer = call_at(simulator.address(), method, path, &headers, message(ORDINARY).to_string()).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (401, &json!(code)));
        assert!(answer.json()["incident_uuid"].is_string());
    }
    assert_eq!((simulator.received().len(), simulator.requests()), (0, 1));
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_no_message() {
    let simulator = simulator();
    let body = message(ORDINARY).to_string();
    let answer = call_at(simulator.address(), "POST", SEND, &[AUTHORIZATION], body).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json().get("code")), (400, None));
}

#[tokio::test]
async fn the_account_has_credit_in_either_form() {
    let number = simulator();
    let text = Simulator::start(Options { credit_as_text: true, ..Options::default() }).unwrap();
    for (simulator, credit) in [(number, json!(1234.56)), (text, json!("1234.56"))] {
        let answer = call(&simulator, "GET", ACCOUNT, String::new()).await.unwrap().json();
        assert_eq!(answer, json!({"credit": credit, "currency": "DKK", "id": 1}));
    }
}

#[tokio::test]
async fn a_message_can_be_asked_for_and_prices_are_public() {
    let simulator = simulator();
    assert_eq!(call(&simulator, "GET", "/rest/mtsms/1000001", String::new()).await.unwrap().status, 404);
    assert_eq!(call(&simulator, "GET", "/rest/mtsms/x", String::new()).await.unwrap().status, 404);
    send(&simulator, ORDINARY).await.unwrap();
    let answer = call(&simulator, "GET", "/rest/mtsms/1000001", String::new()).await.unwrap().json();
    assert_eq!(
        answer["recipients"],
        json!([{
            "msisdn": ORDINARY, "country": "DK", "csms": 1, "dsnstatus": "SCHEDULED", "dsnerror": null,
            "dsnerrorcode": null, "dsntime": null, "mcc": 238, "mnc": 1,
        }])
    );
    let prices = call_at(simulator.address(), "GET", PRICES, &[], String::new()).await.unwrap();
    assert_eq!(prices.json()["standard"][3]["country"], "DK");
}

/// What the documentation of each magic number says is what happens.
#[tokio::test]
async fn the_table_tells_the_truth_about_answers() {
    let simulator = simulator();
    for (number, what) in magic_numbers() {
        let msisdn = number.trim_start_matches('+').parse().unwrap();
        let before = simulator.received().len();
        let reply = decide(&simulator, msisdn);
        let accepted = simulator.received().len() > before;
        let Reply::Answer(answer) = reply else {
            assert!(["dies", "closed", "never", "answers after"].iter().any(|word| what.contains(word)), "{what}");
            assert_eq!(accepted, what.starts_with("accepted"), "{number}: {what}");
            continue;
        };
        let status = answer.status().as_u16();
        if let Some(told) = what.split_once("HTTP ").map(|(_, told)| &told[..3]) {
            assert_eq!(status.to_string(), told, "{number}: {what}");
        }
        let is_fate = number.starts_with("+452605");
        assert_eq!(accepted, is_fate || what.starts_with("accepted"), "{number}: {what}");
        let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
        let code = body.as_ref().and_then(|body| body["code"].as_str());
        assert_eq!(code.is_some(), what.contains("0x") && !is_fate, "{number}: {what}");
        assert!(code.is_none_or(|code| what.contains(code)), "{number}: {what}");
        assert_eq!(answer.headers().contains_key("retry-after"), what.contains("Retry-After: 1"), "{what}");
        assert_eq!(body.is_none(), what.contains("HTML"), "{what}");
    }
}

#[tokio::test]
async fn of_two_blacklists_one_names_the_number() {
    let simulator = simulator();
    let forever = send(&simulator, 4526020533).await.unwrap().json();
    assert_eq!((&forever["code"], &forever["variables"]), (&json!("0x0215"), &json!(["4526020533"])));
    let for_now = send(&simulator, 4526020532).await.unwrap().json();
    assert_eq!((&for_now["code"], &for_now["variables"]), (&json!("0x0214"), &json!([])));
}

#[tokio::test]
async fn a_redirect_leads_to_itself() {
    let answer = send(&simulator(), 4526030302).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.headers["location"].to_str().unwrap()), (302, SEND));
}

#[tokio::test]
async fn a_connection_dies_in_the_middle_of_the_answer() {
    let simulator = simulator();
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    let body = message(4526040002).to_string();
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nhost: simulator\r\n{}: {}\r\n{}: {}\r\ncontent-length: {}\r\n\r\n",
        AUTHORIZATION.0,
        AUTHORIZATION.1,
        JSON.0,
        JSON.1,
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let promised: usize = head.split_once("content-length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    assert_eq!((body.len(), simulator.received().len()), (promised / 2, 1));
    assert!(send(&simulator, 4526040002).await.is_err());
}

#[tokio::test]
async fn a_connection_is_closed_without_an_answer() {
    let simulator = simulator();
    assert!(send(&simulator, 4526040003).await.err().unwrap().is_incomplete_message());
    assert_eq!(simulator.received().len(), 1);
}

#[tokio::test]
async fn answers_can_be_wrong_in_three_ways() {
    let simulator = simulator();
    let garbage = send(&simulator, 4526040004).await.unwrap();
    assert_eq!((garbage.status.as_u16(), simulator.received().len()), (200, 1));
    assert!(garbage.body.starts_with(b"<!DOCTYPE html>"));
    let empty = send(&simulator, 4526040005).await.unwrap();
    assert_eq!(
        (empty.json(), simulator.received().len()),
        (json!({"ids": [], "usage": {"countries": {}, "currency": "DKK", "total_cost": 0}}), 1)
    );
    let long = send(&simulator, 4526040006).await.unwrap();
    assert!(long.body.len() > 64 << 10);
    assert_eq!((long.json()["ids"].clone(), simulator.received().len()), (json!([1000002]), 2));
}

#[rstest]
#[case::html(4526040007, &[503, 200])]
#[case::rate_limited(4526040008, &[429, 200])]
#[case::unavailable(4526040009, &[503, 503, 200])]
#[tokio::test]
async fn some_numbers_are_accepted_at_a_later_try(#[case] msisdn: u64, #[case] statuses: &[u16]) {
    let simulator = simulator();
    // It starts over, so that a person can try it again.
    for (round, status) in [(1, statuses), (2, statuses)] {
        for expected in status {
            assert_eq!(send(&simulator, msisdn).await.unwrap().status.as_u16(), *expected);
        }
        assert_eq!(simulator.received().len(), round);
    }
}

#[tokio::test]
async fn some_answers_are_slow_or_never_come() {
    let simulator = simulator();
    for (msisdn, seconds) in [(4526040010, 3), (4526040011, 30)] {
        let Reply::Late(delay, answer) = decide(&simulator, msisdn) else { panic!("not late") };
        assert_eq!((delay, answer.status().as_u16()), (Duration::from_secs(seconds), 200));
    }
    assert_eq!(simulator.received().len(), 2);
    assert!(matches!(decide(&simulator, 4526040001), Reply::Never));
    assert_eq!(simulator.received().len(), 2);
}

#[rstest]
#[case::rate_limiting(Behaviour::RateLimiting, Some(429), 0)]
#[case::failing(Behaviour::Failing(502), Some(502), 0)]
#[case::dropping(Behaviour::Dropping, None, 0)]
#[case::dropping_later(Behaviour::DroppingAfterAcceptance, None, 1)]
#[case::garbling(Behaviour::Garbling, Some(200), 1)]
#[case::account_fault(Behaviour::AccountFault(0x0216), Some(403), 0)]
#[tokio::test]
async fn the_whole_simulator_can_misbehave(
    #[case] behaviour: Behaviour,
    #[case] status: Option<u16>,
    #[case] accepted: usize,
) {
    let simulator = simulator();
    simulator.set_behaviour(behaviour);
    let answer = send(&simulator, ORDINARY).await;
    assert_eq!(answer.as_ref().ok().map(|answer| answer.status.as_u16()), status);
    assert_eq!((simulator.received().len(), simulator.requests()), (accepted, 1));
    simulator.set_behaviour(Behaviour::Normal);
    assert_eq!(send(&simulator, ORDINARY).await.unwrap().status, 200);
}

#[tokio::test]
async fn misbehaviour_after_acceptance_still_refuses_what_is_wrong() {
    let simulator = simulator();
    for behaviour in [Behaviour::DroppingAfterAcceptance, Behaviour::Garbling] {
        simulator.set_behaviour(behaviour);
        assert_eq!(client::send(&simulator, json!([])).await.unwrap().status, 400);
    }
}
