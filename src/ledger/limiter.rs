//! The limits with their memory, shared by all threads.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::undecided::UndecidedMessages;
use crate::{
    limits::{Charge, Charging, Decision, Key, Limit, Memory, Rules, Spent, States, Touched},
    metrics::Metrics,
    sms::{Cost, Country, Currency, Timestamp},
};

/// States in one of the memory's two generations: about 150 MB in both, which only an attack fills.
const MOST_SUBJECTS: usize = 500_000;
/// Beyond so many states it takes a while to drop them.
const MANY: usize = 10_000;

pub(super) struct Limiter {
    pub(super) rules: Rules,
    pub(super) undecided: UndecidedMessages,
    state: Mutex<State>,
    metrics: Arc<Metrics>,
}

struct State {
    memory: Memory,
    /// What the last message to a country cost.
    costs: HashMap<Option<Country>, Cost>,
    /// When the database was last asked though a limit refuses here.
    asked: HashMap<Limit, Timestamp>,
    /// A cost in a currency without a budget has been told of.
    is_foreign_told: bool,
}

impl State {
    /// What a message to a country will cost: what the last one did, and where there was none, the dearest elsewhere.
    fn expected_cost(&self, country: Option<Country>) -> Option<Cost> {
        let dearest = || self.costs.values().max_by_key(|cost| cost.micros);
        self.costs.get(&country).or_else(dearest).copied()
    }
}

impl Limiter {
    pub(super) fn new(rules: Rules, metrics: Arc<Metrics>) -> Self {
        let memory = Memory::new(MOST_SUBJECTS, rules.longest_period());
        // What never happened is zero, and not absent.
        for limit in Limit::ALL {
            metrics.limits_refused.with_label_values(&[limit.as_str()]);
            metrics.limits_monitored.with_label_values(&[limit.as_str()]);
        }
        let state = State { memory, costs: HashMap::new(), asked: HashMap::new(), is_foreign_told: false };
        Self { rules, undecided: UndecidedMessages::default(), state: Mutex::new(state), metrics }
    }

    /// Charges every touched limit, or none.
    pub(super) fn decide(&self, touched: &Touched, charging: Charging, now: Timestamp) -> Decision {
        self.change(now, |state| {
            let expected = state.expected_cost(touched.country);
            self.rules.decide(touched, expected, charging, now, &mut state.memory)
        })
    }

    /// A refusal that is known here, and needs no question to the database. Charges nothing.
    pub(super) fn refusal(&self, touched: &Touched, now: Timestamp) -> Option<Decision> {
        /// Another replica may have given back what is counted here, so the database is asked now and then.
        const TRUSTED: Duration = Duration::from_secs(1);
        let mut state = self.lock();
        let expected = state.expected_cost(touched.country);
        let decision = self.rules.decide(touched, expected, Charging::Ask, now, &mut Untouched(&state.memory));
        let limit = decision.result.err()?.limit;
        let is_known = match limit {
            Limit::Number => true,
            // A range does not count a number twice, and another replica may have counted this one.
            Limit::Range => false,
            _ => state.asked.get(&limit).is_some_and(|asked| now < asked.plus(TRUSTED)),
        };
        if !is_known {
            state.asked.insert(limit, now);
        }
        is_known.then_some(decision)
    }

    pub(super) fn expected_cost(&self, country: Option<Country>) -> Option<Cost> {
        self.lock().expected_cost(country)
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
        if self.rules.lacks_budget(cost.currency) && !std::mem::replace(&mut state.is_foreign_told, true) {
            let currency = cost.currency.as_str();
            tracing::error!(currency, "GatewayAPI bills in a currency that limits.spend.per_day does not name");
        }
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
