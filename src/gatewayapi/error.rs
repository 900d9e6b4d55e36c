//! What can go wrong with a message at GatewayAPI, and what its error codes mean.
//!
//! Three things matter to whoever waits: they said no (never try again), nothing was sent (try again while there is
//! time), or we don't know (never try again, for the message may have been sent and billed).

use std::{fmt, time::Duration};

use crate::sms::{Outcome, words};

/// GatewayAPI's error code, such as `0x0215`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// Reads `0x0215`.
    pub fn parse(text: &str) -> Option<Self> {
        u16::from_str_radix(text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?, 16).ok().map(Self)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a message was not accepted, with what an operator needs to ask GatewayAPI about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub status: Option<u16>,
    pub code: Option<ErrorCode>,
    /// GatewayAPI's `incident_uuid`.
    pub incident: Option<String>,
    /// How long to wait before the next try.
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// They said no to this message.
    Rejected(Rejection),
    /// They say no to every message of ours.
    Account(AccountFault),
    /// Nothing was sent.
    NotSent(NotSent),
    /// It may have been sent.
    Unknown(Unknown),
}

words! {
    pub enum Rejection {
        /// The number is blacklisted.
        Recipient = "recipient",
        /// This number and message are blacklisted for a while.
        RecipientForNow = "recipient_for_now",
        /// The country or the operator is not authorised.
        Destination = "destination",
        /// Filtered by content, an unlisted link for instance.
        Content = "content",
        /// The request is wrong: a fault of ours that may lie in one message of a list.
        Request = "request",
        /// The request is wrong in what all messages have in common: class or priority.
        Settings = "settings",
    }
}

words! {
    pub enum AccountFault {
        Credentials = "credentials",
        /// Our IP address is not allowed.
        Address = "address",
        Credit = "credit",
        /// A feature is not enabled for the account.
        Feature = "feature",
        Frozen = "frozen",
        /// The class is not configured for the account.
        Class = "class",
    }
}

words! {
    pub enum NotSent {
        /// No connection: refused, reset, DNS, TLS, or too slow.
        Unreachable = "unreachable",
        /// GatewayAPI is too busy or has a fault of its own.
        Transient = "transient",
        /// The deadline passed while the message waited for a connection.
        DeadlinePassed = "deadline_passed",
        /// Too many messages wait already.
        Overloaded = "overloaded",
        /// GatewayAPI could not be reached lately, so it was not tried.
        BreakerOpen = "breaker_open",
        /// A newer message to the same number was asked for while this one waited for its next try.
        Superseded = "superseded",
    }
}

words! {
    pub enum Unknown {
        /// The connection broke after the request was written.
        Broken = "broken",
        /// No answer in time.
        TimedOut = "timed_out",
        /// An answer that can't be read.
        Unreadable = "unreadable",
    }
}

impl NotSent {
    /// A request was tried; the others kept the message from one.
    const fn was_tried(self) -> bool {
        match self {
            Self::Unreachable | Self::Transient => true,
            Self::DeadlinePassed | Self::Overloaded | Self::BreakerOpen | Self::Superseded => false,
        }
    }
}

impl std::error::Error for Failure {}

/// What an operator reads, as far as it is known.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if let Some(incident) = &self.incident {
            write!(f, ", incident {incident}")?;
        }
        Ok(())
    }
}

impl Failure {
    pub const fn of(kind: FailureKind) -> Self {
        Self { kind, status: None, code: None, incident: None, retry_after: None }
    }

    pub const fn not_sent(reason: NotSent) -> Self {
        Self::of(FailureKind::NotSent(reason))
    }

    pub const fn unknown(reason: Unknown) -> Self {
        Self::of(FailureKind::Unknown(reason))
    }

    /// It did not even come to wait for a connection: the breaker answered, or too many wait.
    pub const fn was_turned_away(&self) -> bool {
        match self.kind {
            FailureKind::NotSent(NotSent::BreakerOpen | NotSent::Overloaded) => true,
            // GatewayAPI says so with a status only.
            FailureKind::Account(_) => self.status.is_none(),
            FailureKind::NotSent(_) | FailureKind::Rejected(_) | FailureKind::Unknown(_) => false,
        }
    }

    /// One message of a list is to blame, and the others would be accepted without it. A status that GatewayAPI does
    /// not give for a message's sake (404, a redirect) blames none.
    pub(super) const fn blames_one_message(&self) -> bool {
        match self.kind {
            FailureKind::Rejected(Rejection::Settings) => false,
            FailureKind::Rejected(Rejection::Request) => self.code.is_some() || matches!(self.status, Some(400 | 422)),
            FailureKind::Rejected(_) => true,
            FailureKind::Account(_) | FailureKind::NotSent(_) | FailureKind::Unknown(_) => false,
        }
    }
}

impl FailureKind {
    /// Those that a request to GatewayAPI can meet.
    pub(super) fn of_a_request() -> impl Iterator<Item = Self> {
        let not_sent = NotSent::ALL.into_iter().filter(|reason| reason.was_tried());
        let rejected = Rejection::ALL.into_iter().map(Self::Rejected);
        rejected
            .chain(AccountFault::ALL.into_iter().map(Self::Account))
            .chain(not_sent.map(Self::NotSent))
            .chain(Unknown::ALL.into_iter().map(Self::Unknown))
    }

    /// What it makes of a message.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Rejected(_) => Outcome::Rejected,
            Self::Account(_) => Outcome::AccountFault,
            Self::NotSent(_) => Outcome::NotSent,
            Self::Unknown(_) => Outcome::Unknown,
        }
    }

    /// The kind of error, for metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected(reason) => reason.as_str(),
            Self::Account(fault) => fault.as_str(),
            Self::NotSent(reason) => reason.as_str(),
            Self::Unknown(reason) => reason.as_str(),
        }
    }
}

/// What an answer other than 2xx means: by its code first, by its status second.
pub(super) const fn classify(status: u16, code: Option<ErrorCode>) -> FailureKind {
    if let Some(code) = code
        && let Some(kind) = by_code(code)
    {
        return kind;
    }
    match status {
        401 => FailureKind::Account(AccountFault::Credentials),
        403 => FailureKind::Account(AccountFault::Feature),
        429 | 500 | 502 | 503 | 504 => FailureKind::NotSent(NotSent::Transient),
        // A redirect is not followed, and a status that nobody described tells what is wrong with the request.
        ..500 => FailureKind::Rejected(Rejection::Request),
        _ => FailureKind::Unknown(Unknown::Unreadable),
    }
}

const fn by_code(code: ErrorCode) -> Option<FailureKind> {
    use AccountFault as Fault;
    use FailureKind::{Account, NotSent as Not, Rejected};

    Some(match code.0 {
        0x0220..=0x0222 | 0x0310 => Rejected(Rejection::Request),
        0x0218 | 0x0311 => Rejected(Rejection::Settings),
        0x0210..=0x0212 | 0x0223..=0x0226 | 0x0229 => Account(Fault::Credentials),
        0x0213 => Account(Fault::Address),
        0x0214 => Rejected(Rejection::RecipientForNow),
        0x0215 => Rejected(Rejection::Recipient),
        0x0216 => Account(Fault::Credit),
        0x0217 | 0x021f => Rejected(Rejection::Destination),
        0x0219..=0x021d => Account(Fault::Feature),
        0x021e => Account(Fault::Class),
        0x022a => Account(Fault::Frozen),
        0x0312 => Rejected(Rejection::Content),
        other => match other & 0xff {
            0x01 | 0x04 | 0x05 | 0x06 | 0x09 => Not(NotSent::Transient),
            0x02 | 0x03 | 0x07 | 0x08 => Rejected(Rejection::Request),
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(400, &[0x0220, 0x0221, 0x0222], "rejected", "request")]
    #[case(401, &[0x0210, 0x0211, 0x0212, 0x0223, 0x0224, 0x0225, 0x0226, 0x0229], "account_fault", "credentials")]
    #[case(403, &[0x0213], "account_fault", "address")]
    #[case(403, &[0x0214], "rejected", "recipient_for_now")]
    #[case(403, &[0x0215], "rejected", "recipient")]
    #[case(403, &[0x0216], "account_fault", "credit")]
    #[case(403, &[0x0217, 0x021f], "rejected", "destination")]
    #[case(403, &[0x0219, 0x021a, 0x021b, 0x021c, 0x021d], "account_fault", "feature")]
    #[case(403, &[0x022a], "account_fault", "frozen")]
    #[case(422, &[0x0218, 0x0311], "rejected", "settings")]
    #[case(422, &[0x0310], "rejected", "request")]
    #[case(422, &[0x0312], "rejected", "content")]
    #[case(500, &[0x021e], "account_fault", "class")]
    #[case(500, &[0x0101, 0x0204, 0x0305, 0x0406, 0x0909], "not_sent", "transient")]
    #[case(400, &[0x0101, 0x0209], "not_sent", "transient")]
    #[case(500, &[0x0102, 0x0203, 0x0307, 0x0408], "rejected", "request")]
    fn the_code_decides(#[case] status: u16, #[case] codes: &[u16], #[case] outcome: &str, #[case] kind: &str) {
        for code in codes {
            let found = classify(status, Some(ErrorCode(*code)));
            assert_eq!((found.outcome().as_str(), found.as_str()), (outcome, kind), "{code:#06x}");
        }
    }

    #[rstest]
    #[case(400, "rejected", "request")]
    #[case(401, "account_fault", "credentials")]
    #[case(403, "account_fault", "feature")]
    #[case(404, "rejected", "request")]
    #[case(302, "rejected", "request")]
    #[case(422, "rejected", "request")]
    #[case(429, "not_sent", "transient")]
    #[case(500, "not_sent", "transient")]
    #[case(502, "not_sent", "transient")]
    #[case(503, "not_sent", "transient")]
    #[case(504, "not_sent", "transient")]
    #[case(520, "unknown", "unreadable")]
    fn the_status_decides_without_a_known_code(#[case] status: u16, #[case] outcome: &str, #[case] kind: &str) {
        for code in [None, Some(ErrorCode(0x7777))] {
            let found = classify(status, code);
            assert_eq!((found.outcome().as_str(), found.as_str()), (outcome, kind), "{code:?}");
        }
    }

    #[test]
    fn a_code_is_read_as_it_is_written() {
        assert_eq!(ErrorCode::parse("0x0213"), Some(ErrorCode(0x0213)));
        assert_eq!(ErrorCode::parse("0x021E").unwrap().to_string(), "0x021e");
        assert_eq!(ErrorCode::parse("531"), None);
        assert_eq!(ErrorCode::parse("0x12345"), None);
    }
}
