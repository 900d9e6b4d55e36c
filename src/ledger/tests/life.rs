//! A row from its opening to its end.

use super::*;
use crate::{
    gatewayapi::ErrorCode,
    sms::{Cost, Currency, Encoding},
};
use rstest::rstest;

fn accepted(id: MessageId) -> Settlement {
    Settlement {
        sent_at: Some(NOW.plus(seconds(1))),
        locale: Some("da".to_owned()),
        encoding: Some(Encoding::Ucs2),
        segments: Some(2),
        template_variant: Some("SignIn/da".into()),
        gatewayapi_id: Some(u64::MAX),
        cost: Some(Cost { micros: 123_400, currency: Currency::parse("EUR").unwrap() }),
        ..Settlement::of(id, Outcome::Accepted, NOW.plus(seconds(2)))
    }
}

fn unknown(id: MessageId) -> Settlement {
    let error_code = Some(ErrorCode(0x1234));
    Settlement { error_kind: Some("timeout"), error_code, ..Settlement::of(id, Outcome::Unknown, NOW.plus(seconds(2))) }
}

#[rstest]
fn a_message_is_opened_settled_and_reported(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entry = entry();
    ledger.force(&entry);
    let mut expected = MessageRecord {
        id: entry.id,
        status: "open".to_owned(),
        usage_type: "SignIn".to_owned(),
        country: Some("DK".to_owned()),
        to: entry.masked_number.clone(),
        admitted_at: NOW,
        sent_at: None,
        settled_at: None,
        delivered_at: None,
        outcome: None,
        error_kind: None,
        error_code: None,
        locale: None,
        template_variant: None,
        encoding: None,
        segments: None,
        gatewayapi_id: None,
        cost: None,
        currency: None,
        delivery: None,
    };
    assert_eq!(ledger.find(entry.id), expected);

    ledger.settle(accepted(entry.id));
    expected = MessageRecord {
        status: "accepted".to_owned(),
        sent_at: Some(NOW.plus(seconds(1))),
        settled_at: Some(NOW.plus(seconds(2))),
        outcome: Some("accepted".to_owned()),
        locale: Some("da".to_owned()),
        template_variant: Some("SignIn/da".to_owned()),
        encoding: Some("UCS2".to_owned()),
        segments: Some(2),
        gatewayapi_id: Some(u64::MAX),
        cost: Some(0.1234),
        currency: Some("EUR".to_owned()),
        ..expected
    };
    assert_eq!(ledger.find(entry.id), expected);

    let (first, last) = (NOW.plus(seconds(3)), NOW.plus(seconds(4)));
    let reported = ledger.report(report(entry.id, DeliveryStatus::Enroute, first));
    assert_eq!(reported.effect, Effect::Applied);
    let departure = Departure { admitted_at: NOW, settled_at: Some(NOW.plus(seconds(2))) };
    assert_eq!((reported.country, reported.departure), (Country::parse("DK"), Some(departure)));
    let error_code = Some(0x1001);
    let undeliverable = DeliveryReport { error_code, ..report(entry.id, DeliveryStatus::Undeliverable, last) };
    assert_eq!(ledger.report(undeliverable).effect, Effect::Applied);
    expected = MessageRecord {
        status: "undeliverable".to_owned(),
        delivery: Some(DeliveryRecord {
            status: "UNDELIVERABLE".to_owned(),
            time: last,
            error_group: Some("HLR".to_owned()),
            error_code,
        }),
        ..expected
    };
    assert_eq!(ledger.find(entry.id), expected);
}

#[rstest]
fn one_batch_may_hold_a_whole_life(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let (entry, other) = (entry(), entry_to("+4526091046", None, NOW));
    let delivered = NOW.plus(seconds(9));
    let written = ledger.write(&[
        Write::Settle(unknown(entry.id), Correction::None), // Of a row that is not there.
        open(&entry, Charging::Force),
        open(&entry, Charging::Force),
        Write::Settle(unknown(entry.id), Correction::None),
        open(&other, Charging::Force),
        Write::Report(report(entry.id, DeliveryStatus::Enroute, NOW)),
        Write::Settle(accepted(entry.id), Correction::None),
        Write::Report(report(entry.id, DeliveryStatus::Delivered, delivered)),
        Write::Report(report(entry.id, DeliveryStatus::Delivered, delivered)),
    ]);
    assert!(matches!(written[8], Written::Reported(Reported { effect: Effect::Duplicate, .. })), "{written:?}");
    let record = ledger.find(entry.id);
    assert_eq!((record.status.as_str(), record.outcome.as_deref()), ("delivered", Some("accepted")));
    assert_eq!((record.delivered_at, record.segments), (Some(delivered), Some(2)));
    assert_eq!((record.error_kind, record.error_code), (None, None));
    assert_eq!(ledger.find(other.id).status, "open");
}

#[rstest]
fn an_acceptance_may_come_late_and_unknown_never_overrides(
    #[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind,
) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entry = entry();
    ledger.force(&entry);
    ledger.settle(unknown(entry.id));
    let record = ledger.find(entry.id);
    assert_eq!((record.error_kind.as_deref(), record.error_code), (Some("timeout"), Some(0x1234)));

    ledger.settle(accepted(entry.id));
    let late = ledger.find(entry.id);
    assert_eq!((late.outcome.as_deref(), late.error_kind.as_deref(), late.error_code), (Some("accepted"), None, None));

    for outcome in [Outcome::Unknown, Outcome::NotSent] {
        ledger.settle(Settlement::of(entry.id, outcome, NOW.plus(seconds(60))));
        assert_eq!(ledger.find(entry.id), late);
    }
}

#[rstest]
fn who_reports_a_message_has_accepted_it(
    #[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind,
    #[values(false, true)] was_unknown: bool,
) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entry = entry();
    ledger.force(&entry);
    if was_unknown {
        ledger.settle(unknown(entry.id));
    }
    ledger.report(report(entry.id, DeliveryStatus::Buffered, NOW));
    let record = ledger.find(entry.id);
    assert_eq!((record.outcome.as_deref(), record.gatewayapi_id), (Some("accepted"), Some(4711)));
    assert_eq!((record.error_kind, record.error_code), (None, None));

    // Our own word comes after.
    ledger.settle(unknown(entry.id));
    let record = ledger.find(entry.id);
    assert_eq!((record.outcome.as_deref(), record.error_kind.as_deref()), (Some("accepted"), None));
    assert_eq!(record.settled_at, Some(NOW.plus(seconds(2))));
}

#[rstest]
fn reports_come_twice_late_and_for_nobody(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entry = entry();
    ledger.force(&entry);
    let mut effect = |status, second| ledger.report(report(entry.id, status, NOW.plus(seconds(second)))).effect;
    assert_eq!(effect(DeliveryStatus::Enroute, 5), Effect::Applied);
    assert_eq!(effect(DeliveryStatus::Enroute, 5), Effect::Duplicate);
    assert_eq!(effect(DeliveryStatus::Buffered, 4), Effect::Late);
    assert_eq!(effect(DeliveryStatus::Delivered, 4), Effect::Applied);
    assert_eq!(effect(DeliveryStatus::Expired, 6), Effect::Late);
    assert_eq!(ledger.find(entry.id).delivered_at, Some(NOW.plus(seconds(4))));
    let nobody = report(id_at(NOW), DeliveryStatus::Delivered, NOW);
    assert_eq!(ledger.report(nobody), Reported::UNKNOWN);
}

#[rstest]
fn messages_are_searched_and_shown_in_pages(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entries: Vec<_> = (0..5)
        .map(|number| {
            let to = if number == 4 { "+46701740605" } else { NUMBER };
            let usage_type = if number == 3 { UsageType::Register } else { UsageType::SignIn };
            Entry { usage_type, ..entry_to(to, None, NOW.plus(seconds(number))) }
        })
        .collect();
    for entry in &entries {
        ledger.force(entry);
    }
    ledger.settle(Settlement::of(entries[0].id, Outcome::Accepted, NOW));
    ledger.settle(Settlement::of(entries[1].id, Outcome::Accepted, NOW));
    ledger.report(report(entries[1].id, DeliveryStatus::Delivered, NOW));

    let number = pseudonyms().number(Recipient::parse(NUMBER).unwrap().msisdn);
    let all = Query { limit: 10, ..Query::default() };
    let status = |status: &str| Query { status: Some(status.to_owned()), ..all.clone() };
    for (query, expected) in [
        (all.clone(), vec![4, 3, 2, 1, 0]),
        (Query { limit: 2, ..all.clone() }, vec![4, 3]),
        (Query { limit: 2, before: Some(entries[3].id), ..all.clone() }, vec![2, 1]),
        (Query { since: Some(NOW.plus(seconds(3))), ..all.clone() }, vec![4, 3]),
        (Query { number: Some(number), ..all.clone() }, vec![3, 2, 1, 0]),
        (Query { country: Country::parse("SE"), ..all.clone() }, vec![4]),
        (Query { usage_type: Some(UsageType::Register), ..all.clone() }, vec![3]),
        (status("open"), vec![4, 3, 2]),
        (status("accepted"), vec![0]),
        (status("delivered"), vec![1]),
        (Query { number: Some(number), before: Some(entries[3].id), limit: 1, ..status("open") }, vec![2]),
    ] {
        let found = ledger.shelf.list(&query).unwrap();
        let ids: Vec<_> = found.iter().map(|record| record.id).collect();
        assert_eq!(ids, expected.iter().map(|index: &usize| entries[*index].id).collect::<Vec<_>>(), "{query:?}");
    }
    assert_eq!(ledger.shelf.find(id_at(NOW)).unwrap(), None);
}

#[rstest]
fn old_messages_are_forgotten_in_steps(#[values(Kind::File, Kind::Memory, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entries: Vec<_> = (0..5).map(|number| entry_to(NUMBER, None, NOW.plus(seconds(number)))).collect();
    for entry in &entries {
        ledger.force(entry);
    }
    let oldest = MessageId::first_at(NOW.plus(seconds(3)));
    assert_eq!(ledger.store.forget(oldest, NOW, 2).unwrap(), 2);
    assert_eq!(ledger.store.forget(oldest, NOW, 2).unwrap(), 1);
    assert_eq!(ledger.store.forget(oldest, NOW, 2).unwrap(), 0);
    let left = ledger.shelf.list(&Query { limit: 10, ..Query::default() }).unwrap();
    assert_eq!(left.iter().map(|record| record.id).collect::<Vec<_>>(), [entries[4].id, entries[3].id]);
}

#[rstest]
fn what_a_process_left_open_is_unknown(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let entry = entry();
    let mut ledger = place.open();
    ledger.force(&entry);
    drop(ledger);

    let mut ledger = place.open();
    if kind == Kind::Postgres {
        // The server may notice the end of the connection a little later.
        while ledger.store.close_abandoned(NOW).unwrap() == 0 {
            std::thread::yield_now();
        }
    }
    let record = ledger.find(entry.id);
    assert_eq!((record.outcome.as_deref(), record.error_kind.as_deref()), (Some("unknown"), Some("interrupted")));
    assert_eq!(record.settled_at, Some(NOW));
    ledger.settle(accepted(entry.id));
    assert_eq!(ledger.find(entry.id).status, "accepted");
}

#[rstest]
fn the_database_holds_no_number_and_no_address(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let mut ledger = place.open();
    let entry = entry();
    ledger.ask(kind, &entry).unwrap().result.unwrap();
    ledger.settle(accepted(entry.id));
    ledger.report(report(entry.id, DeliveryStatus::Delivered, NOW));

    let text = match kind {
        Kind::Postgres => {
            let rows = [
                sql(place.url(), "SELECT message::text FROM message"),
                sql(place.url(), "SELECT s::text FROM limit_state s"),
            ];
            rows.concat().join("\n")
        }
        _ => {
            let files = std::fs::read_dir(place.folder.path()).unwrap().map(|file| file.unwrap().path());
            files.map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
        }
    };
    assert!(text.contains(&entry.masked_number), "{text}");
    for secret in ["4526091045", "26091045", "091045", IP, "198.51.100"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
