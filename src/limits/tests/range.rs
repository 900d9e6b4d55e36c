use super::*;

/// Numbers that differ in their last three digits only, and others that differ in their last four.
fn neighbours(thousand: u32) -> impl Iterator<Item = Message> {
    (0..100).map(move |last| to(&format!("+452609{thousand}{last:03}")))
}

fn service() -> Service {
    Service::only("limits.range = { mode = 'enforce', rates = '10/10m' }")
}

#[test]
fn ten_different_numbers_in_ten_minutes() {
    let mut service = service();
    assert_eq!(service.send_all(neighbours(1)), 10);
    let next = neighbours(1).nth(10).unwrap();
    assert_eq!(service.refusal(next), refused(Limit::Range, Rule::Rates, MINUTE));
    service.later(MINUTE).send(next).unwrap();
    // Far away nothing was counted.
    service.send(to(SWEDISH)).unwrap();
}

#[test]
fn the_same_number_counts_once() {
    let mut service = service();
    for message in neighbours(1).take(10) {
        assert_eq!(service.send_all([message; 5]), 5);
    }
    assert_eq!(service.send_all(neighbours(1)), 10, "those that were counted");
    // And again when the period is over.
    service.later(10 * MINUTE);
    assert_eq!(service.send_all(neighbours(1).chain(neighbours(1))), 20);
}

#[test]
fn ten_thousand_numbers_are_a_range_too() {
    let mut service = service();
    let spread = (0..10).flat_map(|thousand| neighbours(thousand).take(2));
    assert_eq!(service.send_all(spread), 10, "each range of a thousand has had one or two");
    let refusal = service.refusal(neighbours(9).next().unwrap());
    assert_eq!(refusal, refused(Limit::Range, Rule::Rates, MINUTE));
}

#[test]
fn each_rate_counts_a_number_once_in_its_own_period() {
    let mut service = Service::only("limits.range = { mode = 'enforce', rates = ['2/1m', '3/1h'] }");
    let [a, b, c, d] = [0, 1, 2, 3].map(|nth| neighbours(1).nth(nth).unwrap());
    assert_eq!(service.send_all([a, b]), 2);
    service.later(MINUTE);
    assert_eq!(service.send_all([a, b]), 2, "the minute counts them again, the hour does not");
    service.later(MINUTE);
    assert_eq!(service.send_all([c, d]), 1, "the hour's third, and its fourth");
}

#[test]
fn the_default_only_watches() {
    let mut service = Service::with("limits.home_countries = 'DK'");
    let monitored = neighbours(1).take(11).map(|message| service.monitored(message)).collect::<Vec<_>>();
    assert_eq!(monitored[..10], vec![vec![]; 10]);
    assert_eq!(monitored[10], [Limit::Range]);
}

#[test]
fn ranges_are_counted_where_numbers_are_not() {
    let mut service = service();
    let message = neighbours(1).next().unwrap();
    assert_eq!(service.send_all([message; 100]), 100);
    assert_eq!(service.send_all(neighbours(1).skip(1)), 9);
}
