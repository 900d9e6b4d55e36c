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
        Deliveries::of(self.ledger.shelf.fates(MessageId::first_at(since)).unwrap(), since, NOW)
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
    let time = |median, p90| Some(TimeToDelivery { median, p90 });
    let danish = Tally {
        messages: 8,
        outcomes: Outcomes { open: 1, account_fault: 1, unknown: 1, ..accepted(5) },
        delivered: 1,
        undelivered: 1,
        overdue: 2,
        waiting: 1,
        time_to_delivery: time(2, 2),
        ..Tally::default()
    };
    let swedish =
        Tally { messages: 2, outcomes: accepted(2), delivered: 2, time_to_delivery: time(4, 40), ..Tally::default() };
    let of_no_country = Tally { messages: 1, outcomes: accepted(1), unconfirmed: 1, ..Tally::default() };
    let total = Tally {
        messages: 11,
        outcomes: Outcomes { accepted: 8, ..danish.outcomes.clone() },
        delivered: 3,
        unconfirmed: 1,
        time_to_delivery: time(4, 40),
        ..danish.clone()
    };
    let country = |country: Option<&str>, tally| CountryTally { country: country.map(ToOwned::to_owned), tally };
    let expected = Deliveries {
        since: NOW.minus(seconds(3600)),
        until: NOW,
        complete: true,
        overdue_after_seconds: 300,
        total,
        countries: vec![country(Some("DK"), danish), country(Some("SE"), swedish), country(None, of_no_country)],
    };
    assert_eq!(past.deliveries(60), expected);
    assert_eq!(past.deliveries(24 * 60).total.messages, 11 + 99);
    let last_minutes = past.deliveries(5);
    assert_eq!((last_minutes.total.messages, last_minutes.total.waiting), (2, 1));
}

#[rstest]
fn where_nothing_was_sent_there_is_nothing(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let found = Past::at(&place).deliveries(60);
    assert_eq!((found.complete, found.total, found.countries), (true, Tally::default(), vec![]));
}

#[test]
fn no_more_rows_are_read_than_asked_for() {
    let place = Place::new(Kind::File);
    drop(place.open());
    let file = rusqlite::Connection::open(place.file()).unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {}", crate::ledger::deliveries::Fate::newest());
    let step: String = file.query_row(&plan, [[0_u8; 16]], |row| row.get("detail")).unwrap();
    assert_eq!(step, "SEARCH message USING PRIMARY KEY (id>?)");
}
