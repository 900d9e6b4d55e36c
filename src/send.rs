//! The line that every message goes along: validate → admit → render → encode → GatewayAPI → settle → answer.
//!
//! Knows no HTTP. A repeat of a call joins or repeats the first one's outcome instead of going along it again.

mod client;
mod error;
mod frugal;
mod record;
mod repeat;

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use tokio::time::{sleep, timeout_at};

pub use self::{
    client::ClientAddress,
    error::{MessageError, SendError},
    frugal::FrugalLog,
};
use self::{
    record::Record,
    repeat::{Claim, Repeats, Ticket},
};
use crate::{
    config::Settings,
    gatewayapi::{Decision, Dispatcher, Failure, LateOutcome, Message, NotSent, Receipt, Unknown, decide},
    ledger::{Admission, Applicant, Ledger, OpenMessage, Settlement},
    metrics::{Metrics, Stage},
    sms::{Measure, MessageId, Outcome, Payload, Recipient, Senders, Timestamp, UsageType, measure},
    templates::{Rendered, TemplateSet},
    traces::{Parent, Span, Tracer},
};

/// What Logto asks for. Holds number and code, so it has no `Debug`.
pub struct Call {
    /// As Logto wrote it.
    pub to: String,
    pub usage_type: UsageType,
    pub payload: Payload,
    pub client: ClientAddress,
    /// The span of whoever asked.
    pub parent: Parent,
    /// An operator tries the line. Nobody signs in.
    pub is_test: bool,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message's id: the first call's, where this one repeats it.
    pub id: MessageId,
    pub result: Result<Sent, SendError>,
}

/// How a call succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// GatewayAPI accepted the message.
    Accepted(Receipt),
    /// The number is one of `limits.test_numbers`: nothing was sent.
    ToTestNumber,
}

/// The line, with all that it needs.
pub struct Line {
    templates: Arc<ArcSwap<TemplateSet>>,
    gatewayapi: Dispatcher,
    ledger: Ledger,
    repeats: Arc<Repeats>,
    refusals: FrugalLog,
    metrics: Arc<Metrics>,
    tracer: Tracer,
    senders: Senders,
    max_segments: u32,
}

impl Line {
    pub fn new(
        settings: &Settings,
        templates: Arc<ArcSwap<TemplateSet>>,
        gatewayapi: Dispatcher,
        ledger: Ledger,
        metrics: Arc<Metrics>,
        tracer: Tracer,
    ) -> Self {
        record::start_at_zero(&metrics);
        let (senders, max_segments) = (settings.gatewayapi.all_senders(), settings.delivery.max_segments);
        let late = (ledger.clone(), Arc::clone(&metrics));
        gatewayapi.on_late_outcome(move |outcome| {
            tokio::spawn(settle_late(late.0.clone(), Arc::clone(&late.1), outcome));
        });
        let (repeats, refusals) = (Arc::default(), FrugalLog::default());
        Self { templates, gatewayapi, ledger, repeats, refusals, metrics, tracer, senders, max_segments }
    }

    pub const fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Sends what was asked for, once, and says by the deadline what became of it.
    pub async fn send(&self, call: Call, begun: Instant, deadline: Instant) -> Delivery {
        let mut record = Record::new(&call, begun, self.tracer.call(&call.parent, begun));
        let delivery = self.validate_and_send(&call, deadline, &mut record).await;
        record.finish(&delivery, &self.metrics, &self.refusals);
        delivery
    }

    async fn validate_and_send(&self, call: &Call, deadline: Instant, record: &mut Record) -> Delivery {
        let id = MessageId::generate();
        let step = record.first_step(Stage::Validate);
        let recipient = Recipient::parse(&call.to).map_err(SendError::from);
        step.end(recipient.as_ref().err().and_then(SendError::fault), &self.metrics);
        let recipient = match recipient {
            Ok(recipient) => recipient,
            Err(error) => return Delivery { id, result: Err(error) },
        };
        record.validated(recipient);
        match self.repeats.claim(id, recipient.msisdn, call.usage_type, call.payload.code(), Instant::now()) {
            Claim::First(ticket) => {
                let result = self.admit_and_send(id, call, recipient, deadline, Some(&ticket), record).await;
                let delivery = Delivery { id, result };
                ticket.settle(&delivery, Instant::now());
                delivery
            }
            Claim::Exempt => {
                Delivery { id, result: self.admit_and_send(id, call, recipient, deadline, None, record).await }
            }
            Claim::Follow(first) => {
                record.repeats();
                let interrupted = || Delivery { id, result: Err(SendError::Interrupted) };
                match timeout_at(deadline.into(), first).await {
                    Ok(delivery) => delivery.unwrap_or_else(|_| interrupted()),
                    Err(_) => Delivery { id, result: Err(Failure::unknown(Unknown::TimedOut).into()) },
                }
            }
            Claim::Accepted(delivery) => {
                record.repeats();
                delivery
            }
        }
    }

    async fn admit_and_send(
        &self,
        id: MessageId,
        call: &Call,
        recipient: Recipient,
        deadline: Instant,
        ticket: Option<&Ticket>,
        record: &mut Record,
    ) -> Result<Sent, SendError> {
        let step = record.step(Stage::Admit);
        let applicant = Applicant { id, usage_type: call.usage_type, recipient, ip: call.client.ip() };
        let admitted = self.ledger.admit(applicant, deadline).await.map_err(SendError::from);
        step.end(admitted.as_ref().err().and_then(SendError::fault), &self.metrics);
        let open = match admitted? {
            Admission::Test => return Ok(Sent::ToTestNumber),
            Admission::Open(open) => open,
        };
        ticket.inspect(|ticket| ticket.supersedes());
        // Boxed, so that a refused call carries none of it.
        let result = Box::pin(self.render_and_send(id, call, recipient, deadline, ticket, record)).await;
        self.settle(&open, &result, deadline, record).await;
        Ok(Sent::Accepted(result?))
    }

    async fn settle(
        &self,
        open: &OpenMessage,
        result: &Result<Receipt, MessageError>,
        deadline: Instant,
        record: &Record,
    ) {
        let step = record.step(Stage::Settle);
        let settlement = record.settlement(open.id(), result, Timestamp::now());
        if self.ledger.settle(open, settlement, deadline).await {
            self.metrics.accepted(open.country());
        }
        step.end(None, &self.metrics);
    }

    async fn render_and_send(
        &self,
        id: MessageId,
        call: &Call,
        recipient: Recipient,
        deadline: Instant,
        ticket: Option<&Ticket>,
        record: &mut Record,
    ) -> Result<Receipt, MessageError> {
        let step = record.step(Stage::Render);
        let rendered = self.render(call);
        step.end(rendered.as_ref().err().map(MessageError::fault), &self.metrics);
        let (rendered, measured) = rendered?;
        record.rendered(&rendered, measured, &self.metrics);
        let message = Message {
            id,
            msisdn: recipient.msisdn,
            country: recipient.country,
            sender: self.senders.for_country(recipient.country),
            text: &rendered.text,
            encoding: measured.encoding,
            segments: measured.segments,
        };
        let step = record.step(Stage::GatewayApi);
        let result = self.deliver(message, deadline, ticket, record, step.span()).await;
        step.end(result.as_ref().err().map(|failure| failure.kind.as_str()), &self.metrics);
        Ok(result?)
    }

    fn render(&self, call: &Call) -> Result<(Rendered, Measure), MessageError> {
        let rendered = self.templates.load().render(call.usage_type, &call.payload)?;
        let measured = measure(rendered.text.as_str());
        if measured.segments > self.max_segments {
            let Rendered { locale, .. } = rendered;
            let (segments, max_segments) = (measured.segments, self.max_segments);
            return Err(MessageError::TooManySegments { usage_type: call.usage_type, locale, segments, max_segments });
        }
        Ok((rendered, measured))
    }

    /// Tries until GatewayAPI has decided, or no time is left.
    async fn deliver(
        &self,
        message: Message<'_>,
        deadline: Instant,
        ticket: Option<&Ticket>,
        record: &mut Record,
        step: &Span,
    ) -> Result<Receipt, Failure> {
        loop {
            let (attempt, begun) = (record.attempt(), Timestamp::now());
            let mut span = step.child("attempt");
            let result = self.gatewayapi.send(message, deadline, &span).await;
            if !result.as_ref().is_err_and(Failure::was_turned_away) {
                record.handed_over(begun);
            }
            let failure = match result {
                Ok(receipt) => return Ok(receipt),
                Err(failure) => failure,
            };
            span.fail(failure.kind.as_str());
            span.end();
            let left = deadline.saturating_duration_since(Instant::now());
            let Decision::Wait(wait) = decide(&failure, attempt, left, fastrand::f64()) else { return Err(failure) };
            sleep(wait).await;
            // An older code must not arrive after a newer one.
            if ticket.is_some_and(Ticket::is_superseded) {
                return Err(Failure::not_sent(NotSent::Superseded));
            }
            self.metrics.retries.inc();
        }
    }
}

/// Closes the row of a message whose outcome came when nobody waited for it any longer.
async fn settle_late(ledger: Ledger, metrics: Arc<Metrics>, late: LateOutcome) {
    let open = |outcome| Settlement::of(late.id, outcome, Timestamp::now());
    let settlement = match &late.result {
        Ok(receipt) => open(Outcome::Accepted).with(receipt),
        Err(failure) => open(failure.kind.outcome()).because(failure),
    };
    if ledger.settle_late(settlement).await {
        metrics.accepted(late.country);
    }
}
