use super::*;

fn euros(amount: f64) -> Cost {
    Cost { micros: (amount * 1e6).round() as i64, currency: Currency::parse("EUR").unwrap() }
}

/// A day may cost 10 EUR, a message is expected to cost 1.
fn service() -> Service {
    let mut service = Service::only("limits.spend = { mode = 'enforce', per_day = { EUR = 10 } }");
    service.expected = Some(euros(1.0));
    service
}

impl Service {
    fn pay(&mut self, cost: Cost, charge: Option<Charge>) -> Option<Spent> {
        self.rules.pay(cost, charge, self.now, &mut self.states)
    }

    /// Sends, and pays what it costs.
    fn buy(&mut self, cost: f64) -> Spent {
        let charge = self.send(to(DANISH)).unwrap();
        self.pay(euros(cost), Some(charge)).unwrap()
    }
}

#[test]
fn what_is_expected_is_reserved() {
    let mut service = service();
    assert_eq!(service.send_all([to(DANISH); 20]), 10, "none of them is paid yet");
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Spend, Rule::PerDay, 12 * HOUR));
}

#[test]
fn the_price_takes_the_place_of_what_was_expected() {
    let mut service = service();
    for nth in 1..=19 {
        assert_eq!(service.buy(0.5).today, euros(0.5 * f64::from(nth)));
    }
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Spend, "9.5 are spent, and 1 is expected");
    service.expected = Some(euros(0.5));
    assert_eq!(service.buy(0.5).today, euros(10.0));
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Spend);
}

#[test]
fn a_dearer_message_than_expected_counts_in_full() {
    let mut service = service();
    assert_eq!(service.buy(9.5).today, euros(9.5));
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Spend);
}

#[test]
fn without_an_expectation_the_budget_ends_when_it_is_spent() {
    let mut service = service();
    service.expected = None;
    for _ in 0..3 {
        service.buy(4.0);
    }
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Spend);
}

#[test]
fn the_next_day_is_free_again() {
    let mut service = service();
    assert_eq!(service.send_all([to(DANISH); 20]), 10);
    service.just_before(12 * HOUR);
    assert_eq!(service.refusal(to(DANISH)).wait, Some(MICROSECOND));
    assert_eq!(service.later(MICROSECOND).send_all([to(DANISH); 20]), 10);
}

#[test]
fn what_did_not_leave_costs_nothing() {
    let mut service = service();
    for _ in 0..20 {
        let charge = service.send(to(DANISH)).unwrap();
        service.did_not_leave(to(DANISH), charge);
    }
    assert_eq!(service.send_all([to(DANISH); 20]), 10);
}

#[test]
fn operators_are_warned_once_a_day() {
    let mut service = service();
    let warnings = |service: &mut Service| (0..10).map(|_| service.buy(1.0).warns).collect::<Vec<_>>();
    let expected = [false, false, false, false, false, false, false, true, false, false];
    assert_eq!(warnings(&mut service), expected);
    service.later(DAY);
    assert_eq!(warnings(&mut service), expected);
}

#[test]
fn operators_are_warned_once_about_messages_at_the_same_time() {
    let mut service = service();
    let charges = [(); 10].map(|()| service.send(to(DANISH)).unwrap());
    let warnings = charges.map(|charge| service.pay(euros(1.0), Some(charge)).unwrap().warns);
    assert_eq!(warnings.iter().filter(|warns| **warns).count(), 1, "{warnings:?}");
}

#[test]
fn the_share_is_told() {
    let mut service = service();
    assert_eq!(service.buy(2.5), Spent { today: euros(2.5), share: 0.25, warns: false });
}

#[test]
fn a_message_paid_after_midnight_belongs_to_the_day_that_it_is_paid_on() {
    let mut service = service();
    service.just_before(12 * HOUR);
    let charge = service.send(to(DANISH)).unwrap();
    service.later(SECOND);
    assert_eq!(service.pay(euros(1.0), Some(charge)).unwrap().today, euros(1.0));
    // What was reserved yesterday is not given back today.
    let charge = service.send(to(DANISH)).unwrap();
    service.now = service.now.minus(SECOND);
    assert_eq!(service.pay(euros(1.0), Some(charge)), None, "its day is over");
    assert_eq!(service.later(SECOND).send_all([to(DANISH); 20]), 8);
}

#[test]
fn what_can_never_be_paid_has_no_wait() {
    let mut service = service();
    service.expected = Some(euros(10.5));
    assert_eq!(service.refusal(to(DANISH)), Refusal { limit: Limit::Spend, rule: Rule::PerDay, wait: None });
    let mut nothing = Service::only("limits.spend = { mode = 'enforce', per_day = { EUR = 0 } }");
    assert_eq!(nothing.refusal(to(DANISH)).wait, None);
}

#[test]
fn each_currency_has_its_budget() {
    let mut service = Service::only("limits.spend = { mode = 'enforce', per_day = { EUR = 1, DKK = 7.5 } }");
    service.expected = Some(Cost { micros: 2_500_000, currency: Currency::parse("DKK").unwrap() });
    assert_eq!(service.send_all([to(DANISH); 20]), 3);
    service.expected = Some(euros(1.0));
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Spend, "that of the other is spent");
    let sek = Cost { micros: 1, currency: Currency::parse("SEK").unwrap() };
    assert_eq!(service.pay(sek, None), None);
}

/// Nobody is paid for sending.
#[rstest]
fn costs_below_zero_are_none(#[values(i64::MIN, -1)] micros: i64) {
    let mut service = service();
    service.buy(5.0);
    let cost = Cost { micros, ..euros(0.0) };
    service.expected = Some(cost);
    let charge = service.send(to(DANISH)).unwrap();
    assert_eq!(service.pay(cost, Some(charge)).unwrap().today, euros(5.0));
    let charge = service.send(to(DANISH)).unwrap();
    service.did_not_leave(to(DANISH), charge);
    service.expected = Some(euros(1.0));
    assert_eq!(service.send_all([to(DANISH); 20]), 5);
}

#[test]
fn costs_beyond_all_measure_are_spent() {
    let mut service = service();
    service.pay(Cost { micros: i64::MAX, ..euros(0.0) }, None);
    service.pay(Cost { micros: i64::MAX, ..euros(0.0) }, None);
    assert_eq!(service.refusal(to(DANISH)).wait, Some(12 * HOUR));
}

#[test]
fn a_budget_that_watches_counts_what_is_spent() {
    let mut service = Service::only("limits.spend = { mode = 'monitor', per_day = { EUR = 10 } }");
    service.expected = Some(euros(1.0));
    for _ in 0..10 {
        assert_eq!(service.monitored(to(DANISH)), []);
    }
    for _ in 0..10 {
        assert_eq!(service.monitored(to(DANISH)), [Limit::Spend]);
    }
    assert_eq!(service.pay(euros(1.0), None).unwrap().today, euros(21.0));
}
