//! A clock that was wrong, or is not quite the same everywhere.

use super::*;

const NEIGHBOUR: &str = "+4526091046";
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A computer may start with a clock that is far ahead, and be corrected. Nobody is to wait until then.
#[rstest]
#[case::cooldown(DANISH, "limits.number = { mode = 'enforce', cooldown = '25s', rates = [] }")]
#[case::number(DANISH, "limits.number = { mode = 'enforce', cooldown = '0s', rates = ['5/10m', '8/1h'] }")]
#[case::ip(NEIGHBOUR, "limits.ip = { mode = 'enforce', rates = '1/10m', max_countries = 1 }")]
#[case::range(NEIGHBOUR, "limits.range = { mode = 'enforce', rates = '1/10m' }")]
#[case::country(NEIGHBOUR, "limits.country = { mode = 'enforce', rates = '1/10m' }")]
#[case::service(NEIGHBOUR, "limits.service = { mode = 'enforce', rates = '1/10m' }")]
fn a_clock_that_is_set_back_refuses_nobody_for_long(#[case] next: &str, #[case] toml: &str) {
    let mut service = Service::only(toml);
    let [message, next] = [DANISH, next].map(|number| to(number).from("198.51.100.7"));
    let today = service.now;
    service.later(YEAR).send_all([message; 10]);
    service.now = today;
    service.send(message).unwrap();
    // And from then on the limit holds.
    assert_eq!(service.send_all([next; 10]), 0);
    assert!(service.refusal(next).wait.unwrap() <= 10 * MINUTE);
}

#[test]
fn countries_of_a_clock_that_is_set_back_are_forgotten() {
    let mut service = Service::with("limits.ip = { rates = [], max_countries = 1 }");
    let today = service.now;
    service.later(YEAR).send(to(DANISH).from("198.51.100.7")).unwrap();
    service.now = today;
    service.send(to(SWEDISH).from("198.51.100.7")).unwrap();
    assert_eq!(service.refusal(to(NORWEGIAN).from("198.51.100.7")), refused(Limit::Ip, Rule::Countries, DAY));
}

/// Replicas share states, and their clocks differ a little.
#[test]
fn a_clock_that_is_a_little_behind_lets_nothing_more_pass() {
    let mut service = Service::with("limits.service.rates = '3/3s'");
    let numbers = (0..100).map(|nth| to(&format!("+45{}", 20_000_000 + nth * 10_000)));
    assert_eq!(service.send_all(numbers.clone()), 3);
    service.now = service.now.minus(20 * SECOND);
    assert_eq!(service.send_all(numbers.clone()), 0);
    assert_eq!(service.later(20 * SECOND).send_all(numbers), 0);
}

#[test]
fn a_budget_holds_where_the_clock_is_set_back() {
    let mut service = Service::only("limits.spend = { mode = 'enforce', per_day = { EUR = 3 } }");
    service.expected = Some(Cost { micros: 1_000_000, currency: Currency::parse("EUR").unwrap() });
    let today = service.now;
    service.later(YEAR);
    assert_eq!(service.send_all([to(DANISH); 5]), 3);
    service.now = today;
    assert_eq!(service.send_all([to(DANISH); 5]), 3);
}

#[test]
fn a_budget_holds_where_another_replica_has_begun_the_next_day() {
    let mut service = Service::only("limits.spend = { mode = 'enforce', per_day = { EUR = 3 } }");
    service.expected = Some(Cost { micros: 1_000_000, currency: Currency::parse("EUR").unwrap() });
    service.later(12 * HOUR);
    service.send(to(DANISH)).unwrap();
    service.now = service.now.minus(MICROSECOND);
    assert_eq!(service.send_all([to(DANISH); 5]), 2, "they count for the next day");
    assert_eq!(service.later(MICROSECOND).send_all([to(DANISH); 5]), 0);
}

/// Where states outlive the process, a limit may have been wider.
#[test]
fn states_of_another_rate_refuse_nobody_for_long() {
    let mut service = Service::only("limits.number = { mode = 'enforce', cooldown = '0s', rates = '5/24h' }");
    assert_eq!(service.send_all([to(DANISH); 9]), 5);
    service.rules = rules(NONE, "limits.number = { mode = 'enforce', cooldown = '0s', rates = '5/10m' }");
    assert_eq!(service.send_all([to(DANISH); 9]), 1);
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Rates, 2 * MINUTE));
}
