//! States in memory, of which there are never more than so many.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    time::Duration,
};

use super::{Key, States};
use crate::sms::Timestamp;

/// States of subjects, in two generations: what is touched moves to the young one. When that is full, or its period is
/// over, the old one goes, so that what is forgotten was not touched for a whole generation.
#[derive(Debug)]
pub struct Memory {
    young: Generation,
    old: Generation,
    /// States in one generation.
    most: usize,
    /// For how long a state matters.
    period: Duration,
    young_since: Timestamp,
}

type Generation = HashMap<Key, Box<[i64]>, BuildHasherDefault<KeyHasher>>;

impl Memory {
    /// Two generations of at most `most` states each.
    pub fn new(most: usize, period: Duration) -> Self {
        let (young, old) = (Generation::default(), Generation::default());
        Self { young, old, most: most.max(1), period, young_since: Timestamp::default() }
    }

    /// Subjects that are remembered.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends a generation where it is time. What it forgets is handed over, because dropping it may take a while.
    #[must_use = "dropping it takes a while"]
    pub fn age(&mut self, now: Timestamp) -> Option<Forgotten> {
        let is_over = self.young_since.plus(self.period) <= now;
        if self.young.len() < self.most && !is_over {
            return None;
        }
        self.young_since = now;
        let young = std::mem::take(&mut self.young);
        Some(Forgotten(std::mem::replace(&mut self.old, young)))
    }
}

/// States that nobody asks for any longer.
#[derive(Debug)]
pub struct Forgotten(Generation);

impl Forgotten {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl States for Memory {
    fn get(&self, key: Key) -> Option<&[i64]> {
        self.young.get(&key).or_else(|| self.old.get(&key)).map(AsRef::as_ref)
    }

    fn set(&mut self, key: Key, state: &[i64]) {
        match self.young.get_mut(&key) {
            Some(known) if known.len() == state.len() => known.copy_from_slice(state),
            _ => {
                self.old.remove(&key);
                self.young.insert(key, state.into());
            }
        }
    }
}

/// Subjects are keyed hashes already, or few.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        // Spreads the few that are not hashes.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(5) ^ u64::from(*byte);
        }
    }

    fn write_i64(&mut self, subject: i64) {
        self.0 = self.0.rotate_left(5) ^ subject.cast_unsigned();
    }

    fn write_isize(&mut self, discriminant: isize) {
        self.0 = self.0.rotate_left(5) ^ discriminant.cast_unsigned() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;

    const PERIOD: Duration = Duration::from_secs(3600);

    fn key(subject: i64) -> Key {
        Key::new(Limit::Number, subject)
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let now = Timestamp::from_seconds(1_000_000);
        let mut memory = Memory::new(100, PERIOD);
        let _ = memory.age(now);
        for subject in 0..1000 {
            memory.set(key(-1), &[subject]);
            memory.set(key(subject), &[subject]);
            drop(memory.age(now));
            assert!(memory.len() <= 200, "{}", memory.len());
        }
        assert_eq!(memory.get(key(-1)), Some(&[999][..]));
        assert_eq!(memory.get(key(999)), Some(&[999][..]));
        assert_eq!(memory.get(key(0)), None);
    }

    #[test]
    fn a_state_lasts_for_its_period_and_not_for_ever() {
        let now = Timestamp::from_seconds(1_000_000);
        let mut memory = Memory::new(100, PERIOD);
        drop(memory.age(now));
        memory.set(key(1), &[1]);
        drop(memory.age(now.plus(PERIOD)));
        assert!(memory.get(key(1)).is_some());
        drop(memory.age(now.plus(2 * PERIOD)));
        assert!(memory.is_empty());
    }
}
