//! What did not leave is not counted.

use super::*;

const ALL: &str = "limits.range.mode = 'enforce'\nlimits.country.mode = 'enforce'\nlimits.service.rates = '5/10m'";

#[test]
fn whoever_got_nothing_may_ask_again_at_once() {
    let mut service = Service::with(ALL);
    let message = to(DANISH).from("198.51.100.7");
    for _ in 0..100 {
        let charge = service.send(message).unwrap();
        service.did_not_leave(message, charge);
    }
}

/// The pause ends 25 s after the last message that left, though one before it came to nothing later.
#[test]
fn what_is_paid_back_by_time_is_not_given_back_again() {
    let mut service = Service::with("");
    let first = service.send(to(DANISH)).unwrap();
    service.later(26 * SECOND).send(to(DANISH)).unwrap();
    service.later(SECOND).did_not_leave(to(DANISH), first);
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Cooldown, 24 * SECOND));
}

#[test]
fn a_burst_is_not_longer_for_what_came_to_nothing_before_it() {
    let mut service = Service::only("limits.service = { mode = 'enforce', rates = '100/1m' }");
    let first = service.send(to(DANISH)).unwrap();
    service.later(8 * SECOND);
    assert_eq!(service.send_all([to(SWEDISH); 100]), 100);
    service.did_not_leave(to(DANISH), first);
    assert_eq!(service.send_all([to(SWEDISH); 100]), 0);
}

#[test]
fn of_messages_at_once_each_is_given_back() {
    let mut service = Service::only("limits.service = { mode = 'enforce', rates = '100/1m' }");
    let charges = [(); 100].map(|()| service.send(to(DANISH)).unwrap());
    for charge in charges {
        service.did_not_leave(to(DANISH), charge);
    }
    assert_eq!(service.send_all([to(DANISH); 200]), 100);
}

/// A second message to the number was not counted, because the first one was.
#[test]
fn a_number_stays_counted_in_its_range_when_another_message_to_it_left() {
    let mut service = Service::only("limits.range = { mode = 'enforce', rates = '2/10m' }");
    let first = service.send(to(DANISH)).unwrap();
    service.later(SECOND).send(to(DANISH)).unwrap();
    service.did_not_leave(to(DANISH), first);
    assert_eq!(service.send_all(["+4526091046", "+4526091047"].map(to)), 1);
}

#[test]
fn a_country_stays_noted_when_another_message_to_it_left() {
    let mut service = Service::only("limits.ip = { mode = 'enforce', rates = [], max_countries = 1 }");
    let danish = to(DANISH).from("198.51.100.7");
    let first = service.send(danish).unwrap();
    service.later(Duration::from_millis(1)).send(danish).unwrap();
    service.did_not_leave(danish, first);
    assert_eq!(service.refusal(to(SWEDISH).from("198.51.100.7")).rule, Rule::Countries);
}

#[test]
fn a_country_that_was_known_counts_as_long_as_before() {
    let mut service = Service::only("limits.ip = { mode = 'enforce', rates = [], max_countries = 1 }");
    let danish = to(DANISH).from("198.51.100.7");
    service.send(danish).unwrap();
    let charge = service.later(23 * HOUR).send(danish).unwrap();
    service.did_not_leave(danish, charge);
    service.later(HOUR).send(to(SWEDISH).from("198.51.100.7")).unwrap();
}

#[test]
fn what_only_was_watched_and_not_counted_is_not_given_back() {
    let mut service = Service::only("limits.service = { mode = 'monitor', rates = '2/10m' }");
    assert_eq!(service.send_all([to(DANISH); 2]), 2);
    let charge = service.send(to(DANISH)).unwrap();
    service.did_not_leave(to(DANISH), charge);
    assert_eq!(service.monitored(to(DANISH)), [Limit::Service]);
}

#[test]
fn what_is_forgotten_is_not_given_back() {
    let mut service = Service::with(ALL);
    let charge = service.send(to(DANISH)).unwrap();
    service.states = Remembered::default();
    service.did_not_leave(to(DANISH), charge);
    assert_eq!(service.states, Remembered::default());
}
