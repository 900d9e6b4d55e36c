//! Outcomes that become known after their message was given up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gatewayapi_sms_connector::{
    config::{Settings, Source},
    gatewayapi::{
        Capacity, Connector, Dispatcher, Envelope, Failure, FailureKind, LateOutcome, Message, Receipt, Rejection,
    },
    metrics::Metrics,
    simulator::{Behaviour, Options, Simulator},
    sms::{Encoding, MessageId, MessageText, Outcome, Recipient},
    traces::Span,
};
use tokio::sync::mpsc;

use crate::app::GOOD;

const BLACKLISTED: &str = "4526020533";

/// A dispatcher with a single connection, without the service around it.
struct Client {
    gatewayapi: Simulator,
    dispatcher: Dispatcher,
    late: mpsc::UnboundedReceiver<LateOutcome>,
    settings: Settings,
    metrics: Arc<Metrics>,
}

impl Client {
    fn of(options: Options) -> Self {
        let gatewayapi = Simulator::start(options).unwrap();
        let preset = format!(
            r#"
            logto.authorization = "Bearer x"
            gatewayapi.endpoint = "{}"
            gatewayapi.api_token = "simulator"
            gatewayapi.sender = "ExampleShop"
            "#,
            gatewayapi.endpoint()
        );
        let source = Source { preset: Some(preset), ..Source::default() };
        let settings = Settings::load(&source).unwrap().settings;
        let capacity = Capacity { connections: 1, max_batch: 10, max_waiting: 10 };
        let connector = Connector::of(&settings.gatewayapi).unwrap();
        let metrics = Arc::new(Metrics::new());
        let dispatcher = Dispatcher::new(&connector, capacity, Envelope::of(&settings), Arc::clone(&metrics)).unwrap();
        let (told, late) = mpsc::unbounded_channel();
        dispatcher.on_late_outcome(move |outcome| told.send(outcome).unwrap());
        Self { gatewayapi, dispatcher, late, settings, metrics }
    }

    async fn send(&self, id: MessageId, to: &str, patience: Duration) -> Result<Receipt, Failure> {
        let message = Message {
            id,
            msisdn: Recipient::parse(to).unwrap().msisdn,
            country: None,
            sender: &self.settings.gatewayapi.sender,
            text: &MessageText::from("493817".to_owned()),
            encoding: Encoding::Gsm7,
            segments: 1,
        };
        self.dispatcher.send(message, Instant::now() + patience, &Span::none()).await
    }

    /// A message that is given up after it was written.
    async fn given_up(&self, id: MessageId, to: &str) {
        let failure = self.send(id, to, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(failure.kind.outcome(), Outcome::Unknown);
    }

    /// What is told of a message of which something is told.
    async fn told(&mut self, id: MessageId) -> Result<Receipt, Failure> {
        let outcome = self.late.recv().await.unwrap();
        assert_eq!(outcome.id, id);
        outcome.result
    }

    /// A message whose answer comes too late for it, and what is told of it then. The message that travels with it is
    /// waited for longer, and so is the answer to both.
    async fn late(&mut self, to: &str) -> Result<Receipt, Failure> {
        self.gatewayapi.hold();
        let id = MessageId::generate();
        let ((), other) = tokio::join!(
            async {
                self.given_up(id, to).await;
                self.gatewayapi.release();
            },
            self.send(MessageId::generate(), "4526091046", Duration::from_secs(10)),
        );
        other.unwrap();
        self.told(id).await
    }

    fn late_outcomes(&self, outcome: &str) -> u64 {
        self.metrics.late_outcomes.with_label_values(&[outcome]).get()
    }
}

#[tokio::test]
async fn a_late_acceptance_is_told_with_its_cost() {
    let mut client = Client::of(Options::default());
    let receipt = client.late(GOOD).await.unwrap();
    assert_eq!(receipt.id, client.gatewayapi.received()[0].id);
    assert_eq!(receipt.cost.unwrap().micros, 120_000);
    assert_eq!(client.late_outcomes("accepted"), 1);
}

#[tokio::test]
async fn a_late_refusal_is_told() {
    let mut client = Client::of(Options::default());
    let failure = client.late(BLACKLISTED).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Rejected(Rejection::Recipient));
    assert_eq!((client.late_outcomes("accepted"), client.late_outcomes("rejected")), (0, 1));
}

#[tokio::test]
async fn an_answer_is_waited_for_although_nobody_waits_for_its_message() {
    let mut client = Client::of(Options::default());
    // For half a second. A thread that is delayed may miss it, but not each time.
    for _ in 0..5 {
        client.gatewayapi.hold();
        let id = MessageId::generate();
        let failure = client.send(id, GOOD, Duration::from_millis(200)).await.unwrap_err();
        client.gatewayapi.release();
        if failure.kind.outcome() == Outcome::Unknown && client.told(id).await.is_ok() {
            return;
        }
    }
    panic!("no answer was waited for");
}

#[tokio::test]
async fn no_answer_at_all_is_told_when_it_is_given_up() {
    let mut client = Client::of(Options { behaviour: Behaviour::Dead, ..Options::default() });
    let id = MessageId::generate();
    client.given_up(id, GOOD).await;
    assert_eq!(client.told(id).await.unwrap_err().kind.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn what_was_given_up_in_the_queue_or_answered_in_time_is_not_told() {
    let mut client = Client::of(Options::default());
    client.gatewayapi.hold();
    let (first, second) = tokio::join!(client.send(MessageId::generate(), GOOD, Duration::from_secs(10)), async {
        client.gatewayapi.until_requests(1).await;
        // The only connection is busy now.
        let second = client.send(MessageId::generate(), "4526091046", Duration::from_millis(50)).await;
        client.gatewayapi.release();
        second
    });
    first.unwrap();
    assert_eq!(second.unwrap_err().kind.outcome(), Outcome::NotSent);
    client.send(MessageId::generate(), GOOD, Duration::from_secs(5)).await.unwrap();
    assert!(client.late.try_recv().is_err());
    assert_eq!(client.gatewayapi.received().len(), 2);
}
