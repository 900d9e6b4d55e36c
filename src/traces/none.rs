//! Of a build without the feature `otlp`: nothing.

#![allow(
    clippy::unused_self,
    clippy::needless_pass_by_ref_mut,
    clippy::unused_async,
    reason = "the other build does it"
)]

use std::time::{Duration, Instant};

use super::{Fact, TracesError, config};

/// What would hand spans to a collector.
#[derive(Debug)]
pub struct Traces(());

impl Traces {
    /// The configuration has refused what this build can't do.
    #[allow(clippy::unnecessary_wraps, reason = "the other build may fail")]
    pub const fn start(_: &config::Telemetry) -> Result<Self, TracesError> {
        Ok(Self(()))
    }

    pub const fn tracer(&self) -> Tracer {
        Tracer(())
    }

    pub async fn end(self, _: Duration) {}
}

/// What would begin spans.
#[derive(Debug, Clone)]
pub struct Tracer(());

impl Tracer {
    /// Asks for no header.
    pub fn parent<'a, I: Iterator<Item = &'a str>>(&self, _: impl Fn(&'static str) -> I) -> Parent {
        Parent(())
    }

    pub fn call(&self, _: &Parent, _: Instant) -> Span {
        Span(())
    }
}

/// Who asked.
#[derive(Debug, Default)]
pub struct Parent(());

/// No span.
#[must_use]
#[derive(Debug)]
pub struct Span(());

impl Span {
    pub const fn none() -> Self {
        Self(())
    }

    pub const fn child(&self, _: &'static str) -> Self {
        Self(())
    }

    pub const fn child_since(&self, _: &'static str, _: Instant) -> Self {
        Self(())
    }

    /// Looks at no message.
    pub fn request<'a>(_: impl Iterator<Item = &'a Link>) -> Self {
        Self(())
    }

    pub fn set(&mut self, _: &'static str, _: impl Into<Fact>) {}

    pub const fn fail(&mut self, _: &'static str) {}

    pub const fn end(self) {}

    pub const fn link(&self) -> Link {
        Link(())
    }

    pub const fn trace_id(&self) -> Option<&'static str> {
        None
    }
}

/// What would lead back to a span.
#[derive(Debug)]
pub struct Link(());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traces::Step;

    #[test]
    fn nothing_is_carried_along() {
        assert_eq!((size_of::<Tracer>(), size_of::<Parent>(), size_of::<Span>(), size_of::<Link>()), (0, 0, 0, 0));
        // Its stage and when it began.
        assert_eq!(size_of::<Step>(), size_of::<(u8, Instant)>());
    }
}
