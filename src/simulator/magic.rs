//! Numbers that decide what happens, so that a person or a test can ask for it through the whole service.
//!
//! All are possible Danish numbers: `+452602DDDD` answers with the error code whose decimal form is `DDDD`,
//! `+4526030SSS` with the HTTP status `SSS`, `+45260400NN` plays a trick, `+45260500NN` chooses what the delivery
//! reports say.

use super::{
    errors::{ERROR_CODES, ErrorCode},
    reports::ReportedState,
};

const CODES: u64 = 4_526_020_000;
const STATUSES: u64 = 4_526_030_000;
const TRICKS: u64 = 4_526_040_000;
const FATES: u64 = 4_526_050_000;

/// What a magic recipient makes of the answer to its request, and of all messages of that request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// An error code.
    Code(u16),
    /// An HTTP status without a code.
    Status(u16),
    Trick(Trick),
}

/// An answer that is no plain refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trick {
    Silence,
    CutShort,
    Closed,
    Garbage,
    NoIds,
    Oversized,
    /// A 503 as HTML, once.
    HtmlOnce,
    RateLimitedOnce,
    UnavailableTwice,
    /// Answers after so many seconds.
    Slow(u64),
}

/// What the delivery reports of a message say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fate {
    #[default]
    Delivered,
    Undeliverable,
    Expired,
    Rejected,
    OutOfOrder,
    Twice,
    UnknownState,
    Unreported,
}

const STATUS_TABLE: [(u16, &str); 11] = [
    (302, "HTTP 302 to the same address"),
    (400, "HTTP 400 without a code"),
    (401, "HTTP 401 without a code"),
    (403, "HTTP 403 without a code"),
    (404, "HTTP 404 without a code"),
    (422, "HTTP 422 without a code"),
    (429, "HTTP 429 without a code, with Retry-After: 1"),
    (500, "HTTP 500 without a code"),
    (502, "HTTP 502 without a code"),
    (503, "HTTP 503 without a code"),
    (504, "HTTP 504 without a code"),
];

/// Numbered from 01.
const TRICK_TABLE: [(Trick, &str); 11] = [
    (Trick::Silence, "never answers; not accepted"),
    (Trick::CutShort, "accepted; the connection dies in the middle of the answer"),
    (Trick::Closed, "accepted; the connection is closed without an answer"),
    (Trick::Garbage, "accepted; HTTP 200 with HTML"),
    (Trick::NoIds, "HTTP 200 with empty ids; not accepted"),
    (Trick::Oversized, "accepted; HTTP 200 with more than 64 KiB"),
    (Trick::HtmlOnce, "HTTP 503 with HTML once, then accepted"),
    (Trick::RateLimitedOnce, "HTTP 429 with Retry-After: 1 once, then accepted"),
    (Trick::UnavailableTwice, "HTTP 503 twice, then accepted"),
    (Trick::Slow(3), "accepted; answers after 3 s"),
    (Trick::Slow(30), "accepted; answers after 30 s"),
];

/// Numbered from 01.
const FATE_TABLE: [(Fate, &str); 8] = [
    (Fate::Delivered, "reports BUFFERED, ENROUTE, DELIVERED, as for any other number"),
    (Fate::Undeliverable, "reports UNDELIVERABLE with code 0x1001"),
    (Fate::Expired, "reports EXPIRED"),
    (Fate::Rejected, "reports REJECTED with code 0x1904"),
    (Fate::OutOfOrder, "reports DELIVERED, then ENROUTE"),
    (Fate::Twice, "reports DELIVERED twice"),
    (Fate::UnknownState, "reports a state that nobody knows"),
    (Fate::Unreported, "never reports"),
];

/// Every magic number, with what happens to a message to it.
pub fn magic_numbers() -> impl Iterator<Item = (String, &'static str)> {
    let codes = ERROR_CODES.iter().map(|error| (CODES + u64::from(error.code), error.what));
    let statuses = STATUS_TABLE.iter().map(|&(status, what)| (STATUSES + u64::from(status), what));
    let tricks = (TRICKS + 1..).zip(TRICK_TABLE.iter().map(|&(_, what)| what));
    let fates = (FATES + 1..).zip(FATE_TABLE.iter().map(|&(_, what)| what));
    codes.chain(statuses).chain(tricks).chain(fates).map(|(msisdn, what)| (format!("+{msisdn}"), what))
}

impl Magic {
    pub fn of(msisdn: u64) -> Option<Self> {
        let in_block = |start: u64| msisdn.checked_sub(start).and_then(|place| u16::try_from(place).ok());
        match msisdn {
            CODES..STATUSES => in_block(CODES).and_then(ErrorCode::find).map(|error| Self::Code(error.code)),
            STATUSES..TRICKS => {
                let status = in_block(STATUSES)?;
                STATUS_TABLE.iter().any(|&(known, _)| known == status).then_some(Self::Status(status))
            }
            TRICKS..FATES => numbered(&TRICK_TABLE, msisdn - TRICKS).map(Self::Trick),
            _ => None,
        }
    }
}

impl Fate {
    pub fn of(msisdn: u64) -> Self {
        msisdn.checked_sub(FATES).and_then(|place| numbered(&FATE_TABLE, place)).unwrap_or_default()
    }

    /// The states in the order of their reports.
    pub const fn reports(self) -> &'static [ReportedState] {
        const BUFFERED: ReportedState = ReportedState::of("BUFFERED");
        const ENROUTE: ReportedState = ReportedState::of("ENROUTE");
        const DELIVERED: ReportedState = ReportedState::of("DELIVERED");
        match self {
            Self::Delivered => &[BUFFERED, ENROUTE, DELIVERED],
            Self::Undeliverable => const { &[ReportedState::failed("UNDELIVERABLE", "0x1001", "Unknown subscriber")] },
            Self::Expired => const { &[ReportedState::of("EXPIRED")] },
            Self::Rejected => const { &[ReportedState::failed("REJECTED", "0x1904", "Filtered by content")] },
            Self::OutOfOrder => &[DELIVERED, ENROUTE],
            Self::Twice => &[DELIVERED, DELIVERED],
            Self::UnknownState => const { &[ReportedState::of("TELEPORTED")] },
            Self::Unreported => &[],
        }
    }
}

fn numbered<T: Copy>(table: &[(T, &str)], number: u64) -> Option<T> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    table.get(place).map(|&(entry, _)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::Recipient;
    use rstest::rstest;

    #[test]
    fn each_magic_number_is_a_possible_recipient_of_its_own() {
        let mut numbers: Vec<_> = magic_numbers().map(|(number, _)| number).collect();
        for number in &numbers {
            let recipient = Recipient::parse(number).unwrap_or_else(|error| panic!("{number}: {error}"));
            assert_eq!(recipient.country.unwrap().as_str(), "DK");
            assert_eq!(format!("+{}", recipient.msisdn.digits()), *number);
        }
        let count = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }

    #[rstest]
    #[case(4526020533, Some(Magic::Code(0x0215)))]
    #[case(4526020257, Some(Magic::Code(0x0101)))]
    #[case(4526020999, None)]
    #[case(4526030429, Some(Magic::Status(429)))]
    #[case(4526030200, None)]
    #[case(4526040000, None)]
    #[case(4526040001, Some(Magic::Trick(Trick::Silence)))]
    #[case(4526040011, Some(Magic::Trick(Trick::Slow(30))))]
    #[case(4526040012, None)]
    #[case(4526050002, None)]
    #[case(4526091045, None)]
    #[case(15551234567, None)]
    fn a_number_is_magic_by_its_digits(#[case] msisdn: u64, #[case] magic: Option<Magic>) {
        assert_eq!(Magic::of(msisdn), magic);
    }

    #[rstest]
    #[case(4526050001, Fate::Delivered)]
    #[case(4526050008, Fate::Unreported)]
    #[case(4526050009, Fate::Delivered)]
    #[case(4526050000, Fate::Delivered)]
    #[case(4526091045, Fate::Delivered)]
    fn a_number_has_a_fate(#[case] msisdn: u64, #[case] fate: Fate) {
        assert_eq!(Fate::of(msisdn), fate);
    }

    #[test]
    fn the_table_tells_the_truth_about_fates() {
        for (fate, what) in FATE_TABLE {
            for state in fate.reports() {
                assert!(what.contains(state.status) || fate == Fate::UnknownState, "{what}");
                assert!(state.fault.is_none_or(|fault| what.contains(fault.code)), "{what}");
            }
        }
    }
}
