//! The arithmetic of one limit: the generic cell rate algorithm (GCRA).
//!
//! One timestamp says all: when everything that was taken so far is paid back. A message costs `interval`; it is refused
//! when that would put the timestamp more than `count` intervals ahead of now. So `count` pass at once, and then one
//! each interval.

use std::time::Duration;

use crate::{config::Rate, sms::Timestamp};

/// Microseconds that the clocks of replicas, which share timestamps, may differ by.
const SKEW: i64 = 60_000_000;

/// A rate, ready to be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gcra {
    /// Microseconds that a message costs, rounded up: never more than the rate.
    interval: i64,
    /// Microseconds that may be ahead.
    capacity: i64,
}

impl Gcra {
    pub(super) fn of(rate: Rate) -> Self {
        let interval = (rate.period.as_micros() as u64).div_ceil(u64::from(rate.count)).max(1) as i64;
        Self { interval, capacity: interval.saturating_mul(i64::from(rate.count)) }
    }

    /// One message in each `pause`.
    pub(super) fn pause(pause: Duration) -> Self {
        Self::of(Rate { count: 1, period: pause })
    }

    /// The timestamp after one more message, or how long to wait for it to pass.
    pub(super) fn take(self, stamp: i64, now: Timestamp) -> Result<i64, Duration> {
        let next = stamp.max(now.micros()).saturating_add(self.interval);
        let ahead = next.saturating_sub(now.micros());
        if ahead <= self.capacity {
            Ok(next)
        } else {
            Err(Duration::from_micros((ahead - self.capacity).cast_unsigned()))
        }
    }

    /// The timestamp after one more message that has left already, perhaps a while ago. What is far too much is not held
    /// against the ones to come.
    pub(super) fn force(self, stamp: i64, now: Timestamp) -> i64 {
        let next = stamp.max(now.micros()).saturating_add(self.interval);
        next.min(self.furthest(now)).max(stamp)
    }

    /// A timestamp that no clock near ours made, or another rate: one message passes, and then the rate holds.
    pub(super) fn mend(self, stamp: i64, now: Timestamp) -> i64 {
        let full = now.micros().saturating_add(self.capacity);
        if stamp > self.furthest(now) { full - self.interval } else { stamp }
    }

    /// How far ahead a timestamp may be.
    fn furthest(self, now: Timestamp) -> i64 {
        now.micros().saturating_add(self.capacity).saturating_add(self.capacity.max(SKEW))
    }

    /// The timestamp without a message that was taken so long before the last one. What time has paid back since may
    /// have made room for others already, so it is not given back again: this never makes room for more than the rate.
    pub(super) fn give_back(self, stamp: i64, before_last: Duration) -> i64 {
        let paid_back = i64::try_from(before_last.as_micros()).unwrap_or(i64::MAX);
        stamp.saturating_sub(self.interval.saturating_sub(paid_back).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn rate(count: u32, seconds: u64) -> Gcra {
        Gcra::of(Rate { count, period: Duration::from_secs(seconds) })
    }

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let five = rate(5, 600);
        let mut stamp = 0;
        for _ in 0..5 {
            stamp = five.take(stamp, NOW).unwrap();
        }
        assert_eq!(five.take(stamp, NOW), Err(Duration::from_secs(120)));
        let later = NOW.plus(Duration::from_secs(120));
        stamp = five.take(stamp, later).unwrap();
        assert_eq!(five.take(stamp, later), Err(Duration::from_secs(120)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let pause = Gcra::pause(Duration::from_secs(25));
        let stamp = pause.take(0, NOW).unwrap();
        assert_eq!(pause.take(stamp, NOW), Err(Duration::from_secs(25)));
        assert!(pause.take(pause.give_back(stamp, Duration::ZERO), NOW).is_ok());
    }

    proptest! {
        /// However the messages fall: no more than the burst and what the time since has paid back.
        #[test]
        fn never_more_than_the_rate(count in 1u32..20, period in 1u64..1000, gaps in prop::collection::vec(0u64..200, 1..100)) {
            let limit = rate(count, period);
            let (mut now, mut stamp, mut passed) = (NOW, 0, 0u64);
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                match limit.take(stamp, now) {
                    Ok(next) => {
                        stamp = next;
                        passed += 1;
                    }
                    // To wait as long as it says is enough, and no less is.
                    Err(wait) => {
                        prop_assert!(limit.take(stamp, now.plus(wait)).is_ok());
                        prop_assert!(limit.take(stamp, now.plus(wait).minus(Duration::from_micros(1))).is_err());
                    }
                }
            }
            let elapsed = now.since(NOW).as_secs_f64();
            prop_assert!(passed as f64 <= f64::from(count) + elapsed * f64::from(count) / period as f64 + 1e-6);
        }
    }
}
