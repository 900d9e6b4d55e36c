//! Traces, as a collector sees them.

mod collector;

use std::time::{Duration, Instant};

use gatewayapi_sms_connector::simulator::Options;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rstest::rstest;
use serde_json::json;
use tokio::net::TcpListener;

use self::collector::{Collector, Conduct, Span};
use crate::{
    app::{AUTHORIZATION, Answer, GOOD, OPERATOR_TOKEN, TestApp, call, numbers, sign_in, spawn_app_with},
    encryption::self_signed,
    log,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

impl TestApp {
    /// Sends Logto's call as a part of a trace.
    async fn send_in(&self, traceparent: &str, to: &str) -> Answer {
        let call = sign_in(to, "493817");
        log::forbid_call(&call);
        self.post(self.request(call.to_string()).header("traceparent", traceparent)).await
    }

    /// Stops, which hands over what waits.
    async fn stop(mut self) {
        self.begin_stop();
        self.stopped().await.unwrap();
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

fn fact<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    span.facts.get(key).map(String::as_str)
}

#[tokio::test]
async fn a_call_continues_the_trace_of_whoever_asked_and_each_step_has_a_span() {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    let request = app.request(sign_in(GOOD, "493817").to_string());
    let answer = app.post(request.header("traceparent", TRACEPARENT).header("tracestate", "vendor=1")).await;
    assert_eq!(answer.status, 200);
    let id = answer.message_id().to_owned();
    assert_eq!(log::lines_of(&id)[0]["trace_id"], TRACE);
    app.stop().await;

    let spans = collector.spans();
    assert_eq!(spans.len(), 8, "{spans:#?}");
    for span in &spans {
        assert_eq!((span.trace.as_str(), span.state.as_str(), &span.fault), (TRACE, "vendor=1", &None), "{span:?}");
        assert!(span.start <= span.end, "{span:?}");
    }
    let root = one(&spans, "send");
    assert_eq!((root.parent.as_str(), root.kind), (CALLER, SpanKind::Server));
    let facts: Vec<_> = root.facts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let expected = [
        ("attempts", "1"),
        ("country", "DK"),
        ("encoding", "UTF8"),
        ("message_id", &id),
        ("outcome", "accepted"),
        ("repeat", "false"),
        ("segments", "1"),
        ("usage_type", "SignIn"),
    ];
    assert_eq!(facts, expected);
    let mut earlier = root.start;
    for name in ["validate", "admit", "render", "gatewayapi", "settle"] {
        let step = one(&spans, name);
        assert_eq!((&step.parent, step.kind), (&root.id, SpanKind::Internal), "{name}");
        assert!(earlier <= step.start && step.end <= root.end, "{name}: {spans:#?}");
        earlier = step.start;
    }
    let attempt = one(&spans, "attempt");
    assert_eq!(attempt.parent, one(&spans, "gatewayapi").id);
    let request = one(&spans, "gatewayapi_request");
    assert_eq!((&request.parent, request.kind), (&attempt.id, SpanKind::Client));
    assert_eq!((fact(request, "messages"), fact(request, "outcome")), (Some("1"), Some("accepted")));
}

#[rstest]
#[case::none(&[])]
#[case::wrong(&["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"])]
#[case::two(&[TRACEPARENT, TRACEPARENT])]
#[tokio::test]
async fn without_a_usable_parent_each_call_has_a_trace_of_its_own(#[case] parents: &[&str]) {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    for to in numbers(2) {
        let mut request = app.request(sign_in(&to, "493817").to_string());
        for parent in parents {
            request = request.header("traceparent", *parent);
        }
        assert_eq!(app.post(request).await.status, 200);
    }
    app.stop().await;
    let spans = collector.spans();
    let roots = named(&spans, "send");
    assert_eq!(roots.len(), 2);
    assert!(roots.iter().all(|root| root.parent.is_empty() && root.trace != TRACE), "{roots:#?}");
    assert_ne!(roots[0].trace, roots[1].trace);
}

#[rstest]
#[case::not_by_the_caller("1.0", Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), 0)]
#[case::by_the_caller("0.0", Some(TRACEPARENT), 1)]
#[case::not_by_us("0.0", None, 0)]
#[tokio::test]
async fn the_caller_decides_whether_a_call_is_traced_and_the_ratio_where_he_does_not(
    #[case] ratio: &str,
    #[case] parent: Option<&str>,
    #[case] traced: usize,
) {
    let collector = Collector::start(Conduct::Takes).await;
    let settings = format!("{}\ntelemetry.sample_ratio = {ratio}", collector.settings());
    let app = spawn_app_with(&settings, Options::default()).await;
    let answer = match parent {
        Some(parent) => app.send_in(parent, GOOD).await,
        None => app.send(sign_in(GOOD, "493817")).await,
    };
    let line = &log::lines_of(answer.message_id())[0];
    assert_eq!(line["trace_id"].as_str().map(str::len), Some(TRACE.len()), "known, though it may be traced elsewhere");
    app.stop().await;
    assert_eq!(named(&collector.spans(), "send").len(), traced);
    assert_eq!(collector.spans().is_empty(), traced == 0);
}

#[tokio::test]
async fn a_refusal_is_no_fault_and_a_failure_is_one() {
    let collector = Collector::start(Conduct::Takes).await;
    let settings = format!("{}\nlimits.deny = \"+4526091046\"", collector.settings());
    let app = spawn_app_with(&settings, Options::default()).await;
    let mut expected = Vec::new();
    for (to, status, outcome, fault) in [
        ("4526091046", 429, "limited", None),
        ("12", 422, "number_unusable", None),
        ("4526020533", 422, "rejected", Some("recipient")),
        ("4526020534", 502, "account_fault", Some("credit")),
        ("4526040003", 504, "unknown", Some("broken")),
    ] {
        let answer = app.send_in(TRACEPARENT, to).await;
        assert_eq!(answer.status, status, "{to}");
        expected.push((answer.message_id().to_owned(), outcome, fault));
    }
    app.stop().await;

    let spans = collector.spans();
    for (id, outcome, fault) in expected {
        let root = spans.iter().find(|span| fact(span, "message_id") == Some(&id)).unwrap();
        assert_eq!((fact(root, "outcome"), root.fault.as_deref()), (Some(outcome), fault), "{root:?}");
        let step = spans.iter().find(|span| span.parent == root.id && span.name == "gatewayapi");
        assert_eq!(step.and_then(|step| step.fault.as_deref()), fault, "{root:?}");
        assert_eq!(step.and_then(|step| fact(step, "error_kind")), fault, "{root:?}");
        match outcome {
            "limited" => assert_eq!(fact(root, "limit"), Some("deny")),
            "number_unusable" => assert!(fact(root, "error_kind").is_some()),
            _ => assert_eq!(fact(root, "error_kind"), fault),
        }
    }
}

#[tokio::test]
async fn each_attempt_has_a_span() {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    assert_eq!(app.send(sign_in("4526040007", "493817")).await.status, 200);
    app.stop().await;
    let spans = collector.spans();
    let faults: Vec<_> = named(&spans, "attempt").iter().map(|attempt| attempt.fault.clone()).collect();
    assert_eq!(faults, [Some("transient".to_owned()), None]);
    assert_eq!((fact(one(&spans, "send"), "attempts"), &one(&spans, "gatewayapi").fault), (Some("2"), &None));
}

#[tokio::test]
async fn a_request_for_many_is_linked_with_all_of_them() {
    let collector = Collector::start(Conduct::Takes).await;
    let settings = format!("{}\ngatewayapi.max_connections = 1", collector.settings());
    let app = spawn_app_with(&settings, Options::default()).await;
    app.gatewayapi.hold();
    let first = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_requests(1).await;
    let (answers, ()) = tokio::join!(app.send_all(numbers(5).map(|to| sign_in(&to, "493817"))), async {
        app.until_waiting(5).await;
        app.gatewayapi.release();
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    app.stop().await;

    let spans = collector.spans();
    let list =
        named(&spans, "gatewayapi_request").into_iter().find(|span| fact(span, "messages") == Some("5")).unwrap();
    let mut traces = list.links.clone();
    traces.push(list.trace.clone());
    traces.sort();
    traces.dedup();
    assert_eq!((traces.len(), list.links.len()), (5, 4), "a part of one trace, linked with the others: {list:?}");
    let is_call = |trace: &String| named(&spans, "send").iter().any(|root| &root.trace == trace);
    assert!(traces.iter().all(is_call));
}

#[tokio::test]
async fn nothing_that_concerns_a_person_and_no_secret_leaves() {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    let payload = json!({"code": "493817", "locale": "en", "link": "https://shop.example/invite"});
    for to in [GOOD, "+45 26 09 10 45", "4526020533", "4526020312", "4526040002", "+4526091", "not a number"] {
        app.send(call(to, "OrganizationInvitation", payload.clone())).await;
        app.send(call(to, "SignIn", payload.clone())).await;
    }
    app.post(app.request("{\"to\": \"4526091045\"")).await;
    app.post(app.request(sign_in(GOOD, "493817").to_string()).header("authorization", "Bearer guessed")).await;
    let text = app.gatewayapi.received()[0].text.clone();
    app.stop().await;

    let exports = collector.exports.lock().unwrap();
    assert!(!exports.is_empty());
    let forbidden = [
        "26091045",
        "26020533",
        "26020312",
        "26040002",
        "26091",
        "******",
        "not a number",
        "493817",
        "shop.example",
        "invite",
        "203.0.113",
        "guessed",
        &text,
        &text[..12],
        AUTHORIZATION,
        "what Logto knows",
        OPERATOR_TOKEN,
        "the token of the account",
        "ExampleShop",
    ];
    for export in exports.iter() {
        let shown = forbidden.iter().find(|word| export.body.windows(word.len()).any(|part| part == word.as_bytes()));
        assert_eq!(shown, None);
    }
}

#[tokio::test]
async fn a_caller_whom_we_do_not_know_makes_no_spans() {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    let request = app.request(sign_in(GOOD, "493817").to_string()).header("traceparent", TRACEPARENT);
    let mut request = request.build().unwrap();
    request.headers_mut().insert("authorization", "Bearer guessed".parse().unwrap());
    assert_eq!(reqwest::Client::builder().no_proxy().build().unwrap().execute(request).await.unwrap().status(), 401);
    app.stop().await;
    assert!(collector.exports.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_collector_gets_its_headers_and_the_log_does_not() {
    let collector = Collector::start(Conduct::Takes).await;
    log::forbid("dTpw");
    let settings = format!(
        "telemetry.otlp_endpoint = \"http://{}/otlp/\"\ntelemetry.otlp_headers = \"authorization=Basic dTpw==,x-scope=7\"",
        collector.address
    );
    let app = spawn_app_with(&settings, Options::default()).await;
    app.send(sign_in(GOOD, "493817")).await;
    app.stop().await;
    let exports = collector.exports.lock().unwrap();
    let [export] = exports.as_slice() else { panic!("{} exports", exports.len()) };
    assert_eq!(export.path, "/otlp/v1/traces");
    for (name, value) in
        [("authorization", "Basic dTpw=="), ("x-scope", "7"), ("content-type", "application/x-protobuf")]
    {
        assert_eq!(export.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn spans_leave_while_the_service_runs() {
    let collector = Collector::start(Conduct::Takes).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    app.send(sign_in(GOOD, "493817")).await;
    collector.until_exported().await;
    assert_eq!(named(&collector.spans(), "send").len(), 1);
}

#[tokio::test]
async fn a_collector_may_have_a_certificate_of_an_own_authority() {
    let (acceptor, certificate) = self_signed();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("telemetry.otlp_endpoint = \"https://localhost:{}\"", listener.local_addr().unwrap().port());
    let collector = Collector::start(Conduct::Takes).await;
    let behind = collector.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A service that does not trust us hangs up here.
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(behind.clone().serve(stream));
            }
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();

    let app = spawn_app_with(&endpoint, Options::default()).await;
    app.send(sign_in(GOOD, "493817")).await;
    app.stop().await;
    assert!(collector.exports.lock().unwrap().is_empty(), "an authority that nobody named");

    let trusting = format!("{endpoint}\ntelemetry.extra_ca_file = {:?}", file.path());
    let app = spawn_app_with(&trusting, Options::default()).await;
    app.send(sign_in(GOOD, "493817")).await;
    app.stop().await;
    assert_eq!(named(&collector.spans(), "send").len(), 1);
}

/// Lines about spans that were lost.
fn complaints(reason: &str) -> usize {
    log::text().lines().filter(|line| line.contains(reason) && line.contains("spans")).count()
}

const NOT_TAKEN: &str = "the collector did not take spans";
const NO_ROOM: &str = "found no room";

/// Two spans for each call. A hundred at once leave connections for the next.
async fn send_a_hundred(app: &TestApp) {
    let calls = (0..100).map(|_| sign_in("12", "493817"));
    assert!(app.send_all(calls).await.iter().all(|answer| answer.status == 422));
}

#[rstest]
#[case::away(None)]
#[case::refuses(Some(Conduct::Refuses))]
#[case::never_answers(Some(Conduct::NeverAnswers))]
#[tokio::test]
async fn a_collector_that_fails_slows_neither_a_call_nor_the_stop_nor_fills_the_log(#[case] conduct: Option<Conduct>) {
    let settings = match conduct {
        Some(conduct) => Collector::start(conduct).await.settings(),
        // Nobody listens there.
        None => r#"telemetry.otlp_endpoint = "http://127.0.0.1:9""#.to_owned(),
    };
    let app = spawn_app_with(&settings, Options::default()).await;
    let begun = Instant::now();
    // More spans than may wait.
    let mut waits = Vec::new();
    for _ in 0..45 {
        send_a_hundred(&app).await;
        let alone = Instant::now();
        assert_eq!(app.send(sign_in("12", "493817")).await.status, 422);
        waits.push(alone.elapsed());
    }
    // An exchange with the collector may take 5 s, and what waits is sixteen of them.
    waits.sort();
    let median = waits[waits.len() / 2];
    assert!(median < Duration::from_secs(1), "{waits:?}");
    let stop = Instant::now();
    app.stop().await;
    assert!(stop.elapsed() < Duration::from_secs(8), "{:?}", stop.elapsed());
    // At the first loss, once a minute, and at the stop.
    let most = 2 + begun.elapsed().as_secs() as usize / 60;
    let (not_taken, no_room) = (complaints(NOT_TAKEN), complaints(NO_ROOM));
    assert!(not_taken <= most && no_room <= most, "{not_taken} and {no_room}, of {most} at most");
    assert!(not_taken + no_room > 0, "more spans than may wait are lost, and nothing says so");
}

#[tokio::test]
async fn spans_that_find_no_room_are_told_of() {
    let collector = Collector::start(Conduct::NeverAnswers).await;
    let app = spawn_app_with(&collector.settings(), Options::default()).await;
    // In 5 s 512 of them leave, and 8192 may wait.
    let mut sent = 0;
    while complaints(NO_ROOM) == 0 {
        assert!(sent < 20_000, "{sent} spans, and none found no room");
        send_a_hundred(&app).await;
        sent += 200;
    }
    assert!(sent > 8192, "{sent}");
}
