//! Which limits a message touches, and whether it passes them. Pure: `now` and the state are parameters.
//!
//! Cheapest first: what the number and the address tell alone ([`Rules::examine`]), then what was sent before
//! ([`Rules::decide`]). The first limit that refuses decides, and then none is charged.

mod correct;
mod decide;
mod gcra;
mod memory;
mod pseudonym;
mod standing;
mod state;

use std::{fmt, time::Duration};

use self::gcra::Gcra;
pub use self::{
    correct::{SPEND_WARNING, Spent},
    memory::Memory,
    pseudonym::{Pseudonym, Pseudonyms},
    standing::Standing,
    state::{Key, States},
};
use crate::{
    config::{self, Mode, Rates},
    sms::{Cost, Country, Currency, Timestamp},
};

/// What may refuse a message, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// `limits.deny`.
    Deny,
    Countries,
    LineTypes,
    Number,
    Ip,
    Range,
    Country,
    Service,
    Spend,
}

impl Limit {
    pub const ALL: [Self; 9] = [
        Self::Deny,
        Self::Countries,
        Self::LineTypes,
        Self::Number,
        Self::Ip,
        Self::Range,
        Self::Country,
        Self::Service,
        Self::Spend,
    ];

    /// Its name in the configuration, in metrics, in logs and in `X-Limit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Countries => "countries",
            Self::LineTypes => "line_types",
            Self::Number => "number",
            Self::Ip => "ip",
            Self::Range => "range",
            Self::Country => "country",
            Self::Service => "service",
            Self::Spend => "spend",
        }
    }
}

/// Some of the limits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitSet(u16);

impl LimitSet {
    pub const fn insert(&mut self, limit: Limit) {
        self.0 |= 1 << limit as u16;
    }

    pub fn iter(self) -> impl Iterator<Item = Limit> {
        Limit::ALL.into_iter().filter(move |limit| self.0 & (1 << *limit as u16) != 0)
    }
}

impl fmt::Debug for LimitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A limit's no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub limit: Limit,
    pub rule: Rule,
    /// When the same message would pass. `None`: not until the configuration changes.
    pub wait: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit {} ({})", self.limit.as_str(), self.rule.as_str())
    }
}

/// Which part of a limit it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A list of the configuration.
    List,
    Cooldown,
    Rates,
    /// Too many countries for one address.
    Countries,
    /// The day's budget.
    PerDay,
}

impl Rule {
    /// For logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Cooldown => "cooldown",
            Self::Rates => "rates",
            Self::Countries => "countries",
            Self::PerDay => "per_day",
        }
    }
}

/// Whom a message touches: the subjects that the limits count by. It is also what the ledger keeps of number and
/// address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    pub number: Pseudonym,
    /// `None`: not known, or exempt.
    pub ip: Option<Pseudonym>,
    /// The number without its last 3, and without its last 4 digits.
    pub ranges: [Pseudonym; 2],
    pub country: Option<Country>,
}

/// How a message is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charging {
    /// It leaves if all limits let it.
    Ask,
    /// It has left, perhaps a while ago, so it counts, whatever the limits say.
    Force,
}

/// What the limits say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What was charged, or who refused.
    pub result: Result<Charge, Refusal>,
    /// Limits that only watch, and would have refused.
    pub monitored: LimitSet,
}

/// What a message was charged, so that it can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    at: Timestamp,
    /// Bit by bit, as [`charged`] says.
    charged: u32,
    /// What stood in the place of the message's country among those of its address.
    country_before: Option<i64>,
    /// What the message is expected to cost, in a currency that has a budget.
    reserved: Option<Cost>,
}

/// Bits of [`Charge::charged`].
mod charged {
    pub(super) const NUMBER: u32 = 1;
    pub(super) const IP: u32 = 1 << 1;
    pub(super) const COUNTRY: u32 = 1 << 2;
    pub(super) const SERVICE: u32 = 1 << 3;

    /// Of a rate of the ranges.
    pub(super) const fn range(rate: usize) -> u32 {
        1 << (8 + rate)
    }
}

/// The configured limits.
#[derive(Debug)]
pub struct Rules {
    lists: standing::Lists,
    number: Mode,
    cooldown: Option<Gcra>,
    number_rates: Vec<Gcra>,
    ip: Mode,
    ip_rates: Vec<Gcra>,
    max_countries: usize,
    range: Mode,
    range_rates: Vec<(Gcra, Duration)>,
    country: Mode,
    country_rates: Vec<Gcra>,
    country_overrides: Vec<(Country, Vec<Gcra>)>,
    home_countries: Vec<Country>,
    service: Mode,
    service_rates: Vec<Gcra>,
    spend: Mode,
    /// Millionths of a currency's unit.
    per_day: Vec<(Currency, i64)>,
    longest: Duration,
}

impl Rules {
    pub fn of(limits: &config::Limits) -> Self {
        let gcra = |rates: &Rates| rates.as_slice().iter().copied().map(Gcra::of).collect::<Vec<_>>();
        // What counts nothing is off, and takes no memory.
        let mode = |mode, counts: bool| if counts { mode } else { Mode::Off };
        let any = |rates: &Rates| !rates.as_slice().is_empty();
        let cooldown = limits.number.cooldown.get();
        Self {
            lists: standing::Lists::of(limits),
            number: mode(limits.number.mode, any(&limits.number.rates) || !cooldown.is_zero()),
            cooldown: (!cooldown.is_zero()).then(|| Gcra::pause(cooldown)),
            number_rates: gcra(&limits.number.rates),
            ip: mode(limits.ip.mode, any(&limits.ip.rates) || limits.ip.max_countries > 0),
            ip_rates: gcra(&limits.ip.rates),
            max_countries: limits.ip.max_countries,
            range: mode(limits.range.mode, any(&limits.range.rates)),
            range_rates: limits.range.rates.as_slice().iter().map(|rate| (Gcra::of(*rate), rate.period)).collect(),
            country: limits.country.mode,
            country_rates: gcra(&limits.country.rates),
            country_overrides: limits
                .country
                .overrides
                .iter()
                .map(|(country, rates)| (*country, gcra(rates)))
                .collect(),
            home_countries: limits.home_countries.iter().copied().collect(),
            service: mode(limits.service.mode, any(&limits.service.rates)),
            service_rates: gcra(&limits.service.rates),
            spend: limits.spend.mode,
            per_day: limits.spend.per_day.iter().map(|(currency, amount)| (*currency, *amount)).collect(),
            longest: limits.longest_period().max(state::COUNTRIES_PERIOD),
        }
    }

    /// For how long a message counts.
    pub const fn longest_period(&self) -> Duration {
        self.longest
    }

    /// The states that a message touches, to be fetched beforehand where they are kept elsewhere.
    pub fn keys(&self, touched: &Touched) -> impl Iterator<Item = Key> {
        let ip = touched.ip.filter(|_| self.ip != Mode::Off).map(|ip| Key::new(Limit::Ip, ip.bits()));
        let ranges =
            touched.ranges.map(|range| (self.range != Mode::Off).then(|| Key::new(Limit::Range, range.bits())));
        let country = self.rates_of(touched.country).map(|_| Key::country(touched.country));
        let service = (self.service != Mode::Off).then(Key::service);
        let number = self.counts_numbers().then(|| Key::new(Limit::Number, touched.number.bits()));
        let spend = self.budgets().map(|(currency, _)| Key::spend(currency));
        [number, ip].into_iter().chain(ranges).chain([country, service]).flatten().chain(spend)
    }

    /// The ranges, too, ask when a number was last counted.
    fn counts_numbers(&self) -> bool {
        self.number != Mode::Off || self.range != Mode::Off
    }

    /// `None`: the country is not limited.
    fn rates_of(&self, country: Option<Country>) -> Option<&[Gcra]> {
        if self.country == Mode::Off || country.is_some_and(|country| self.home_countries.contains(&country)) {
            return None;
        }
        let its_own = self.country_overrides.iter().find(|(overridden, _)| Some(*overridden) == country);
        let rates = its_own.map_or(&self.country_rates, |(_, rates)| rates);
        (!rates.is_empty()).then_some(rates)
    }

    fn budgets(&self) -> impl Iterator<Item = (Currency, i64)> {
        self.per_day.iter().copied().filter(|_| self.spend != Mode::Off)
    }
}

#[cfg(test)]
mod tests;
