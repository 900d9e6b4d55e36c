//! How long a message takes to the phone, as far as two clocks can tell: one rule for the rows and the metrics.

use std::time::Duration;

use crate::sms::Timestamp;

/// Clocks that are kept right differ by less.
const SKEW: Duration = Duration::from_secs(5);

/// When a message set out for the phone, by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    pub(super) admitted_at: Timestamp,
    /// When we read GatewayAPI's answer. `None`: not yet.
    pub(super) settled_at: Option<Timestamp>,
}

impl Departure {
    /// GatewayAPI's acceptance, as far as we know.
    pub(super) fn at(self) -> Timestamp {
        self.settled_at.unwrap_or(self.admitted_at)
    }

    /// The time to the phone, by a report of it that is known `now`. GatewayAPI's clock has whole seconds, and a message
    /// may be there before we read that it was accepted: that is no time at all. `None`: one of the clocks is wrong, as
    /// it was delivered before it was admitted, or will be.
    pub fn time_to(self, delivered_at: Timestamp, now: Timestamp) -> Option<Duration> {
        let is_possible = self.admitted_at.minus(SKEW) <= delivered_at && delivered_at <= now.plus(SKEW);
        is_possible.then(|| delivered_at.since(self.at()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const fn second(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_348_800 + second)
    }

    #[rstest]
    #[case::on_its_way(110, Some(9))]
    #[case::in_the_second_of_acceptance(101, Some(0))]
    #[case::before_our_own_answer(100, Some(0))]
    #[case::by_a_clock_that_is_behind(95, Some(0))]
    #[case::before_admission(94, None)]
    #[case::by_a_clock_that_is_ahead(205, Some(104))]
    #[case::still_to_come(206, None)]
    fn a_time_that_can_not_be_is_none(#[case] delivered_at: i64, #[case] seconds: Option<u64>) {
        let departure = Departure { admitted_at: second(100), settled_at: Some(second(101)) };
        assert_eq!(departure.time_to(second(delivered_at), second(200)), seconds.map(Duration::from_secs));
    }

    #[test]
    fn before_our_own_answer_is_known_it_counts_from_admission() {
        let departure = Departure { admitted_at: second(100), settled_at: None };
        assert_eq!(departure.time_to(second(103), second(103)), Some(Duration::from_secs(3)));
    }
}
