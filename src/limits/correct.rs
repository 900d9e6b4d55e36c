//! What an outcome changes about what was counted.

use super::{
    Charge, Limit, Rules, Touched, charged,
    state::{Key, Stamps, States},
};
use crate::sms::{Cost, Currency, Timestamp};

/// A day's spending after another message was paid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// With what is reserved for messages that are on their way.
    pub today: Cost,
    /// The budget's share that is spent: 1 is all of it.
    pub share: f64,
    /// [`SPEND_WARNING`] is reached. Said once a day.
    pub warns: bool,
}

/// The share of a day's budget at which operators are warned.
pub const SPEND_WARNING: f64 = 0.8;

impl Rules {
    /// Undoes what a message was charged: it did not leave.
    pub fn give_back(&self, touched: &Touched, charge: Charge, states: &mut impl States) {
        let at = charge.at;
        let is_charged = |bit: u32| charge.charged & bit != 0;
        let number = Key::new(Limit::Number, touched.number.bits());
        let mut is_last = false;
        change(states, number, |stamps| {
            is_last = stamps.last() == at;
            if is_charged(charged::NUMBER) {
                stamps.give_back(Stamps::COOLDOWN, self.cooldown.as_slice(), at);
                stamps.give_back(Stamps::NUMBER_RATES, &self.number_rates, at);
            }
            for rate in self.charged_ranges(charge).filter(|_| is_last) {
                stamps.put(Stamps::COUNTED + rate, &[0]);
            }
        });
        // Another message to the number was not counted in its ranges, because this one was.
        for range in touched.ranges.into_iter().filter(|_| is_last) {
            change(states, Key::new(Limit::Range, range.bits()), |stamps| {
                for rate in self.charged_ranges(charge) {
                    stamps.give_back(Stamps::RATES + rate, &[self.range_rates[rate].0], at);
                }
            });
        }
        if let Some(ip) = touched.ip.filter(|_| is_charged(charged::IP)) {
            change(states, Key::new(Limit::Ip, ip.bits()), |stamps| {
                stamps.give_back(Stamps::RATES, &self.ip_rates, at);
                if let Some(before) = charge.country_before {
                    stamps.forget_country(touched.country, at, before);
                }
            });
        }
        if let Some(rates) = self.rates_of(touched.country).filter(|_| is_charged(charged::COUNTRY)) {
            change(states, Key::country(touched.country), |stamps| stamps.give_back(Stamps::RATES, rates, at));
        }
        if is_charged(charged::SERVICE) {
            change(states, Key::service(), |stamps| stamps.give_back(Stamps::RATES, &self.service_rates, at));
        }
        if let Some(reserved) = charge.reserved {
            change(states, Key::spend(reserved.currency), |stamps| {
                if stamps.day() == at.day() {
                    stamps.spend(-reserved.micros);
                }
            });
        }
    }

    fn charged_ranges(&self, charge: Charge) -> impl Iterator<Item = usize> {
        (0..self.range_rates.len()).filter(move |rate| charge.charged & charged::range(*rate) != 0)
    }

    /// Counts what a message cost, in place of what it was expected to. `None`: its currency has no budget, or its day is
    /// over.
    pub fn pay(&self, cost: Cost, charge: Option<Charge>, now: Timestamp, states: &mut impl States) -> Option<Spent> {
        let (currency, per_day) = self.budgets().find(|(currency, _)| *currency == cost.currency)?;
        let key = Key::spend(currency);
        let mut stamps = Stamps::of(states.get(key));
        let today = now.day();
        if today < stamps.day() {
            return None;
        }
        stamps.begin_day(today);
        let reserved = charge.filter(|charge| charge.at.day() == today).and_then(|charge| charge.reserved);
        let reserved = reserved.filter(|reserved| reserved.currency == currency).map_or(0, |reserved| reserved.micros);
        stamps.spend(cost.at_least_nothing().micros - reserved);
        let share = stamps.spent() as f64 / per_day.max(1) as f64;
        let warns = share >= SPEND_WARNING && stamps.warn();
        states.set(key, stamps.as_slice());
        Some(Spent { today: Cost { micros: stamps.spent(), currency }, share, warns })
    }

    /// There are budgets, and none in this currency: they limit nothing.
    pub fn lacks_budget(&self, currency: Currency) -> bool {
        self.budgets().next().is_some() && self.budget_key(currency).is_none()
    }

    /// The key that [`pay`](Self::pay) changes.
    pub fn budget_key(&self, currency: Currency) -> Option<Key> {
        self.budgets().find(|(budget, _)| *budget == currency).map(|_| Key::spend(currency))
    }
}

/// Changes a state, unless it is forgotten.
fn change(states: &mut impl States, key: Key, change: impl FnOnce(&mut Stamps)) {
    if let Some(known) = states.get(key) {
        let mut stamps = Stamps::of(Some(known));
        change(&mut stamps);
        states.set(key, stamps.as_slice());
    }
}
