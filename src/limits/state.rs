//! What is remembered of one subject: a few numbers, the same in memory and in a database.

use std::time::Duration;

use super::{Limit, gcra::Gcra};
use crate::{
    config::{IpLimit, Rates},
    sms::{Country, Currency, Timestamp},
};

pub(super) const COUNTRIES_PERIOD: Duration = IpLimit::COUNTRIES_PERIOD;

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
    const MOST: usize = Self::COUNTRIES + IpLimit::MOST_COUNTRIES;

    /// Of all but budgets: when the last message was counted.
    const LAST: usize = 0;
    /// Of all but numbers and budgets: where the timestamps of their rates begin.
    pub(super) const RATES: usize = 1;
    /// Of an address: where its countries begin, each with the moment until which it counts.
    const COUNTRIES: usize = Self::RATES + Rates::MOST;
    /// Of a number: the timestamp of its cooldown.
    pub(super) const COOLDOWN: usize = 1;
    /// Of a number: where the timestamps of its rates begin.
    pub(super) const NUMBER_RATES: usize = Self::COOLDOWN + 1;
    /// Of a number: where the moments begin at which its ranges were last charged for it, one for each of their rates.
    pub(super) const COUNTED: usize = Self::NUMBER_RATES + Rates::MOST;
    /// Of a budget: the day, what was spent on it in millionths, and whether that was warned about.
    const DAY: usize = 0;
    const SPENT: usize = 1;
    const WARNED: usize = 2;

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

    /// When the last message was counted.
    pub(super) const fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.at(Self::LAST))
    }

    pub(super) fn set_last(&mut self, last: Timestamp) {
        self.put(Self::LAST, &[last.micros()]);
    }

    /// Without a message that was counted at this moment by these rates.
    pub(super) fn give_back(&mut self, first: usize, rates: &[Gcra], charged_at: Timestamp) {
        let before_last = self.last().since(charged_at);
        for (index, rate) in rates.iter().enumerate() {
            self.put(first + index, &[rate.give_back(self.at(first + index), before_last)]);
        }
    }

    /// Notes a country, and returns what stood in its place and still counted. Refused with the time until a place is free.
    pub(super) fn note_country(
        &mut self,
        country: Option<Country>,
        now: Timestamp,
        most: usize,
    ) -> Result<i64, Duration> {
        let places = Self::COUNTRIES..Self::COUNTRIES + most.min(IpLimit::MOST_COUNTRIES);
        let is_known = |&place: &usize| is_live(self.at(place), now) && letters_at(self.at(place)) == letters(country);
        let is_free = |&place: &usize| !is_live(self.at(place), now);
        let Some(place) = places.clone().find(is_known).or_else(|| places.clone().find(is_free)) else {
            let next = places.map(|place| until_at(self.at(place))).min().unwrap_or_default();
            return Err(Timestamp::from_micros(next).since(now));
        };
        let before = if is_live(self.at(place), now) { self.at(place) } else { 0 };
        // A message that is told late does not shorten the time of one that was told before.
        self.put(place, &[before.max(noted_country(country, now))]);
        Ok(before)
    }

    /// Puts back what stood in a country's place, unless the country was noted again since.
    pub(super) fn forget_country(&mut self, country: Option<Country>, noted_at: Timestamp, before: i64) {
        let noted = noted_country(country, noted_at);
        if let Some(place) = (Self::COUNTRIES..Self::MOST).find(|&place| self.at(place) == noted) {
            self.put(place, &[before]);
        }
    }

    /// Of a budget: the day that it is at.
    pub(super) const fn day(&self) -> i64 {
        self.at(Self::DAY)
    }

    /// Of a budget: begins the day, unless it has begun. Another replica may have begun the next one a little earlier; a
    /// day after that is of a clock that was wrong.
    pub(super) fn begin_day(&mut self, today: i64) {
        if !(today..=today.saturating_add(1)).contains(&self.day()) {
            self.put(Self::DAY, &[today, 0, 0]);
        }
    }

    /// Of a budget: what was spent on its day.
    pub(super) const fn spent(&self) -> i64 {
        self.at(Self::SPENT)
    }

    pub(super) fn spend(&mut self, micros: i64) {
        self.put(Self::SPENT, &[self.spent().saturating_add(micros).max(0)]);
    }

    /// Of a budget: `true` once on its day.
    pub(super) fn warn(&mut self) -> bool {
        let warns = self.at(Self::WARNED) == 0;
        self.put(Self::WARNED, &[1]);
        warns
    }
}

const _: () = assert!(Stamps::COUNTED + Rates::MOST <= Stamps::MOST, "the stamps of a number fit");

/// Bits of a noted country that are its letters. The others are the moment until which it counts.
const LETTERS: u32 = 10;

fn noted_country(country: Option<Country>, now: Timestamp) -> i64 {
    (now.plus(COUNTRIES_PERIOD).micros() << LETTERS) | letters(country)
}

/// Five bits each. Numbers of no country are a country together.
fn letters(country: Option<Country>) -> i64 {
    country.map_or(0, |country| {
        country.as_str().bytes().fold(0, |letters, letter| (letters << 5) | i64::from(letter - b'A' + 1))
    })
}

const fn letters_at(stamp: i64) -> i64 {
    stamp & ((1 << LETTERS) - 1)
}

/// Microseconds since 1970.
const fn until_at(stamp: i64) -> i64 {
    stamp >> LETTERS
}

/// A moment further away was noted by a clock that was wrong.
fn is_live(stamp: i64, now: Timestamp) -> bool {
    let furthest = now.plus(2 * COUNTRIES_PERIOD);
    (now.micros() + 1..=furthest.micros()).contains(&until_at(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory that has aged has forgotten it, and a database has not yet: both must answer alike.
    #[test]
    fn what_counts_no_longer_stood_nowhere() {
        let (denmark, now) = (Country::parse("DK"), Timestamp::from_seconds(1_000_000));
        let mut stamps = Stamps::of(None);
        assert_eq!(stamps.note_country(denmark, now, 3), Ok(0));
        let noted = stamps.note_country(denmark, now.plus(COUNTRIES_PERIOD / 2), 3).unwrap();
        assert_eq!(noted, noted_country(denmark, now));
        assert_eq!(stamps.note_country(denmark, now.plus(2 * COUNTRIES_PERIOD), 3), Ok(0));
    }
}
