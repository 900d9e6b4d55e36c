//! Memory, SQLite and PostgreSQL decide alike.

use super::*;
use crate::{
    limits::{Charge, Memory, Rule, Spent},
    sms::{Cost, Currency},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Select, select},
};
use std::collections::HashMap;

const NUMBERS: &[&str] =
    &["+4526091045", "+4526091046", "+4526091999", "+4526098888", "+46701740605", "+46701740606", "+358401234567"];
const ADDRESSES: &[Option<&str>] = &[Some("198.51.100.7"), Some("198.51.100.8"), Some("2001:db8:1:2::1"), None];
const PAUSES: &[u64] = &[0, 0, 1, 5, 20, 60, 600, 2400];
/// A database is made for each.
const CASES: u32 = 24;

#[derive(Debug, Clone)]
struct Step {
    /// In seconds.
    pause: u64,
    /// Written at once.
    messages: Vec<Message>,
    /// The outcomes of what was sent so far become known.
    settles: bool,
    /// The processes end, and start again.
    reopens: bool,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    number: &'static str,
    ip: Option<&'static str>,
    is_counted: bool,
    fate: Fate,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Accepted, for so many cents.
    Paid(i64),
    Unknown,
    Failed,
}

fn messages(fates: &'static [Fate]) -> impl Strategy<Value = Message> {
    let is_counted = prop::bool::weighted(0.95);
    (select(NUMBERS), select(ADDRESSES), is_counted, select(fates)).prop_map(|(number, ip, is_counted, fate)| Message {
        number,
        ip,
        is_counted,
        fate,
    })
}

/// All limits, so tight that each refuses now and then.
fn limits() -> impl Strategy<Value = String> {
    let modes: [Select<&str>; 6] = [(); 6].map(|()| select(&["enforce", "enforce", "monitor"][..]));
    modes.prop_map(|[number, ip, range, country, service, spend]| {
        format!(
            "limits.number = {{ mode = '{number}', cooldown = '5s', rates = ['2/1m', '4/1h'] }}\n\
             limits.ip = {{ mode = '{ip}', rates = ['3/1m', '9/1h'], max_countries = 2 }}\n\
             limits.range = {{ mode = '{range}', rates = ['2/10m', '3/1h'] }}\n\
             limits.country = {{ mode = '{country}', rates = ['5/10m', '9/1h'], override = {{ SE = ['3/1h'] }} }}\n\
             limits.service = {{ mode = '{service}', rates = ['7/10m', '20/24h'] }}\n\
             limits.spend = {{ mode = '{spend}', per_day = {{ DKK = 5, EUR = 1 }} }}\n"
        )
    })
}

/// What decides.
trait Judge {
    /// Decides on messages that come at once.
    fn ask(&mut self, entries: &[Entry]) -> Vec<Option<Decision>>;

    fn settle(&mut self, sent: &Sent, now: Timestamp) -> Option<Spent>;
}

/// A message that may leave.
#[derive(Clone)]
struct Sent {
    entry: Entry,
    charge: Option<Charge>,
    fate: Fate,
}

impl Sent {
    /// As [`Ledger::settle`] has it.
    fn outcome(&self, now: Timestamp) -> (Settlement, Correction) {
        let outcome = match self.fate {
            Fate::Paid(_) => Outcome::Accepted,
            Fate::Unknown => Outcome::Unknown,
            Fate::Failed => Outcome::NotSent,
        };
        let settlement = Settlement { cost: self.cost(), ..Settlement::of(self.entry.id, outcome, now) };
        let correction = match (self.fate, self.charge, self.cost()) {
            (Fate::Failed, Some(charge), _) => Correction::GiveBack(self.entry.touched, charge),
            (_, charge, Some(cost)) => Correction::Pay(cost, charge),
            _ => Correction::None,
        };
        (settlement, correction)
    }

    fn cost(&self) -> Option<Cost> {
        let Fate::Paid(cents) = self.fate else { return None };
        Some(Cost { micros: cents * 10_000, currency: Currency::parse("EUR").unwrap() })
    }
}

/// Nothing but rules and a memory.
struct Reference {
    rules: Rules,
    memory: Memory,
    costs: HashMap<Option<Country>, Cost>,
}

impl Judge for Reference {
    fn ask(&mut self, entries: &[Entry]) -> Vec<Option<Decision>> {
        let decide = |entry: &Entry| {
            let dearest = || self.costs.values().max_by_key(|cost| cost.micros);
            let expected = self.costs.get(&entry.touched.country).or_else(dearest).copied();
            let (rules, memory) = (&self.rules, &mut self.memory);
            entry.counted().map(|touched| rules.decide(&touched, expected, Charging::Ask, entry.admitted_at, memory))
        };
        entries.iter().map(decide).collect()
    }

    fn settle(&mut self, sent: &Sent, now: Timestamp) -> Option<Spent> {
        match sent.outcome(now).1 {
            Correction::None | Correction::Withdraw(_) => None,
            Correction::GiveBack(touched, charge) => {
                self.rules.give_back(&touched, charge, &mut self.memory);
                None
            }
            Correction::Pay(cost, charge) => {
                self.costs.insert(sent.entry.touched.country, cost);
                self.rules.pay(cost, charge, now, &mut self.memory)
            }
        }
    }
}

/// A ledger on a database.
struct OnDatabase<'a> {
    place: &'a Place,
    toml: &'a str,
    opened: Option<Opened>,
}

impl<'a> OnDatabase<'a> {
    fn new(place: &'a Place, toml: &'a str) -> Self {
        Self { place, toml, opened: Some(place.open_with(toml, NOW)) }
    }

    fn reopen(&mut self, costs: &HashMap<Option<Country>, Cost>, now: Timestamp) {
        self.opened = None;
        let opened = self.opened.insert(self.place.open_with(self.toml, now));
        if self.place.kind == Kind::Postgres {
            // What a message costs is learned anew by each process.
            for (country, cost) in costs {
                opened.limiter.relearn_costs(cost.currency.as_str(), *country, 0, cost.micros, now);
            }
        }
    }

    fn opened(&mut self) -> &mut Opened {
        self.opened.as_mut().expect("it is opened again at once")
    }
}

impl Judge for OnDatabase<'_> {
    fn ask(&mut self, entries: &[Entry]) -> Vec<Option<Decision>> {
        let kind = self.place.kind;
        let ledger = self.opened();
        if kind != Kind::Postgres {
            return entries.iter().map(|entry| ledger.ask(kind, entry)).collect();
        }
        let known = entries[0].counted().and_then(|touched| ledger.limiter.refusal(&touched, entries[0].admitted_at));
        let writes: Vec<_> = entries
            .iter()
            .map(|entry| Write::Open {
                entry: entry.clone(),
                charging: Charging::Ask,
                expected: ledger.limiter.expected_cost(entry.touched.country),
            })
            .collect();
        let decision = |written| match written {
            Written::Opened(decision) => decision,
            other => panic!("{other:?}"),
        };
        let decisions: Vec<_> = ledger.write(&writes).into_iter().map(decision).collect();
        // What the memory refuses the database would, though perhaps for another limit.
        assert!(known.is_none() || decisions[0].is_some_and(|decision| decision.result.is_err()), "{known:?}");
        decisions
    }

    fn settle(&mut self, sent: &Sent, now: Timestamp) -> Option<Spent> {
        let (settlement, correction) = sent.outcome(now);
        let ledger = self.opened();
        let spent = match correction {
            Correction::None | Correction::Withdraw(_) => None,
            Correction::GiveBack(touched, charge) => {
                ledger.limiter.give_back(&touched, charge);
                None
            }
            Correction::Pay(cost, charge) => ledger.limiter.pay(cost, sent.entry.touched.country, charge, now),
        };
        ledger.write(&[Write::Settle(settlement, correction)]);
        spent
    }
}

/// A judge with what it let pass, by its own word.
struct Trial<J> {
    judge: J,
    sent: Vec<Sent>,
}

impl<J: Judge> Trial<J> {
    fn new(judge: J) -> Self {
        Self { judge, sent: Vec::new() }
    }

    fn ask(&mut self, entries: &[Entry], messages: &[Message]) -> Vec<Option<Decision>> {
        let decisions = self.judge.ask(entries);
        for ((entry, message), decision) in entries.iter().zip(messages).zip(&decisions) {
            let charge = decision.map(|decision| decision.result).transpose();
            self.sent.extend(charge.ok().map(|charge| Sent { entry: entry.clone(), charge, fate: message.fate }));
        }
        decisions
    }

    fn settle(&mut self, now: Timestamp) -> Vec<Option<Spent>> {
        let judge = &mut self.judge;
        self.sent.drain(..).map(|sent| judge.settle(&sent, now)).collect()
    }
}

/// Runs the steps on all three.
fn run(places: [&Place; 2], toml: &str, steps: &[Step]) -> Result<(), TestCaseError> {
    let rules = Rules::of(&settings(toml).limits);
    let memory = Memory::new(1_000_000, rules.longest_period());
    let mut reference = Trial::new(Reference { rules, memory, costs: HashMap::new() });
    let [mut sqlite, mut postgres] = places.map(|place| Trial::new(OnDatabase::new(place, toml)));
    let mut now = NOW;
    let mut was_reopened = false;
    for step in steps {
        now = now.plus(seconds(step.pause));
        if step.reopens {
            was_reopened = true;
            sqlite.judge.reopen(&reference.judge.costs, now);
            postgres.judge.reopen(&reference.judge.costs, now);
        }
        let entry = |message: &Message| {
            let is_ip_counted = message.is_counted && message.ip.is_some();
            Entry { is_counted: message.is_counted, is_ip_counted, ..entry_to(message.number, message.ip, now) }
        };
        let entries: Vec<_> = step.messages.iter().map(entry).collect();
        let expected = reference.ask(&entries, &step.messages);
        prop_assert_eq!(&postgres.ask(&entries, &step.messages), &expected);
        let decided = sqlite.ask(&entries, &step.messages);
        if was_reopened {
            prop_assert_eq!(refusals(&decided), refusals(&expected));
        } else {
            prop_assert_eq!(&decided, &expected);
        }
        if step.settles {
            let expected = reference.settle(now);
            prop_assert_eq!(&sqlite.settle(now), &expected);
            // Its memory does not know all that its database does, which decides the next step.
            postgres.settle(now);
        }
    }
    Ok(())
}

/// Who refused, and for how long. Rows do not tell all: SQLite, when it starts again, counts a message by each limit, also
/// by one that only watched and was exceeded, so it may see differently what such a limit would have refused; and a
/// country that a message had again prolonged counts shorter, when nothing of that message left.
fn refusals(decisions: &[Option<Decision>]) -> Vec<Option<Refusal>> {
    let known =
        |refusal: Refusal| Refusal { wait: refusal.wait.filter(|_| refusal.rule != Rule::Countries), ..refusal };
    decisions.iter().map(|decision| decision.and_then(|decision| decision.result.err()).map(known)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_decide_alike(
        toml in limits(),
        steps in vec(
            (prop_oneof![20 => select(PAUSES), 1 => Just(50_000)], vec(messages(&[Fate::Paid(7), Fate::Paid(12), Fate::Unknown, Fate::Failed]), 1..5), any::<bool>())
                .prop_map(|(pause, messages, settles)| Step { pause, messages, settles, reopens: false }),
            5..25,
        ),
    ) {
        let places = [Kind::Memory, Kind::Postgres].map(Place::new);
        run(places.each_ref(), &toml, &steps)?;
    }

    /// Each outcome is known before the next message comes, because rows do not tell in which order things happened; and
    /// it is known for sure, because they do not tell what an unknown one was expected to cost.
    #[test]
    fn all_decide_alike_after_a_restart(
        toml in limits(),
        steps in vec(
            (select(PAUSES), messages(&[Fate::Paid(7), Fate::Paid(12), Fate::Failed]), prop::bool::weighted(0.1))
                .prop_map(|(pause, message, reopens)| Step { pause, messages: vec![message], settles: true, reopens }),
            5..25,
        ),
    ) {
        let places = [Kind::File, Kind::Postgres].map(Place::new);
        run(places.each_ref(), &toml, &steps)?;
    }
}
