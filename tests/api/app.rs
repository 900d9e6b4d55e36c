//! A running service in the test's own process, and what tests say to it.

use std::{
    fmt::Debug,
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use gatewayapi_sms_connector::{
    config::{Settings, Source},
    server::{Application, TemplateReloader},
    simulator::{Options, Received, Simulator},
};
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{database::Database, document, log};

/// Until a service on a busy machine is as a test waits for it to be.
const LONGEST_WAIT: Duration = Duration::from_secs(40);

pub const AUTHORIZATION: &str = "Bearer what Logto knows";
const TOKEN: &str = "the token of the account";
/// What an operator's request says.
pub const OPERATOR_TOKEN: &str = "a token for operators";
/// What delivery reports are signed with.
pub const REPORT_SECRET: &str = "what GatewayAPI signs with";
const PSEUDONYM_KEY: &str = "a key for the pseudonyms";
/// A Danish mobile number that GatewayAPI delivers to.
pub const GOOD: &str = "4526091045";

/// The service, with a GatewayAPI of its own.
pub struct TestApp {
    pub gatewayapi: Simulator,
    pub public: SocketAddr,
    pub operator: SocketAddr,
    pub templates: TemplateReloader,
    /// Lasts as long as the service.
    pub database: Database,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        document::assert_conforms(response.url().path(), status, &headers);
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn message_id(&self) -> &str {
        self.header("x-message-id").expect("an answer with a message's id")
    }
}

pub async fn spawn_app() -> TestApp {
    spawn_app_with("", Options::default()).await
}

/// With settings in TOML over the tests' own, and a GatewayAPI that behaves so.
pub async fn spawn_app_with(settings: &str, options: Options) -> TestApp {
    spawn_app_on(Database::create().await, settings, options).await
}

/// On a database of which there may be another user.
pub async fn spawn_app_on(database: Database, settings: &str, options: Options) -> TestApp {
    let gatewayapi = Simulator::start(Options { token: TOKEN.to_owned(), ..options }).unwrap();
    spawn_app_between(database, gatewayapi, None, settings).await
}

/// With a key of the tests' settings left out.
pub async fn spawn_app_without(key: &str) -> TestApp {
    let gatewayapi = Simulator::start(Options { token: TOKEN.to_owned(), ..Options::default() }).unwrap();
    spawn_app_between(Database::create().await, gatewayapi, Some(key), "").await
}

/// With the limits as they are when nothing is configured.
pub async fn spawn_app_with_limits(settings: &str) -> TestApp {
    spawn_app_with(&format!("{LIMITS}\n{settings}"), Options::default()).await
}

/// Of the default configuration; the other tests have them off, for they send much to few numbers.
const LIMITS: &str = r#"
    limits.number.mode = "enforce"
    limits.ip.mode = "enforce"
    limits.range.mode = "monitor"
    limits.country.mode = "monitor"
"#;

async fn spawn_app_between(
    database: Database,
    gatewayapi: Simulator,
    without: Option<&str>,
    settings: &str,
) -> TestApp {
    log::capture();
    for secret in [TOKEN, AUTHORIZATION, OPERATOR_TOKEN, REPORT_SECRET, PSEUDONYM_KEY] {
        log::forbid(secret);
    }
    let preset = format!(
        r#"
        server.listen = "127.0.0.1:0"
        server.workers = 2
        operator.listen = "127.0.0.1:0"
        logto.authorization = "{AUTHORIZATION}"
        gatewayapi.endpoint = "{}"
        gatewayapi.api_token = "{TOKEN}"
        gatewayapi.sender = "ExampleShop"
        operator.token = "{OPERATOR_TOKEN}"
        delivery_reports.secret = "{REPORT_SECRET}"
        ledger.url = "{}"
        ledger.pseudonym_key = "{PSEUDONYM_KEY}"
        limits.number.mode = "off"
        limits.ip.mode = "off"
        limits.range.mode = "off"
        limits.country.mode = "off"
        "#,
        gatewayapi.endpoint(),
        database.url()
    );
    let is_wanted = |line: &&str| without.is_none_or(|key| !line.trim().starts_with(key));
    let preset = preset.lines().filter(is_wanted).collect::<Vec<_>>().join("\n");
    let source = Source { preset: Some(preset), forced: Some(settings.to_owned()), ..Source::default() };
    let settings = Settings::load(&source).unwrap().settings;

    let (stop, stopped) = oneshot::channel();
    let (ready, is_ready) = oneshot::channel();
    let served = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let application = Application::build(&settings).unwrap();
            ready.send((application.ports(), application.templates())).ok().unwrap();
            let stop = async {
                // A test that ends without stopping drops the sender.
                let _ = stopped.await;
            };
            application.run_until(stop).await
        })
    });
    let (ports, templates) = is_ready.await.unwrap();
    TestApp {
        gatewayapi,
        public: ports.public,
        operator: ports.operator,
        templates,
        database,
        client: Client::builder().no_proxy().build().unwrap(),
        stop: Some(stop),
        served: Some(served),
    }
}

/// Logto's call for a sign-in code.
pub fn sign_in(to: &str, code: &str) -> Value {
    call(to, "SignIn", json!({"code": code, "locale": "en"}))
}

pub fn call(to: &str, usage_type: &str, payload: Value) -> Value {
    json!({"to": to, "type": usage_type, "payload": payload, "ip": "203.0.113.7"})
}

impl TestApp {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.public)
    }

    /// A request as Logto's connector makes it, to be changed by the test.
    pub fn request(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client
            .post(self.url("/send"))
            .header("authorization", AUTHORIZATION)
            .header("content-type", "application/json")
            .body(body)
    }

    pub async fn post(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    /// Sends Logto's call. What it holds must not appear in any log line.
    pub async fn send(&self, call: Value) -> Answer {
        log::forbid_call(&call);
        self.post(self.request(call.to_string())).await
    }

    /// Sends calls at the same time; the answers come in their order.
    pub async fn send_all(&self, calls: impl IntoIterator<Item = Value>) -> Vec<Answer> {
        let requests: Vec<_> = calls
            .into_iter()
            .map(|call| {
                log::forbid_call(&call);
                tokio::spawn(self.request(call.to_string()).send())
            })
            .collect();
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(Answer::of(request.await.unwrap().unwrap()).await);
        }
        answers
    }

    /// A delivery report with this signature, to be changed by the test.
    pub fn report_request(&self, signature: &str) -> RequestBuilder {
        self.client.post(self.url("/delivery-reports")).header("x-gwapi-signature", signature).body("{}")
    }

    /// GatewayAPI's delivery report with these claims. Neither they nor their number may appear in any log line.
    pub async fn report(&self, claims: &Value) -> Answer {
        let signature = sign(claims, REPORT_SECRET, Algorithm::HS256);
        log::forbid(&claims["msisdn"].to_string());
        signature.split('.').skip(1).for_each(log::forbid);
        self.post(self.report_request(&signature)).await
    }

    pub async fn get(&self, url: String) -> Answer {
        Answer::of(self.client.get(url).send().await.unwrap()).await
    }

    /// One sample of `/metrics`, by its name with labels.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get(format!("http://{}/metrics", self.operator)).await.body;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until a sample of `/metrics` has a value.
    pub async fn until_metric(&self, name: &str, value: f64) {
        until(name, async || self.metric(name).await, |found| *found == Some(value)).await;
    }

    /// Waits until the service says that it stops.
    pub async fn until_draining(&self) {
        until("readiness", async || self.get(self.url("/health/ready")).await.status, |status| *status == 503).await;
    }

    /// Waits until the only connection to GatewayAPI is taken, and so many messages wait for it.
    pub async fn until_waiting(&self, messages: usize) {
        self.until_metric("sms_messages_waiting", messages as f64).await;
    }

    /// The one message that GatewayAPI accepted.
    pub fn received_one(&self) -> Received {
        let mut received = self.gatewayapi.received();
        assert_eq!(received.len(), 1, "messages that GatewayAPI accepted");
        received.remove(0)
    }

    /// Begins to stop, as SIGTERM does.
    pub fn begin_stop(&mut self) {
        self.stop.take().expect("stopped once").send(()).unwrap();
    }

    /// Waits until the service has stopped.
    pub async fn stopped(&mut self) -> std::io::Result<()> {
        let served = self.served.take().expect("awaited once");
        tokio::task::spawn_blocking(move || served.join().unwrap()).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !thread::panicking() {
            log::assert_clean();
        }
    }
}

/// Asks again and again until the answer is right, and gives it. `what` names it where it never is.
pub async fn until<T: Debug>(what: &str, mut ask: impl AsyncFnMut() -> T, is_right: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let answer = ask().await;
        if is_right(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < LONGEST_WAIT, "{what}: still {answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A signature as GatewayAPI makes it.
pub fn sign(claims: &Value, secret: &str, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), claims, &key).unwrap()
}

/// Numbers that differ, all of which GatewayAPI delivers to.
pub fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| (4_526_100_000_u64 + number as u64).to_string())
}

/// Answers that come later than a stop with nothing to finish takes.
pub fn outlasting_a_stop() -> Options {
    latency(1000)
}

pub fn latency(milliseconds: u64) -> Options {
    Options { latency: Duration::from_millis(milliseconds), ..Options::default() }
}
