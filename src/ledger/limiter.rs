//! The limits with their memory, shared by all threads.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    limits::{Charge, Charging, Decision, Key, Limit, Memory, Refusal, Rules, Spent, States, Touched},
    metrics::Metrics,
    sms::{Cost, Country, Currency, Timestamp},
};

/// States in one of the memory's two generations: about 100 MiB in both, which only an attack fills.
const MOST_SUBJECTS: usize = 500_000;
/// Beyond so many states it takes a while to drop them.
const MANY: usize = 10_000;

pub(super) struct Limiter {
    pub(super) rules: Rules,
    state: Mutex<State>,
    metrics: Arc<Metrics>,
}

struct State {
    memory: Memory,
    /// What the last message to a country cost.
    costs: HashMap<Option<Country>, Cost>,
}

impl Limiter {
    pub(super) fn new(rules: Rules, metrics: Arc<Metrics>) -> Self {
        let memory = Memory::new(MOST_SUBJECTS, rules.longest_period());
        Self { rules, state: Mutex::new(State { memory, costs: HashMap::new() }), metrics }
    }

    /// Charges every touched limit, or none.
    pub(super) fn decide(&self, touched: &Touched, charging: Charging, now: Timestamp) -> Decision {
        self.change(now, |state| {
            let expected = state.costs.get(&touched.country).copied();
            self.rules.decide(touched, expected, charging, now, &mut state.memory)
        })
    }

    /// A refusal that is known here, because no other replica can have made it wrong. Charges nothing.
    pub(super) fn refusal(&self, touched: &Touched, now: Timestamp) -> Option<Decision> {
        let state = self.lock();
        let expected = state.costs.get(&touched.country).copied();
        let decision = self.rules.decide(touched, expected, Charging::Ask, now, &mut Untouched(&state.memory));
        // A range does not count a number twice, and another replica may have counted this one.
        let is_certain = |refusal: Refusal| refusal.limit != Limit::Range;
        Some(decision).filter(|decision| decision.result.err().is_some_and(is_certain))
    }

    pub(super) fn expected_cost(&self, country: Option<Country>) -> Option<Cost> {
        self.lock().costs.get(&country).copied()
    }

    pub(super) fn give_back(&self, touched: &Touched, charge: Charge) {
        self.rules.give_back(touched, charge, &mut self.lock().memory);
    }

    /// Counts what a message cost.
    pub(super) fn pay(
        &self,
        cost: Cost,
        country: Option<Country>,
        charge: Option<Charge>,
        now: Timestamp,
    ) -> Option<Spent> {
        let mut state = self.lock();
        state.costs.insert(country, cost);
        self.rules.pay(cost, charge, now, &mut state.memory)
    }

    /// Counts what rows of today say was spent.
    pub(super) fn relearn_costs(&self, currency: &str, country: Option<Country>, sum: i64, one: i64, now: Timestamp) {
        let Some(currency) = Currency::parse(currency) else { return };
        let mut state = self.lock();
        state.costs.insert(country, Cost { micros: one, currency });
        self.rules.pay(Cost { micros: sum, currency }, None, now, &mut state.memory);
    }

    /// Takes over what is known elsewhere.
    pub(super) fn learn<'a>(&self, states: impl IntoIterator<Item = (Key, &'a [i64])>, now: Timestamp) {
        self.change(now, |state| {
            for (key, stamps) in states {
                state.memory.set(key, stamps);
            }
        });
    }

    /// Changes the memory, and forgets what is too old or too much.
    fn change<T>(&self, now: Timestamp, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let forgotten = state.memory.age(now);
        let changed = change(&mut state);
        self.metrics.limits_subjects.set(state.memory.len() as i64);
        drop(state);
        if let Some(forgotten) = forgotten.filter(|forgotten| forgotten.len() > MANY) {
            std::thread::spawn(move || drop(forgotten));
        }
        changed
    }

    /// Tells operators what was spent.
    pub(super) fn tell(&self, spent: Option<Spent>) {
        let Some(Spent { today, share, warns }) = spent else { return };
        let currency = today.currency.as_str();
        self.metrics.limits_spend_ratio.with_label_values(&[currency]).set(share);
        if warns {
            let (spent, percent) = (today.amount(), (share * 100.0).round());
            tracing::warn!(
                currency,
                spent,
                percent,
                "most of limits.spend.per_day is spent; at 100 % codes are refused"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// States that can only be read.
struct Untouched<'a>(&'a Memory);

impl States for Untouched<'_> {
    fn get(&self, key: Key) -> Option<&[i64]> {
        self.0.get(key)
    }

    fn set(&mut self, _: Key, _: &[i64]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};

    #[test]
    fn what_is_learned_is_forgotten_in_time() {
        let required = "logto.authorization = 'x'\ngatewayapi.api_token = 'x'\ngatewayapi.sender = 'Acme'";
        let source = Source { preset: Some(required.to_owned()), ..Source::default() };
        let limits = Settings::load(&source).unwrap().settings.limits;
        let metrics = Arc::new(Metrics::new());
        let limiter = Limiter::new(Rules::of(&limits), Arc::clone(&metrics));
        let period = limiter.rules.longest_period();
        let mut now = Timestamp::from_seconds(1_000_000);
        for subject in 0..10 {
            let key = Key { limit: Limit::Number, subject };
            limiter.learn([(key, &[1][..])], now);
            now = now.plus(period);
        }
        assert!(metrics.limits_subjects.get() <= 2, "{}", metrics.limits_subjects.get());
    }
}
