//! What became of the messages of the last minutes, country by country: from the rows, so over restarts and replicas.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use uuid::Uuid;

use super::{
    message::Outcome,
    row::Cells,
    store::{Shelf, StoreError},
};
use crate::sms::{Country, DeliveryStatus, MessageId, Timestamp};

/// Messages of a period that are looked at, the newest ones, so that a busy service is not slowed.
const MOST: usize = 10_000;
/// As long as the alerts give the reports. Who waits for a code has given up by then.
const OVERDUE_AFTER: Duration = Duration::from_secs(5 * 60);
const SECOND: Duration = Duration::from_secs(1);

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
/// report tells a time before acceptance, or one that is still to come.
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
    admitted_at: Timestamp,
    country: Option<Country>,
    /// `None`: the message is open.
    outcome: Option<Outcome>,
    settled_at: Option<Timestamp>,
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
            admitted_at: moment(0)?.unwrap_or_default(),
            country: cells.text(1)?.as_deref().and_then(Country::parse),
            outcome,
            settled_at: moment(3)?,
            report: status.zip(moment(5)?),
        })
    }

    fn accepted_at(&self) -> Timestamp {
        self.settled_at.unwrap_or(self.admitted_at)
    }

    /// How long delivery took, in seconds that have begun. `None`: a clock was wrong.
    fn took(&self, delivered_at: Timestamp, now: Timestamp) -> Option<u64> {
        let accepted_at = self.accepted_at();
        // A report tells the beginning of its second.
        if delivered_at.plus(SECOND) <= accepted_at || delivered_at > now {
            return None;
        }
        let took = delivered_at.since(accepted_at);
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
        let oldest = fates.last().map(|fate| fate.admitted_at).filter(|_| !complete);
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
            None if now.since(fate.accepted_at()) < OVERDUE_AFTER => waiting,
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
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_348_800);
    const HOUR: Duration = Duration::from_secs(3600);

    fn ago(seconds: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(seconds))
    }

    /// Accepted so many seconds ago.
    fn accepted(country: &str, seconds: u64) -> Fate {
        Fate {
            admitted_at: ago(seconds + 1),
            country: Country::parse(country),
            outcome: Some(Outcome::Accepted),
            settled_at: Some(ago(seconds)),
            report: None,
        }
    }

    fn reported(fate: Fate, status: DeliveryStatus, after: u64) -> Fate {
        let time = fate.accepted_at().plus(Duration::from_secs(after));
        Fate { report: Some((status, time)), ..fate }
    }

    fn count(fates: Vec<Fate>) -> Period {
        Period::of(fates, NOW.minus(HOUR), NOW, NOW)
    }

    #[rstest]
    #[case::delivered(DeliveryStatus::Delivered, 600, [1, 0, 0, 0, 0])]
    #[case::expired(DeliveryStatus::Expired, 600, [0, 1, 0, 0, 0])]
    #[case::undeliverable_at_once(DeliveryStatus::Undeliverable, 1, [0, 1, 0, 0, 0])]
    #[case::the_network_tells_no_more(DeliveryStatus::Accepted, 600, [0, 0, 1, 0, 0])]
    #[case::young(DeliveryStatus::Enroute, 299, [0, 0, 0, 1, 0])]
    #[case::late(DeliveryStatus::Enroute, 300, [0, 0, 0, 0, 1])]
    #[case::in_a_state_nobody_knows(DeliveryStatus::Unknown, 3000, [0, 0, 0, 0, 1])]
    fn an_accepted_message_is_counted_by_its_report(
        #[case] status: DeliveryStatus,
        #[case] seconds: u64,
        #[case] expected: [u64; 5],
    ) {
        let tally = count(vec![reported(accepted("DK", seconds), status, 1)]).total;
        let Tally { delivered, undelivered, unconfirmed, waiting, overdue, .. } = tally;
        assert_eq!([delivered, undelivered, unconfirmed, waiting, overdue], expected);
        assert_eq!((tally.messages, tally.outcomes.accepted), (1, 1));
    }

    #[test]
    fn one_of_which_no_report_ever_comes_is_overdue() {
        let enroute = reported(accepted("DK", 301), DeliveryStatus::Enroute, 1);
        let total = count(vec![accepted("DK", 10), accepted("DK", 299), accepted("DK", 300), enroute]).total;
        assert_eq!((total.waiting, total.overdue, total.silent), (2, 2, 1));
    }

    #[test]
    fn what_gatewayapi_did_not_take_is_not_waited_for() {
        let of = |outcome| Fate { outcome, ..accepted("DK", 600) };
        let failed = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Accepted);
        let total = count(failed.map(Some).chain([None]).map(of).collect()).total;
        let outcomes = Outcomes {
            open: 1,
            accepted: 0,
            rejected: 1,
            account_fault: 1,
            not_sent: 1,
            unknown: 1,
            template_fault: 1,
        };
        assert_eq!(total, Tally { messages: 6, outcomes, ..Tally::default() });
    }

    #[rstest]
    #[case(&[], None)]
    #[case(&[4], Some((4, 4)))]
    #[case(&[9, 1], Some((1, 9)))]
    #[case(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 90], Some((5, 9)))]
    #[case(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 90], Some((6, 10)))]
    fn times_are_the_nearest_ranks(#[case] seconds: &[u64], #[case] expected: Option<(u64, u64)>) {
        let delivered = |after: &u64| reported(accepted("DK", 600), DeliveryStatus::Delivered, *after);
        let time = count(seconds.iter().map(delivered).collect()).total.time_to_delivery;
        assert_eq!(time.map(|time| (time.median, time.p90)), expected);
    }

    #[rstest]
    #[case::a_second_has_begun(ago(600).plus(Duration::from_millis(1100)), Some(2))]
    #[case::in_the_second_of_acceptance(ago(600).minus(Duration::from_millis(999)), Some(0))]
    #[case::before_acceptance(ago(601), None)]
    #[case::now(NOW, Some(600))]
    #[case::still_to_come(NOW.plus(2 * HOUR), None)]
    fn a_time_that_can_not_be_is_left_out(#[case] time: Timestamp, #[case] expected: Option<u64>) {
        let at = |time| Fate { report: Some((DeliveryStatus::Delivered, time)), ..accepted("DK", 600) };
        let total = count(vec![at(time)]).total;
        assert_eq!((total.delivered, total.time_to_delivery.map(|time| time.median)), (1, expected));
        let total = count(vec![at(time), at(ago(580))]).total;
        assert_eq!(total.time_to_delivery.unwrap().messages, 1 + u64::from(expected.is_some()));
    }

    #[test]
    fn the_newest_report_of_either_period_is_told() {
        let enroute = |seconds, after| reported(accepted("DK", seconds), DeliveryStatus::Enroute, after);
        let newest = |due, young| Deliveries::of([due, young], [NOW.minus(HOUR), ago(300), NOW]).last_report_at;
        assert_eq!(newest(vec![enroute(600, 3)], vec![enroute(20, 1)]), Some(ago(19)));
        assert_eq!(newest(vec![enroute(600, 3), enroute(900, 500)], vec![accepted("DK", 20)]), Some(ago(400)));
        assert_eq!(newest(vec![enroute(600, 3), enroute(700, 7200)], vec![]), Some(ago(597)));
        assert_eq!(newest(vec![accepted("DK", 600)], vec![accepted("DK", 20)]), None);
    }

    #[test]
    fn a_report_that_came_before_our_own_answer_is_measured_from_admission() {
        let fate = Fate { settled_at: None, ..accepted("DK", 600) };
        let time = count(vec![reported(fate, DeliveryStatus::Delivered, 3)]).total.time_to_delivery;
        assert_eq!(time, Some(TimeToDelivery { messages: 1, median: 3, p90: 3 }));
    }

    #[test]
    fn each_country_has_its_own_tally_the_most_messages_first() {
        let delivered = |country| reported(accepted(country, 600), DeliveryStatus::Delivered, 2);
        let found = count(vec![delivered("SE"), accepted("DK", 600), delivered("DK"), delivered("?")]);
        let countries: Vec<_> = found
            .countries
            .iter()
            .map(|CountryTally { country, tally }| (country.as_deref(), tally.delivered, tally.overdue))
            .collect();
        assert_eq!(countries, [(Some("DK"), 1, 1), (None, 1, 0), (Some("SE"), 1, 0)]);
        assert_eq!((found.total.messages, found.total.delivered, found.total.overdue), (4, 3, 1));
    }

    #[test]
    fn it_says_whether_it_looked_at_all() {
        let all = count((0..MOST as u64).map(|seconds| accepted("DK", seconds)).collect());
        assert_eq!((all.complete, all.since, all.total.messages), (true, NOW.minus(HOUR), 10_000));
        let part = count((0..=MOST as u64).map(|seconds| accepted("DK", seconds)).collect());
        assert_eq!((part.complete, part.since, part.total.messages), (false, ago(10_000), 10_000));
    }
}
