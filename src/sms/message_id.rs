use std::fmt;

use uuid::{Builder, Uuid};

use super::Timestamp;

/// Names one message everywhere: in the answer's `X-Message-Id`, in the ledger, in the log and as GatewayAPI's `userref`.
///
/// A UUID version 7 (RFC 9562), so ids sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

impl MessageId {
    /// A new id. Reads the clock, as version 7 demands.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id in its usual form, `0199…-…`.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// Not above any id made at that moment or later, nor below any made a millisecond earlier.
    pub fn first_at(moment: Timestamp) -> Self {
        let millis = u64::try_from(moment.millis()).unwrap_or_default();
        Self(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for MessageId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_moment_they_were_made() {
        let before = MessageId::first_at(Timestamp::now());
        let id = MessageId::generate();
        assert!(before <= id);
        let later = Timestamp::now().plus(std::time::Duration::from_millis(1));
        assert!(id < MessageId::first_at(later));
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
    }
}
