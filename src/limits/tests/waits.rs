//! A refused message passes after exactly the time that it is told to wait.

use super::*;

#[test]
fn the_wait_is_that_of_all_parts_of_a_limit() {
    let mut service = Service::only("limits.number = { mode = 'enforce', cooldown = '25s', rates = '1/10m' }");
    service.send(to(DANISH)).unwrap();
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Cooldown, 10 * MINUTE));
}

#[test]
fn the_wait_is_that_of_all_limits() {
    let mut service = Service::with("limits.service.rates = '1/1h'");
    service.send(to(DANISH)).unwrap();
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Cooldown, HOUR));
}

#[test]
fn the_wait_is_that_of_rates_and_countries() {
    let mut service = Service::only("limits.ip = { mode = 'enforce', rates = '1/10m', max_countries = 1 }");
    service.send(to(DANISH).from("198.51.100.7")).unwrap();
    let refusal = service.refusal(to(SWEDISH).from("198.51.100.7"));
    assert_eq!(refusal, refused(Limit::Ip, Rule::Rates, DAY));
}

#[test]
fn what_another_limit_never_lets_pass_has_no_wait() {
    let mut service = Service::with("limits.spend.per_day = { EUR = 1 }");
    service.send(to(DANISH)).unwrap();
    service.expected = Some(Cost { micros: 2_000_000, currency: Currency::parse("EUR").unwrap() });
    assert_eq!(service.refusal(to(DANISH)), Refusal { limit: Limit::Number, rule: Rule::Cooldown, wait: None });
}

/// When the wait is over its range no longer knows the number, and the range is full.
#[test]
fn the_wait_is_that_of_the_limits_as_they_are_then() {
    let mut service = Service::only(
        "limits.number = { mode = 'enforce', cooldown = '25s', rates = [] }
         limits.range = { mode = 'enforce', rates = '2/1m' }",
    );
    let [number, neighbour, other] = ["+4526091045", "+4526091046", "+4526091047"].map(to);
    service.send(number).unwrap();
    service.later(50 * SECOND).send(number).unwrap();
    service.send(neighbour).unwrap();
    service.later(9 * SECOND);
    assert_eq!(service.send_all([other]), 1);
    // The cooldown is over after 16 s, the range has a place after 21 s.
    assert_eq!(service.refusal(number), refused(Limit::Number, Rule::Cooldown, 21 * SECOND));
}
