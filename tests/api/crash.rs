//! `kill -9` at any instant, again and again under load: no accepted message is lost, none is sent twice, and the limits
//! still remember.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gatewayapi_sms_connector::simulator::{Options, Simulator};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinSet,
    time::sleep_until,
};

use crate::{app::until, database::Database};

/// Deaths in each test.
const ROUNDS: usize = 50;
/// Calls that are under way at the same time.
const CALLERS: usize = 24;
const AUTHORIZATION: &str = "Bearer what Logto knows";

#[tokio::test]
async fn a_service_that_is_killed_again_and_again_loses_nothing() {
    let world = World::new(Database::create().await);
    let mut accepted = Vec::new();
    let mut remembered = 0;
    for round in 0..ROUNDS {
        // Every fifth dies while it starts.
        let dies_starting = (round % 5 == 4).then(|| Duration::from_millis(fastrand::u64(0..400)));
        let Some(service) = world.start(dies_starting).await else { continue };
        if let Some(last) = accepted.last() {
            let last: &Accepted = last;
            let again = world.ask(&service.address, last.number, "999999").await.expect("it lives");
            assert_eq!((again.status, again.limit.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("number")));
            remembered += 1;
        }
        accepted.extend(world.load_and_kill(service, Duration::from_millis(fastrand::u64(0..400))).await);
    }
    // It closes what the last one left open.
    let service = world.start(None).await.expect("nobody kills it while it starts");
    world.check(&accepted).await;
    drop(service);
    let (accepted, sent) = (accepted.len(), world.gatewayapi.received().len());
    println!("{ROUNDS} deaths: {accepted} answered 200, {sent} at GatewayAPI; the cooldown held {remembered} times");
    assert!(accepted > ROUNDS, "too few messages to tell");
    assert!(remembered > 0, "the limits were asked too seldom to tell");
}

/// What outlives the service.
struct World {
    database: Database,
    directory: TempDir,
    gatewayapi: Simulator,
    client: Client,
    next_number: Arc<AtomicU64>,
}

struct Service {
    child: Child,
    address: String,
    log: Lines<BufReader<ChildStdout>>,
}

/// A message that was answered 200.
struct Accepted {
    id: String,
    number: u64,
}

struct Answer {
    status: StatusCode,
    id: Option<String>,
    limit: Option<String>,
}

impl World {
    fn new(database: Database) -> Self {
        let options = Options { latency: Duration::from_millis(5), ..Options::default() };
        Self {
            database,
            directory: tempfile::tempdir().unwrap(),
            gatewayapi: Simulator::start(options).unwrap(),
            client: Client::builder().no_proxy().build().unwrap(),
            next_number: Arc::new(AtomicU64::new(4_526_100_000)),
        }
    }

    /// Until it serves; none where it died before.
    async fn start(&self, dies_after: Option<Duration>) -> Option<Service> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayapi-sms-connector"));
        command
            .current_dir(&self.directory)
            .env_clear()
            .env("SMS_SERVER__LISTEN", "127.0.0.1:0")
            .env("SMS_OPERATOR__LISTEN", "127.0.0.1:0")
            .env("SMS_LOGTO__AUTHORIZATION", AUTHORIZATION)
            .env("SMS_GATEWAYAPI__ENDPOINT", self.gatewayapi.endpoint())
            .env("SMS_GATEWAYAPI__API_TOKEN", "simulator")
            .env("SMS_GATEWAYAPI__SENDER", "ExampleShop")
            .env("SMS_LEDGER__URL", self.database.url())
            .env("SMS_LEDGER__PSEUDONYM_KEY", "a key for the pseudonyms")
            .env("SMS_LIMITS__NUMBER__COOLDOWN", "1h")
            .env("SMS_LOG__FORMAT", "json")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let dies_at = Instant::now() + dies_after.unwrap_or(Duration::from_secs(60));
        let address = tokio::select! {
            address = address_in(&mut log) => address.expect("it starts, or the log says why not"),
            () = sleep_until(dies_at.into()) => {
                assert!(dies_after.is_some(), "it does not start");
                child.kill().await.unwrap();
                return None;
            }
        };
        Some(Service { child, address, log })
    }

    async fn ask(&self, address: &str, number: u64, code: &str) -> Option<Answer> {
        ask(&self.client, address, number, code).await
    }

    /// What was answered 200, in the order of the answers.
    async fn load_and_kill(&self, service: Service, lives: Duration) -> Vec<Accepted> {
        let Service { mut child, address, mut log } = service;
        // A full pipe would stop it.
        let drained = tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let accepted: Arc<Mutex<Vec<Accepted>>> = Arc::default();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, address) = (self.client.clone(), address.clone());
            let (next_number, accepted) = (Arc::clone(&self.next_number), Arc::clone(&accepted));
            callers.spawn(async move {
                loop {
                    let number = next_number.fetch_add(1, Ordering::Relaxed);
                    let Some(answer) = ask(&client, &address, number, "493817").await else { return };
                    assert_eq!(answer.status, StatusCode::OK);
                    let id = answer.id.expect("an answer with a message's id");
                    accepted.lock().unwrap().push(Accepted { id, number });
                }
            });
        }
        tokio::time::sleep(lives).await;
        child.kill().await.unwrap();
        callers.join_all().await;
        drained.await.unwrap();
        std::mem::take(&mut *accepted.lock().unwrap())
    }

    async fn check(&self, accepted: &[Accepted]) {
        // PostgreSQL notices a dead process a moment later.
        let ask = async || self.database.outcomes().await;
        let are_closed = |outcomes: &BTreeMap<_, String>| outcomes.values().all(|outcome| outcome != "open");
        let outcomes = until("rows that a dead process left open", ask, are_closed).await;
        for Accepted { id, .. } in accepted {
            assert_eq!(outcomes.get(id).map(String::as_str), Some("accepted"), "{id} was answered 200");
        }
        let mut seen = BTreeSet::new();
        for message in self.gatewayapi.received() {
            let id = message.userref.expect("each message has a userref");
            let outcome = outcomes.get(&id).unwrap_or_else(|| panic!("{id} was sent, and has no row"));
            assert!(matches!(outcome.as_str(), "accepted" | "unknown"), "{id} was sent, and is {outcome}");
            assert!(seen.insert(message.msisdn), "{id} was sent twice");
        }
    }
}

/// None where it died.
async fn ask(client: &Client, address: &str, number: u64, code: &str) -> Option<Answer> {
    let call = json!({"to": number.to_string(), "type": "SignIn", "payload": {"code": code, "locale": "en"}});
    let request = client.post(format!("http://{address}/send")).header("authorization", AUTHORIZATION);
    let request = request.header("content-type", "application/json").body(call.to_string());
    let answer = request.send().await.ok()?;
    let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Some(Answer { status: answer.status(), id: header("x-message-id"), limit: header("x-limit") })
}

async fn address_in(log: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Some(line) = log.next_line().await.unwrap() {
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "the service is ready" {
            return Some(line["public"].as_str().unwrap().to_owned());
        }
    }
    None
}
