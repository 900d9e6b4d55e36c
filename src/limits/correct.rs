//! What an outcome changes about what was counted.

use super::{
    COUNTRIES_PERIOD, Charge, Limit, Rules, Touched, charged,
    state::{Key, Stamps, States},
};
use crate::sms::{Cost, Currency, Timestamp};

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

impl Rules {
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
}
