//! Whether to try again, as a pure function.

use std::time::Duration;

use super::error::{Failure, FailureKind, NotSent};

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Wait(Duration),
    Stop,
}

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// An attempt with less time than this would rather end as unknown than as sent.
const ATTEMPT: Duration = Duration::from_millis(250);
const MOST_ATTEMPTS: u32 = 8;

/// Decides after the `attempt`-th attempt (from 1) with `left` until the deadline. Only what was certainly not sent is
/// tried again, after an exponential wait with full jitter (`random` is in 0..1) or GatewayAPI's `Retry-After`.
pub fn decide(failure: &Failure, attempt: u32, left: Duration, random: f64) -> Decision {
    let FailureKind::NotSent(NotSent::Unreachable | NotSent::Transient) = failure.kind else {
        return Decision::Stop;
    };
    let most = FIRST_WAIT.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_WAIT);
    let wait = most.mul_f64(random).max(failure.retry_after.unwrap_or_default());
    if attempt < MOST_ATTEMPTS && wait.saturating_add(ATTEMPT) <= left { Decision::Wait(wait) } else { Decision::Stop }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gatewayapi::{AccountFault, Rejection, Unknown};
    use rstest::rstest;

    const SECOND: Duration = Duration::from_secs(1);

    #[rstest]
    #[case::first(NotSent::Unreachable, 1, 8000, 0.5, Decision::Wait(Duration::from_millis(100)))]
    #[case::second(NotSent::Transient, 2, 8000, 0.5, Decision::Wait(Duration::from_millis(200)))]
    #[case::at_once(NotSent::Transient, 3, 8000, 0.0, Decision::Wait(Duration::ZERO))]
    #[case::longest(NotSent::Transient, 7, 8000, 1.0, Decision::Wait(LONGEST_WAIT))]
    #[case::last(NotSent::Transient, 8, 8000, 0.5, Decision::Stop)]
    #[case::just_enough_time(NotSent::Unreachable, 1, 350, 0.5, Decision::Wait(Duration::from_millis(100)))]
    #[case::no_time(NotSent::Unreachable, 1, 349, 0.5, Decision::Stop)]
    #[case::deadline(NotSent::DeadlinePassed, 1, 8000, 0.5, Decision::Stop)]
    #[case::overloaded(NotSent::Overloaded, 1, 8000, 0.5, Decision::Stop)]
    #[case::breaker(NotSent::BreakerOpen, 1, 8000, 0.5, Decision::Stop)]
    #[case::superseded(NotSent::Superseded, 1, 8000, 0.5, Decision::Stop)]
    fn what_was_not_sent_is_tried_again_while_there_is_time(
        #[case] reason: NotSent,
        #[case] attempt: u32,
        #[case] left: u64,
        #[case] random: f64,
        #[case] expected: Decision,
    ) {
        let decision = decide(&Failure::not_sent(reason), attempt, Duration::from_millis(left), random);
        assert_eq!(decision, expected);
    }

    #[test]
    fn retry_after_is_honoured_or_there_is_no_retry() {
        let failure = Failure { retry_after: Some(SECOND), ..Failure::not_sent(NotSent::Transient) };
        assert_eq!(decide(&failure, 1, SECOND * 8, 0.5), Decision::Wait(SECOND));
        assert_eq!(decide(&failure, 1, SECOND, 0.5), Decision::Stop);
    }

    #[rstest]
    #[case(FailureKind::Rejected(Rejection::Recipient))]
    #[case(FailureKind::Account(AccountFault::Credit))]
    #[case(FailureKind::Unknown(Unknown::Broken))]
    #[case(FailureKind::Unknown(Unknown::TimedOut))]
    #[case(FailureKind::Unknown(Unknown::Unreadable))]
    fn a_no_and_an_unknown_outcome_are_final(#[case] kind: FailureKind) {
        assert_eq!(decide(&Failure::of(kind), 1, SECOND * 8, 0.0), Decision::Stop);
    }
}
