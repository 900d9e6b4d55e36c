//! Messages that have left count, whatever the limits say.

use super::*;
use proptest::prelude::*;

#[test]
fn it_counts_without_refusing() {
    let mut service = Service::with(
        "limits.range = { mode = 'enforce', rates = '10/10m' }
         limits.country = { mode = 'enforce', rates = '10/10m' }
         limits.service.rates = '10/10m'
         limits.spend.per_day = { EUR = 10 }",
    );
    service.expected = Some(Cost { micros: 1_000_000, currency: Currency::parse("EUR").unwrap() });
    for _ in 0..30 {
        let decision = service.decide(to(DANISH).from("198.51.100.7"), Charging::Force);
        assert!(decision.result.is_ok());
        assert_eq!(decision.monitored.iter().count(), 0, "nothing watches");
    }
    assert_eq!(service.refusal(to(DANISH)).limit, Limit::Number);
    assert_eq!(service.refusal(to(SWEDISH).from("198.51.100.7")).limit, Limit::Ip);
    assert_eq!(service.refusal(to("+4520000000")).limit, Limit::Country);
    assert_eq!(service.refusal(to(SWEDISH)).limit, Limit::Service);
}

#[test]
fn a_country_too_many_counts_among_the_rates() {
    let mut service = Service::only("limits.ip = { mode = 'enforce', rates = '2/10m', max_countries = 1 }");
    for number in [DANISH, SWEDISH] {
        service.decide(to(number).from("198.51.100.7"), Charging::Force).result.unwrap();
    }
    assert_eq!(service.refusal(to(DANISH).from("198.51.100.7")).rule, Rule::Rates);
}

/// More than a second burst is not held against anybody.
#[test]
fn too_much_is_forgiven_in_a_period() {
    let mut service = Service::only("limits.service = { mode = 'enforce', rates = '10/10m' }");
    for _ in 0..10_000 {
        service.decide(to(DANISH), Charging::Force).result.unwrap();
    }
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Service, Rule::Rates, 11 * MINUTE));
}

/// A row that could not be written for a while is written when others have been.
#[test]
fn what_is_told_late_makes_nothing_forgotten() {
    let mut service = Service::with("limits.ip.max_countries = 1\nlimits.range.mode = 'enforce'");
    let message = to(DANISH).from("198.51.100.7");
    service.later(6 * HOUR);
    assert_eq!(service.send_all([message; 9]), 1);
    let before = service.states.clone();
    service.now = service.now.minus(6 * HOUR);
    service.decide(message, Charging::Force).result.unwrap();
    service.now = service.now.plus(6 * HOUR);
    for (key, stamps) in before.0 {
        for (before, after) in stamps.iter().zip(service.states.get(key).unwrap()) {
            assert!(before <= after, "{key:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// After a restart, counting what the rows tell gives the states that there were.
    #[test]
    fn counting_what_left_restores_the_states(
        modes in prop::collection::vec(prop::sample::select(vec!["off", "monitor", "enforce"]), 5),
        messages in prop::collection::vec((0u32..200, 0..4usize, 0..3usize), 1..80),
    ) {
        let limits = ["number", "ip", "range", "country", "service"];
        let modes: String = limits.iter().zip(modes).map(|(limit, mode)| format!("limits.{limit}.mode = '{mode}'\n")).collect();
        let rules = rules("limits.ip.max_countries = 1\nlimits.service.rates = '20/10m'", &modes);
        let (mut live, mut restored) = (Remembered::default(), Remembered::default());
        let mut now = Timestamp::from_seconds(1_000_000);
        for (gap, number, ip) in messages {
            now = now.plus(gap * SECOND);
            let touched = properties::touched(number, ip);
            if rules.decide(&touched, None, Charging::Ask, now, &mut live).result.is_ok() {
                rules.decide(&touched, None, Charging::Force, now, &mut restored).result.unwrap();
            }
        }
        prop_assert_eq!(live, restored);
    }
}
