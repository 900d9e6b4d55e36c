//! What became of the messages of the last hour.

use super::*;
use rstest::rstest;

const DANISH: &str = NUMBER;
const SWEDISH: &str = "+46701740605";
/// Of a satellite network, which is no country's.
const OF_NO_COUNTRY: &str = "+881612345678";

/// The messages that one process after the other has written.
struct Past<'a> {
    place: &'a Place,
    ledger: Opened,
}

impl<'a> Past<'a> {
    fn at(place: &'a Place) -> Self {
        Self { place, ledger: place.open() }
    }

    /// Admitted so many seconds ago, and accepted a second later.
    fn accepted(&mut self, to: &str, ago: u64) -> MessageId {
        let entry = entry_to(to, None, NOW.minus(seconds(ago)));
        self.ledger.force(&entry);
        self.ledger.settle(Settlement::of(entry.id, Outcome::Accepted, entry.admitted_at.plus(seconds(1))));
        entry.id
    }

    fn reported(&mut self, to: &str, ago: u64, status: DeliveryStatus, after: u64) {
        let id = self.accepted(to, ago);
        self.ledger.report(report(id, status, NOW.minus(seconds(ago)).plus(seconds(1 + after))));
    }

    fn failed(&mut self, outcome: Outcome, ago: u64) {
        let entry = entry_to(DANISH, None, NOW.minus(seconds(ago)));
        self.ledger.force(&entry);
        self.ledger.settle(Settlement::of(entry.id, outcome, entry.admitted_at));
    }

    fn restarted(self) -> Self {
        let place = self.place;
        // The file has one user at a time.
        drop(self);
        Self::at(place)
    }

    fn deliveries(&mut self, minutes: u64) -> Deliveries {
        let since = NOW.minus(seconds(minutes * 60));
        Deliveries::read(&mut *self.ledger.shelf, since, NOW).unwrap()
    }
}

#[rstest]
fn the_last_hour_is_counted_by_country_over_a_restart(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut past = Past::at(&place);
    // A good week is over.
    for ago in 3601..3700 {
        past.reported(DANISH, ago, DeliveryStatus::Delivered, 2);
    }
    past.reported(DANISH, 3599, DeliveryStatus::Delivered, 2);
    past.reported(DANISH, 1000, DeliveryStatus::Undeliverable, 2);
    past.reported(DANISH, 999, DeliveryStatus::Enroute, 2);
    past.accepted(DANISH, 998);
    let mut past = past.restarted();
    past.accepted(DANISH, 20);
    past.reported(SWEDISH, 900, DeliveryStatus::Delivered, 40);
    past.reported(SWEDISH, 899, DeliveryStatus::Delivered, 4);
    past.reported(OF_NO_COUNTRY, 800, DeliveryStatus::Accepted, 3);
    past.failed(Outcome::AccountFault, 700);
    past.failed(Outcome::Unknown, 600);
    past.ledger.force(&entry_to(DANISH, None, NOW));

    let accepted = |accepted| Outcomes { accepted, ..Outcomes::default() };
    let time = |messages, median, p90| Some(TimeToDelivery { messages, median, p90 });
    let danish = Tally {
        messages: 6,
        outcomes: Outcomes { account_fault: 1, unknown: 1, ..accepted(4) },
        delivered: 1,
        undelivered: 1,
        overdue: 2,
        silent: 1,
        time_to_delivery: time(1, 2, 2),
        ..Tally::default()
    };
    let swedish = Tally {
        messages: 2,
        outcomes: accepted(2),
        delivered: 2,
        time_to_delivery: time(2, 4, 40),
        ..Tally::default()
    };
    let of_no_country = Tally { messages: 1, outcomes: accepted(1), unconfirmed: 1, ..Tally::default() };
    let total = Tally {
        messages: 9,
        outcomes: Outcomes { accepted: 7, ..danish.outcomes.clone() },
        delivered: 3,
        unconfirmed: 1,
        time_to_delivery: time(3, 4, 40),
        ..danish.clone()
    };
    let young = Tally { messages: 2, outcomes: Outcomes { open: 1, ..accepted(1) }, waiting: 1, ..Tally::default() };
    let country = |country: Option<&str>, tally| CountryTally { country: country.map(ToOwned::to_owned), tally };
    let expected = Deliveries {
        since: NOW.minus(seconds(3600)),
        until: NOW,
        overdue_after_seconds: 300,
        last_report_at: Some(NOW.minus(seconds(800 - 1 - 3))),
        due: Period {
            since: NOW.minus(seconds(3600)),
            until: NOW.minus(seconds(300)),
            complete: true,
            total,
            countries: vec![country(Some("DK"), danish), country(Some("SE"), swedish), country(None, of_no_country)],
        },
        young: Period {
            since: NOW.minus(seconds(300)),
            until: NOW,
            complete: true,
            total: young.clone(),
            countries: vec![country(Some("DK"), young)],
        },
    };
    assert_eq!(past.deliveries(60), expected);
    assert_eq!(past.deliveries(24 * 60).due.total.messages, 9 + 99);
    let last_minutes = past.deliveries(5);
    assert_eq!((last_minutes.due.total, last_minutes.young), (Tally::default(), expected.young));
}

/// So many accepted messages, one each 20 milliseconds until now.
fn young_rows(count: u64) -> Vec<Write> {
    let accepted = |row| {
        let entry = entry_to(DANISH, None, NOW.minus(Duration::from_millis(20 * row)));
        let settlement = Settlement::of(entry.id, Outcome::Accepted, entry.admitted_at);
        [open(&entry, Charging::Force), Write::Settle(settlement, Correction::None)]
    };
    (0..count).flat_map(accepted).collect()
}

#[rstest]
fn however_many_are_young_those_are_judged_that_are_due(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut past = Past::at(&place);
    // As large as the ledger's thread makes them: a larger batch may take longer than a busy machine has.
    for batch in young_rows(10_001).chunks(512) {
        past.ledger.write(batch);
    }
    for ago in 400..412 {
        past.accepted(SWEDISH, ago);
    }
    past.reported(DANISH, 500, DeliveryStatus::Delivered, 2);
    let Deliveries { due, young, .. } = past.deliveries(60);
    assert_eq!((young.complete, young.total.messages, young.total.waiting), (false, 10_000, 10_000));
    assert_eq!(young.since, NOW.minus(Duration::from_millis(20 * 9_999)));
    assert_eq!((due.complete, due.since, due.total.messages), (true, NOW.minus(seconds(3600)), 13));
    assert_eq!((due.total.silent, due.total.delivered), (12, 1));
    assert_eq!(due.countries[0].country.as_deref(), Some("SE"));
}

#[rstest]
fn where_nothing_was_sent_there_is_nothing(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let found = Past::at(&place).deliveries(60);
    assert_eq!(found.last_report_at, None);
    for period in [found.due, found.young] {
        assert_eq!((period.complete, period.total, period.countries), (true, Tally::default(), vec![]));
    }
}

#[test]
fn no_more_rows_are_read_than_asked_for() {
    let place = Place::new(Kind::File);
    drop(place.open());
    let file = rusqlite::Connection::open(place.file()).unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {}", crate::ledger::deliveries::Fate::newest());
    let step: String = file.query_row(&plan, [[0_u8; 16], [1; 16]], |row| row.get("detail")).unwrap();
    assert_eq!(step, "SEARCH message USING PRIMARY KEY (id>? AND id<?)");
}
