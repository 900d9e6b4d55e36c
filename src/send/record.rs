//! What is told of each call: one log line and a few metrics. Never a number, a code or a text.

use std::time::Instant;

use super::{Call, Delivery, SendError};
use crate::{
    gatewayapi::Receipt,
    metrics::{Metrics, Stage},
    sms::{Measure, Recipient, UsageType},
    templates::Rendered,
};

/// Gathers the facts of one call while it goes along the line.
pub(super) struct Record {
    begun: Instant,
    usage_type: UsageType,
    ip_version: &'static str,
    validated: Option<(Recipient, Instant)>,
    locale: Option<String>,
    measured: Option<Measure>,
    attempts: u32,
    is_repeat: bool,
}

impl Record {
    pub(super) fn new(call: &Call, begun: Instant) -> Self {
        let ip_version = match call.ip {
            Some(ip) if ip.is_ipv4() => "4",
            Some(_) => "6",
            None => "none",
        };
        Self {
            begun,
            usage_type: call.usage_type,
            ip_version,
            validated: None,
            locale: None,
            measured: None,
            attempts: 0,
            is_repeat: false,
        }
    }

    pub(super) fn validated(&mut self, recipient: Recipient, metrics: &Metrics) {
        let now = Instant::now();
        metrics.stage(Stage::Validate, now - self.begun);
        self.validated = Some((recipient, now));
    }

    pub(super) fn rendered(&mut self, rendered: &Rendered, measured: Measure, metrics: &Metrics) {
        if let Some((_, validated)) = self.validated {
            metrics.stage(Stage::Render, validated.elapsed());
        }
        metrics.segments.with_label_values(&[measured.encoding.as_str()]).observe(f64::from(measured.segments));
        if let Some(name) = &rendered.unfilled {
            let (usage_type, locale) = (self.usage_type.as_str(), rendered.locale.as_str());
            tracing::warn!(usage_type, locale, name, "a placeholder had no value and was sent as it is written");
        }
        self.locale = Some(rendered.locale.clone());
        self.measured = Some(measured);
    }

    /// Counts an attempt, from 1.
    pub(super) const fn attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    pub(super) const fn repeats(&mut self) {
        self.is_repeat = true;
    }

    /// Logs and counts.
    pub(super) fn finish(self, delivery: &Delivery, metrics: &Metrics) {
        let duration = self.begun.elapsed();
        let outcome = outcome(&delivery.result);
        metrics.requests.with_label_values(&[outcome, self.usage_type.as_str()]).inc();
        metrics.stage(Stage::Total, duration);
        if self.is_repeat {
            metrics.repeats.inc();
        }

        let recipient = self.validated.map(|(recipient, _)| recipient);
        macro_rules! line {
            ($level:ident, $sentence:literal $(, $field:ident = $value:expr)*) => {
                tracing::$level!(
                    message_id = %delivery.id,
                    usage_type = self.usage_type.as_str(),
                    outcome,
                    country = recipient.and_then(|recipient| recipient.country).as_ref().map(|country| country.as_str()),
                    to = recipient.map(|recipient| recipient.msisdn.masked()),
                    locale = self.locale,
                    encoding = self.measured.map(|measured| measured.encoding.as_str()),
                    segments = self.measured.map(|measured| measured.segments),
                    attempts = self.attempts,
                    repeat = self.is_repeat,
                    ip_version = self.ip_version,
                    duration_ms = duration.as_micros() as f64 / 1000.0,
                    $($field = $value,)*
                    $sentence
                )
            };
        }
        match &delivery.result {
            Ok(Receipt { id }) => line!(info, "the message was accepted", gatewayapi_id = id),
            Err(SendError::Number(error)) => {
                line!(warn, "the number can't be a mobile number", error_kind = error.as_str());
            }
            Err(SendError::GatewayApi(failure)) => line!(
                warn,
                "the message was not accepted",
                error_kind = failure.kind.as_str(),
                status = failure.status,
                gatewayapi_code = failure.code.map(tracing::field::display),
                incident_uuid = failure.incident.as_deref()
            ),
            Err(error) => line!(error, "the message could not be made", error = error.to_string()),
        }
    }
}

/// The outcome, for metrics and logs.
fn outcome(result: &Result<Receipt, SendError>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(SendError::Number(_)) => "number_unusable",
        Err(SendError::Template(_) | SendError::TooManySegments { .. }) => "template_fault",
        Err(SendError::GatewayApi(failure)) => failure.kind.outcome(),
        Err(SendError::Interrupted) => "interrupted",
    }
}
