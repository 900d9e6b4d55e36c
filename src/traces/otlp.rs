//! Spans of OpenTelemetry.
//!
//! They are begun and ended by name, not by way of the log's own spans: nothing of a log line can get into them, nor of
//! them into a log line.

mod export;
mod parent;
mod queue;

use std::time::{Instant, SystemTime};

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{self, Span as _, SpanContext, SpanKind, Status, TraceContextExt, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;

pub use self::{export::Traces, parent::Parent};
use super::{Fact, TracesError, config};

/// Begins spans. Without a collector, none.
#[derive(Debug, Clone)]
pub struct Tracer(Option<SdkTracer>);

impl Tracer {
    /// Who asked, by the headers of that name.
    pub fn parent<'a, I: Iterator<Item = &'a str>>(&self, headers: impl Fn(&'static str) -> I) -> Parent {
        if self.0.is_some() { Parent::read(headers("traceparent"), headers("tracestate")) } else { Parent::default() }
    }

    /// The span of a call.
    pub fn call(&self, parent: &Parent, begun: Instant) -> Span {
        let Some(tracer) = &self.0 else { return Span(None) };
        let place = Place { tracer: tracer.clone(), clock: Clock::of(begun) };
        Span::begin(place, "send", SpanKind::Server, parent.context(), begun, Vec::new())
    }
}

/// Something that takes time. It ends when this is dropped, at the latest.
#[must_use]
#[derive(Debug)]
pub struct Span(Option<Box<Begun>>);

#[derive(Debug)]
struct Begun {
    place: Place,
    span: opentelemetry_sdk::trace::Span,
}

/// What a call's spans have in common.
#[derive(Debug, Clone)]
struct Place {
    tracer: SdkTracer,
    clock: Clock,
}

/// The time of day by the steady clock, so that a part never seems to begin before the whole.
#[derive(Debug, Clone, Copy)]
struct Clock {
    begun: Instant,
    at: SystemTime,
}

impl Clock {
    fn of(begun: Instant) -> Self {
        let now = SystemTime::now();
        Self { begun, at: now.checked_sub(begun.elapsed()).unwrap_or(now) }
    }

    fn at(self, moment: Instant) -> SystemTime {
        self.at + moment.saturating_duration_since(self.begun)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.span.end_with_timestamp(self.place.clock.at(Instant::now()));
    }
}

impl Span {
    /// For what is not traced.
    pub const fn none() -> Self {
        Self(None)
    }

    fn begin(
        place: Place,
        name: &'static str,
        kind: SpanKind,
        parent: Context,
        begun: Instant,
        links: Vec<trace::Link>,
    ) -> Self {
        let Place { tracer, clock } = &place;
        let builder = tracer.span_builder(name).with_kind(kind).with_start_time(clock.at(begun)).with_links(links);
        let span = builder.start_with_context(tracer, &parent);
        Self(Some(Box::new(Begun { place, span })))
    }

    /// A part of this one.
    pub fn child(&self, name: &'static str) -> Self {
        self.child_since(name, Instant::now())
    }

    /// A part of this one, which began before.
    pub fn child_since(&self, name: &'static str, begun: Instant) -> Self {
        match self.recording() {
            Some(Begun { place, span }) => {
                let parent = Context::new().with_remote_span_context(span.span_context().clone());
                Self::begin(place.clone(), name, SpanKind::Internal, parent, begun, Vec::new())
            }
            None => Self(None),
        }
    }

    /// A request for many: a part of the first one's span that is recorded, and linked with those of the others.
    pub fn request<'a>(links: impl Iterator<Item = &'a Link>) -> Self {
        let mut links = links.filter_map(|link| link.0.as_deref());
        let Some((place, first)) = links.next() else { return Self(None) };
        let parent = Context::new().with_remote_span_context(first.clone());
        let others = links.map(|(_, other)| trace::Link::with_context(other.clone())).collect();
        Self::begin(place.clone(), "gatewayapi_request", SpanKind::Client, parent, Instant::now(), others)
    }

    pub fn set(&mut self, key: &'static str, value: impl Into<Fact>) {
        if let Some(Begun { span, .. }) = self.0.as_deref_mut() {
            span.set_attribute(KeyValue::new(key, Value::from(value.into())));
        }
    }

    /// It ended in a fault.
    pub fn fail(&mut self, error_kind: &'static str) {
        if let Some(Begun { span, .. }) = self.0.as_deref_mut() {
            span.set_attribute(KeyValue::new("error_kind", error_kind));
            span.set_status(Status::error(error_kind));
        }
    }

    pub fn end(self) {}

    /// For a span that more than one leads to.
    pub fn link(&self) -> Link {
        let link = |Begun { place, span }: &Begun| Box::new((place.clone(), span.span_context().clone()));
        Link(self.recording().map(link))
    }

    /// For the log, also where the trace is not recorded here: it may be elsewhere.
    pub fn trace_id(&self) -> Option<impl tracing::Value + use<>> {
        self.0.as_deref().map(|Begun { span, .. }| tracing::field::display(span.span_context().trace_id()))
    }

    fn recording(&self) -> Option<&Begun> {
        self.0.as_deref().filter(|begun| begun.span.is_recording())
    }
}

/// Leads back to a span.
#[derive(Debug)]
pub struct Link(Option<Box<(Place, SpanContext)>>);

impl From<Fact> for Value {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Word(word) => word.into(),
            Fact::Count(count) => i64::from(count).into(),
            Fact::Flag(flag) => flag.into(),
            Fact::Message(id) => id.to_string().into(),
            Fact::Country(country) => country.as_str().to_owned().into(),
        }
    }
}
