//! A simulated GatewayAPI: for the sandbox, and for tests that need a GatewayAPI to misbehave.
//!
//! It takes nothing from the service but the measure of a text and the country and calling code of a number, so it
//! checks what the service sends independently. It speaks the contract in `/rest/mtsms`, `/rest/mtsms/<id>`,
//! `/rest/me` and `/api/prices/list/sms/json`, holds the limit of 40 connections, and sends delivery reports.
//! [Magic numbers](magic_numbers) make it misbehave for one request, [`Behaviour`] for all.
//!
//! Sources: <https://gatewayapi.com/docs/apis/rest/> and <https://gatewayapi.com/docs/error-codes/>. Where GatewayAPI's
//! documentation is silent, it is the strictest thing that GatewayAPI could be.

mod answers;
mod behaviour;
#[cfg(test)]
mod client;
mod connections;
mod errors;
mod gateway;
mod inbox;
mod magic;
mod message;
mod prices;
mod received;
mod reports;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{broadcast, mpsc, watch};

pub use behaviour::{Behaviour, UnknownBehaviour};
pub use magic::magic_numbers;
pub use received::{Class, Destination, Encoding, Priority, Received};
pub use reports::{ReportedFault, ReportedState, Reports};

use gateway::Gateway;

/// What to simulate.
#[derive(Clone)]
pub struct Options {
    /// Where to listen. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The API token that is let in.
    pub token: String,
    /// Open connections; one more is reset at once. GatewayAPI allows 40 for each IP address.
    pub max_connections: usize,
    /// What each answer waits for. Messages are accepted before it, as they are at GatewayAPI.
    pub latency: Duration,
    pub behaviour: Behaviour,
    /// `GET /rest/me` gives the credit as a string rather than a number: both are seen.
    pub credit_as_text: bool,
    /// Sends delivery reports.
    pub reports: Option<Reports>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: "simulator".to_owned(),
            max_connections: 40,
            latency: Duration::ZERO,
            behaviour: Behaviour::Normal,
            credit_as_text: false,
            reports: None,
        }
    }
}

/// A simulated GatewayAPI that listens. Dropping it stops it.
pub struct Simulator {
    address: SocketAddr,
    gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
}

impl Simulator {
    /// Listens and serves in the background, from inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// When it can't listen there.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let (outbox, accepted) = mpsc::unbounded_channel();
        let gateway = Arc::new(Gateway::new(options, outbox));
        tokio::spawn(connections::serve(listener, Arc::clone(&gateway), stopped, accepted));
        Ok(Self { address, gateway, stop })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where messages are sent to: `http://127.0.0.1:port/rest/mtsms`.
    pub fn endpoint(&self) -> String {
        format!("http://{}/rest/mtsms", self.address)
    }

    /// From now on, for every request that is not yet answered or decided.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.gateway.set_behaviour(behaviour);
    }

    pub fn set_latency(&self, latency: Duration) {
        self.gateway.set_latency(latency);
    }

    /// From now on a request to send is decided, and its messages are accepted, but it is answered only after
    /// [`release`](Self::release): what is to happen in between needs no time of its own.
    pub fn hold(&self) {
        self.gateway.hold(Some(answers::SEND));
    }

    /// Like [`hold`](Self::hold), but for the question for the credit, and for nothing else.
    pub fn hold_credit(&self) {
        self.gateway.hold(Some(answers::ACCOUNT));
    }

    /// Lets all answers go that were held, and holds none from now on.
    pub fn release(&self) {
        self.gateway.hold(None);
    }

    /// From now on all delivery reports go there, whatever a message or the options say: to a service whose port is known
    /// only when it runs.
    pub fn report_to(&self, url: impl Into<String>) {
        self.gateway.report_to(url.into());
    }

    /// Every accepted message so far, once for each of its recipients, in the order of acceptance.
    pub fn received(&self) -> Vec<Received> {
        self.gateway.inbox.all()
    }

    /// Requests to send that were read in full, refused ones too.
    pub fn requests(&self) -> usize {
        *self.gateway.requests.borrow()
    }

    pub fn open_connections(&self) -> usize {
        self.gateway.connections.counts().open
    }

    pub fn most_open_connections(&self) -> usize {
        self.gateway.connections.counts().most
    }

    /// Connections that were reset because too many were open.
    pub fn refused_connections(&self) -> usize {
        self.gateway.connections.counts().refused
    }

    /// Delivery reports that the webhook answered with 2xx in time.
    pub fn reports_answered(&self) -> usize {
        *self.gateway.reports_answered.borrow()
    }

    /// Waits until so many messages were accepted since the start.
    pub async fn until_received(&self, messages: usize) {
        self.gateway.inbox.until(messages).await;
    }

    /// Waits until so many requests to send were read.
    pub async fn until_requests(&self, requests: usize) {
        at_least(&self.gateway.requests, requests).await;
    }

    /// Waits until so many delivery reports were answered.
    pub async fn until_reports_answered(&self, reports: usize) {
        at_least(&self.gateway.reports_answered, reports).await;
    }

    /// Waits until exactly so many connections are open.
    pub async fn until_open_connections(&self, connections: usize) {
        self.gateway.connections.until_open(connections).await;
    }

    /// Each message from now on, as it is accepted.
    pub fn subscribe(&self) -> broadcast::Receiver<Received> {
        self.gateway.inbox.subscribe()
    }

    /// Closes every connection and the listener. What was received can still be asked for.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
    }
}

/// Waits until a count that only grows has reached a number.
async fn at_least(count: &watch::Sender<usize>, number: usize) {
    // It errs only when the sender is gone, which we hold.
    let _ = count.subscribe().wait_for(|&count| count >= number).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::{call, send, simulator};
    use serde_json::json;
    use std::time::Instant;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_subscriber_gets_each_message() {
        let simulator = simulator();
        let mut messages = simulator.subscribe();
        send(&simulator, json!({"message": "Hi", "recipients": [{"msisdn": 4526091045u64}]})).await.unwrap();
        assert_eq!(messages.recv().await.unwrap().text, "Hi");
        simulator.until_received(1).await;
        simulator.until_requests(1).await;
    }

    #[tokio::test]
    async fn stopping_closes_the_listener_and_every_connection() {
        let simulator = simulator();
        simulator.set_behaviour(Behaviour::Dead);
        let waiting = tokio::spawn({
            let address = simulator.address();
            async move { client::call_at(address, "GET", "/rest/me", &[], String::new()).await.is_err() }
        });
        simulator.until_open_connections(1).await;
        simulator.stop().await;
        assert!(waiting.await.unwrap());
        assert!(TcpStream::connect(simulator.address()).await.is_err());
        assert_eq!((simulator.open_connections(), simulator.received().len()), (0, 0));
    }

    #[tokio::test]
    async fn dropping_it_stops_it() {
        let simulator = simulator();
        simulator.set_behaviour(Behaviour::Dead);
        let address = simulator.address();
        let waiting =
            tokio::spawn(async move { client::call_at(address, "GET", "/rest/me", &[], String::new()).await.is_err() });
        simulator.until_open_connections(1).await;
        drop(simulator);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn latency_delays_the_answer_and_not_the_acceptance() {
        let simulator = simulator();
        simulator.set_latency(Duration::from_millis(150));
        let before = Instant::now();
        let answer = send(&simulator, json!({"message": "Hi", "recipients": [{"msisdn": 4526091045u64}]}));
        tokio::pin!(answer);
        tokio::select! {
            biased;
            _ = &mut answer => panic!("answered before it was accepted"),
            () = simulator.until_received(1) => {}
        }
        answer.await.unwrap();
        assert!(before.elapsed() >= Duration::from_millis(150));
    }

    #[tokio::test]
    async fn what_is_held_is_accepted_and_answered_when_it_is_released() {
        let simulator = simulator();
        simulator.hold();
        let answer = send(&simulator, json!({"message": "Hi", "recipients": [{"msisdn": 4526091045u64}]}));
        tokio::pin!(answer);
        tokio::select! {
            biased;
            _ = &mut answer => panic!("answered while it was held"),
            credit = async {
                simulator.until_received(1).await;
                call(&simulator, "GET", "/rest/me", String::new()).await
            } => assert_eq!(credit.unwrap().status, 200),
        }
        simulator.release();
        assert_eq!(answer.await.unwrap().status, 200);
    }

    #[tokio::test]
    async fn a_taken_address_is_an_error() {
        let simulator = simulator();
        let again = Simulator::start(Options { listen: simulator.address(), ..Options::default() });
        assert_eq!(again.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
    }

    #[tokio::test]
    async fn other_paths_and_methods_are_not_found() {
        let simulator = simulator();
        assert_eq!(call(&simulator, "GET", "/rest/mtsms", String::new()).await.unwrap().status, 405);
        assert_eq!(call(&simulator, "GET", "/rest/sms", String::new()).await.unwrap().status, 404);
        assert_eq!(simulator.requests(), 0);
    }
}
