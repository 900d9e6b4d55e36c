//! What is remembered of one subject: a few numbers, the same in memory and in a database.

use std::time::Duration;

use super::{Limit, gcra::Gcra};
use crate::{
    config::Rates,
    sms::{Country, Currency, Timestamp},
};

/// Names one subject's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub limit: Limit,
    pub subject: i64,
}

impl Key {
    pub(super) const fn new(limit: Limit, subject: i64) -> Self {
        Self { limit, subject }
    }

    pub(super) fn country(country: Option<Country>) -> Self {
        Self::new(Limit::Country, country.map_or(0, |country| packed(country.as_str())))
    }

    pub(super) const fn service() -> Self {
        Self::new(Limit::Service, 0)
    }

    pub(super) fn spend(currency: Currency) -> Self {
        Self::new(Limit::Spend, packed(currency.as_str()))
    }
}

fn packed(letters: &str) -> i64 {
    letters.bytes().fold(0, |packed, letter| (packed << 8) | i64::from(letter))
}

/// Where states are kept.
pub trait States {
    /// `None`: nothing is known of the subject.
    fn get(&self, key: Key) -> Option<&[i64]>;

    fn set(&mut self, key: Key, state: &[i64]);
}

/// A state in the works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamps {
    length: u8,
    stamps: [i64; Self::MOST],
}

impl Stamps {
    pub(super) const EMPTY: Self = Self { length: 0, stamps: [0; Self::MOST] };
    const MOST: usize = 12;

    /// Of a number: the timestamp of its cooldown.
    pub(super) const COOLDOWN: usize = 0;
    /// Of a number: where the timestamps of its rates begin.
    pub(super) const NUMBER_RATES: usize = 1;
    /// Of a number: where the moments begin at which its ranges were last charged for it, one for each of their rates.
    pub(super) const COUNTED: usize = Self::NUMBER_RATES + Rates::MOST;
    /// Of all others: where the timestamps of their rates begin.
    pub(super) const RATES: usize = 0;
    /// Of an address: where its countries begin, each with the moment until which it counts.
    const COUNTRIES: usize = Rates::MOST;
    /// As many countries as an address can be watched for.
    pub(super) const MOST_COUNTRIES: usize = Self::MOST - Self::COUNTRIES;

    pub(super) fn of(known: Option<&[i64]>) -> Self {
        let mut stamps = Self::EMPTY;
        stamps.put(0, known.unwrap_or_default());
        stamps
    }

    pub(super) fn as_slice(&self) -> &[i64] {
        &self.stamps[..usize::from(self.length)]
    }

    /// Zero where there is none.
    pub(super) const fn at(&self, index: usize) -> i64 {
        self.stamps[index]
    }

    pub(super) fn put(&mut self, first: usize, stamps: &[i64]) {
        let stamps = &stamps[..stamps.len().min(Self::MOST - first)];
        if !stamps.is_empty() {
            self.stamps[first..first + stamps.len()].copy_from_slice(stamps);
            self.length = self.length.max((first + stamps.len()) as u8);
        }
    }

    pub(super) fn give_back(&mut self, first: usize, rates: &[Gcra]) {
        for (index, rate) in rates.iter().enumerate() {
            self.put(first + index, &[rate.give_back(self.at(first + index))]);
        }
    }

    /// Notes a country. `true`: it is a new one. Refused with the time until the oldest country counts no more.
    pub(super) fn add_country(
        &mut self,
        country: Country,
        until: Timestamp,
        now: Timestamp,
        most: usize,
    ) -> Result<bool, Duration> {
        let most = most.min(Self::MOST_COUNTRIES);
        let places = Self::COUNTRIES..Self::COUNTRIES + most;
        let known =
            places.clone().find(|&place| country_at(self.at(place)) == letters(country) && self.is_live(place, now));
        let is_new = known.is_none();
        let Some(place) = known.or_else(|| places.clone().find(|&place| !self.is_live(place, now))) else {
            let next = places.map(|place| until_at(self.at(place))).min().unwrap_or_default();
            return Err(Timestamp::from_micros(next).since(now));
        };
        // The seconds are rounded up, so a country never counts too short.
        let seconds = until.micros().div_euclid(1_000_000) + 1;
        self.put(place, &[(seconds << 16) | letters(country)]);
        Ok(is_new)
    }

    /// Forgets a country, unless it was noted again since.
    pub(super) fn remove_country(&mut self, country: Option<Country>, until: Timestamp) {
        let Some(country) = country else { return };
        let seconds = until.micros().div_euclid(1_000_000) + 1;
        for place in Self::COUNTRIES..Self::MOST {
            if self.at(place) == (seconds << 16) | letters(country) {
                self.put(place, &[0]);
            }
        }
    }

    fn is_live(&self, place: usize, now: Timestamp) -> bool {
        until_at(self.at(place)) > now.micros()
    }

    /// Of a budget: what was spent on a day.
    pub(super) const fn spent_on(&self, day: i64) -> i64 {
        if self.at(0) == day { self.at(1) } else { 0 }
    }

    /// Of a budget: counts what was spent on a day, and forgets the days before.
    pub(super) fn spend(&mut self, day: i64, micros: i64) {
        if day >= self.at(0) {
            let spent = self.spent_on(day).saturating_add(micros).max(0);
            self.put(0, &[day, spent]);
        }
    }
}

fn letters(country: Country) -> i64 {
    packed(country.as_str())
}

const fn country_at(stamp: i64) -> i64 {
    stamp & 0xffff
}

/// Microseconds since 1970.
const fn until_at(stamp: i64) -> i64 {
    (stamp >> 16) * 1_000_000
}
