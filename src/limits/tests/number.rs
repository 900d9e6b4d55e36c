use super::*;

/// Logto's page lets a person ask again after 59 s.
#[rstest]
#[case(59)]
#[case(60)]
fn an_honest_resend_does_not_meet_the_cooldown(#[case] seconds: u32) {
    let mut service = Service::with("");
    for _ in 0..200 {
        if let Err(refusal) = service.send(to(DANISH)) {
            assert_eq!((refusal.limit, refusal.rule), (Limit::Number, Rule::Rates));
        }
        service.later(seconds * SECOND);
    }
}

#[test]
fn the_first_five_resends_pass() {
    let mut service = Service::with("");
    for _ in 0..5 {
        service.send(to(DANISH)).unwrap();
        service.later(59 * SECOND);
    }
}

#[test]
fn the_cooldown_ends_after_25_s() {
    let mut service = Service::with("");
    service.send(to(DANISH)).unwrap();
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Cooldown, 25 * SECOND));
    service.just_before(25 * SECOND);
    assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Cooldown, MICROSECOND));
    service.later(MICROSECOND).send(to(DANISH)).unwrap();
}

/// As many at once, and then one each interval.
#[rstest]
#[case("5/10m", 5, 2 * MINUTE)]
#[case("8/1h", 8, Duration::from_secs(450))]
#[case("15/24h", 15, Duration::from_secs(96 * 60))]
fn a_rate_is_a_burst_and_one_each_interval(#[case] rate: &str, #[case] burst: usize, #[case] interval: Duration) {
    let mut service =
        Service::only(&format!("limits.number = {{ mode = 'enforce', cooldown = '0s', rates = '{rate}' }}"));
    assert_eq!(service.send_all([to(DANISH); 20]), burst);
    for _ in 0..3 {
        assert_eq!(service.refusal(to(DANISH)), refused(Limit::Number, Rule::Rates, interval));
        service.later(interval).send(to(DANISH)).unwrap();
    }
    // After a whole period it is as if nothing had been.
    assert_eq!(service.later(DAY).send_all([to(DANISH); 20]), burst);
}

#[test]
fn of_several_rates_the_longest_wait_counts() {
    let mut service =
        Service::only("limits.number = { mode = 'enforce', cooldown = '0s', rates = ['2/10m', '2/24h', '2/1h'] }");
    assert_eq!(service.send_all([to(DANISH); 3]), 2);
    assert_eq!(service.refusal(to(DANISH)).wait, Some(12 * HOUR));
}

#[test]
fn numbers_do_not_share() {
    let mut service = Service::with("");
    assert_eq!(service.send_all([DANISH, SWEDISH, GERMAN, "+4526091046"].map(to)), 4);
}

#[test]
fn a_refusal_charges_nothing_anywhere() {
    let toml = "limits.number.rates = '100/1h'
                limits.ip = { rates = '100/1h', max_countries = 1 }
                limits.range = { mode = 'enforce', rates = '100/1h' }
                limits.country = { mode = 'enforce', rates = '100/1h' }
                limits.service = { mode = 'enforce', rates = '2/1h' }
                limits.spend.per_day = { EUR = 5 }";
    let mut service = Service::with(toml);
    service.expected = Some(Cost { micros: 50_000, currency: Currency::parse("EUR").unwrap() });
    assert_eq!(service.send_all([DANISH, "+4526091046"].map(|number| to(number).from("198.51.100.7"))), 2);
    let before = service.states.clone();
    for (message, limit) in [
        (to(DANISH).from("198.51.100.8"), Limit::Number),
        (to(SWEDISH).from("198.51.100.7"), Limit::Ip),
        (to(SWEDISH).from("198.51.100.8"), Limit::Service),
    ] {
        assert_eq!(service.refusal(message).limit, limit);
        assert_eq!(service.states, before);
    }
}

/// The state of a number holds all that its limits and its ranges' may ask for.
#[test]
fn as_many_rates_as_may_be_do_not_get_into_each_others_way() {
    let rates = "['50/1m', '60/1h', '70/24h', '7/2m']";
    let mut service = Service::only(&format!(
        "limits.number = {{ mode = 'enforce', cooldown = '2s', rates = {rates} }}
         limits.range = {{ mode = 'enforce', rates = {rates} }}"
    ));
    for _ in 0..7 {
        service.send(to(DANISH)).unwrap();
        service.later(2 * SECOND);
    }
    assert_eq!(service.refusal(to(DANISH)).rule, Rule::Rates);
    assert_eq!(service.send_all((0..10).map(|last| to(&format!("+452609104{last}")))), 6, "one was counted before");
}
