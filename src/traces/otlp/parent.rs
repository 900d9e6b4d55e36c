//! Who asked: the headers of W3C's Trace Context (<https://www.w3.org/TR/trace-context/>).

use std::str::FromStr;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};

/// W3C asks to pass on at least so much; longer ones are left out, for every span has a copy.
const LONGEST_STATE: usize = 512;

/// The span of whoever asked, where there is one.
#[derive(Debug, Default)]
pub struct Parent(Option<SpanContext>);

impl Parent {
    /// By the values of the headers `traceparent`, of which there must be one, and `tracestate`, which may be in parts.
    /// What is wrong is as if it were not there.
    pub(super) fn read<'a>(mut parents: impl Iterator<Item = &'a str>, states: impl Iterator<Item = &'a str>) -> Self {
        let (Some(parent), None) = (parents.next(), parents.next()) else { return Self(None) };
        let Some((trace, span, flags)) = parse(parent) else { return Self(None) };
        let state = states.collect::<Vec<_>>().join(",");
        let state = Some(state).filter(|state| state.len() <= LONGEST_STATE);
        let state = state.and_then(|state| TraceState::from_str(&state).ok()).unwrap_or_default();
        Self(Some(SpanContext::new(trace, span, flags, true, state)).filter(SpanContext::is_valid))
    }

    pub(super) fn context(&self) -> Context {
        let context = Context::new();
        match &self.0 {
            Some(parent) => context.with_remote_span_context(parent.clone()),
            None => context,
        }
    }
}

/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`; a later version may have more parts.
fn parse(parent: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let mut parts = parent.trim().split('-');
    let mut hexadecimal = |length: usize| {
        let is_right =
            |part: &&str| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        parts.next().filter(is_right)
    };
    let (version, trace, span, flags) = (hexadecimal(2)?, hexadecimal(32)?, hexadecimal(16)?, hexadecimal(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    Some((TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const RIGHT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(parents: &[&str], states: &[&str]) -> Option<SpanContext> {
        Parent::read(parents.iter().copied(), states.iter().copied()).0
    }

    #[rstest]
    #[case::sampled(RIGHT, true)]
    #[case::not_sampled("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false)]
    #[case::unknown_flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", false)]
    #[case::white_space(" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03 ", true)]
    #[case::a_later_version("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true)]
    fn a_parent_is_read(#[case] header: &str, #[case] is_sampled: bool) {
        let parent = read(&[header], &[]).unwrap();
        assert_eq!(parent.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parent.span_id().to_string(), "b7ad6b7169203331");
        assert_eq!((parent.is_sampled(), parent.is_remote()), (is_sampled, true));
    }

    #[rstest]
    #[case::empty("")]
    #[case::more_parts("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")]
    #[case::fewer_parts("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331")]
    #[case::no_such_version("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case::capitals("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    #[case::a_sign("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case::a_short_trace("00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case::no_trace("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    #[case::no_span("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    #[case::long_flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001")]
    fn a_wrong_parent_is_none(#[case] header: &str) {
        assert!(read(&[header], &["a=b"]).is_none());
    }

    #[test]
    fn of_two_parents_none_counts() {
        assert!(read(&[RIGHT, RIGHT], &[]).is_none());
        assert!(read(&[], &["a=b"]).is_none());
    }

    #[test]
    fn a_state_may_come_in_parts_and_a_wrong_or_long_one_is_left_out() {
        let state = |states: &[&str]| read(&[RIGHT], states).unwrap().trace_state().header();
        assert_eq!(state(&["a=1", "b=2"]), "a=1,b=2");
        assert_eq!(state(&["nonsense"]), "");
        assert_eq!(state(&[&format!("a={}", "1".repeat(LONGEST_STATE))]), "");
    }
}
