//! Keeps a flood of refused calls from becoming a flood of log lines.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sms::Timestamp;

/// Lines that a second may have. The metrics count all of them.
const LINES_A_SECOND: u64 = 100;

/// Counts the lines of the present second: the second above, the lines below.
#[derive(Debug, Default)]
pub struct FrugalLog(AtomicU64);

const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;

impl FrugalLog {
    /// Whether one more line is written. The first of a second also tells how many the one before left out.
    pub fn takes(&self, now: Timestamp) -> bool {
        let (is_taken, left_out) = self.count(now);
        if left_out > 0 {
            tracing::warn!(left_out, "more calls were refused than the log tells");
        }
        is_taken
    }

    fn count(&self, now: Timestamp) -> (bool, u64) {
        let second = now.millis().unsigned_abs() / 1000;
        let next = |known: u64| {
            let count = if known >> COUNT_BITS == second { (known & MOST) + 1 } else { 1 };
            (second << COUNT_BITS) | count.min(MOST)
        };
        let known = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| Some(next(known)));
        let known = known.unwrap_or_else(|known| known);
        let left_out = (known & MOST).saturating_sub(LINES_A_SECOND);
        if known >> COUNT_BITS != second {
            return (true, left_out);
        }
        ((known & MOST) < LINES_A_SECOND, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_has_so_many_lines_and_the_next_tells_of_the_rest() {
        let (log, now) = (FrugalLog::default(), Timestamp::from_seconds(1_000_000));
        for _ in 0..LINES_A_SECOND {
            assert_eq!(log.count(now), (true, 0));
        }
        for _ in 0..30 {
            assert_eq!(log.count(now), (false, 0));
        }
        let later = now.plus(Duration::from_secs(1));
        assert_eq!(log.count(later), (true, 30));
        assert_eq!(log.count(later), (true, 0));
    }
}
