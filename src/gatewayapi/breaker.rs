//! A circuit breaker: after a run of failures that no message is to blame for, answer at once and probe now and then.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::error::{AccountFault, Failure, FailureKind, NotSent};

/// Failures in a row that open it.
const RUN: u32 = 20;
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST_PROBE: Duration = Duration::from_secs(15);

/// Shared by all dispatchers, for they all talk to the same GatewayAPI.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

/// What an attempt did to the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened,
    Closed,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// Closed, with the last so many attempts failed.
    Failing(u32),
    Open {
        cause: Cause,
        /// From then on one message may try.
        probe_at: Instant,
        interval: Duration,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Account(AccountFault),
    Unreachable,
}

impl Breaker {
    /// Lets a message try, or says at once what it would hear.
    ///
    /// # Errors
    ///
    /// While open: the fault that opened it, with the time of the next probe as `retry_after`.
    pub fn admit(&self, now: Instant) -> Result<(), Failure> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Open { cause, probe_at, interval } = &mut *state else { return Ok(()) };
        if now >= *probe_at {
            *interval = (*interval * 2).min(LONGEST_PROBE);
            *probe_at = now + *interval;
            return Ok(());
        }
        let kind = match cause {
            Cause::Account(fault) => FailureKind::Account(*fault),
            Cause::Unreachable => FailureKind::NotSent(NotSent::BreakerOpen),
        };
        Err(Failure { retry_after: Some(*probe_at - now), ..Failure::of(kind) })
    }

    /// Takes note of an attempt, and says whether that changed anything. Whatever GatewayAPI says about a single
    /// message shows that it works.
    pub fn record(&self, outcome: Result<(), FailureKind>, now: Instant) -> Option<Change> {
        let cause = match outcome {
            Err(FailureKind::Account(fault)) => Cause::Account(fault),
            Err(FailureKind::NotSent(NotSent::Unreachable)) => Cause::Unreachable,
            // Neither shows that it works nor that it does not.
            Err(FailureKind::NotSent(_) | FailureKind::Unknown(_)) => return None,
            Ok(()) | Err(FailureKind::Rejected(_)) => {
                let before = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
                return matches!(before, State::Open { .. }).then_some(Change::Closed);
            }
        };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, change) = match *state {
            State::Open { probe_at, interval, .. } => (State::Open { cause, probe_at, interval }, None),
            State::Closed => (State::Failing(1), None),
            State::Failing(run) if run + 1 < RUN => (State::Failing(run + 1), None),
            State::Failing(_) => {
                (State::Open { cause, probe_at: now + FIRST_PROBE, interval: FIRST_PROBE }, Some(Change::Opened))
            }
        };
        *state = next;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gatewayapi::{Rejection, Unknown};

    const UNREACHABLE: FailureKind = FailureKind::NotSent(NotSent::Unreachable);
    const NO_CREDIT: FailureKind = FailureKind::Account(AccountFault::Credit);

    impl Breaker {
        fn is_open(&self) -> bool {
            matches!(*self.0.lock().unwrap(), State::Open { .. })
        }
    }

    fn after(failures: u32, kind: FailureKind, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..failures {
            breaker.record(Err(kind), now);
        }
        breaker
    }

    #[test]
    fn a_run_of_failures_opens_it_and_it_says_what_the_fault_was() {
        let now = Instant::now();
        let almost = after(RUN - 1, UNREACHABLE, now);
        assert_eq!(almost.admit(now), Ok(()));
        assert_eq!(almost.record(Err(UNREACHABLE), now), Some(Change::Opened));
        assert_eq!(almost.record(Err(UNREACHABLE), now), None);
        let refusal = after(RUN, UNREACHABLE, now).admit(now).unwrap_err();
        assert_eq!(refusal.kind, FailureKind::NotSent(NotSent::BreakerOpen));
        assert_eq!(refusal.retry_after, Some(FIRST_PROBE));
        assert_eq!(after(RUN, NO_CREDIT, now).admit(now).unwrap_err().kind, NO_CREDIT);
    }

    #[test]
    fn one_message_probes_and_a_success_closes_it() {
        let now = Instant::now();
        let breaker = after(RUN, UNREACHABLE, now);
        let later = now + FIRST_PROBE;
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.admit(later).is_err(), "one probe at a time");
        breaker.record(Err(UNREACHABLE), later);
        assert!(breaker.admit(later + FIRST_PROBE).is_err(), "the next probe waits longer");
        assert_eq!(breaker.admit(later + FIRST_PROBE * 2), Ok(()));
        assert_eq!(breaker.record(Ok(()), later), Some(Change::Closed));
        assert!(!breaker.is_open());
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn a_no_to_one_message_breaks_the_run() {
        let now = Instant::now();
        let breaker = after(RUN - 1, UNREACHABLE, now);
        breaker.record(Err(FailureKind::Rejected(Rejection::Recipient)), now);
        breaker.record(Err(UNREACHABLE), now);
        assert!(!breaker.is_open());
    }

    #[test]
    fn an_unknown_outcome_changes_nothing() {
        let now = Instant::now();
        let breaker = after(RUN - 1, UNREACHABLE, now);
        breaker.record(Err(FailureKind::Unknown(Unknown::TimedOut)), now);
        breaker.record(Err(UNREACHABLE), now);
        assert!(breaker.is_open());
    }
}
