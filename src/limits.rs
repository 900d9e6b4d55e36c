//! Which limits a message touches, and whether it passes them. Pure: `now` and the state are parameters.
//!
//! Cheapest first: what the number and the address tell alone ([`Rules::examine`]), then what was sent before
//! ([`Rules::decide`]). The first limit that refuses decides, and then none is charged.

mod gcra;
mod memory;
mod pseudonym;
mod standing;
mod state;

use std::{fmt, time::Duration};

use self::{gcra::Gcra, state::Stamps};
pub use self::{
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
    /// It has left, so it counts, whatever the limits say.
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
    /// What the message is expected to cost, in a currency that has a budget.
    reserved: Option<Cost>,
}

/// Bits of [`Charge::charged`].
mod charged {
    pub(super) const NUMBER: u32 = 1;
    pub(super) const IP: u32 = 1 << 1;
    pub(super) const IP_COUNTRY: u32 = 1 << 2;
    pub(super) const COUNTRY: u32 = 1 << 3;
    pub(super) const SERVICE: u32 = 1 << 4;

    /// Of a rate of the ranges.
    pub(super) const fn range(rate: usize) -> u32 {
        1 << (8 + rate)
    }
}

/// A day's spending after another message was paid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    pub today: Cost,
    /// The budget's share that is spent: 1 is all of it.
    pub share: f64,
    /// This message crossed [`SPEND_WARNING`].
    pub warns: bool,
}

/// The share of a day's budget at which operators are warned.
pub const SPEND_WARNING: f64 = 0.8;
/// For how long an address's countries count.
const COUNTRIES_PERIOD: Duration = Duration::from_secs(24 * 3600);

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
        let all_rates = [&limits.number.rates, &limits.ip.rates, &limits.range.rates, &limits.country.rates]
            .into_iter()
            .chain([&limits.service.rates])
            .chain(limits.country.overrides.values());
        let longest = all_rates.flat_map(Rates::as_slice).map(|rate| rate.period).max().unwrap_or_default();
        let cooldown = limits.number.cooldown.get();
        Self {
            lists: standing::Lists::of(limits),
            number: limits.number.mode,
            cooldown: (!cooldown.is_zero()).then(|| Gcra::pause(cooldown)),
            number_rates: gcra(&limits.number.rates),
            ip: limits.ip.mode,
            ip_rates: gcra(&limits.ip.rates),
            max_countries: limits.ip.max_countries,
            range: limits.range.mode,
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
            service: limits.service.mode,
            service_rates: gcra(&limits.service.rates),
            spend: limits.spend.mode,
            per_day: limits.spend.per_day.iter().map(|(currency, amount)| (*currency, *amount)).collect(),
            longest: longest.max(cooldown).max(COUNTRIES_PERIOD),
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
        let spend = self.budgets().map(|(currency, _)| Key::spend(currency)).collect::<Vec<_>>();
        [number, ip].into_iter().chain(ranges).chain([country, service]).flatten().chain(spend)
    }

    /// Charges every touched limit, or none.
    pub fn decide(
        &self,
        touched: &Touched,
        expected: Option<Cost>,
        charging: Charging,
        now: Timestamp,
        states: &mut impl States,
    ) -> Decision {
        let mut ask =
            Asking { charging, now, monitored: LimitSet::default(), drafts: Vec::with_capacity(8), charged: 0 };
        let result = self.ask(&mut ask, touched, expected, states).map(|reserved| {
            for (key, stamps) in &ask.drafts {
                states.set(*key, stamps.as_slice());
            }
            Charge { at: now, charged: ask.charged, reserved }
        });
        Decision { result, monitored: ask.monitored }
    }

    fn ask(
        &self,
        ask: &mut Asking,
        touched: &Touched,
        expected: Option<Cost>,
        states: &impl States,
    ) -> Result<Option<Cost>, Refusal> {
        let number = Key::new(Limit::Number, touched.number.bits());
        let mut stamps = if self.counts_numbers() { Stamps::of(states.get(number)) } else { Stamps::EMPTY };
        if self.number != Mode::Off {
            self.ask_number(ask, &mut stamps)?;
        }
        if let Some(ip) = touched.ip.filter(|_| self.ip != Mode::Off) {
            self.ask_address(ask, Key::new(Limit::Ip, ip.bits()), touched.country, states)?;
        }
        if self.range != Mode::Off {
            self.ask_ranges(ask, &mut stamps, touched.ranges, states)?;
        }
        if stamps != Stamps::EMPTY {
            ask.drafts.push((number, stamps));
        }
        if let Some(rates) = self.rates_of(touched.country) {
            ask.subject(Key::country(touched.country), self.country, rates, charged::COUNTRY, states)?;
        }
        if self.service != Mode::Off {
            ask.subject(Key::service(), self.service, &self.service_rates, charged::SERVICE, states)?;
        }
        self.ask_budgets(ask, expected, states)
    }

    fn ask_number(&self, ask: &mut Asking, stamps: &mut Stamps) -> Result<(), Refusal> {
        let cooldown = ask.rates(self.cooldown.as_slice(), stamps, Stamps::COOLDOWN);
        let rates = ask.rates(&self.number_rates, stamps, Stamps::NUMBER_RATES);
        let may_leave = ask.passes(Limit::Number, Rule::Cooldown, self.number, cooldown)?;
        if ask.passes(Limit::Number, Rule::Rates, self.number, rates)? && may_leave {
            stamps.put(Stamps::COOLDOWN, cooldown.stamps());
            stamps.put(Stamps::NUMBER_RATES, rates.stamps());
            ask.charged |= charged::NUMBER;
        }
        Ok(())
    }

    fn ask_address(
        &self,
        ask: &mut Asking,
        key: Key,
        country: Option<Country>,
        states: &impl States,
    ) -> Result<(), Refusal> {
        let mut stamps = Stamps::of(states.get(key));
        let rates = ask.rates(&self.ip_rates, &stamps, Stamps::RATES);
        if ask.passes(Limit::Ip, Rule::Rates, self.ip, rates)? {
            stamps.put(Stamps::RATES, rates.stamps());
            ask.charged |= charged::IP;
        }
        if let Some(country) = country.filter(|_| self.max_countries > 0) {
            let until = ask.now.plus(COUNTRIES_PERIOD);
            match stamps.add_country(country, until, ask.now, self.max_countries) {
                Ok(is_new) => ask.charged |= if is_new { charged::IP_COUNTRY } else { 0 },
                Err(wait) => {
                    ask.passes(Limit::Ip, Rule::Countries, self.ip, Taken::No(wait))?;
                }
            }
        }
        ask.drafts.push((key, stamps));
        Ok(())
    }

    /// Both ranges are charged for a number that they were not charged for within the rate's period: they count
    /// different numbers.
    fn ask_ranges(
        &self,
        ask: &mut Asking,
        number: &mut Stamps,
        ranges: [Pseudonym; 2],
        states: &impl States,
    ) -> Result<(), Refusal> {
        let keys = ranges.map(|range| Key::new(Limit::Range, range.bits()));
        let mut stamps = keys.map(|key| Stamps::of(states.get(key)));
        let mut taken = Taken::NOTHING;
        let mut charged = 0;
        for (rate, (gcra, period)) in self.range_rates.iter().enumerate() {
            let counted = Timestamp::from_micros(number.at(Stamps::COUNTED + rate));
            if counted > Timestamp::default() && counted.plus(*period) > ask.now {
                continue;
            }
            charged |= charged::range(rate);
            for stamps in &mut stamps {
                let one_more = ask.rates(&[*gcra], stamps, Stamps::RATES + rate);
                stamps.put(Stamps::RATES + rate, one_more.stamps());
                taken = taken.and(one_more);
            }
        }
        if ask.passes(Limit::Range, Rule::Rates, self.range, taken)? && charged != 0 {
            for rate in (0..self.range_rates.len()).filter(|rate| charged & charged::range(*rate) != 0) {
                number.put(Stamps::COUNTED + rate, &[ask.now.micros()]);
            }
            ask.charged |= charged;
            ask.drafts.extend(keys.into_iter().zip(stamps));
        }
        Ok(())
    }

    fn ask_budgets(
        &self,
        ask: &mut Asking,
        expected: Option<Cost>,
        states: &impl States,
    ) -> Result<Option<Cost>, Refusal> {
        let mut reserved = None;
        for (currency, per_day) in self.budgets() {
            let key = Key::spend(currency);
            let mut stamps = Stamps::of(states.get(key));
            let spent = stamps.spent_on(ask.now.day());
            let expected = expected.filter(|cost| cost.currency == currency);
            let micros = expected.map_or(0, |cost| cost.micros);
            let fits = spent < per_day && spent.saturating_add(micros) <= per_day;
            let taken = if fits { Taken::NOTHING } else { Taken::No(ask.now.until_tomorrow()) };
            ask.passes(Limit::Spend, Rule::PerDay, self.spend, taken)?;
            // Also where it only watches: what it watches is what was spent.
            stamps.spend(ask.now.day(), micros);
            ask.drafts.push((key, stamps));
            reserved = expected.or(reserved);
        }
        Ok(reserved)
    }

    /// Undoes what a message was charged: it did not leave.
    pub fn give_back(&self, touched: &Touched, charge: Charge, states: &mut impl States) {
        let mut change = |key: Key, change: &dyn Fn(&mut Stamps)| {
            if let Some(known) = states.get(key) {
                let mut stamps = Stamps::of(Some(known));
                change(&mut stamps);
                states.set(key, stamps.as_slice());
            }
        };
        let is_charged = |bit: u32| charge.charged & bit != 0;
        let counted = || (0..self.range_rates.len()).filter(|rate| is_charged(charged::range(*rate)));
        change(Key::new(Limit::Number, touched.number.bits()), &|stamps| {
            for rate in
                counted().filter(|rate| stamps.at(Stamps::COUNTED + rate) == charge.at.micros()).collect::<Vec<_>>()
            {
                stamps.put(Stamps::COUNTED + rate, &[0]);
            }
            if is_charged(charged::NUMBER) {
                stamps.give_back(Stamps::COOLDOWN, self.cooldown.as_slice());
                stamps.give_back(Stamps::NUMBER_RATES, &self.number_rates);
            }
        });
        if let Some(ip) = touched.ip {
            change(Key::new(Limit::Ip, ip.bits()), &|stamps| {
                if is_charged(charged::IP) {
                    stamps.give_back(Stamps::RATES, &self.ip_rates);
                }
                if is_charged(charged::IP_COUNTRY) {
                    stamps.remove_country(touched.country, charge.at.plus(COUNTRIES_PERIOD));
                }
            });
        }
        for range in touched.ranges {
            change(Key::new(Limit::Range, range.bits()), &|stamps| {
                for rate in counted() {
                    stamps.give_back(Stamps::RATES + rate, &[self.range_rates[rate].0]);
                }
            });
        }
        if let Some(rates) = self.rates_of(touched.country).filter(|_| is_charged(charged::COUNTRY)) {
            change(Key::country(touched.country), &|stamps| stamps.give_back(Stamps::RATES, rates));
        }
        if is_charged(charged::SERVICE) {
            change(Key::service(), &|stamps| stamps.give_back(Stamps::RATES, &self.service_rates));
        }
        if let Some(reserved) = charge.reserved {
            change(Key::spend(reserved.currency), &|stamps| stamps.spend(charge.at.day(), -reserved.micros));
        }
    }

    /// Counts what a message cost, in place of what it was expected to.
    pub fn pay(&self, cost: Cost, charge: Option<Charge>, now: Timestamp, states: &mut impl States) -> Option<Spent> {
        let (currency, per_day) = self.budgets().find(|(currency, _)| *currency == cost.currency)?;
        let key = Key::spend(currency);
        let mut stamps = Stamps::of(states.get(key));
        let reserved = charge.filter(|charge| charge.at.day() == now.day()).and_then(|charge| charge.reserved);
        let reserved = reserved.filter(|reserved| reserved.currency == currency).map_or(0, |reserved| reserved.micros);
        let before = stamps.spent_on(now.day()).saturating_sub(reserved);
        stamps.spend(now.day(), cost.micros.saturating_sub(reserved));
        states.set(key, stamps.as_slice());
        let after = stamps.spent_on(now.day());
        let share = |micros: i64| micros as f64 / per_day.max(1) as f64;
        let warns = share(before) < SPEND_WARNING && share(after) >= SPEND_WARNING;
        Some(Spent { today: Cost { micros: after, currency }, share: share(after), warns })
    }

    /// The key that [`pay`](Self::pay) changes.
    pub fn budget_key(&self, currency: Currency) -> Option<Key> {
        self.budgets().find(|(budget, _)| *budget == currency).map(|_| Key::spend(currency))
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
        Some(its_own.map_or(&self.country_rates, |(_, rates)| rates))
    }

    fn budgets(&self) -> impl Iterator<Item = (Currency, i64)> {
        self.per_day.iter().copied().filter(|_| self.spend != Mode::Off)
    }
}

/// One message's way through the limits.
struct Asking {
    charging: Charging,
    now: Timestamp,
    monitored: LimitSet,
    /// States as they become when no limit refuses.
    drafts: Vec<(Key, Stamps)>,
    charged: u32,
}

/// What rates say of one more message.
#[derive(Clone, Copy)]
enum Taken {
    Yes(Stamps),
    /// How long to wait.
    No(Duration),
}

impl Taken {
    const NOTHING: Self = Self::Yes(Stamps::EMPTY);

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No(wait), Self::No(other)) => Self::No(wait.max(other)),
            (Self::No(wait), Self::Yes(_)) | (Self::Yes(_), Self::No(wait)) => Self::No(wait),
            (Self::Yes(_), Self::Yes(stamps)) => Self::Yes(stamps),
        }
    }

    fn stamps(&self) -> &[i64] {
        match self {
            Self::Yes(stamps) => stamps.as_slice(),
            Self::No(_) => &[],
        }
    }
}

impl Asking {
    /// All of these rates, whose stamps begin at `first`, or the longest wait.
    fn rates(&self, rates: &[Gcra], stamps: &Stamps, first: usize) -> Taken {
        let mut taken = Stamps::EMPTY;
        let mut longest = None;
        for (index, rate) in rates.iter().enumerate() {
            match (rate.take(stamps.at(first + index), self.now), self.charging) {
                (Ok(stamp), _) => taken.put(index, &[stamp]),
                (Err(wait), Charging::Ask) => longest = longest.max(Some(wait)),
                (Err(_), Charging::Force) => taken.put(index, &[rate.force(stamps.at(first + index), self.now)]),
            }
        }
        longest.map_or(Taken::Yes(taken), Taken::No)
    }

    /// Whether the limit is charged. What only watches takes note, and lets pass.
    fn passes(&mut self, limit: Limit, rule: Rule, mode: Mode, taken: Taken) -> Result<bool, Refusal> {
        let Taken::No(wait) = taken else { return Ok(true) };
        if mode == Mode::Enforce && self.charging == Charging::Ask {
            return Err(Refusal { limit, rule, wait: Some(wait) });
        }
        self.monitored.insert(limit);
        Ok(false)
    }

    /// A subject that has nothing but rates.
    fn subject(&mut self, key: Key, mode: Mode, rates: &[Gcra], bit: u32, states: &impl States) -> Result<(), Refusal> {
        let mut stamps = Stamps::of(states.get(key));
        let taken = self.rates(rates, &stamps, Stamps::RATES);
        if self.passes(key.limit, Rule::Rates, mode, taken)? {
            stamps.put(Stamps::RATES, taken.stamps());
            self.charged |= bit;
            self.drafts.push((key, stamps));
        }
        Ok(())
    }
}
