//! What became of the messages of the last minutes, country by country: from the rows, so over restarts and replicas.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    departure::Departure,
    row::Cells,
    store::{Shelf, StoreError},
};
use crate::sms::{Country, DeliveryStatus, MessageId, Outcome, Timestamp};

/// Messages of a period that are looked at, the newest ones, so that a busy service is not slowed.
const MOST: usize = 10_000;
/// As long as the alerts give the reports. Who waits for a code has given up by then.
const OVERDUE_AFTER: Duration = Duration::from_secs(5 * 60);

/// What became of the messages that were admitted lately, in two periods.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deliveries {
    /// The time that was asked for begins here, and ends with `until`.
    pub since: Timestamp,
    /// When they were looked at.
    pub until: Timestamp,
    /// From acceptance; an accepted message without a final report is overdue then.
    #[schema(examples(300))]
    pub overdue_after_seconds: u64,
    /// The newest time that a report of one of them tells. None: no report came of any.
    pub last_report_at: Option<Timestamp>,
    /// So old that reports should be there: by these delivery can be judged.
    pub due: Period,
    /// Admitted since. Those that arrive late, or never, show only later.
    pub young: Period,
}

/// The messages that were admitted in a part of the time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Period {
    /// They were admitted then or later.
    pub since: Timestamp,
    /// They were admitted before.
    pub until: Timestamp,
    /// These are all of the period. Else they are its newest 10 000, and `since` is the moment of the oldest of them.
    pub complete: bool,
    pub total: Tally,
    /// The most messages first.
    pub countries: Vec<CountryTally>,
}

/// Those to one country.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CountryTally {
    /// ISO 3166-1, where the numbers have one.
    #[schema(examples("DK"))]
    pub country: Option<String>,
    #[serde(flatten)]
    pub tally: Tally,
}

/// Messages by what became of them. Accepted ones are counted by their delivery, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Tally {
    pub messages: u64,
    pub outcomes: Outcomes,
    pub delivered: u64,
    /// They failed for good.
    pub undelivered: u64,
    /// The network took them and tells no more (`ACCEPTED`).
    pub unconfirmed: u64,
    /// They wait for a final report, and have not for long.
    pub waiting: u64,
    /// They wait for a final report, and should have one.
    pub overdue: u64,
    /// Those among the overdue of which no report came at all.
    pub silent: u64,
    /// None where no delivered message has a time that can be true.
    pub time_to_delivery: Option<TimeToDelivery>,
}

/// Messages by what became of them on their way to GatewayAPI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Outcomes {
    /// Still under way.
    pub open: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub account_fault: u64,
    pub not_sent: u64,
    pub unknown: u64,
    pub template_fault: u64,
}

/// Seconds from acceptance to the phone. Reports tell whole seconds, so each may be off by one. Left out are those whose
/// report tells a time before admission, or one that is still to come, by more than clocks differ (5 s).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeToDelivery {
    /// Delivered messages whose time was measured.
    #[schema(examples(480))]
    pub messages: u64,
    /// Half of the delivered messages took no longer.
    #[schema(examples(3))]
    pub median: u64,
    /// Nine of ten took no longer.
    #[schema(examples(9))]
    pub p90: u64,
}

/// A row, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    departure: Departure,
    country: Option<Country>,
    /// `None`: the message is open.
    outcome: Option<Outcome>,
    report: Option<(DeliveryStatus, Timestamp)>,
}

impl Fate {
    /// The newest rows not below the id `$1`, and below `$2`: one more than are looked at, which tells that there are more.
    /// Rows lie in the order of their ids, so no others are read.
    pub(super) fn newest() -> String {
        format!(
            "SELECT admitted_at, country, outcome, settled_at, delivery_status, delivery_time FROM message \
             WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT {}",
            MOST + 1
        )
    }

    /// Reads what [`newest`](Self::newest) selects.
    pub(super) fn read<C: Cells>(cells: &C) -> Result<Self, C::Error> {
        let moment = |index| Ok(cells.integer(index)?.map(Timestamp::from_micros));
        // What a later version may have written is not known here.
        let outcome = cells.text(2)?.map(|name| Outcome::from_name(&name).unwrap_or(Outcome::Unknown));
        let status = cells.text(4)?.map(|name| DeliveryStatus::of_report(&name));
        Ok(Self {
            departure: Departure { admitted_at: moment(0)?.unwrap_or_default(), settled_at: moment(3)? },
            country: cells.text(1)?.as_deref().and_then(Country::parse),
            outcome,
            report: status.zip(moment(5)?),
        })
    }

    /// How long delivery took, in seconds that have begun.
    fn took(&self, delivered_at: Timestamp, now: Timestamp) -> Option<u64> {
        let took = self.departure.time_to(delivered_at, now)?;
        Some(took.as_secs() + u64::from(took.subsec_nanos() > 0))
    }
}

impl Deliveries {
    /// Counts the messages since `asked`. Each period is read by itself: the young ones of a busy service would leave no
    /// place for those that can be judged.
    pub(super) fn read(shelf: &mut dyn Shelf, asked: Timestamp, now: Timestamp) -> Result<Self, StoreError> {
        let due = now.minus(OVERDUE_AFTER).max(asked);
        let [first, middle] = [asked, due].map(MessageId::first_at);
        let periods = [shelf.fates(first, middle)?, shelf.fates(middle, MessageId::from(Uuid::max()))?];
        Ok(Self::of(periods, [asked, due, now]))
    }

    /// Of the rows of the two periods between those moments, newest first.
    fn of([due, young]: [Vec<Fate>; 2], [asked, middle, now]: [Timestamp; 3]) -> Self {
        let reports = due.iter().chain(&young).filter_map(|fate| Some(fate.report?.1));
        Self {
            since: asked,
            until: now,
            overdue_after_seconds: OVERDUE_AFTER.as_secs(),
            last_report_at: reports.filter(|time| *time <= now).max(),
            due: Period::of(due, asked, middle, now),
            young: Period::of(young, middle, now, now),
        }
    }
}

impl Period {
    /// Of its rows, newest first.
    fn of(mut fates: Vec<Fate>, since: Timestamp, until: Timestamp, now: Timestamp) -> Self {
        let complete = fates.len() <= MOST;
        fates.truncate(MOST);
        let oldest = fates.last().map(|fate| fate.departure.admitted_at).filter(|_| !complete);
        let mut total = Count::default();
        let mut countries = BTreeMap::<_, Count>::new();
        for fate in &fates {
            total.add(fate, now);
            countries.entry(fate.country).or_default().add(fate, now);
        }
        let mut countries: Vec<_> = countries
            .into_iter()
            .map(|(country, count)| CountryTally {
                country: country.map(|country| country.as_str().to_owned()),
                tally: count.tally(),
            })
            .collect();
        countries.sort_by_key(|country| std::cmp::Reverse(country.tally.messages));
        Self { since: oldest.unwrap_or(since), until, complete, total: total.tally(), countries }
    }
}

/// A tally that is being made.
#[derive(Default)]
struct Count {
    tally: Tally,
    /// That each delivered message took, as far as it is known.
    seconds: Vec<u64>,
}

impl Count {
    fn add(&mut self, fate: &Fate, now: Timestamp) {
        let Tally { messages, outcomes, delivered, undelivered, unconfirmed, waiting, overdue, silent, .. } =
            &mut self.tally;
        *messages += 1;
        *outcomes.of(fate.outcome) += 1;
        if fate.outcome != Some(Outcome::Accepted) {
            return;
        }
        *match fate.report.filter(|(status, _)| status.is_final()) {
            Some((DeliveryStatus::Delivered, time)) => {
                self.seconds.extend(fate.took(time, now));
                delivered
            }
            Some((DeliveryStatus::Accepted, _)) => unconfirmed,
            Some(_) => undelivered,
            None if now.since(fate.departure.at()) < OVERDUE_AFTER => waiting,
            None => {
                *silent += u64::from(fate.report.is_none());
                overdue
            }
        } += 1;
    }

    fn tally(mut self) -> Tally {
        self.seconds.sort_unstable();
        let reached = |percent: usize| {
            let rank = (self.seconds.len() * percent).div_ceil(100);
            self.seconds.get(rank.checked_sub(1)?).copied()
        };
        let messages = self.seconds.len() as u64;
        let time_to_delivery =
            reached(50).zip(reached(90)).map(|(median, p90)| TimeToDelivery { messages, median, p90 });
        Tally { time_to_delivery, ..self.tally }
    }
}

impl Outcomes {
    const fn of(&mut self, outcome: Option<Outcome>) -> &mut u64 {
        match outcome {
            None => &mut self.open,
            Some(Outcome::Accepted) => &mut self.accepted,
            Some(Outcome::Rejected) => &mut self.rejected,
            Some(Outcome::AccountFault) => &mut self.account_fault,
            Some(Outcome::NotSent) => &mut self.not_sent,
            Some(Outcome::Unknown) => &mut self.unknown,
            Some(Outcome::TemplateFault) => &mut self.template_fault,
        }
    }
}

#[cfg(test)]
mod tests;
