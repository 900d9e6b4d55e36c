//! Whether a message passes the limits that count what was sent before.

use std::time::Duration;

use super::{
    COUNTRIES_PERIOD, Charge, Charging, Decision, Limit, LimitSet, Pseudonym, Refusal, Rule, Rules, Touched, charged,
    gcra::Gcra,
    state::{Key, Stamps, States},
};
use crate::{
    config::Mode,
    sms::{Cost, Country, Timestamp},
};

impl Rules {
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
