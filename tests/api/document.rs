//! The interface's document, and whether the service does as it says.

use std::{collections::BTreeSet, sync::LazyLock};

use gatewayapi_sms_connector::routes;
use reqwest::{
    Client, Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::app::{Answer, GOOD, OPERATOR_TOKEN, TestApp, sign_in, spawn_app, spawn_app_without};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(routes::openapi()).unwrap());

/// What is on no list of the document's headers, for any answer may have it.
const COMMON_HEADERS: [&str; 14] = [
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "keep-alive",
    "referrer-policy",
    "transfer-encoding",
    "x-accel-buffering",
    "x-content-type-options",
];

/// Each answer that a test gets is one of those that the document lists.
pub fn assert_conforms(path: &str, status: StatusCode, headers: &HeaderMap) {
    let operations: Vec<_> = paths().filter(|known| known.matches(path)).flat_map(|known| known.operations()).collect();
    let is_unauthorized = status == 401 && path.starts_with("/api");
    if status == StatusCode::NOT_FOUND && operations.is_empty() || is_unauthorized || status == 405 || status == 304 {
        return;
    }
    let is_hidden = status == StatusCode::NOT_FOUND && headers[CONTENT_TYPE] == "text/plain; charset=utf-8";
    if is_hidden || path.starts_with("/page/") || path.starts_with("/docs/") {
        return;
    }
    let kind = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap().split(';').next().unwrap());
    let is_listed = operations.iter().any(|(_, operation)| {
        let response = &operation["responses"][status.as_str()];
        let is_known = |name: &str| {
            let mut listed = response["headers"].as_object().into_iter().flat_map(Map::keys);
            COMMON_HEADERS.contains(&name) || listed.any(|listed| listed.eq_ignore_ascii_case(name))
        };
        response["content"].get(kind).is_some() && headers.keys().all(|name| is_known(name.as_str()))
    });
    assert!(is_listed, "the document has no such answer of {path}: {status} {headers:?}");
}

struct Path<'a> {
    template: &'a str,
    item: &'a Value,
}

fn paths() -> impl Iterator<Item = Path<'static>> {
    DOCUMENT["paths"].as_object().unwrap().iter().map(|(template, item)| Path { template, item })
}

impl Path<'static> {
    fn matches(&self, path: &str) -> bool {
        let (mut asked, mut known) = (path.split('/'), self.template.split('/'));
        let is_alike =
            known.by_ref().all(|known| asked.next().is_some_and(|part| known.starts_with('{') || part == known));
        is_alike && asked.next().is_none()
    }

    /// By method, in capitals.
    fn operations(&self) -> Vec<(String, &'static Value)> {
        let is_method = |name: &&String| !["servers", "parameters", "summary", "description"].contains(&name.as_str());
        let item: &'static Map<_, _> = self.item.as_object().unwrap();
        item.iter().filter(|(name, _)| is_method(name)).map(|(name, value)| (name.to_uppercase(), value)).collect()
    }

    fn is_operators(&self) -> bool {
        self.item["servers"][0]["url"] == "/"
    }

    fn url(&self, app: &TestApp) -> String {
        let address = if self.is_operators() { app.operator } else { app.public };
        format!("http://{address}{}", self.template.replace("{id}", "0199aaaa-0000-7000-8000-000000000000"))
    }
}

async fn ask(method: &str, url: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Client::builder().no_proxy().build().unwrap().request(method, url);
    Answer::of(request.header("authorization", format!("Bearer {OPERATOR_TOKEN}")).send().await.unwrap()).await
}

#[tokio::test]
async fn the_service_has_each_documented_path_with_exactly_its_methods() {
    let app = spawn_app().await;
    assert!(paths().count() > 10);
    for path in paths() {
        let methods: BTreeSet<_> = path.operations().into_iter().map(|(method, _)| method).collect();
        assert!(!methods.is_empty(), "{}", path.template);
        let with_head = methods.iter().map(String::as_str).chain(methods.contains("GET").then_some("HEAD"));
        let expected: BTreeSet<_> = with_head.collect();
        for other in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE", "get"] {
            let answer = ask(other, &path.url(&app)).await;
            let allowed: BTreeSet<_> = answer.header("allow").unwrap_or_default().split(", ").collect();
            assert_eq!((answer.status.as_u16(), &allowed), (405, &expected), "{other} {}", path.template);
        }
        for method in &methods {
            let answer = ask(method, &path.url(&app)).await;
            let is_missing = answer.status == 404 && !answer.body.contains("unknown_message");
            assert!(!is_missing && answer.status != 405, "{method} {}: {}", path.template, answer.status);
        }
    }
}

#[test]
fn the_document_has_each_path_of_the_service() {
    // Files of pages, which are nobody's interface.
    let files = ["/page/{file:.*}", "/docs/", "/docs/{file}"];
    let mut found = 0;
    for (source, prefix) in [
        (include_str!("../../src/routes.rs"), ""),
        (include_str!("../../src/routes/operator.rs"), "/api"),
        (include_str!("../../src/routes/operator/page.rs"), ""),
    ] {
        for resource in ["resource(", "readable("].into_iter().flat_map(|call| source.split(call).skip(1)) {
            let Some(path) = resource.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            found += 1;
            let path = format!("{prefix}{path}");
            let is_known = paths().any(|known| known.template == path) || files.contains(&path.as_str());
            assert!(is_known, "{path} is not in the document");
        }
    }
    assert_eq!(found, paths().count() + files.len(), "a path of the document is made in another way");
}

#[tokio::test]
async fn each_parameter_of_the_document_is_read_and_no_other() {
    let app = spawn_app().await;
    for template in ["/api/messages", "/api/deliveries"] {
        let path = paths().find(|path| path.template == template).unwrap();
        let parameters = path.item["get"]["parameters"].as_array().unwrap();
        let listed: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let answer = ask("GET", &format!("{}?nonsense=1", path.url(&app))).await.json();
        let (_, known) = answer["detail"].as_str().unwrap().split_once("must be one of: ").unwrap();
        assert_eq!(known.split(", ").collect::<Vec<_>>(), listed, "{template}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = spawn_app().await;
    let id = app.send(sign_in(GOOD, "493817")).await.message_id().to_owned();
    let gets = paths().filter(|path| !path.item["get"].is_null());
    for url in gets.map(|path| path.url(&app).replace("0199aaaa-0000-7000-8000-000000000000", &id)) {
        // The state of a message that nobody reports on is not its last: a stream would go on for minutes.
        let head = ask("HEAD", &url).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{url}");
        if !url.ends_with("/events") {
            let get = ask("GET", &url).await;
            assert_eq!(get.header("content-type"), head.header("content-type"), "{url}");
            assert!(!get.body.is_empty(), "{url}");
        }
    }
}

#[rstest]
#[case("/nothing")]
#[case("//")]
#[case("/%")]
#[case("/%00")]
#[case("/send/")]
#[case("/SEND")]
#[case("/docs/nothing.js")]
#[case("/docs/..%2findex.html")]
#[case("/docs/%2e%2e/index.html")]
#[case("/api")]
#[case("/api/")]
#[case("/api/%FF")]
#[case("/api/messages/")]
#[case("/api/messages/%FF")]
#[case("/api/messages/%C3%28/events")]
#[case("/api/messages/a%2Fb")]
#[tokio::test]
async fn what_is_nowhere_is_not_found(#[case] path: &str) {
    let app = spawn_app().await;
    for (address, method) in [app.public, app.operator]
        .into_iter()
        .flat_map(|address| ["GET", "POST", "HEAD", "NONSENSE"].map(|method| (address, method)))
    {
        let (status, head) = raw(address, method, path).await;
        // The message, or the file, may not be there; its address is, and has its methods.
        let is_address = path.starts_with("/api/messages/") && !path.ends_with('/')
            || path.starts_with("/docs/") && !path.contains("/../") && !path.contains("%2e");
        let expected =
            if is_address && address == app.operator && !matches!(method, "GET" | "HEAD") { 405 } else { 404 };
        assert_eq!(status, expected, "{method} {path} on {address}: {head}");
        if address == app.operator && path.starts_with("/api") {
            assert!(head.contains("content-type: application/problem+json"), "{method} {path}: {head}");
        }
    }
}

/// A request as it is, for clients tidy up paths. Status and headers.
async fn raw(address: std::net::SocketAddr, method: &str, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {OPERATOR_TOKEN}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase())
}

#[tokio::test]
async fn whoever_has_no_token_learns_no_path_below_api() {
    let app = spawn_app().await;
    for (method, path) in [("GET", "/api"), ("GET", "/api/nothing"), ("DELETE", "/api/messages"), ("HEAD", "/api/%FF")]
    {
        let request = Client::new().request(method.parse().unwrap(), format!("http://{}{path}", app.operator));
        assert_eq!(app.post(request).await.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn document_and_viewer_need_no_token() {
    let app = spawn_app_without("operator.token").await;
    let document = app.get(format!("http://{}/openapi.json", app.operator)).await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert_eq!((document.json(), &document.json()["openapi"]), (DOCUMENT.clone(), &json!("3.1.0")));

    let viewer = app.get(format!("http://{}/docs", app.operator)).await;
    assert_eq!(viewer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = viewer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'self'; img-src 'self' data:;"), "{policy}");
    for attribute in ["href=\"docs/", "src=\"docs/"] {
        for file in viewer.body.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert_eq!(app.get(format!("http://{}/docs/{file}", app.operator)).await.status, 200, "{file}");
        }
    }
    let (status, head) = raw(app.operator, "GET", "/docs/").await;
    assert!(status == 308 && head.contains("location: ../docs"), "{head}");
    assert_eq!(app.get(format!("http://{}/docs/", app.operator)).await.body, viewer.body);
    for address in [app.public, app.operator] {
        assert_eq!(app.get(format!("http://{address}/")).await.status, 404);
    }
    assert_eq!(app.get(app.url("/openapi.json")).await.status, 404, "it is not for the world");
    assert_eq!(app.get(app.url("/docs")).await.status, 404);
}

#[rstest]
#[case("/send", 418, "text/plain", "x-message-id")]
#[case("/send", 200, "text/html", "x-message-id")]
#[case("/send", 200, "text/plain", "x-limit")]
#[case("/nothing", 200, "text/plain", "date")]
#[should_panic(expected = "the document has no such answer")]
fn an_answer_that_is_not_in_the_document_fails_its_test(
    #[case] path: &str,
    #[case] status: u16,
    #[case] kind: &'static str,
    #[case] header: &'static str,
) {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
    headers.insert(header, "1".parse().unwrap());
    assert_conforms(path, status.try_into().unwrap(), &headers);
}

#[test]
fn no_secret_of_ours_and_no_address_of_elsewhere_is_in_the_document() {
    let text = routes::openapi();
    for part in ["sandbox", "sk_", "https://"] {
        assert!(!text.contains(part), "{part}");
    }
}
