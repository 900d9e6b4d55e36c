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
    sms::{Encoding, MessageId, MessageText, Recipient},
    traces::Span,
};
use tokio::sync::mpsc;

use crate::app::{GOOD, latency};

const BLACKLISTED: &str = "4526020533";

/// A dispatcher with a single connection, without the service around it.
struct Client {
    gatewayapi: Simulator,
    dispatcher: Dispatcher,
    late: mpsc::UnboundedReceiver<LateOutcome>,
    settings: Settings,
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
        let dispatcher =
            Dispatcher::new(&connector, capacity, Envelope::of(&settings), Arc::new(Metrics::new())).unwrap();
        let (told, late) = mpsc::unbounded_channel();
        dispatcher.on_late_outcome(move |outcome| told.send(outcome).unwrap());
        Self { gatewayapi, dispatcher, late, settings }
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

    /// A message whose answer comes too late for it, and what is told of it then.
    async fn late(&mut self, to: &str) -> Result<Receipt, Failure> {
        let id = MessageId::generate();
        let failure = self.send(id, to, Duration::from_millis(500)).await.unwrap_err();
        assert_eq!(failure.kind.outcome(), "unknown");
        let outcome = self.late.recv().await.unwrap();
        assert_eq!(outcome.id, id);
        outcome.result
    }
}

#[tokio::test]
async fn a_late_acceptance_is_told_with_its_cost() {
    let mut client = Client::of(latency(750));
    let receipt = client.late(GOOD).await.unwrap();
    assert_eq!(receipt.id, client.gatewayapi.received()[0].id);
    assert_eq!(receipt.cost.unwrap().micros, 120_000);
}

#[tokio::test]
async fn a_late_refusal_is_told() {
    let mut client = Client::of(latency(750));
    let failure = client.late(BLACKLISTED).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Rejected(Rejection::Recipient));
}

#[tokio::test]
async fn no_answer_at_all_is_told_when_it_is_given_up() {
    let mut client = Client::of(Options { behaviour: Behaviour::Dead, ..Options::default() });
    assert_eq!(client.late(GOOD).await.unwrap_err().kind.outcome(), "unknown");
}

#[tokio::test]
async fn what_was_given_up_in_the_queue_or_answered_in_time_is_not_told() {
    let mut client = Client::of(latency(750));
    let (first, second) = tokio::join!(client.send(MessageId::generate(), GOOD, Duration::from_secs(5)), async {
        client.gatewayapi.until_requests(1).await;
        // The only connection is busy now.
        client.send(MessageId::generate(), "4526091046", Duration::from_millis(50)).await
    });
    first.unwrap();
    assert_eq!(second.unwrap_err().kind.outcome(), "not_sent");
    client.send(MessageId::generate(), GOOD, Duration::from_secs(5)).await.unwrap();
    assert!(client.late.try_recv().is_err());
    assert_eq!(client.gatewayapi.received().len(), 2);
}
