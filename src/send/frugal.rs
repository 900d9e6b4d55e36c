//! Keeps a flood of refused calls from becoming a flood of log lines.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sms::Timestamp;

/// Lines that a second may have. The metrics count all of them.
const LINES_A_SECOND: u64 = 100;

/// Counts the lines of the present second: the second above, the lines below.
#[derive(Debug, Default)]
pub(super) struct FrugalLog(AtomicU64);

const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;

/// Whether a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    Yes,
    /// It is the first after so many that were left out.
    YesAfter(u64),
    No,
}

impl FrugalLog {
    pub(super) fn takes(&self, now: Timestamp) -> Logged {
        let second = now.millis().unsigned_abs() / 1000;
        let next = |known: u64| {
            let count = if known >> COUNT_BITS == second { (known & MOST) + 1 } else { 1 };
            (second << COUNT_BITS) | count.min(MOST)
        };
        let known = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| Some(next(known)));
        let known = known.unwrap_or_else(|known| known);
        let left_out = (known & MOST).saturating_sub(LINES_A_SECOND);
        if known >> COUNT_BITS != second {
            return if left_out > 0 { Logged::YesAfter(left_out) } else { Logged::Yes };
        }
        if (known & MOST) < LINES_A_SECOND { Logged::Yes } else { Logged::No }
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
            assert_eq!(log.takes(now), Logged::Yes);
        }
        for _ in 0..30 {
            assert_eq!(log.takes(now), Logged::No);
        }
        let later = now.plus(Duration::from_secs(1));
        assert_eq!(log.takes(later), Logged::YesAfter(30));
        assert_eq!(log.takes(later), Logged::Yes);
    }
}
