//! Whether a message passes the limits that count what was sent before.

use std::time::Duration;

use super::{
    Charge, Charging, Decision, Limit, LimitSet, Pseudonym, Refusal, Rule, Rules, Touched, charged,
    gcra::Gcra,
    state::{Key, Stamps, States},
};
use crate::{
    config::Mode,
    sms::{Cost, Timestamp},
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
        let message = Message { touched, expected: expected.map(Cost::at_least_nothing) };
        let mut ask = Asking::new(charging, now);
        let result = match self.ask(&mut ask, message, states) {
            Ok(reserved) => {
                for (key, stamps) in &ask.drafts {
                    states.set(*key, stamps.as_slice());
                }
                Ok(Charge { at: now, charged: ask.charged, country_before: ask.country_before, reserved })
            }
            Err(refusal) => Err(Refusal { wait: self.wait(refusal.wait, message, now, states), ..refusal }),
        };
        Decision { result, monitored: ask.monitored }
    }

    /// The one that refuses first need not be the one to wait for longest, so all are asked again at the end of a wait.
    fn wait(
        &self,
        mut wait: Option<Duration>,
        message: Message<'_>,
        now: Timestamp,
        states: &impl States,
    ) -> Option<Duration> {
        /// More than there are limits: what passes at one time passes later, too.
        const MOST_ROUNDS: usize = 16;
        for _ in 0..MOST_ROUNDS {
            let mut later = Asking::new(Charging::Ask, now.plus(wait?));
            match self.ask(&mut later, message, states) {
                Ok(_) => break,
                Err(refusal) => wait = wait.zip(refusal.wait).map(|(wait, more)| wait + more),
            }
        }
        wait
    }

    fn ask(&self, ask: &mut Asking, message: Message<'_>, states: &impl States) -> Result<Option<Cost>, Refusal> {
        let Message { touched, expected } = message;
        let number = Key::new(Limit::Number, touched.number.bits());
        let mut stamps = if self.counts_numbers() { Stamps::of(states.get(number)) } else { Stamps::EMPTY };
        if self.number != Mode::Off {
            self.ask_number(ask, &mut stamps)?;
        }
        if let Some(ip) = touched.ip.filter(|_| self.ip != Mode::Off) {
            self.ask_address(ask, Key::new(Limit::Ip, ip.bits()), touched, states)?;
        }
        if self.range != Mode::Off {
            self.ask_ranges(ask, &mut stamps, touched.ranges, states)?;
        }
        if self.counts_numbers() {
            ask.draft(number, stamps);
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
        let cooldown = ask.rates(self.number, self.cooldown.as_slice(), stamps, Stamps::COOLDOWN);
        let rates = ask.rates(self.number, &self.number_rates, stamps, Stamps::NUMBER_RATES);
        let may_leave = ask.charges(Limit::Number, Rule::Cooldown, self.number, cooldown)?;
        if ask.charges(Limit::Number, Rule::Rates, self.number, rates)? && may_leave {
            stamps.put(Stamps::COOLDOWN, cooldown.stamps());
            stamps.put(Stamps::NUMBER_RATES, rates.stamps());
            ask.charged |= charged::NUMBER;
        }
        Ok(())
    }

    fn ask_address(&self, ask: &mut Asking, key: Key, touched: &Touched, states: &impl States) -> Result<(), Refusal> {
        let mut stamps = Stamps::of(states.get(key));
        let rates = ask.rates(self.ip, &self.ip_rates, &stamps, Stamps::RATES);
        let is_within_rates = ask.charges(Limit::Ip, Rule::Rates, self.ip, rates)?;
        let mut country_before = None;
        let mut country = Taken::FREE;
        if self.max_countries > 0 {
            match stamps.note_country(touched.country, ask.now, self.max_countries) {
                Ok(before) => country_before = Some(before),
                Err(wait) => country = Taken::No(Some(wait)),
            }
        }
        if ask.charges(Limit::Ip, Rule::Countries, self.ip, country)? && is_within_rates {
            stamps.put(Stamps::RATES, rates.stamps());
            ask.charged |= charged::IP;
            ask.country_before = country_before;
            ask.draft(key, stamps);
        }
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
        let mut taken = Taken::FREE;
        let mut charged = 0;
        for (rate, (gcra, period)) in self.range_rates.iter().enumerate() {
            if ask.is_counted(number.at(Stamps::COUNTED + rate), *period) {
                continue;
            }
            charged |= charged::range(rate);
            for stamps in &mut stamps {
                let one_more = ask.rates(self.range, &[*gcra], stamps, Stamps::RATES + rate);
                stamps.put(Stamps::RATES + rate, one_more.stamps());
                taken = taken.and(one_more);
            }
        }
        if ask.charges(Limit::Range, Rule::Rates, self.range, taken)? && charged != 0 {
            for rate in (0..self.range_rates.len()).filter(|rate| charged & charged::range(*rate) != 0) {
                number.put(Stamps::COUNTED + rate, &[ask.now.micros()]);
            }
            ask.charged |= charged;
            for (key, stamps) in keys.into_iter().zip(stamps) {
                ask.draft(key, stamps);
            }
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
            let today = ask.now.day();
            if ask.charging == Charging::Force && today < stamps.day() {
                // Told late: that day is over.
                continue;
            }
            stamps.begin_day(today);
            let expected = expected.filter(|cost| cost.currency == currency);
            let micros = expected.map_or(0, |cost| cost.micros);
            let fits = |spent: i64| spent < per_day && spent.saturating_add(micros) <= per_day;
            let tomorrow = || fits(0).then(|| Timestamp::of_day(stamps.day() + 1).since(ask.now));
            let taken = if fits(stamps.spent()) { Taken::FREE } else { Taken::No(tomorrow()) };
            ask.charges(Limit::Spend, Rule::PerDay, self.spend, taken)?;
            // Also where it only watches: what it watches is what was spent.
            stamps.spend(micros);
            ask.drafts.push((key, stamps));
            reserved = expected.or(reserved);
        }
        Ok(reserved)
    }
}

/// What the limits are asked about.
#[derive(Clone, Copy)]
struct Message<'a> {
    touched: &'a Touched,
    expected: Option<Cost>,
}

/// One message's way through the limits.
struct Asking {
    charging: Charging,
    now: Timestamp,
    monitored: LimitSet,
    /// States as they become when no limit refuses.
    drafts: Vec<(Key, Stamps)>,
    charged: u32,
    country_before: Option<i64>,
}

/// What rates say of one more message.
#[derive(Clone, Copy)]
enum Taken {
    Yes(Stamps),
    /// How long to wait. `None`: it will never pass.
    No(Option<Duration>),
}

impl Taken {
    const FREE: Self = Self::Yes(Stamps::EMPTY);

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
    fn new(charging: Charging, now: Timestamp) -> Self {
        let drafts = Vec::with_capacity(8);
        Self { charging, now, monitored: LimitSet::default(), drafts, charged: 0, country_before: None }
    }

    /// All of these rates, whose stamps begin at `first`, or the longest wait.
    ///
    /// Where a limit only watches, even a message that has left is counted only if the limit would have let it: so it
    /// says what it would refuse if it did.
    fn rates(&self, mode: Mode, rates: &[Gcra], stamps: &Stamps, first: usize) -> Taken {
        let mut taken = Stamps::EMPTY;
        let mut longest = None;
        for (index, rate) in rates.iter().enumerate() {
            let stamp = stamps.at(first + index);
            let next = match self.charging {
                Charging::Ask => rate.take(rate.mend(stamp, self.now), self.now),
                Charging::Force if mode == Mode::Enforce => Ok(rate.force(stamp, self.now)),
                Charging::Force => rate.take(stamp, self.now),
            };
            match next {
                Ok(stamp) => taken.put(index, &[stamp]),
                Err(wait) => longest = longest.max(Some(wait)),
            }
        }
        if longest.is_none() { Taken::Yes(taken) } else { Taken::No(longest) }
    }

    /// Whether the limit is charged. What only watches takes note, and lets pass.
    fn charges(&mut self, limit: Limit, rule: Rule, mode: Mode, taken: Taken) -> Result<bool, Refusal> {
        match (taken, mode, self.charging) {
            (Taken::Yes(_), ..) => Ok(true),
            (Taken::No(wait), Mode::Enforce, Charging::Ask) => Err(Refusal { limit, rule, wait }),
            (Taken::No(_), Mode::Enforce, Charging::Force) => Ok(true),
            (Taken::No(_), Mode::Monitor | Mode::Off, _) => {
                self.monitored.insert(limit);
                Ok(false)
            }
        }
    }

    /// Whether a number that was counted then still counts. A moment far ahead is of a clock that was wrong, unless this
    /// message is told late.
    fn is_counted(&self, counted: i64, period: Duration) -> bool {
        let counted = Timestamp::from_micros(counted);
        let is_near = self.charging == Charging::Force || counted <= self.now.plus(period);
        counted.plus(period) > self.now && is_near
    }

    /// A subject that has nothing but rates.
    fn subject(&mut self, key: Key, mode: Mode, rates: &[Gcra], bit: u32, states: &impl States) -> Result<(), Refusal> {
        let mut stamps = Stamps::of(states.get(key));
        let taken = self.rates(mode, rates, &stamps, Stamps::RATES);
        if self.charges(key.limit, Rule::Rates, mode, taken)? {
            stamps.put(Stamps::RATES, taken.stamps());
            self.charged |= bit;
            self.draft(key, stamps);
        }
        Ok(())
    }

    /// What a subject's state becomes, with this as its last message.
    fn draft(&mut self, key: Key, mut stamps: Stamps) {
        let is_late = self.charging == Charging::Force && stamps.last() > self.now;
        if !is_late {
            stamps.set_last(self.now);
        }
        self.drafts.push((key, stamps));
    }
}
