use super::*;
use rstest::rstest;

fn codes<'a>(countries: impl IntoIterator<Item = &'a Country>) -> Vec<&'a str> {
    countries.into_iter().map(Country::as_str).collect()
}

/// An amount of a currency, in millionths.
fn budget(settings: &Settings, currency: &str) -> Option<i64> {
    settings.limits.spend.per_day.get(&currency.parse().unwrap()).copied()
}

fn refused_lines(settings: &Settings) -> Vec<&str> {
    settings.limits.line_types.refuse.iter().map(|line_type| line_type.as_str()).collect()
}

#[rstest]
#[case("203.0.113.0/24", true)]
#[case("+4526091045,2001:db8::1", true)]
#[case("+4526091045,+452609*,DK", false)]
#[case("", false)]
fn a_network_that_passes_every_limit_is_warned_about(#[case] always_allow: &str, #[case] is_warned: bool) {
    let source = environment(&[("SMS_LIMITS__ALWAYS_ALLOW", always_allow)]);
    let warnings = Settings::load(&source).unwrap().warnings;
    let told = warnings.iter().any(|warning| warning.starts_with("limits.always_allow names a network: "));
    assert_eq!(told, is_warned, "{warnings:?}");
}

#[test]
fn the_defaults_are_those_of_the_reference() {
    let Limits { number, ip, range, country, service, spend, countries, line_types, .. } = load(&[]).limits;
    assert_eq!((number.mode, number.cooldown.get().as_secs()), (Mode::Enforce, 25));
    assert_eq!(number.rates.to_string(), "5/10m, 8/1h, 15/24h");
    assert_eq!((ip.mode, ip.max_countries), (Mode::Enforce, 3));
    assert_eq!(ip.rates.to_string(), "10/10m, 30/1h, 100/24h");
    assert_eq!((range.mode, range.rates.to_string().as_str()), (Mode::Monitor, "10/10m, 30/1h"));
    assert_eq!((country.mode, country.rates.to_string().as_str()), (Mode::Monitor, "50/24h, 10/1h"));
    assert!(country.overrides.is_empty());
    assert_eq!((service.mode, service.rates.as_slice()), (Mode::Enforce, &[][..]));
    assert_eq!((spend.mode, spend.per_day.len()), (Mode::Enforce, 0));
    assert_eq!((countries.mode, countries.allow.len(), countries.deny.len()), (Mode::Enforce, 0, 0));
    assert_eq!(line_types.mode, Mode::Enforce);
}

#[test]
fn the_lists_are_empty_by_default_but_for_the_line_types() {
    let settings = load(&[]);
    assert_eq!(refused_lines(&settings), ["premium_rate", "shared_cost", "toll_free", "pager", "voicemail", "uan"]);
    let Limits { home_countries, trusted_networks, always_allow, deny, test_numbers, .. } = settings.limits;
    assert!(home_countries.is_empty() && trusted_networks.is_empty() && test_numbers.is_empty());
    assert!(always_allow.is_empty() && deny.is_empty());
}

#[test]
fn every_key_comes_from_the_environment() {
    let settings = load(&[
        ("SMS_LIMITS__COUNTRIES__MODE", "monitor"),
        ("SMS_LIMITS__COUNTRIES__ALLOW", "DK,se"),
        ("SMS_LIMITS__COUNTRIES__DENY", " no , "),
        ("SMS_LIMITS__DENY", "+4526*,10.0.0.1"),
        ("SMS_LIMITS__LINE_TYPES__MODE", "off"),
        ("SMS_LIMITS__LINE_TYPES__REFUSE", "voip,premium"),
        ("SMS_LIMITS__NUMBER__MODE", "off"),
        ("SMS_LIMITS__NUMBER__COOLDOWN", "90"),
        ("SMS_LIMITS__NUMBER__RATES", "5/10m, 8/1h"),
        ("SMS_LIMITS__IP__MODE", "monitor"),
        ("SMS_LIMITS__IP__RATES", "1/1s"),
        ("SMS_LIMITS__IP__MAX_COUNTRIES", "8"),
        ("SMS_LIMITS__RANGE__MODE", "enforce"),
        ("SMS_LIMITS__RANGE__RATES", ","),
        ("SMS_LIMITS__COUNTRY__MODE", "enforce"),
        ("SMS_LIMITS__COUNTRY__RATES", "1000000000/31d"),
        ("SMS_LIMITS__COUNTRY__OVERRIDE__SE", "100/24h,20/1h"),
        ("SMS_LIMITS__SERVICE__MODE", "monitor"),
        ("SMS_LIMITS__SERVICE__RATES", "100/1m"),
        ("SMS_LIMITS__SPEND__MODE", "monitor"),
        ("SMS_LIMITS__SPEND__PER_DAY__EUR", "50"),
        ("SMS_LIMITS__SPEND__PER_DAY__DKK", "12.5"),
        ("SMS_LIMITS__HOME_COUNTRIES", "DK"),
        ("SMS_LIMITS__TRUSTED_NETWORKS", "192.0.2.0/24,2001:db8::/32,203.0.113.7"),
        ("SMS_LIMITS__ALWAYS_ALLOW", "+45 26 09*"),
        ("SMS_LIMITS__TEST_NUMBERS", "+4526091045,+4526091046 until 2026-12-31"),
    ]);
    assert_eq!(refused_lines(&settings), ["voip", "premium_rate"]);
    assert_eq!((budget(&settings, "EUR"), budget(&settings, "dkk")), (Some(50_000_000), Some(12_500_000)));
    let limits = settings.limits;
    let Limits { number, ip, range, country, service, spend, countries, line_types, .. } = &limits;
    assert_eq!((countries.mode, line_types.mode, number.mode), (Mode::Monitor, Mode::Off, Mode::Off));
    assert_eq!((ip.mode, range.mode, country.mode), (Mode::Monitor, Mode::Enforce, Mode::Enforce));
    assert_eq!((service.mode, spend.mode), (Mode::Monitor, Mode::Monitor));
    assert_eq!((codes(&countries.allow), codes(&countries.deny)), (vec!["DK", "SE"], vec!["NO"]));
    assert_eq!((number.cooldown.to_string().as_str(), number.rates.to_string().as_str()), ("90s", "5/10m, 8/1h"));
    assert_eq!((ip.rates.to_string().as_str(), ip.max_countries), ("1/1s", 8));
    assert_eq!((range.rates.to_string().as_str(), service.rates.to_string().as_str()), ("", "100/1m"));
    assert_eq!(country.rates.to_string(), "1000000000/31d");
    assert_eq!(country.overrides[&"SE".parse().unwrap()].to_string(), "100/24h, 20/1h");
    assert_eq!(codes(&limits.home_countries), ["DK"]);
    let networks: Vec<_> = limits.trusted_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.0.2.0/24", "2001:db8::/32", "203.0.113.7/32"]);
    assert_eq!(limits.always_allow, [Party::Numbers("452609".into())]);
    assert_eq!(limits.deny, [Party::Numbers("4526".into()), Party::Network("10.0.0.1/32".parse().unwrap())]);
    let test_numbers: Vec<_> = limits.test_numbers.iter().map(|test| (test.digits, test.until)).collect();
    assert_eq!(test_numbers, [(4526091045, None), (4526091046, crate::sms::Timestamp::parse("2027-01-01"))]);
}

#[test]
fn every_key_comes_from_a_file_in_its_own_type() {
    let settings = from_file(
        r#"
        [limits]
        home_countries = ["dk", "SE"]
        trusted_networks = ["192.0.2.0/24"]
        always_allow = ["+4526*", "DK"]
        deny = ["2001:db8::/32"]
        test_numbers = ["+4526091045"]
        countries = { mode = "off", allow = [], deny = ["RU"] }
        line_types.refuse = []
        number = { cooldown = 0, rates = "1/1h" }
        ip = { rates = [], max_countries = 0 }
        country.override = { se = ["100/24h", "20/1h"], NO = [] }
        spend.per_day = { EUR = 50, DKK = 50.5, sek = "12.5" }
        "#,
    );
    assert_eq!(budget(&settings, "EUR"), Some(50_000_000));
    assert_eq!(budget(&settings, "DKK"), Some(50_500_000));
    assert_eq!(budget(&settings, "SEK"), Some(12_500_000));
    let limits = settings.limits;
    assert_eq!((codes(&limits.home_countries), codes(&limits.countries.deny)), (vec!["DK", "SE"], vec!["RU"]));
    assert_eq!(limits.countries.mode, Mode::Off);
    assert!(limits.line_types.refuse.is_empty() && limits.number.cooldown.get().is_zero());
    assert_eq!((limits.number.rates.to_string().as_str(), limits.ip.max_countries), ("1/1h", 0));
    assert!(limits.ip.rates.as_slice().is_empty());
    let overrides = &limits.country.overrides;
    assert_eq!(codes(overrides.keys()), ["NO", "SE"]);
    assert_eq!(overrides[&"SE".parse().unwrap()].to_string(), "100/24h, 20/1h");
    assert_eq!(limits.always_allow.len(), 2);
    assert_eq!((limits.trusted_networks.len(), limits.deny.len(), limits.test_numbers.len()), (1, 1, 1));
}

#[rstest]
#[case("EUR")]
#[case("eur")]
fn an_entry_of_the_environment_is_over_that_of_the_file(#[case] written: &str) {
    let file =
        format!("limits.spend.per_day = {{ {written} = 10, USD = 20 }}\nlimits.country.override.se = [\"1/1h\"]");
    let variables = [("SMS_LIMITS__SPEND__PER_DAY__EUR", "30"), ("SMS_LIMITS__COUNTRY__OVERRIDE__SE", "2/1h")];
    let settings = load_file(&file, &variables).unwrap().settings;
    assert_eq!((budget(&settings, "EUR"), budget(&settings, "USD")), (Some(30_000_000), Some(20_000_000)));
    assert_eq!(settings.limits.country.overrides[&"SE".parse().unwrap()].to_string(), "2/1h");
}

#[test]
fn a_long_list_comes_from_a_file_of_lines() {
    let file = value_file("+4526*\n\nDK\r\n192.0.2.0/24\n");
    let settings = load(&[("SMS_LIMITS__DENY_FILE", file.path().to_str().unwrap())]);
    assert_eq!(settings.limits.deny.len(), 3);
}

#[rstest]
#[case("NUMBER__MODE", "on", "must be one of: off monitor enforce")]
#[case("NUMBER__COOLDOWN", "soon", "a duration such as")]
#[case("NUMBER__RATES", "5/10", "entry 1: must be a count and a period of 1 s to 31 d, such as 5/10m")]
#[case("NUMBER__RATES", "8/1h,0/10m", "entry 2: must be a count and a period")]
#[case("IP__RATES", "5", "must be a count and a period")]
#[case("RANGE__RATES", "5/500ms", "must be a count and a period")]
#[case("COUNTRY__RATES", "5/32d", "must be a count and a period")]
#[case("SERVICE__RATES", "-5/1h", "must be a count and a period")]
#[case("SERVICE__RATES", "1/1s,1/2s,1/3s,1/4s,1/5s", "must be at most 4 rates")]
#[case("IP__MAX_COUNTRIES", "many", "expected")]
#[case("COUNTRIES__ALLOW", "DK,Denmark", "entry 2: not the ISO code of a country, such as DK")]
#[case("COUNTRIES__DENY", "UK", "not the ISO code of a country, such as DK (GB, not UK)")]
#[case("HOME_COUNTRIES", "45", "not the ISO code of a country")]
#[case("LINE_TYPES__REFUSE", "satellite", "must be one of: mobile fixed_line_or_mobile")]
#[case("TRUSTED_NETWORKS", "192.0.2.0/33", "must be a network (192.0.2.0/24) or an address")]
#[case("ALWAYS_ALLOW", "abc", "must be a number (+4526091045), a beginning (+45 26 09*), a country (DK) or a network")]
#[case("DENY", "+45,abc", "entry 2: must be a number (+4526091045), a beginning")]
#[case("TEST_NUMBERS", "26091045 x", "must be a whole number with its calling code")]
#[case("TEST_NUMBERS", "+4526", "must be a whole number with its calling code")]
#[case("TEST_NUMBERS", "+4526091045 until Christmas", "the date must be such as 2026-12-31")]
fn a_wrong_limit_is_told_with_key_and_origin(#[case] key: &str, #[case] value: &str, #[case] problem: &str) {
    let variable = format!("SMS_LIMITS__{key}");
    let refusal = refusal(&[(&variable, value)]);
    let place = format!("{variable}: limits.{}: ", key.replace("__", ".").to_lowercase());
    assert!(refusal.starts_with(&place) && refusal.contains(problem), "{refusal}");
}

#[rstest]
#[case("COUNTRY__OVERRIDE__SE", "1/1", "limits.country.override.SE: entry 1: must be a count")]
#[case("COUNTRY__OVERRIDE__SWEDEN", "1/1h", "limits.country.override: `SWEDEN`: not the ISO code of a country")]
#[case("SPEND__PER_DAY__EURO", "50", "limits.spend.per_day: `EURO`: not a three-letter ISO currency code")]
#[case("SPEND__PER_DAY__EUR", "fifty", "limits.spend.per_day.EUR: must be an amount such as 50 or 12.5")]
#[case("SPEND__PER_DAY__EUR", "-1", "limits.spend.per_day.EUR: must be an amount")]
#[case("SPEND__PER_DAY__EUR", "inf", "limits.spend.per_day.EUR: must be an amount")]
#[case("SPEND__PER_DAY__EUR", "1e10", "limits.spend.per_day.EUR: must be an amount")]
fn a_wrong_entry_is_told_with_key_and_origin(#[case] key: &str, #[case] value: &str, #[case] told: &str) {
    let variable = format!("SMS_LIMITS__{key}");
    let refusal = refusal(&[("SMS_LIMITS__SPEND__PER_DAY__DKK", "1"), (&variable, value)]);
    assert!(refusal.starts_with(&format!("{variable}: {told}")), "{refusal}");
}

#[rstest]
#[case("limits.number.mode = true", "limits.number.mode: must be one of: off monitor enforce")]
#[case("limits.number.rates = 5", "limits.number.rates: must be a list of texts in quotes")]
#[case("limits.number.rates = [5]", "limits.number.rates: must be a list of texts in quotes")]
#[case("limits.ip.max_countries = -1", "limits.ip.max_countries: ")]
#[case("limits.deny = { countries = [\"DK\"] }", "limits.deny: ")]
#[case("limits.spend.per_day = 50", "limits.spend.per_day: ")]
#[case("limits.spend.per_day = { EUR = 5, eur = 6 }", "limits.spend.per_day: `eur` stands twice")]
fn a_wrong_type_in_a_file_is_told_with_its_key(#[case] toml: &str, #[case] told: &str) {
    let refusal = refusal_of_file(toml);
    assert!(refusal.starts_with(told), "{refusal}");
}

#[test]
fn the_largest_number_of_countries_is_told() {
    let refusal = refusal(&[("SMS_LIMITS__IP__MAX_COUNTRIES", "9")]);
    assert_eq!(refusal, "limits.ip.max_countries must be at most 8 (0: any number)");
}

#[rstest]
#[case("SMS_LIMITS__DENY__COUNTRIES", "limits.deny")]
#[case("SMS_LIMITS__NUMBER__COOL_DOWN", "limits.number.cool_down")]
#[case("SMS_LIMITS__NUMBERS__MODE", "limits.numbers")]
fn an_unknown_limit_is_refused(#[case] variable: &str, #[case] key: &str) {
    let refusal = refusal(&[(variable, "off")]);
    assert!(refusal.contains(variable) && refusal.contains(key), "{refusal}");
}

#[rstest]
#[case("45", "45")]
#[case("+45*", "45")]
#[case("0045 26-09*", "452609")]
#[case::a_number_that_can_not_be_whole("+45260910", "45260910")]
#[case::a_whole_number_with_more("+4526091045*", "4526091045")]
fn a_party_may_be_the_beginning_of_numbers(#[case] text: &str, #[case] digits: &str) {
    assert_eq!(text.parse(), Ok(Party::Numbers(digits.into())));
}

#[test]
fn a_party_may_be_a_whole_number() {
    assert_eq!("+45 26 09 10 45".parse(), Ok(Party::Number(4_526_091_045)));
}

#[rstest]
#[case("DK", Party::Country("DK".parse().unwrap()))]
#[case("de", Party::Country("DE".parse().unwrap()))]
#[case("10.0.0.1", Party::Network("10.0.0.1/32".parse().unwrap()))]
#[case("10.0.0.0/8", Party::Network("10.0.0.0/8".parse().unwrap()))]
#[case("2001:db8::/32", Party::Network("2001:db8::/32".parse().unwrap()))]
#[case("::1", Party::Network("::1/128".parse().unwrap()))]
fn a_party_may_be_a_country_or_a_network(#[case] text: &str, #[case] party: Party) {
    assert_eq!(text.parse(), Ok(party));
}

#[rstest]
fn nothing_else_is_a_party(
    #[values(
        "*",
        "+",
        "+*",
        "",
        "UK",
        "DNK",
        "45*6",
        "++45",
        "10.0.0",
        "10.0.0.0/33",
        "026091045",
        "1234567890123456"
    )]
    text: &str,
) {
    assert!(text.parse::<Party>().is_err());
}

#[rstest]
fn a_rate_is_written_as_it_is_read(
    #[values("1/1s", "5/10m", "8/1h", "15/24h", "3/2d", "90/90s", "1000000000/31d")] text: &str,
) {
    let rate: Rate = text.parse().unwrap();
    assert_eq!(rate.to_string(), text);
}

#[rstest]
#[case(" 5 / 10m ", "5/10m")]
#[case("5/600s", "5/10m")]
#[case("5/1day", "5/24h")]
#[case("5/1s 500ms", "5/1s 500ms")]
fn a_rate_has_several_spellings(#[case] text: &str, #[case] written: &str) {
    let rate: Rate = text.trim().parse().unwrap();
    assert_eq!((rate.to_string().as_str(), written.parse()), (written, Ok(rate)));
}

#[test]
fn open_countries_and_missing_reports_are_warned_about() {
    let warnings = |variables: &[_]| Settings::load(&environment(variables)).unwrap().warnings;
    let by_default = warnings(&[]);
    assert_eq!(by_default.len(), 2, "{by_default:?}");
    assert!(by_default[0].starts_with("limits.countries.allow is empty"), "{by_default:?}");
    assert!(by_default[1].starts_with("delivery_reports.secret is not set"), "{by_default:?}");
    let reports = ("SMS_DELIVERY_REPORTS__SECRET", "the authentication token");
    assert!(warnings(&[reports, ("SMS_LIMITS__COUNTRIES__ALLOW", "DK")]).is_empty());
    assert!(warnings(&[reports, ("SMS_LIMITS__COUNTRIES__MODE", "off")]).is_empty());
}
