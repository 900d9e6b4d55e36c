//! What became of the messages of the last minutes, country by country: from the rows, so over restarts and replicas.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use super::{message::Outcome, row::Cells};
use crate::sms::{Country, DeliveryStatus, Timestamp};

/// Messages that are looked at, the newest ones, so that a busy service is not slowed.
const MOST: usize = 10_000;
/// As long as the alerts give the reports. Who waits for a code has given up by then.
const OVERDUE_AFTER: Duration = Duration::from_secs(5 * 60);

/// What became of the messages that were admitted lately.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deliveries {
    /// They were admitted then or later.
    pub since: Timestamp,
    /// When they were looked at.
    pub until: Timestamp,
    /// These are all of the time that was asked for; else `since` is the moment of the oldest that was looked at.
    pub complete: bool,
    /// From acceptance; an accepted message without a final report is overdue then.
    #[schema(examples(300))]
    pub overdue_after_seconds: u64,
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
    /// None where nothing was delivered.
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

/// Seconds from acceptance to the phone. Reports tell whole seconds, so each may be off by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeToDelivery {
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
    /// The newest rows not below the id `$1`: one more than are looked at, which tells that there are more. Rows lie in the
    /// order of their ids, so no others are read.
    pub(super) fn newest() -> String {
        format!(
            "SELECT admitted_at, country, outcome, settled_at, delivery_status, delivery_time FROM message \
             WHERE id >= $1 ORDER BY id DESC LIMIT {}",
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
}

impl Deliveries {
    /// Of the rows of the time since `asked`, newest first.
    pub(super) fn of(mut fates: Vec<Fate>, asked: Timestamp, now: Timestamp) -> Self {
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
        Self {
            since: oldest.unwrap_or(asked),
            until: now,
            complete,
            overdue_after_seconds: OVERDUE_AFTER.as_secs(),
            total: total.tally(),
            countries,
        }
    }
}

/// A tally that is being made.
#[derive(Default)]
struct Count {
    tally: Tally,
    /// That each delivered message took.
    seconds: Vec<u64>,
}

impl Count {
    fn add(&mut self, fate: &Fate, now: Timestamp) {
        let Tally { messages, outcomes, delivered, undelivered, unconfirmed, waiting, overdue, .. } = &mut self.tally;
        *messages += 1;
        *outcomes.of(fate.outcome) += 1;
        if fate.outcome != Some(Outcome::Accepted) {
            return;
        }
        *match fate.report.filter(|(status, _)| status.is_final()) {
            Some((DeliveryStatus::Delivered, time)) => {
                let took = time.since(fate.accepted_at());
                self.seconds.push(took.as_secs() + u64::from(took.subsec_nanos() > 0));
                delivered
            }
            Some((DeliveryStatus::Accepted, _)) => unconfirmed,
            Some(_) => undelivered,
            None if now.since(fate.accepted_at()) < OVERDUE_AFTER => waiting,
            None => overdue,
        } += 1;
    }

    fn tally(mut self) -> Tally {
        self.seconds.sort_unstable();
        let reached = |percent: usize| {
            let rank = (self.seconds.len() * percent).div_ceil(100);
            self.seconds.get(rank.checked_sub(1)?).copied()
        };
        let time_to_delivery = reached(50).zip(reached(90)).map(|(median, p90)| TimeToDelivery { median, p90 });
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

    fn count(fates: Vec<Fate>) -> Deliveries {
        Deliveries::of(fates, NOW.minus(HOUR), NOW)
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
        let total = count(vec![accepted("DK", 10), accepted("DK", 299), accepted("DK", 300)]).total;
        assert_eq!((total.waiting, total.overdue), (2, 1));
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

    #[test]
    fn a_second_that_has_begun_is_counted_and_a_clock_behind_ours_gives_none() {
        let at = |time: Timestamp| Fate { report: Some((DeliveryStatus::Delivered, time)), ..accepted("DK", 600) };
        let took = |fate| count(vec![fate]).total.time_to_delivery.unwrap().median;
        assert_eq!(took(at(ago(600).plus(Duration::from_millis(1100)))), 2);
        assert_eq!(took(at(ago(601))), 0);
    }

    #[test]
    fn a_report_that_came_before_our_own_answer_is_measured_from_admission() {
        let fate = Fate { settled_at: None, ..accepted("DK", 600) };
        let time = count(vec![reported(fate, DeliveryStatus::Delivered, 3)]).total.time_to_delivery;
        assert_eq!(time, Some(TimeToDelivery { median: 3, p90: 3 }));
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
