//! What each call went through, for whoever follows it from service to service: a span for the call, one for each step,
//! one for each attempt, and one for each request to GatewayAPI, handed to a collector of OpenTelemetry.
//!
//! Only with the feature `otlp`. Without it all types here are empty and nothing is done or asked.

use std::time::Instant;

use crate::{
    config,
    metrics::{Metrics, Stage},
    sms::{Country, MessageId},
};

#[cfg(not(feature = "otlp"))]
mod none;
#[cfg(feature = "otlp")]
mod otlp;

#[cfg(not(feature = "otlp"))]
pub use self::none::{Link, Parent, Span, Tracer, Traces};
#[cfg(feature = "otlp")]
pub use self::otlp::{Link, Parent, Span, Tracer, Traces};

/// Why the spans can't be handed to a collector.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    #[error("telemetry.otlp_headers: entry {0} is not name=value, with what a header may hold")]
    Header(usize),
    #[error("telemetry.extra_ca_file: {0}")]
    ExtraCa(std::io::Error),
    #[error("telemetry.otlp_endpoint: the HTTP client can't be made: {0}")]
    Client(String),
}

/// What may be said of a span: never a text that came from outside, so no number, code or address gets here.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    Word(&'static str),
    Count(u32),
    Flag(bool),
    Message(MessageId),
    Country(Country),
}

macro_rules! facts {
    ($($type:ty => $variant:ident),+) => {$(
        impl From<$type> for Fact {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }
    )+};
}

facts!(&'static str => Word, u32 => Count, bool => Flag, MessageId => Message, Country => Country);

/// A step of a call: its time becomes a sample of its stage, and its span ends with it.
#[must_use]
pub struct Step {
    stage: Stage,
    begun: Instant,
    span: Span,
}

impl Step {
    pub fn begin(stage: Stage, call: &Span, begun: Instant) -> Self {
        Self { stage, begun, span: call.child_since(stage.as_str(), begun) }
    }

    /// The step is over; `fault` is what failed in it.
    pub fn end(mut self, fault: Option<&'static str>, metrics: &Metrics) {
        metrics.stage(self.stage, self.begun.elapsed());
        if let Some(fault) = fault {
            self.span.fail(fault);
        }
    }

    pub const fn span(&self) -> &Span {
        &self.span
    }
}
