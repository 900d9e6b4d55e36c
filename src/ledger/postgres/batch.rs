//! A batch in one transaction: what it asks for is read and locked, decided here by the same rules as everywhere, and
//! written.

use std::collections::BTreeSet;

use tokio_postgres::{Client, error::SqlState};

use super::{Statements, messages, states};
use crate::{
    ledger::{
        OpenMessage,
        limiter::Limiter,
        message::Settlement,
        store::{Correction, StoreError, Write, Written},
    },
    limits::{Charging, Decision, Key, Rules, Spent},
};

/// Other replicas may be faster with a new subject, but not again and again.
const MOST_TRIES: usize = 8;

/// What a batch reads before it is decided.
struct Fetched<'a> {
    states: states::Fetched,
    messages: messages::Fetched<'a>,
    /// What the batch spends, to be told when it is written.
    spent: Vec<Spent>,
}

pub(super) async fn write(
    client: &Client,
    statements: &Statements,
    instance: i64,
    limiter: &Limiter,
    writes: &[Write],
) -> Result<Vec<Written>, StoreError> {
    for _ in 0..MOST_TRIES {
        match attempt(client, statements, instance, limiter, writes).await {
            Ok(Some(written)) => return Ok(written),
            Ok(None) => {}
            Err(StoreError::Postgres(error)) if is_in_the_way(&error) => {}
            Err(error) => return Err(error),
        }
        client.batch_execute("ROLLBACK").await?;
    }
    Err(StoreError::Contended)
}

/// `None`: another replica was faster with a new subject.
async fn attempt(
    client: &Client,
    statements: &Statements,
    instance: i64,
    limiter: &Limiter,
    writes: &[Write],
) -> Result<Option<Vec<Written>>, StoreError> {
    let keys: BTreeSet<_> = writes.iter().flat_map(|write| keys(write, &limiter.rules)).collect();
    let ids = writes.iter().map(Write::id).collect();
    // Sent together: the later ones see what the first one waited for.
    let ((), states, messages) = tokio::try_join!(
        biased;
        client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
        statements.states.lock(client, &keys),
        statements.messages.lock(client, &ids),
    )?;
    let mut fetched = Fetched { states, messages, spent: Vec::new() };
    let written = writes.iter().map(|write| fetched.decide(write, limiter)).collect();
    let now = writes.iter().filter_map(Write::at).max().unwrap_or_default();
    let Fetched { states, messages, spent } = &fetched;
    if states.is_changed() || messages.is_changed() {
        let messages = async { Ok(statements.messages.write(client, instance, messages).await?) };
        // The first error tells why; after it the transaction takes nothing.
        let (is_written, ()) = tokio::try_join!(biased; statements.states.write(client, states, now), messages)?;
        if !is_written {
            return Ok(None);
        }
        client.batch_execute("COMMIT").await?;
    } else {
        client.batch_execute("ROLLBACK").await?;
    }
    limiter.learn(states.iter(), now);
    for spent in spent {
        limiter.tell(Some(*spent));
    }
    Ok(Some(written))
}

fn keys(write: &Write, rules: &Rules) -> Vec<Key> {
    match write {
        Write::Open { entry, .. } => entry.counted().iter().flat_map(|touched| rules.keys(touched)).collect(),
        Write::Settle(_, Correction::GiveBack(touched, _) | Correction::Withdraw(touched)) => {
            rules.keys(touched).collect()
        }
        Write::Settle(_, Correction::Pay(cost, _)) => rules.budget_key(cost.currency).into_iter().collect(),
        Write::Settle(_, Correction::None) | Write::Report(_) => Vec::new(),
    }
}

impl<'a> Fetched<'a> {
    fn decide(&mut self, write: &'a Write, limiter: &Limiter) -> Written {
        let rules = &limiter.rules;
        match write {
            Write::Open { entry, .. } if self.messages.get(entry.id).is_some() => Written::Opened(None),
            Write::Open { entry, charging, expected } => {
                let decide =
                    |touched| rules.decide(&touched, *expected, *charging, entry.admitted_at, &mut self.states);
                let decision = entry.counted().map(decide);
                if let (Charging::Ask, Some(Decision { result: Ok(charge), .. })) = (charging, decision) {
                    // Whoever asked may never hear of it, and withdraw it.
                    let open = OpenMessage { id: entry.id, touched: entry.touched, charge: Some(charge) };
                    limiter.undecided.remember(open, entry.admitted_at);
                }
                if decision.is_none_or(|decision| decision.result.is_ok()) {
                    self.messages.open(entry);
                }
                Written::Opened(decision)
            }
            Write::Settle(settlement, correction) => {
                let row = self.messages.get(settlement.id);
                // What was written once may come again, when nobody knows whether it was.
                let is_new = match correction {
                    Correction::None => false,
                    Correction::GiveBack(..) | Correction::Withdraw(_) => {
                        row.is_some_and(|row| row.progress.is_undecided())
                    }
                    Correction::Pay(..) => row.is_none_or(|row| !row.is_paid()),
                };
                let newly_accepted = self.messages.settle(settlement);
                let spent = if is_new { self.correct(correction, settlement, limiter) } else { None };
                self.spent.extend(spent);
                Written::Settled { newly_accepted }
            }
            Write::Report(report) => Written::Reported(self.messages.report(report)),
        }
    }

    fn correct(&mut self, correction: &Correction, settlement: &Settlement, limiter: &Limiter) -> Option<Spent> {
        let rules = &limiter.rules;
        let (touched, charge) = match correction {
            Correction::None => return None,
            Correction::GiveBack(touched, charge) => (touched, *charge),
            Correction::Withdraw(touched) => (touched, limiter.undecided.charge_of(settlement.id)?),
            Correction::Pay(cost, charge) => {
                return rules.pay(*cost, *charge, settlement.settled_at, &mut self.states);
            }
        };
        rules.give_back(touched, charge, &mut self.states);
        None
    }
}

/// Another transaction was in the way, and ends by itself.
fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE]
        .iter()
        .any(|state| error.code() == Some(state))
}
