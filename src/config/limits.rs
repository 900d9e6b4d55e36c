//! The limits' section: who may be sent how much.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

use super::{Seconds, value};
use crate::sms::{Country, Currency, LineType, Recipient, Timestamp};

value::named_values! {
    /// What happens when a limit is reached.
    Mode { Off = "off", Monitor = "monitor", Enforce = "enforce" }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    pub number: NumberLimit,
    pub ip: IpLimit,
    pub range: RateLimit,
    pub country: CountryLimit,
    pub service: RateLimit,
    pub spend: SpendLimit,
    pub countries: CountriesLimit,
    pub line_types: LineTypesLimit,
    #[serde(deserialize_with = "value::list")]
    pub home_countries: BTreeSet<Country>,
    #[serde(deserialize_with = "networks")]
    pub trusted_networks: Vec<IpNet>,
    #[serde(deserialize_with = "value::list")]
    pub always_allow: Vec<Party>,
    #[serde(deserialize_with = "value::list")]
    pub deny: Vec<Party>,
    #[serde(deserialize_with = "value::list")]
    pub test_numbers: Vec<TestNumber>,
}

impl Limits {
    /// For how long a message may count.
    pub fn longest_period(&self) -> Duration {
        let Self { number, ip, range, country, service, .. } = self;
        let rates = [&number.rates, &ip.rates, &range.rates, &country.rates, &service.rates];
        let rates = rates.into_iter().chain(country.overrides.values()).flat_map(Rates::as_slice);
        let countries = (ip.max_countries > 0).then_some(IpLimit::COUNTRIES_PERIOD);
        rates.map(|rate| rate.period).chain([number.cooldown.get()]).chain(countries).max().unwrap_or_default()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct NumberLimit {
    pub mode: Mode,
    /// Between two messages to one number; zero: none.
    pub cooldown: Seconds,
    pub rates: Rates,
}

#[derive(Debug, Clone, Deserialize)]
pub struct IpLimit {
    pub mode: Mode,
    pub rates: Rates,
    /// Different countries that one address may ask for in 24 h; zero: any number.
    pub max_countries: usize,
}

impl IpLimit {
    /// The largest `max_countries`, because each takes memory for each address.
    pub const MOST_COUNTRIES: usize = 8;
    /// For how long an address's countries count.
    pub const COUNTRIES_PERIOD: Duration = Duration::from_secs(24 * 3600);
}

#[derive(Debug, Clone, Deserialize)]
pub struct RateLimit {
    pub mode: Mode,
    pub rates: Rates,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CountryLimit {
    pub mode: Mode,
    pub rates: Rates,
    /// Rates of a country that differ from the general ones.
    #[serde(rename = "override", deserialize_with = "value::map")]
    pub overrides: BTreeMap<Country, Rates>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SpendLimit {
    pub mode: Mode,
    /// Millionths of the currency's unit.
    #[serde(deserialize_with = "budgets")]
    pub per_day: BTreeMap<Currency, i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CountriesLimit {
    pub mode: Mode,
    /// Empty: all.
    #[serde(deserialize_with = "value::list")]
    pub allow: BTreeSet<Country>,
    #[serde(deserialize_with = "value::list")]
    pub deny: BTreeSet<Country>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct LineTypesLimit {
    pub mode: Mode,
    #[serde(deserialize_with = "value::list")]
    pub refuse: Vec<LineType>,
}

/// So many in a period: `"5/10m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub period: Duration,
}

/// Rates that hold at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates(Vec<Rate>);

impl Rates {
    /// At most so many, because each takes memory for each number and address.
    pub const MOST: usize = 4;

    pub fn as_slice(&self) -> &[Rate] {
        &self.0
    }
}

/// Whom an entry of `always_allow` or `deny` means. `Debug` shows no number.
#[derive(Clone, PartialEq, Eq)]
pub enum Party {
    Number(u64),
    /// Numbers that begin with these digits.
    Numbers(String),
    Country(Country),
    Network(IpNet),
}

/// A number that is answered as if it were sent to. `Debug` shows no number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TestNumber {
    pub digits: u64,
    /// It counts until then; none: always.
    pub until: Option<Timestamp>,
}

/// As it is written in the configuration.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, Seconds::from(self.period))
    }
}

/// As they are written in the environment.
impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "must be a count and a period of 1 s to 31 d, such as 5/10m";
        const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);
        let (count, period) = text.split_once('/').ok_or(EXPECTED)?;
        let count = count.trim().parse().ok().filter(|count| (1..=1_000_000_000).contains(count)).ok_or(EXPECTED)?;
        let period = humantime::parse_duration(period.trim()).map_err(|_| EXPECTED)?;
        if !(Duration::from_secs(1)..=LONGEST).contains(&period) {
            return Err(EXPECTED);
        }
        Ok(Self { count, period })
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rates: Vec<Rate> = value::list(deserializer)?;
        if rates.len() > Self::MOST {
            return Err(de::Error::custom(format!("must be at most {} rates", Self::MOST)));
        }
        Ok(Self(rates))
    }
}

impl FromStr for Party {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// With fewer digits it is surely meant as a beginning.
        const SHORTEST_NUMBER: usize = 8;
        if let Ok(country) = text.parse() {
            return Ok(Self::Country(country));
        }
        if let Some(network) = network(text) {
            return Ok(Self::Network(network));
        }
        let written = text.strip_suffix('*').unwrap_or(text).replace([' ', '-'], "");
        let digits = written.strip_prefix('+').or_else(|| written.strip_prefix("00")).unwrap_or(&written);
        let is_number = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        // No calling code begins with 0: a number as it is dialled at home would mean nobody.
        if !is_number || digits.starts_with('0') {
            return Err(
                "must be a number (+4526091045), a beginning (+45 26 09*), a country (DK) or a network (192.0.2.0/24)",
            );
        }
        let is_whole = !text.ends_with('*') && digits.len() >= SHORTEST_NUMBER;
        match Recipient::parse(digits) {
            Ok(recipient) if is_whole => Ok(Self::Number(recipient.msisdn.digits())),
            Ok(_) | Err(_) => Ok(Self::Numbers(digits.to_owned())),
        }
    }
}

/// Shows what kind of entry it is.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(…)",
            Self::Numbers(_) => "Numbers(…)",
            Self::Country(country) => country.as_str(),
            Self::Network(_) => "Network(…)",
        })
    }
}

impl FromStr for TestNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, until) = match text.split_once(" until ") {
            Some((number, until)) => {
                let moment = Timestamp::parse(until).ok_or("the date must be such as 2026-12-31")?;
                // A date is its whole day.
                let is_date = !until.contains(':');
                (number, Some(if is_date { Timestamp::of_day(moment.day() + 1) } else { moment }))
            }
            None => (text, None),
        };
        let recipient = Recipient::parse(number.trim()).map_err(
            |_| "must be a whole number with its calling code, such as +4526091045, or `+4526091045 until 2026-12-31`",
        )?;
        Ok(Self { digits: recipient.msisdn.digits(), until })
    }
}

impl fmt::Debug for TestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestNumber(until {:?})", self.until)
    }
}

/// A network, or a single address.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts: Vec<String> = value::list(deserializer)?;
    let parse = |text: &String| network(text).ok_or("must be a network (192.0.2.0/24) or an address");
    texts.iter().map(parse).collect::<Result<_, _>>().map_err(de::Error::custom)
}

fn budgets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Currency, i64>, D::Error> {
    let amounts: BTreeMap<Currency, Amount> = value::map(deserializer)?;
    Ok(amounts.into_iter().map(|(currency, Amount { micros })| (currency, micros)).collect())
}

struct Amount {
    micros: i64,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Of which the millionths are still exact.
        const MOST: f64 = 1e9;
        match f64::deserialize(deserializer) {
            Ok(amount @ 0.0..=MOST) => Ok(Self { micros: (amount * 1e6).round() as i64 }),
            _ => Err(de::Error::custom("must be an amount such as 50 or 12.5")),
        }
    }
}
