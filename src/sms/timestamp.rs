use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment of the wall clock, in microseconds since 1970 (UTC): what databases and replicas agree on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Reads the clock.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Days since 1970, UTC.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(MICROS_OF_A_DAY)
    }

    /// The first moment of a day since 1970, UTC.
    pub const fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(MICROS_OF_A_DAY))
    }

    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_micros() as i64))
    }

    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_micros() as i64))
    }

    /// The time from `earlier` to this moment; none where `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(if micros < 0 { 0 } else { micros.cast_unsigned() })
    }

    /// Reads RFC 3339, such as `2026-11-22T12:00:00Z`, or a date alone, which is its first moment.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let whole = if text.len() == "2026-11-22".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
        humantime::parse_rfc3339(&whole).ok().map(Self::from)
    }
}

const MICROS_OF_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64))
    }
}

/// RFC 3339 with milliseconds, UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The last moment that has a name in RFC 3339: the year 9999 ends.
        const LAST: i64 = 253_402_300_799_999_999;
        let since = Duration::from_micros(self.0.clamp(0, LAST).cast_unsigned());
        humantime::format_rfc3339_millis(UNIX_EPOCH + since).fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_and_read_as_rfc_3339() {
        let moment = Timestamp::parse("2026-11-22T12:30:00.250Z").unwrap();
        assert_eq!(moment.to_string(), "2026-11-22T12:30:00.250Z");
        assert_eq!(Timestamp::parse("2026-11-22").unwrap().to_string(), "2026-11-22T00:00:00.000Z");
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn any_moment_can_be_shown() {
        assert_eq!(Timestamp::from_seconds(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_micros(-1).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let moment = Timestamp::parse("2026-11-22T23:59:30Z").unwrap();
        let tomorrow = Timestamp::of_day(moment.day() + 1);
        assert_eq!(tomorrow, moment.plus(Duration::from_secs(30)));
        assert_eq!(tomorrow.day(), moment.day() + 1);
    }
}
