use super::*;
use crate::sms::LineType;

fn examine(toml: &str, message: Message) -> Result<Standing, Limit> {
    let service = Service::with(toml);
    let standing = service.rules.examine(message.recipient, message.ip, service.now);
    standing.map_err(|refusal| {
        assert_eq!((refusal.rule, refusal.wait), (Rule::List, None));
        refusal.limit
    })
}

fn ip_that_counts(toml: &str, ip: &str) -> Option<IpAddr> {
    match examine(toml, to(DANISH).from(ip)) {
        Ok(Standing::Limited { ip, .. }) => ip,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::all("", DANISH, true)]
#[case::listed("limits.countries.allow = ['SE', 'dk']", DANISH, true)]
#[case::not_listed("limits.countries.allow = ['SE', 'dk']", GERMAN, false)]
#[case::denied("limits.countries.deny = 'DE'", GERMAN, false)]
#[case::another_is_denied("limits.countries.deny = 'DE'", DANISH, true)]
#[case::both("limits.countries = { allow = 'DK', deny = 'DK' }", DANISH, false)]
#[case::off("limits.countries = { mode = 'off', allow = 'SE' }", DANISH, true)]
#[case::a_neighbour_with_the_same_calling_code("limits.countries.allow = 'CA'", AMERICAN, false)]
fn codes_go_to_allowed_countries(#[case] toml: &str, #[case] number: &str, #[case] passes: bool) {
    assert_eq!(examine(toml, to(number)).err(), (!passes).then_some(Limit::Countries));
}

#[rstest]
#[case("", true)]
#[case("limits.countries.allow = 'DK'", false)]
#[case("limits.countries.deny = 'DK'", true)]
fn a_number_of_no_country_is_in_no_allowed_one(#[case] toml: &str, #[case] passes: bool) {
    assert_eq!(examine(toml, to(DANISH).in_no_country()).is_ok(), passes);
}

#[rstest]
fn lines_that_get_no_codes_are_refused(
    #[values(
        LineType::PremiumRate,
        LineType::SharedCost,
        LineType::TollFree,
        LineType::Pager,
        LineType::Voicemail,
        LineType::Uan
    )]
    line_type: LineType,
) {
    let mut message = to(DANISH);
    message.recipient.line_type = line_type;
    assert_eq!(examine("", message), Err(Limit::LineTypes));
    assert!(examine("limits.line_types.refuse = []", message).is_ok());
    assert!(examine("limits.line_types.mode = 'off'", message).is_ok());
}

#[rstest]
fn lines_of_people_are_not_refused(
    #[values(
        LineType::Mobile,
        LineType::FixedLineOrMobile,
        LineType::FixedLine,
        LineType::Voip,
        LineType::Personal,
        LineType::Unknown
    )]
    line_type: LineType,
) {
    let mut message = to(DANISH);
    message.recipient.line_type = line_type;
    assert!(examine("", message).is_ok());
}

#[test]
fn lists_can_watch() {
    let toml = "limits.countries = { mode = 'monitor', allow = 'SE' }
                limits.line_types = { mode = 'monitor', refuse = ['mobile', 'fixed_line_or_mobile'] }";
    assert_eq!(Service::with(toml).monitored(to(DANISH)), [Limit::Countries, Limit::LineTypes]);
}

#[rstest]
#[case::public("198.51.100.7", true)]
#[case::public_v6("2001:db8::7", true)]
#[case::mapped_public("::ffff:198.51.100.7", true)]
#[case::private("10.1.2.3", false)]
#[case::private_16("172.31.255.255", false)]
#[case::beside_private("172.32.0.0", true)]
#[case::private_24("192.168.1.1", false)]
#[case::loopback("127.0.0.1", false)]
#[case::link_local("169.254.1.1", false)]
#[case::unspecified("0.0.0.0", false)]
#[case::carrier_grade_nat("100.64.0.1", false)]
#[case::end_of_carrier_grade_nat("100.127.255.255", false)]
#[case::beside_carrier_grade_nat("100.128.0.0", true)]
#[case::loopback_v6("::1", false)]
#[case::unspecified_v6("::", false)]
#[case::unique_local("fd00::7", false)]
#[case::link_local_v6("fe80::1", false)]
#[case::mapped_private("::ffff:10.1.2.3", false)]
#[case::mapped_loopback("::ffff:127.0.0.1", false)]
fn addresses_of_the_world_count(#[case] ip: &str, #[case] counts: bool) {
    assert_eq!(ip_that_counts("", ip).is_some(), counts);
}

#[rstest]
#[case("198.51.100.7", false)]
#[case("::ffff:198.51.100.7", false)]
#[case("198.51.101.7", true)]
#[case("203.0.113.9", false)]
#[case("203.0.113.10", true)]
#[case("2001:db8:1::7", false)]
#[case("2001:db8:2::7", true)]
fn addresses_of_trusted_networks_do_not_count(#[case] ip: &str, #[case] counts: bool) {
    let toml = "limits.trusted_networks = ['198.51.100.0/24', '203.0.113.9', '2001:db8:1::/48']";
    assert_eq!(ip_that_counts(toml, ip).is_some(), counts);
}

#[rstest]
#[case::number("+4526091045")]
#[case::written_otherwise("45 26-09 10 45")]
#[case::prefix("+4526*")]
#[case::country("dk")]
#[case::network("198.51.100.0/24")]
#[case::address("198.51.100.7")]
fn entries_mean_numbers_countries_and_networks(#[case] entry: &str) {
    let message = to(DANISH).from("198.51.100.7");
    let another = to(SWEDISH).from("203.0.113.9");
    let deny = format!("limits.deny = ['{entry}']");
    assert_eq!(examine(&deny, message), Err(Limit::Deny));
    assert!(matches!(examine(&deny, another), Ok(Standing::Limited { .. })));
    let allow = format!("limits.always_allow = ['{entry}']\nlimits.countries.allow = 'SE'");
    assert_eq!(examine(&allow, message), Ok(Standing::Exempt));
    assert!(matches!(examine(&allow, another), Ok(Standing::Limited { .. })));
}

#[rstest]
#[case::number_over_prefix("+4526091045", "+452609*", true)]
#[case::prefix_over_number("+452609*", "+4526091045", false)]
#[case::longer_prefix("+452609*", "+4526*", true)]
#[case::prefix_over_country("+45*", "DK", true)]
#[case::country_under_prefix("DK", "+45*", false)]
#[case::network_over_country("198.51.100.0/24", "DK", true)]
#[case::number_over_network("+4526091045", "198.51.100.7", true)]
#[case::address_over_network("198.51.100.7", "198.51.100.0/24", true)]
#[case::network_under_address("198.51.100.0/24", "198.51.100.7", false)]
#[case::network_over_larger("198.51.100.0/24", "198.51.0.0/16", true)]
#[case::equal_numbers("+4526091045", "+4526091045", false)]
#[case::a_prefix_of_all_digits("+4526091045", "+4526091045*", true)]
#[case::equal_prefixes("+4526*", "+4526*", false)]
#[case::equal_countries("DK", "DK", false)]
#[case::equal_networks("198.51.100.0/24", "198.51.100.0/24", false)]
fn the_more_exact_entry_wins_and_refusal_wins_ties(#[case] allow: &str, #[case] deny: &str, #[case] passes: bool) {
    let toml = format!("limits.always_allow = ['{allow}', 'NO']\nlimits.deny = ['SE', '{deny}']");
    let expected = if passes { Ok(Standing::Exempt) } else { Err(Limit::Deny) };
    assert_eq!(examine(&toml, to(DANISH).from("198.51.100.7")), expected);
}

/// In Germany a longer number may begin with a shorter one, which is another person's.
#[test]
fn a_whole_number_means_no_longer_one() {
    let toml = "limits.deny = ['+49301234567']";
    assert_eq!(examine(toml, to("+49301234567")), Err(Limit::Deny));
    assert!(examine(toml, to("+493012345678")).is_ok());
}

#[test]
fn a_mapped_address_is_in_the_networks_of_its_ipv4_address() {
    let toml = "limits.deny = ['198.51.100.0/24']";
    assert_eq!(examine(toml, to(DANISH).from("::ffff:198.51.100.7")), Err(Limit::Deny));
}

#[rstest]
#[case::always("+4526091045", true)]
#[case::still("+4526091045 until 2026-11-23", true)]
#[case::on_its_last_day("+4526091045 until 2026-11-22", true)]
#[case::over("+4526091045 until 2026-11-21", false)]
#[case::over_just_now("+4526091045 until 2026-11-22T12:00:00Z", false)]
#[case::another("+4526091046", false)]
fn test_numbers_are_such_until_their_date(#[case] entry: &str, #[case] is_test: bool) {
    // Even where it could not be sent to.
    let toml = format!("limits.test_numbers = ['{entry}']");
    assert_eq!(examine(&toml, to(DANISH)) == Ok(Standing::Test), is_test);
    let toml = format!("{toml}\nlimits.deny = 'DK'");
    assert_eq!(examine(&toml, to(DANISH)), if is_test { Ok(Standing::Test) } else { Err(Limit::Deny) });
}
