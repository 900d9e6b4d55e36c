//! What operators see and try, on their own listener.

use std::time::{Duration, Instant};

use gatewayapi_sms_connector::simulator::{Behaviour, Options};
use reqwest::{Client, Method, RequestBuilder, Response};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    app::{
        Answer, GOOD, OPERATOR_TOKEN, TestApp, call, numbers, outlasting_a_stop, sign_in, spawn_app, spawn_app_with,
        spawn_app_with_limits, spawn_app_without,
    },
    log,
};

const BLACKLISTED: &str = "4526020533";

/// An operator of a service.
pub struct Operator<'a> {
    app: &'a TestApp,
    client: Client,
}

impl<'a> Operator<'a> {
    pub fn of(app: &'a TestApp) -> Self {
        Self { app, client: Client::builder().no_proxy().build().unwrap() }
    }

    fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.app.operator))
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("authorization", format!("Bearer {OPERATOR_TOKEN}"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.post(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        log::forbid_call(&body);
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.app.post(request.body(body.to_string())).await
    }

    /// The messages of one page, and where the next begins.
    pub async fn page(&self, query: &str) -> (Vec<Value>, Option<String>) {
        let page = self.get(&format!("/api/messages?{query}")).await.json();
        (page["messages"].as_array().unwrap().clone(), page["next"].as_str().map(ToOwned::to_owned))
    }

    async fn ids(&self, query: &str) -> Vec<String> {
        self.page(query).await.0.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn events(&self, id: &str) -> Events {
        let response = self.request(Method::GET, &format!("/api/messages/{id}/events")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        for (header, value) in
            [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
        {
            assert_eq!(response.headers()[header], value);
        }
        Events { response, text: String::new() }
    }
}

/// A stream of events, as far as it was read.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    /// The next state. `None`: the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, _)) = self.text.split_once("\n\n") {
                let data = event.strip_prefix("event: state\ndata: ").expect("a state");
                let state = serde_json::from_str(data).unwrap();
                let end = event.len() + 2;
                self.text.drain(..end);
                return Some(state);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(str::from_utf8(&chunk).unwrap());
        }
    }

    async fn status(&mut self) -> Option<String> {
        self.next().await.map(|state| state["status"].as_str().unwrap().to_owned())
    }
}

fn report(userref: &str, status: &str, time: u64) -> Value {
    json!({"id": 1, "msisdn": 4526091045_u64, "time": time, "status": status, "userref": userref})
}

/// Sends Logto's calls one after the other, and gives the ids, newest first.
async fn sent(app: &TestApp, calls: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut ids = Vec::new();
    for call in calls {
        ids.insert(0, app.send(call).await.message_id().to_owned());
    }
    ids
}

#[rstest]
#[case::nothing(&[])]
#[case::empty(&[""])]
#[case::another_token(&["Bearer another token"])]
#[case::no_scheme(&[OPERATOR_TOKEN])]
#[case::logtos(&[crate::app::AUTHORIZATION])]
#[case::twice(&["Bearer a token for operators", "Bearer a token for operators"])]
#[tokio::test]
async fn without_the_token_nothing_is_told_or_sent(#[case] headers: &[&str]) {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    for (method, path) in [
        (Method::GET, "/api/messages"),
        (Method::POST, "/api/messages"),
        (Method::GET, "/api/messages/1/events"),
        (Method::GET, "/api/deliveries"),
        (Method::POST, "/api/preview"),
        (Method::GET, "/api/templates"),
        (Method::GET, "/api/nothing"),
    ] {
        let body = json!({"to": GOOD}).to_string();
        let request = operator.anonymous(method, path).header("content-type", "application/json").body(body);
        let request = headers.iter().fold(request, |request, header| request.header("authorization", *header));
        let answer = app.post(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(app.gatewayapi.requests(), 0);
    assert_eq!(app.get(format!("http://{}/metrics", app.operator)).await.status, 200);
}

#[tokio::test]
async fn both_tokens_are_let_in_while_they_are_rotated() {
    let settings = format!(r#"operator.token = ["the next token of operators", "{OPERATOR_TOKEN}"]"#);
    let app = spawn_app_with(&settings, Options::default()).await;
    let operator = Operator::of(&app);
    assert_eq!(operator.get("/api/messages").await.status, 200);
    let next = operator.anonymous(Method::GET, "/api/messages");
    let next = next.header("authorization", "bearer the next token of operators");
    assert_eq!(app.post(next).await.status, 200);
}

#[tokio::test]
async fn without_a_configured_token_there_is_nothing() {
    let app = spawn_app_without("operator.token").await;
    let operator = Operator::of(&app);
    for path in ["/api/messages", "/api/templates", "/api/messages/1", "/nothing"] {
        let answer = operator.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, "There is nothing here.\n"), "{path}");
    }
    assert_eq!(app.get(format!("http://{}/metrics", app.operator)).await.status, 200);
}

#[tokio::test]
async fn the_world_does_not_reach_the_operators_part_and_methods_are_named() {
    let app = spawn_app().await;
    assert_eq!(app.get(app.url("/api/messages")).await.status, 404);
    let operator = Operator::of(&app);
    for (method, path, allow) in [
        (Method::DELETE, "/api/messages", "GET, HEAD, POST"),
        (Method::POST, "/api/messages/1", "GET, HEAD"),
        (Method::POST, "/api/messages/1/events", "GET, HEAD"),
        (Method::DELETE, "/api/deliveries", "GET, HEAD"),
        (Method::GET, "/api/preview", "POST"),
        (Method::PUT, "/api/templates", "GET, HEAD"),
    ] {
        let answer = app.post(operator.request(method, path)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some(allow)), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    let answer = operator.get("/api/nothing").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (404, Some("no-store")));
    assert!(answer.json()["type"].as_str().unwrap().ends_with(":unknown_path"), "{}", answer.body);
}

#[tokio::test]
async fn messages_are_listed_newest_first_and_by_what_is_asked_for() {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    let [swedish, rejected, register, plain] = sent(
        &app,
        [
            sign_in(GOOD, "111111"),
            call("4526091046", "Register", json!({"code": "222222"})),
            sign_in(BLACKLISTED, "333333"),
            sign_in("46701740605", "444444"),
        ],
    )
    .await
    .try_into()
    .unwrap();
    assert_eq!(operator.ids("").await, [&swedish, &rejected, &register, &plain].map(Clone::clone));
    for (query, expected) in [
        ("country=se", vec![&swedish]),
        ("status=rejected", vec![&rejected]),
        ("type=Register", vec![&register]),
        ("status=accepted&country=DK", vec![&register, &plain]),
        ("since=2020-01-01&limit=1", vec![&swedish]),
        ("since=2100-01-01T00:00:00Z", vec![]),
        ("status=delivered", vec![]),
        (&format!("cursor={register}"), vec![&plain]),
    ] {
        assert_eq!(operator.ids(query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let message = operator.get(&format!("/api/messages/{rejected}")).await.json();
    assert_eq!((&message["outcome"], &message["error_kind"]), (&json!("rejected"), &json!("recipient")));
    assert_eq!((&message["error_code"], &message["to"]), (&json!("0x0215"), &json!("+45******33")));
    assert_eq!(operator.get("/api/messages").await.header("cache-control"), Some("no-store"));
}

#[rstest]
#[case("%2B4526091045")]
#[case("+45+26+09+10+45")]
#[case("004526091045")]
#[case("4526-091-045")]
#[tokio::test]
async fn a_number_is_found_in_any_form_and_told_nowhere(#[case] written: &str) {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    let ids = sent(&app, [sign_in("4526091046", "111111"), sign_in(GOOD, "222222"), sign_in(GOOD, "333333")]).await;
    assert_eq!(operator.ids(&format!("number={written}")).await, ids[..2]);
    let answer = operator.get(&format!("/api/messages?number={written}")).await;
    for secret in ["26091045", "222222", "333333"] {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
}

#[rstest]
#[case("number=12", "number")]
#[case("status=lost", "status")]
#[case("since=yesterday", "since")]
#[case("cursor=1", "cursor")]
#[case("limit=201", "limit")]
#[case("limit=1&limit=2", "limit")]
#[case("page=2", "page")]
#[tokio::test]
async fn a_wrong_parameter_is_named(#[case] query: &str, #[case] parameter: &str) {
    let app = spawn_app().await;
    let answer = Operator::of(&app).get(&format!("/api/messages?{query}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, Some("application/problem+json")));
    let problem = answer.json();
    assert_eq!((&problem["parameter"], &problem["status"]), (&json!(parameter), &json!(400)));
    assert!(problem["type"].as_str().unwrap().ends_with(":wrong_parameter"), "{problem}");
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing_while_messages_come_in() {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    let mut numbers = numbers(100);
    let mut calls = |count| numbers.by_ref().take(count).map(|to| sign_in(&to, "493817")).collect::<Vec<_>>();
    let expected = sent(&app, calls(23)).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let (messages, next) = operator.page(&format!("limit=5{cursor}")).await;
        seen.extend(messages.iter().map(|message| message["id"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = next else { break };
        assert_eq!(messages.len(), 5);
        assert_eq!(Some(&next), seen.last());
        cursor = format!("&cursor={next}");
        sent(&app, calls(3)).await;
    }
    assert_eq!((seen, pages), (expected, 5));
}

#[tokio::test]
async fn a_full_last_page_has_no_next() {
    let app = spawn_app().await;
    sent(&app, numbers(4).map(|to| sign_in(&to, "493817"))).await;
    let operator = Operator::of(&app);
    assert!(operator.page("limit=4").await.1.is_none());
    let (_, next) = operator.page("limit=2").await;
    assert_eq!(operator.page(&format!("limit=2&cursor={}", next.unwrap())).await.1, None);
}

#[rstest]
#[case("1")]
#[case("0199aaaa-0000-7000-8000-000000000000")]
#[case("%00")]
#[tokio::test]
async fn what_is_not_there_is_not_found(#[case] id: &str) {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    for path in [format!("/api/messages/{id}"), format!("/api/messages/{id}/events")] {
        let answer = operator.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, Some("application/problem+json")));
    }
}

#[tokio::test]
async fn events_follow_a_message_to_its_end_on_each_stream() {
    let app = spawn_app().await;
    app.gatewayapi.hold();
    let operator = Operator::of(&app);
    let sending = tokio::spawn(app.request(sign_in(GOOD, "493817").to_string()).send());
    app.gatewayapi.until_received(1).await;
    let id = operator.ids("").await.remove(0);
    let (mut one, mut other) = (operator.events(&id).await, operator.events(&id).await);
    assert_eq!(one.status().await.as_deref(), Some("open"));
    assert_eq!(other.status().await.as_deref(), Some("open"));
    app.gatewayapi.release();
    sending.await.unwrap().unwrap();
    let accepted = one.next().await.unwrap();
    assert_eq!((&accepted["status"], &accepted["currency"]), (&json!("accepted"), &json!("DKK")));
    assert_eq!(other.next().await.unwrap(), accepted);
    for status in ["ENROUTE", "DELIVERED"] {
        assert_eq!(app.report(&report(&id, status, 4_000_000_000)).await.status, 200);
        for events in [&mut one, &mut other] {
            assert_eq!(events.status().await, Some(status.to_lowercase()));
        }
    }
    for mut events in [one, other, operator.events(&id).await] {
        let rest = events.next().await;
        assert!(rest.is_none_or(|state| state["delivered_at"].is_string()), "only the late stream has a state left");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn open_streams_do_not_hold_the_stop() {
    let mut app = spawn_app().await;
    let id = app.send(sign_in(GOOD, "493817")).await.message_id().to_owned();
    let mut events = Operator::of(&app).events(&id).await;
    assert_eq!(events.status().await.as_deref(), Some("accepted"));
    let begun = Instant::now();
    app.begin_stop();
    assert_eq!(events.next().await, None);
    app.stopped().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn streams_are_so_many_and_their_places_are_given_back() {
    let app = spawn_app().await;
    let id = app.send(sign_in(GOOD, "493817")).await.message_id().to_owned();
    let operator = Operator::of(&app);
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(operator.events(&id).await);
    }
    let path = format!("/api/messages/{id}/events");
    assert_eq!(operator.get(&path).await.status, 503);
    // Clients that go need no heartbeat to be noticed.
    let begun = Instant::now();
    streams.truncate(50);
    drop(loop {
        let response = operator.request(Method::GET, &path).send().await.unwrap();
        if response.status() == 200 {
            break response;
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    app.report(&report(&id, "DELIVERED", 4_000_000_000)).await;
    for stream in &mut streams {
        while stream.next().await.is_some() {}
    }
    assert_eq!(operator.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_test_delivery_goes_along_the_line() {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    // Again and again, for the test code is no repeat.
    for _ in 0..2 {
        let answer = operator.post("/api/messages", json!({"to": "+45 26 09 10 45", "locale": "de"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let sent = answer.json();
        assert_eq!((&sent["id"], &sent["outcome"]), (&json!(answer.message_id()), &json!("accepted")));
        let message = &sent["message"];
        assert_eq!((&message["usage_type"], &message["locale"]), (&json!("Generic"), &json!("de")));
        assert_eq!((&message["status"], &message["to"]), (&json!("accepted"), &json!("+45******45")));
        assert!(message["template_variant"].as_str().unwrap().starts_with("Generic/de#"), "{message}");
        assert_eq!(*message, operator.get(&format!("/api/messages/{}", answer.message_id())).await.json());
        assert!(!answer.body.contains("26091045") && !answer.body.contains("000000\""), "{}", answer.body);
    }
    let received = app.gatewayapi.received();
    assert_eq!(received.len(), 2);
    assert!(received[0].text.contains("000000"), "{}", received[0].text);
}

/// Nobody signs in by one, so it must not tell that somebody can.
#[tokio::test]
async fn a_test_delivery_is_told_from_the_calls_of_logto() {
    let app = spawn_app().await;
    let tested = Operator::of(&app).post("/api/messages", json!({"to": GOOD, "type": "SignIn"})).await;
    for (usage_type, expected) in [("test", 1.0), ("SignIn", 0.0)] {
        let sample = format!(r#"sms_requests_total{{outcome="accepted",usage_type="{usage_type}"}}"#);
        assert_eq!(app.metric(&sample).await, Some(expected), "{sample}");
    }
    let called = app.send(sign_in("4526091046", "493817")).await;
    let told = [&tested, &called].map(|answer| log::lines_of(answer.message_id())[0].clone());
    assert_eq!(told.each_ref().map(|line| &line["usage_type"]), ["SignIn", "SignIn"]);
    assert_eq!(told.each_ref().map(|line| line.get("test")), [Some(&json!(true)), None]);
}

#[tokio::test]
async fn a_payload_says_otherwise() {
    let app = spawn_app().await;
    let payload = json!({"code": "271828", "locale": "sv"});
    let delivery = json!({"to": GOOD, "type": "SignIn", "locale": "de", "payload": payload});
    let answer = Operator::of(&app).post("/api/messages", delivery).await;
    assert_eq!(answer.json()["message"]["locale"], "sv");
    assert!(app.received_one().text.contains("271828"));
    assert!(!answer.body.contains("271828"), "{}", answer.body);
}

#[rstest]
#[case(BLACKLISTED, 422, "recipient", Some("0x0215"))]
#[case("4526020534", 502, "credit", Some("0x0216"))]
#[case("4526030401", 502, "credentials", None)]
#[case("4526040003", 504, "broken", None)]
#[case("12", 422, "not_a_number", None)]
#[tokio::test]
async fn a_failed_test_delivery_has_the_status_of_send_and_its_cause(
    #[case] to: &str,
    #[case] status: u16,
    #[case] error_kind: &str,
    #[case] error_code: Option<&str>,
) {
    let app = spawn_app().await;
    let answer = Operator::of(&app).post("/api/messages", json!({"to": to, "type": "SignIn"})).await;
    assert_eq!(app.send(sign_in(to, "493817")).await.status, answer.status);
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, Some("application/problem+json")));
    let problem = answer.json();
    assert_eq!((&problem["error_kind"], problem["error_code"].as_str()), (&json!(error_kind), error_code), "{problem}");
    assert_eq!(problem["message_id"], answer.message_id());
    assert!(problem["person_reads"].as_str().is_some_and(|sentence| sentence.len() > 10), "{problem}");
    assert!(!answer.body.contains(to) || to == "12", "{}", answer.body);
}

#[tokio::test]
async fn a_text_of_too_many_segments_says_how_many_there_are_and_may_be() {
    let app = spawn_app().await;
    let delivery = json!({"to": GOOD, "type": "SignIn", "payload": {"code": "0".repeat(500)}});
    let answer = Operator::of(&app).post("/api/messages", delivery).await;
    let problem = answer.json();
    assert_eq!((answer.status.as_u16(), &problem["segments"], &problem["max_segments"]), (500, &json!(4), &json!(3)));
    assert!(app.gatewayapi.received().is_empty());
    let other = Operator::of(&app).post("/api/messages", json!({"to": BLACKLISTED})).await.json();
    assert_eq!((other.get("segments"), other.get("max_segments")), (None, None), "{other}");
}

#[tokio::test]
async fn limits_hold_for_operators_too() {
    let app = spawn_app_with_limits("").await;
    let operator = Operator::of(&app);
    assert_eq!(operator.post("/api/messages", json!({"to": GOOD})).await.status, 200);
    let answer = operator.post("/api/messages", json!({"to": GOOD})).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-limit")), (429, Some("number")));
    assert!(answer.header("retry-after").is_some());
    let problem = answer.json();
    assert_eq!((&problem["limit"], &problem["rule"]), (&json!("number"), &json!("cooldown")));
    assert_eq!(app.gatewayapi.received().len(), 1);
}

#[tokio::test]
async fn a_test_delivery_is_finished_before_the_service_stops() {
    let mut app = spawn_app_with("", outlasting_a_stop()).await;
    app.gatewayapi.hold();
    let body = json!({"to": GOOD}).to_string();
    let request = Operator::of(&app).request(Method::POST, "/api/messages").header("content-type", "application/json");
    let sending = tokio::spawn(request.body(body).send());
    app.gatewayapi.until_received(1).await;
    app.begin_stop();
    app.until_draining().await;
    let refused = Operator::of(&app).post("/api/messages", json!({"to": "4526091046"})).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("5")));
    app.gatewayapi.release();
    let answer = Answer::of(sending.await.unwrap().unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["outcome"]), (200, &json!("accepted")));
    app.stopped().await.unwrap();
}

#[tokio::test]
async fn a_test_number_is_told_as_such() {
    let app = spawn_app_with(&format!(r#"limits.test_numbers = ["+{GOOD}"]"#), Options::default()).await;
    let answer = Operator::of(&app).post("/api/messages", json!({"to": GOOD})).await;
    assert_eq!((&answer.json()["outcome"], &answer.json()["message"]), (&json!("test_number"), &Value::Null));
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[rstest]
#[case::preview("/api/preview")]
#[case::messages("/api/messages")]
#[tokio::test]
async fn a_wrong_body_is_refused_without_its_values(#[case] path: &str) {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    for (body, problem) in [
        ("{", "the body is not JSON: line 1, column 1"),
        (r#"{"to": "4526091045"} {}"#, ""),
        (r#"["4526091045", "SignIn", null, null]"#, "the body must be a JSON object"),
        (r#"{"to": 4526091045}"#, ""),
        (r#"{"to": "4526091045", "payload": {"code": "123456"}, "sender": "x"}"#, "unknown field"),
        (r#"{"to": "4526091045", "type": "SignIn", "payload": "123456"}"#, ""),
        (r#"{"to": "4526091045", "type": "signin", "content": ""}"#, ""),
    ] {
        let request = operator.request(Method::POST, path).header("content-type", "application/json; charset=utf-8");
        let answer = app.post(request.body(body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(problem), "{detail}");
        assert!(!answer.body.contains("4526091045") && !answer.body.contains("123456"), "{}", answer.body);
    }
    let request = operator.request(Method::POST, path).header("content-type", "text/plain");
    assert_eq!(app.post(request.body("{}")).await.status, 415);
    let request = operator.request(Method::POST, path).header("content-type", "application/json");
    assert_eq!(app.post(request.body(format!("{{\"to\":\"{}\"}}", "4".repeat(70_000)))).await.status, 413);
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn a_message_is_previewed_by_type_or_by_content() {
    let app = spawn_app().await;
    let operator = Operator::of(&app);
    let preview = operator.post("/api/preview", json!({"type": "SignIn", "locale": "ru"})).await.json();
    assert_eq!((&preview["locale"], &preview["encoding"]), (&json!("ru"), &json!("UCS2")));
    assert!(preview["text"].as_str().unwrap().contains("123456"), "{preview}");

    let content = "<script>alert(1)</script> {{code}} {{missing}}";
    let preview = operator.post("/api/preview", json!({"content": content, "payload": {"code": "314159"}})).await;
    let text = "<script>alert(1)</script> 314159 {{missing}}";
    let costly = |character| json!({"character": character, "count": 2, "why": "two_septets"});
    let expected = json!({
        "text": text, "encoding": "UTF8", "segments": 1, "units": 48, "locale": "en",
        "sender": "ExampleShop", "costly": [costly("{"), costly("}")], "segment_starts": [],
    });
    assert_eq!(preview.json(), expected);
    assert_eq!(preview.header("content-type"), Some("application/json"));

    let handlebars =
        json!({"content": "{{#if name}}Hi {{name}}{{/if}}", "syntax": "handlebars", "payload": {"name": "B"}});
    assert_eq!(operator.post("/api/preview", handlebars).await.json()["text"], "Hi B");
    assert_eq!(app.gatewayapi.requests(), 0);
}

#[tokio::test]
async fn a_preview_tells_what_makes_it_dear_and_who_it_is_from() {
    let app = spawn_app_with(r#"gatewayapi.senders.SE = "Butiken""#, Options::default()).await;
    let operator = Operator::of(&app);
    let preview = |content: String, to: &'static str| {
        let operator = &operator;
        async move { operator.post("/api/preview", json!({"content": content, "to": to})).await.json() }
    };

    let dear = preview("Código: 1 €".to_owned(), "+46701234567").await;
    assert_eq!(dear["costly"], json!([{"character": "ó", "count": 1, "why": "outside_gsm"}]));
    assert_eq!(dear["sender"], "Butiken");

    let long = preview("x".repeat(161), "+4526091045").await;
    assert_eq!(
        (&long["segments"], &long["segment_starts"], &long["sender"]),
        (&json!(2), &json!([153]), &json!("ExampleShop"))
    );
    // While a number is being typed it is none yet.
    assert_eq!(preview("x".to_owned(), "+4").await["sender"], "ExampleShop");
}

#[rstest]
#[case(json!({"content": "{{#if code}}", "syntax": "handlebars"}), 422, "the given text")]
#[case(json!({"content": "{{name}}", "syntax": "handlebars"}), 422, "`name` has no value")]
#[case(json!({"content": "{{#each [0]}}{{/each}}", "syntax": "handlebars"}), 422, "lists and objects can't be written")]
#[case(
    json!({"content": "{{#each a}}{{#each ../a}}{{/each}}{{/each}}", "syntax": "handlebars", "payload": {"a": vec![0; 1000]}}),
    422, "takes more than 100000 steps"
)]
#[case(json!({"content": " "}), 422, "the text is empty")]
#[case(json!({"content": "x", "type": "SignIn"}), 400, "either `type` or `content`")]
#[case(json!({"payload": {}}), 400, "either `type` or `content`")]
#[case(json!({"type": "SignIn", "syntax": "logto"}), 400, "`syntax` goes with")]
#[case(json!({"type": "Signin"}), 400, "`type` must be one of: SignIn, Register")]
#[case(json!({"content": "x", "syntax": "mustache"}), 400, "`syntax` must be one of: logto, handlebars")]
#[case(json!({"content": "x", "syntax": 7}), 400, "`syntax`")]
#[tokio::test]
async fn a_preview_that_fails_says_why(#[case] body: Value, #[case] status: u16, #[case] problem: &str) {
    let app = spawn_app().await;
    let answer = Operator::of(&app).post("/api/preview", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, Some("application/problem+json")));
    assert!(answer.json()["detail"].as_str().unwrap().contains(problem), "{}", answer.body);
}

#[tokio::test]
async fn the_loaded_templates_are_shown_with_their_samples() {
    let app = spawn_app().await;
    let loaded = Operator::of(&app).get("/api/templates").await.json();
    assert_eq!((&loaded["default_locale"], &loaded["warnings"]), (&json!("en"), &json!([])));
    assert_eq!(loaded["max_segments"], 3);
    let usage_types = loaded["usage_types"].as_array().unwrap();
    assert_eq!(usage_types.len(), 9);
    for usage in usage_types {
        assert_eq!(usage["templates"].as_array().unwrap().len(), 25);
        assert_eq!(usage["falls_back_to"], Value::Null);
    }
    let russian = usage_types[0]["templates"].as_array().unwrap().iter().find(|template| template["locale"] == "ru");
    let russian = russian.unwrap();
    assert_eq!((&usage_types[0]["type"], &russian["syntax"]), (&json!("SignIn"), &json!("logto")));
    assert!(russian["content"].as_str().unwrap().contains("{{code}}"), "{russian}");
    assert!(russian["variant"].as_str().unwrap().starts_with("SignIn/ru#"), "{russian}");
    let sample = &russian["samples"][0];
    assert_eq!(
        (&sample["encoding"], &sample["segments"], &sample["locale"]),
        (&json!("UCS2"), &json!(1), &json!("ru"))
    );
}

#[tokio::test]
async fn a_usage_type_without_templates_falls_back_and_warnings_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for usage_type in ["SignIn", "Register", "ForgotPassword", "Generic"] {
        let file = json!({"usageType": usage_type, "content": "<b>{{code}}</b> {{oops}}"});
        std::fs::write(folder.path().join(format!("{usage_type}.json")), file.to_string()).unwrap();
    }
    let settings = format!("delivery.max_segments = 2\ntemplates.directory = '{}'", folder.path().display());
    let app = spawn_app_with(&settings, Options::default()).await;
    let loaded = Operator::of(&app).get("/api/templates").await.json();
    assert_eq!(loaded["max_segments"], 2);
    let usage =
        |name: &str| loaded["usage_types"].as_array().unwrap().iter().find(|usage| usage["type"] == name).unwrap();
    assert_eq!((&usage("BindMfa")["falls_back_to"], &usage("BindMfa")["templates"]), (&json!("Generic"), &json!([])));
    assert_eq!(usage("SignIn")["templates"][0]["samples"][0]["text"], "<b>123456</b> {{oops}}");
    assert_eq!(loaded["warnings"].as_array().unwrap().len(), 4, "{loaded}");
}

#[tokio::test]
async fn a_gatewayapi_that_is_away_is_told_to_operators_too() {
    let app = spawn_app_with(r#"delivery.deadline = "1s""#, Options::default()).await;
    app.gatewayapi.set_behaviour(Behaviour::Failing(503));
    let answer = Operator::of(&app).post("/api/messages", json!({"to": GOOD})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error_kind"]), (503, &json!("transient")));
    assert!(answer.header("retry-after").is_some());
}
