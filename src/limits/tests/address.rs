use super::*;

const HOME: &str = "198.51.100.7";

/// To different numbers, so that nothing but the address counts.
fn from(ip: &str) -> impl Iterator<Item = Message> {
    let ip = ip.to_owned();
    (10..99).map(move |last| to(&format!("+45260910{last}")).from(&ip))
}

#[test]
fn an_address_has_ten_in_ten_minutes() {
    let mut service = Service::with("");
    assert_eq!(service.send_all(from(HOME)), 10);
    assert_eq!(service.refusal(to(SWEDISH).from(HOME)), refused(Limit::Ip, Rule::Rates, MINUTE));
}

#[test]
fn an_address_has_thirty_in_an_hour() {
    let mut service = Service::with("limits.ip.rates = '30/1h'");
    assert_eq!(service.send_all(from(HOME)), 30);
    assert_eq!(service.refusal(to(SWEDISH).from(HOME)), refused(Limit::Ip, Rule::Rates, 2 * MINUTE));
}

#[rstest]
#[case::another_address("198.51.100.7", "198.51.100.8", false)]
#[case::the_same_64("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
#[case::another_64("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
#[case::another_mapped("::ffff:198.51.100.7", "::ffff:198.51.100.8", false)]
#[case::the_same_mapped("::ffff:198.51.100.7", "198.51.100.7", true)]
fn who_counts_as_one(#[case] one: &str, #[case] other: &str, #[case] as_one: bool) {
    let mut service = Service::with("limits.ip.rates = '1/10m'");
    service.send(to(DANISH).from(one)).unwrap();
    assert_eq!(service.send(to(SWEDISH).from(other)).is_err(), as_one);
}

#[test]
fn pseudonyms_know_a_mapped_address() {
    let address = |text: &str| Pseudonyms::new(b"key").address(text.parse().unwrap());
    assert_eq!(address("::ffff:198.51.100.7"), address("198.51.100.7"));
    assert_ne!(address("::ffff:198.51.100.7"), address("::ffff:198.51.100.8"));
}

#[test]
fn who_is_not_known_is_not_counted() {
    let mut service = Service::with("");
    assert_eq!(service.send_all((10..99).map(|last| to(&format!("+45260910{last}")))), 89);
    assert_eq!(service.send_all(from("10.0.0.1")), 0, "the numbers' cooldown");
    assert_eq!(service.later(HOUR).send_all(from("10.0.0.1")), 89);
}

#[test]
fn a_fourth_country_is_refused() {
    let mut service = Service::with("");
    for number in [DANISH, SWEDISH, NORWEGIAN] {
        service.send(to(number).from(HOME)).unwrap();
        service.later(HOUR);
    }
    let fourth = to(GERMAN).from(HOME);
    assert_eq!(service.refusal(fourth), refused(Limit::Ip, Rule::Countries, 21 * HOUR));
    // The ones that it knows pass, and so does everybody else.
    assert_eq!(service.send_all([DANISH, SWEDISH, NORWEGIAN].map(|number| to(number).from(HOME))), 3);
    service.send(to("+4915123456780").from("198.51.100.8")).unwrap();
    service.send(to(AMERICAN)).unwrap();
    // A day after a country was last asked for, there is place for another one.
    assert_eq!(service.refusal(fourth), refused(Limit::Ip, Rule::Countries, DAY));
    service.just_before(DAY);
    assert_eq!(service.refusal(fourth), refused(Limit::Ip, Rule::Countries, MICROSECOND));
    service.later(MICROSECOND).send(fourth).unwrap();
}

/// Numbers of satellite phones and the like are dear.
#[test]
fn numbers_of_no_country_are_a_country_together() {
    let mut service = Service::with("limits.ip.max_countries = 1");
    service.send(to(DANISH).from(HOME)).unwrap();
    assert_eq!(service.refusal(to(SWEDISH).in_no_country().from(HOME)).rule, Rule::Countries);
    let elsewhere = "198.51.100.8";
    service.send(to(SWEDISH).in_no_country().from(elsewhere)).unwrap();
    service.send(to(NORWEGIAN).in_no_country().from(elsewhere)).unwrap();
    assert_eq!(service.refusal(to(GERMAN).from(elsewhere)).rule, Rule::Countries);
}

#[test]
fn any_number_of_countries_may_be_allowed() {
    let mut service = Service::with("limits.ip.max_countries = 0");
    let numbers = [DANISH, SWEDISH, NORWEGIAN, GERMAN, AMERICAN];
    assert_eq!(service.send_all(numbers.map(|number| to(number).from(HOME))), 5);
}

#[test]
fn as_many_countries_and_rates_as_may_be_do_not_get_into_each_others_way() {
    let rates = "['40/1m', '50/1h', '60/24h', '20/2m']";
    let mut service = Service::only(&format!("limits.ip = {{ mode = 'enforce', max_countries = 8, rates = {rates} }}"));
    let to_country = |code: &str| {
        let mut message = to(DANISH).from(HOME);
        message.recipient.country = Country::parse(code);
        message
    };
    let codes = ["DK", "SE", "NO", "FI", "DE", "NL", "BE", "FR"];
    assert_eq!(service.send_all(codes.map(to_country)), 8);
    assert_eq!(service.refusal(to_country("ES")).rule, Rule::Countries);
    assert_eq!(service.send_all(codes.map(to_country)), 8);
    assert_eq!(service.send_all(codes.map(to_country)), 4);
    assert_eq!(service.refusal(to_country("DK")).rule, Rule::Rates);
}

/// Watching is to show what refusing would do, and then a message that is refused for its country would not be counted.
#[test]
fn what_would_be_refused_for_its_country_is_not_counted_among_the_rates() {
    let mut service = Service::only("limits.ip = { mode = 'monitor', max_countries = 1, rates = '3/10m' }");
    assert_eq!(service.monitored(to(DANISH).from(HOME)), []);
    for _ in 0..5 {
        assert_eq!(service.monitored(to(SWEDISH).from(HOME)), [Limit::Ip]);
    }
    assert_eq!(service.monitored(to(DANISH).from(HOME)), []);
    assert_eq!(service.monitored(to(DANISH).from(HOME)), []);
    assert_eq!(service.monitored(to(DANISH).from(HOME)), [Limit::Ip]);
}
