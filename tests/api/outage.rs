//! The database goes away, hangs, and comes back, while codes are asked for.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use gatewayapi_sms_connector::simulator::Options;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    app::{GOOD, TestApp, numbers, sign_in, spawn_app_on, until},
    database::Database,
    operators::Operator,
};

const COOLDOWN: &str = r#"limits.number = { mode = "enforce", cooldown = "1h" }"#;

/// What is between the service and PostgreSQL.
struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Takes everything and brings nothing: a server that hangs, as SIGSTOP makes it.
    Stuck,
    /// Connections end, and none is made: a server that is stopped.
    Cut,
}

impl Wire {
    async fn to(server: SocketAddr, state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, states) = watch::channel(state);
        tokio::spawn(async move {
            while let Ok((inbound, _)) = listener.accept().await {
                tokio::spawn(carry(inbound, server, states.clone()));
            }
        });
        Self { address, state }
    }
}

async fn carry(mut inbound: TcpStream, server: SocketAddr, mut states: watch::Receiver<State>) {
    if *states.borrow() == State::Cut {
        return;
    }
    let mut outbound = TcpStream::connect(server).await.unwrap();
    loop {
        let is_whole = states.wait_for(|state| *state != State::Stuck).await.is_ok_and(|state| *state == State::Whole);
        if !is_whole {
            return;
        }
        tokio::select! {
            _ = copy_bidirectional(&mut inbound, &mut outbound) => return,
            _ = states.wait_for(|state| *state != State::Whole) => {}
        }
    }
}

async fn postgres(state: State) -> (Database, Database, Wire) {
    let database = Database::postgres().await;
    let wire = Wire::to(database.server(), state).await;
    let through = database.at(wire.address);
    (database, through, wire)
}

async fn until_ledger_is(app: &TestApp, up: f64) {
    app.until_metric("sms_ledger_up", up).await;
}

async fn ready(app: &TestApp) -> (u16, String) {
    let answer = app.get(app.url("/health/ready")).await;
    (answer.status.as_u16(), answer.json()["ledger"].as_str().unwrap().to_owned())
}

/// The row of each message that GatewayAPI accepted says so, and none was sent twice.
async fn assert_all_is_written(app: &TestApp, database: &Database) {
    let outcomes = database.outcomes().await;
    let received = app.gatewayapi.received();
    for message in &received {
        let id = message.userref.as_ref().unwrap();
        assert_eq!(outcomes.get(id).map(String::as_str), Some("accepted"), "{id}");
    }
    assert_eq!(outcomes.len(), received.len());
}

#[tokio::test]
async fn codes_go_on_while_the_database_hangs_or_is_stopped() {
    let (database, through, wire) = postgres(State::Whole).await;
    let app = spawn_app_on(through, COOLDOWN, Options::default()).await;
    assert_eq!(ready(&app).await, (200, "up".to_owned()));
    assert_eq!(app.send(sign_in(GOOD, "493811")).await.status, 200);
    let mut numbers = numbers(1000);
    for state in [State::Stuck, State::Cut] {
        wire.state.send_replace(state);
        let begun = Instant::now();
        let calls: Vec<_> = numbers.by_ref().take(50).map(|to| sign_in(&to, "493817")).collect();
        let answers = app.send_all(calls.clone()).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{state:?}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{state:?}: {:?}", begun.elapsed());
        assert_eq!(ready(&app).await, (200, "away".to_owned()));
        assert_eq!(app.metric("sms_ledger_up").await, Some(0.0));

        // The limits know what was sent before, and since.
        for to in [GOOD, calls[7]["to"].as_str().unwrap()] {
            let answer = app.send(sign_in(to, "493818")).await;
            assert_eq!((answer.status.as_u16(), answer.header("x-limit")), (429, Some("number")));
        }
        // GatewayAPI is to report again.
        let message = app.gatewayapi.received().pop().unwrap();
        let report =
            json!({"id": message.id, "time": 1_795_000_000, "status": "DELIVERED", "userref": message.userref});
        assert_eq!(app.report(&report).await.status, 503);

        wire.state.send_replace(State::Whole);
        until_ledger_is(&app, 1.0).await;
        assert_eq!(app.report(&report).await.status, 200);
        assert_eq!(app.metric("sms_ledger_waiting").await, Some(0.0));
        assert_all_is_written(&app, &database).await;
    }
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_used_when_it_comes() {
    let (database, through, wire) = postgres(State::Cut).await;
    let app = spawn_app_on(through, COOLDOWN, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493811")).await.status, 200);
    assert_eq!(ready(&app).await, (200, "away".to_owned()));
    wire.state.send_replace(State::Whole);
    until_ledger_is(&app, 1.0).await;
    assert_eq!(app.send(sign_in(GOOD, "493812")).await.status, 429);
    assert_all_is_written(&app, &database).await;
}

#[tokio::test]
async fn where_the_ledger_is_required_nothing_is_sent_without_it() {
    let (database, through, wire) = postgres(State::Whole).await;
    let app = spawn_app_on(through, &format!("{COOLDOWN}\nledger.required = true"), Options::default()).await;
    for state in [State::Stuck, State::Cut] {
        wire.state.send_replace(state);
        for to in numbers(3) {
            let answer = app.send(sign_in(&to, "493811")).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")), "{state:?}");
        }
        assert_eq!(ready(&app).await, (503, "away".to_owned()));
        assert_eq!(app.gatewayapi.requests(), 0);
        wire.state.send_replace(State::Whole);
        until_ledger_is(&app, 1.0).await;
    }
    // What was not sent was given back.
    for to in numbers(3) {
        assert_eq!(app.send(sign_in(&to, "493812")).await.status, 200);
    }
    let open = database.outcomes().await.into_values().filter(|outcome| outcome == "open").count();
    assert_eq!(open, 0);
}

#[tokio::test]
async fn codes_go_on_while_the_file_can_not_be_written() {
    let database = Database::sqlite();
    let app = spawn_app_on(database.clone(), COOLDOWN, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493811")).await.status, 200);
    {
        let holder = database.connection();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        let answers = app.send_all(numbers(50).map(|to| sign_in(&to, "493817"))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        until_ledger_is(&app, 0.0).await;
        assert_eq!(app.send(sign_in(GOOD, "493812")).await.status, 429);
    }
    until_ledger_is(&app, 1.0).await;
    assert_all_is_written(&app, &database).await;
}

#[tokio::test]
async fn operators_are_told_that_the_database_is_away() {
    let (_database, through, wire) = postgres(State::Whole).await;
    let app = spawn_app_on(through, "", Options::default()).await;
    let operator = Operator::of(&app);
    assert_eq!(operator.get("/api/deliveries").await.status, 200);
    wire.state.send_replace(State::Cut);
    let ask = async || operator.get("/api/deliveries").await;
    // An answer serves for a second.
    let refused = until("deliveries without a database", ask, |answer| answer.status != 200).await;
    assert_eq!(refused.status, 503);
    assert!(refused.json()["type"].as_str().unwrap().ends_with(":ledger_away"), "{}", refused.body);
    wire.state.send_replace(State::Whole);
    until("deliveries", ask, |answer| answer.status == 200).await;
}
