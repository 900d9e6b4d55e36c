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
        departure: Departure { admitted_at: ago(seconds + 1), settled_at: Some(ago(seconds)) },
        country: Country::parse(country),
        outcome: Some(Outcome::Accepted),
        report: None,
    }
}

fn reported(fate: Fate, status: DeliveryStatus, after: u64) -> Fate {
    let time = fate.departure.at().plus(Duration::from_secs(after));
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
    let outcomes =
        Outcomes { open: 1, accepted: 0, rejected: 1, account_fault: 1, not_sent: 1, unknown: 1, template_fault: 1 };
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
#[case::before_our_own_answer(ago(603), Some(0))]
#[case::before_admission(ago(800), None)]
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
