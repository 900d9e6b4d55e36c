//! What is told of each call: one log line and a few metrics. Never a number, a code or a text.

use std::{sync::Arc, time::Instant};

use super::{Call, Delivery, FrugalLog, MessageError, SendError, Sent};
use crate::{
    gatewayapi::Receipt,
    ledger::Settlement,
    metrics::{Metrics, Stage},
    sms::{Measure, MessageId, Outcome, Recipient, Timestamp, UsageType, words},
    templates::Rendered,
    traces::{Span, Step},
};

/// Stands for the usage type of a test delivery, whatever its own: only Logto's calls tell that people can sign in.
const TEST: &str = "test";

/// Gathers the facts of one call while it goes along the line.
pub(super) struct Record {
    begun: Instant,
    span: Span,
    usage_type: UsageType,
    is_test: bool,
    ip_version: &'static str,
    recipient: Option<Recipient>,
    locale: Option<String>,
    template_variant: Option<Arc<str>>,
    measured: Option<Measure>,
    /// When the message was first handed over for sending.
    sent_at: Option<Timestamp>,
    attempts: u32,
    is_repeat: bool,
}

impl Record {
    pub(super) fn new(call: &Call, begun: Instant, span: Span) -> Self {
        Self {
            begun,
            span,
            usage_type: call.usage_type,
            is_test: call.is_test,
            ip_version: call.client.version(),
            recipient: None,
            locale: None,
            template_variant: None,
            measured: None,
            sent_at: None,
            attempts: 0,
            is_repeat: false,
        }
    }

    /// The step that the call began with.
    pub(super) fn first_step(&self, stage: Stage) -> Step {
        Step::begin(stage, &self.span, self.begun)
    }

    pub(super) fn step(&self, stage: Stage) -> Step {
        Step::begin(stage, &self.span, Instant::now())
    }

    pub(super) const fn validated(&mut self, recipient: Recipient) {
        self.recipient = Some(recipient);
    }

    pub(super) fn rendered(&mut self, rendered: &Rendered, measured: Measure, metrics: &Metrics) {
        metrics.segments.with_label_values(&[measured.encoding.as_str()]).observe(f64::from(measured.segments));
        if let Some(name) = &rendered.unfilled {
            let (usage_type, locale) = (self.usage_type.as_str(), rendered.locale.as_str());
            tracing::warn!(usage_type, locale, name, "a placeholder had no value and was sent as it is written");
        }
        self.locale = Some(rendered.locale.clone());
        self.template_variant = Some(Arc::clone(&rendered.variant));
        self.measured = Some(measured);
    }

    /// Counts an attempt, from 1.
    pub(super) const fn attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    /// A message was handed over at that time.
    pub(super) const fn handed_over(&mut self, at: Timestamp) {
        if self.sent_at.is_none() {
            self.sent_at = Some(at);
        }
    }

    pub(super) const fn repeats(&mut self) {
        self.is_repeat = true;
    }

    /// What closes the message's row.
    pub(super) fn settlement(
        &self,
        id: MessageId,
        result: &Result<Receipt, MessageError>,
        settled_at: Timestamp,
    ) -> Settlement {
        let settlement = match result {
            Ok(receipt) => Settlement::of(id, Outcome::Accepted, settled_at).with(receipt),
            Err(MessageError::GatewayApi(failure)) => {
                Settlement::of(id, failure.kind.outcome(), settled_at).because(failure)
            }
            Err(MessageError::Template(_) | MessageError::TooManySegments { .. }) => {
                Settlement::of(id, Outcome::TemplateFault, settled_at)
            }
        };
        Settlement {
            sent_at: self.sent_at,
            locale: self.locale.clone(),
            encoding: self.measured.map(|measured| measured.encoding),
            segments: self.measured.map(|measured| measured.segments),
            template_variant: self.template_variant.clone(),
            ..settlement
        }
    }

    /// Logs and counts, and ends the span.
    pub(super) fn finish(mut self, delivery: &Delivery, metrics: &Metrics, refusals: &FrugalLog) {
        let duration = self.begun.elapsed();
        let outcome = outcome(&delivery.result);
        let usage_type = if self.is_test { TEST } else { self.usage_type.as_str() };
        metrics.requests.with_label_values(&[outcome, usage_type]).inc();
        metrics.stage(Stage::Total, duration);
        if self.is_repeat {
            metrics.repeats.inc();
        }
        self.describe(delivery, outcome);
        let is_refused = matches!(delivery.result, Err(SendError::Limit(_) | SendError::Ledger(_)));
        if is_refused && !refusals.takes(Timestamp::now()) {
            return;
        }

        let recipient = self.recipient;
        macro_rules! line {
            ($level:ident, $sentence:literal $(, $field:ident = $value:expr)*) => {
                tracing::$level!(
                    message_id = %delivery.id,
                    usage_type = self.usage_type.as_str(),
                    test = self.is_test.then_some(true),
                    outcome,
                    country = recipient.and_then(|recipient| recipient.country).as_ref().map(|country| country.as_str()),
                    to = recipient.map(|recipient| recipient.msisdn.masked()),
                    locale = self.locale,
                    encoding = self.measured.map(|measured| measured.encoding.as_str()),
                    segments = self.measured.map(|measured| measured.segments),
                    attempts = self.attempts,
                    repeat = self.is_repeat,
                    ip_version = self.ip_version,
                    trace_id = self.span.trace_id(),
                    duration_ms = duration.as_micros() as f64 / 1000.0,
                    $($field = $value,)*
                    $sentence
                )
            };
        }
        match &delivery.result {
            Ok(Sent::Accepted(receipt)) => {
                line!(info, "the message was accepted", gatewayapi_id = receipt.id);
            }
            Ok(Sent::ToTestNumber) => line!(info, "a test number: nothing was sent"),
            Err(SendError::Limit(refusal)) => line!(
                warn,
                "a limit refused the message",
                limit = refusal.limit.as_str(),
                rule = refusal.rule.as_str(),
                retry_after_s = refusal.wait.map(|wait| wait.as_secs())
            ),
            Err(SendError::Ledger(_)) => line!(error, "the ledger is away, and required: the message was not sent"),
            Err(SendError::Number(error)) => {
                line!(warn, "the number can't be a mobile number", error_kind = error.as_str());
            }
            Err(SendError::Message(MessageError::GatewayApi(failure))) => line!(
                warn,
                "the message was not accepted",
                error_kind = failure.kind.as_str(),
                status = failure.status,
                gatewayapi_code = failure.code.map(tracing::field::display),
                incident_uuid = failure.incident.as_deref()
            ),
            Err(SendError::Message(error)) => line!(error, "the message could not be made", error = error.to_string()),
            Err(error @ SendError::Interrupted) => {
                line!(error, "what became of the message is not known", error = error.to_string());
            }
        }
    }

    /// What the call's span tells: less than the log, which stays here.
    fn describe(&mut self, delivery: &Delivery, outcome: &'static str) {
        let span = &mut self.span;
        span.set("message_id", delivery.id);
        span.set("usage_type", self.usage_type.as_str());
        span.set("outcome", outcome);
        span.set("attempts", self.attempts);
        span.set("repeat", self.is_repeat);
        if let Some(country) = self.recipient.and_then(|recipient| recipient.country) {
            span.set("country", country);
        }
        if let Some(measured) = self.measured {
            span.set("encoding", measured.encoding.as_str());
            span.set("segments", measured.segments);
        }
        match &delivery.result {
            Err(SendError::Limit(refusal)) => span.set("limit", refusal.limit.as_str()),
            Err(SendError::Number(error)) => span.set("error_kind", error.as_str()),
            _ => {}
        }
        if let Some(fault) = delivery.result.as_ref().err().and_then(SendError::fault) {
            span.fail(fault);
        }
    }
}

words! {
    /// What becomes of a call, where nothing becomes of a message at GatewayAPI.
    enum Aside {
        TestNumber = "test_number",
        NumberUnusable = "number_unusable",
        Limited = "limited",
        LedgerAway = "ledger_away",
        Interrupted = "interrupted",
    }
}

/// What never happened is zero, and not absent: a first fault is an increase then.
pub(super) fn start_at_zero(metrics: &Metrics) {
    for outcome in Outcome::ALL.into_iter().map(Outcome::as_str).chain(Aside::ALL.into_iter().map(Aside::as_str)) {
        for usage_type in UsageType::ALL.map(UsageType::as_str).into_iter().chain([TEST]) {
            metrics.requests.with_label_values(&[outcome, usage_type]);
        }
    }
}

/// The outcome, for metrics, logs and spans.
fn outcome(result: &Result<Sent, SendError>) -> &'static str {
    match result {
        Ok(Sent::Accepted(_)) => Outcome::Accepted.as_str(),
        Ok(Sent::ToTestNumber) => Aside::TestNumber.as_str(),
        Err(SendError::Number(_)) => Aside::NumberUnusable.as_str(),
        Err(SendError::Limit(_)) => Aside::Limited.as_str(),
        Err(SendError::Ledger(_)) => Aside::LedgerAway.as_str(),
        Err(SendError::Message(MessageError::Template(_) | MessageError::TooManySegments { .. })) => {
            Outcome::TemplateFault.as_str()
        }
        Err(SendError::Message(MessageError::GatewayApi(failure))) => failure.kind.outcome().as_str(),
        Err(SendError::Interrupted) => Aside::Interrupted.as_str(),
    }
}
