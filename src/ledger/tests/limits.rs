//! What the limits remember, and that replicas share it.

use super::*;
use crate::{
    limits::Limit,
    sms::{Cost, Currency},
};
use rstest::rstest;
use std::time::Instant;

/// Nothing is limited but what a test turns on.
pub(super) const OFF: &str = "limits.number.mode = 'off'\n\
    limits.ip.mode = 'off'\n\
    limits.range.mode = 'off'\n\
    limits.country.mode = 'off'\n\
    limits.service.mode = 'off'\n\
    limits.spend.mode = 'off'\n";
const THREE_PER_NUMBER: &str = "limits.number = { mode = 'enforce', cooldown = '0s', rates = ['3/1h'] }\n";

fn only(limit: &str) -> String {
    let name = limit.split(['.', ' ']).nth(1).unwrap();
    let off: Vec<_> = OFF.lines().filter(|line| !line.contains(&format!(".{name}."))).collect();
    format!("{}\n{limit}", off.join("\n"))
}

fn refused_by(decision: Option<Decision>) -> Option<Limit> {
    decision.expect("it is counted").result.err().map(|refusal| refusal.limit)
}

#[rstest]
fn limits_outlast_the_process(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let limits = only(THREE_PER_NUMBER);
    let mut ledger = place.open_with(&limits, NOW);
    for second in 0..2 {
        let entry = entry_to(NUMBER, None, NOW.plus(seconds(second)));
        assert_eq!(refused_by(ledger.ask(kind, &entry)), None);
        ledger.settle(Settlement::of(entry.id, Outcome::Accepted, entry.admitted_at));
    }
    // Nothing left, so it does not count.
    let entry = entry_to(NUMBER, None, NOW.plus(seconds(2)));
    let charge = ledger.ask(kind, &entry).unwrap().result.unwrap();
    ledger.limiter.give_back(&entry.touched, charge);
    let not_sent = Settlement::of(entry.id, Outcome::NotSent, entry.admitted_at);
    ledger.write(&[Write::Settle(not_sent, Correction::GiveBack(entry.touched, charge))]);
    drop(ledger);

    let later = NOW.plus(seconds(3));
    let mut ledger = place.open_with(&limits, later);
    assert_eq!(refused_by(ledger.ask(kind, &entry_to(NUMBER, None, later))), None);
    assert_eq!(refused_by(ledger.ask(kind, &entry_to(NUMBER, None, later))), Some(Limit::Number));
}

#[rstest]
fn a_budget_outlasts_the_process(#[values(Kind::File, Kind::Postgres)] kind: Kind) {
    let place = Place::new(kind);
    let limits = only("limits.spend = { mode = 'enforce', per_day = { EUR = 1 } }\n");
    let cost = Cost { micros: 400_000, currency: Currency::parse("EUR").unwrap() };
    let mut ledger = place.open_with(&limits, NOW);
    for _ in 0..2 {
        let entry = entry();
        let charge = ledger.ask(kind, &entry).unwrap().result.unwrap();
        ledger.limiter.pay(cost, entry.touched.country, Some(charge), NOW);
        let accepted = Settlement { cost: Some(cost), ..Settlement::of(entry.id, Outcome::Accepted, NOW) };
        ledger.write(&[Write::Settle(accepted, Correction::Pay(cost, Some(charge)))]);
    }
    assert_eq!(refused_by(ledger.ask(kind, &entry())), Some(Limit::Spend), "0.80 and 0.40 are more than 1");
    drop(ledger);

    let mut ledger = place.open_with(&limits, NOW);
    if kind == Kind::Postgres {
        // What a message costs is learned anew.
        ledger.limiter.pay(cost, entry().touched.country, None, NOW);
    }
    assert_eq!(refused_by(ledger.ask(kind, &entry())), Some(Limit::Spend));
    let tomorrow = NOW.plus(seconds(24 * 3600));
    assert_eq!(refused_by(ledger.ask(kind, &entry_to(NUMBER, None, tomorrow))), None);
}

/// The first message of a day, too, is weighed against the budget by what the last one cost.
#[test]
fn sqlite_remembers_what_a_message_costs_over_midnight() {
    let place = Place::new(Kind::File);
    let limits = only("limits.spend = { mode = 'enforce', per_day = { EUR = 1 } }\n");
    let mut ledger = place.open_with(&limits, NOW);
    for (second, micros) in [(0, 900_000), (1, 300_000)] {
        let entry = entry_to(NUMBER, None, NOW.plus(seconds(second)));
        ledger.force(&entry);
        let cost = Some(Cost { micros, currency: Currency::parse("EUR").unwrap() });
        ledger.settle(Settlement { cost, ..Settlement::of(entry.id, Outcome::Accepted, entry.admitted_at) });
    }
    drop(ledger);
    let morning = NOW.plus(seconds(13 * 3600));
    let ledger = place.open_with(&limits, morning);
    assert_eq!(ledger.limiter.expected_cost(entry().touched.country).map(|cost| cost.micros), Some(300_000));
}

#[test]
fn replicas_share_what_they_refuse_and_do_not_ask_twice() {
    let place = Place::new(Kind::Postgres);
    let limits = only(THREE_PER_NUMBER);
    let [mut one, mut other] = [place.open_with(&limits, NOW), place.open_with(&limits, NOW)];
    assert_eq!(refused_by(one.ask(Kind::Postgres, &entry())), None);
    assert_eq!(refused_by(other.ask(Kind::Postgres, &entry())), None);
    assert_eq!(refused_by(one.ask(Kind::Postgres, &entry())), None);
    assert_eq!(other.limiter.refusal(&entry().touched, NOW), None, "it knows of two messages only");
    let refused = entry();
    assert_eq!(refused_by(other.ask(Kind::Postgres, &refused)), Some(Limit::Number));
    assert_eq!(other.shelf.find(refused.id).unwrap(), None, "a refused message has no row");
    let refusal = other.limiter.refusal(&entry().touched, NOW).unwrap().result.unwrap_err();
    assert_eq!((refusal.limit, refusal.wait), (Limit::Number, Some(seconds(1200))));
}

#[test]
fn a_replica_that_knows_a_full_range_asks_whether_it_counted_the_number() {
    let place = Place::new(Kind::Postgres);
    let limits = only("limits.range = { mode = 'enforce', rates = ['2/1h'] }\n");
    let [mut one, mut other] = [place.open_with(&limits, NOW), place.open_with(&limits, NOW)];
    let neighbour = entry_to("+4526091046", None, NOW);
    assert_eq!(refused_by(one.ask(Kind::Postgres, &entry())), None);
    assert_eq!(refused_by(other.ask(Kind::Postgres, &neighbour)), None);
    assert_eq!(refused_by(other.ask(Kind::Postgres, &entry_to("+4526091047", None, NOW))), Some(Limit::Range));
    assert_eq!(other.limiter.refusal(&entry().touched, NOW), None);
    assert_eq!(refused_by(other.ask(Kind::Postgres, &entry())), None);
}

#[tokio::test]
async fn what_only_watches_is_noted_once() {
    let place = tokio::task::spawn_blocking(|| Place::new(Kind::Postgres)).await.unwrap();
    let limits = only("limits.number = { mode = 'monitor', cooldown = '1h', rates = [] }\n");
    let key = "ledger.pseudonym_key = 'a key of at least 16 characters'";
    let settings = settings(&format!("ledger.url = '{}'\n{key}\n{limits}", place.url()));
    let metrics = Arc::new(Metrics::new());
    let ledger = Ledger::open(&settings, Arc::clone(&metrics)).unwrap();
    for _ in 0..2 {
        let recipient = Recipient::parse(NUMBER).unwrap();
        let applicant = Applicant { id: MessageId::generate(), usage_type: UsageType::SignIn, recipient, ip: None };
        ledger.admit(applicant, Instant::now() + Duration::from_secs(5)).await.unwrap();
    }
    assert_eq!(metrics.limits_monitored.with_label_values(&["number"]).get(), 1);
}

#[rstest]
#[case::number(THREE_PER_NUMBER, 3)]
#[case::service("limits.service = { mode = 'enforce', rates = ['7/1h'] }\n", 7)]
#[case::addresses("limits.ip = { mode = 'enforce', rates = ['5/1h'], max_countries = 0 }\n", 5)]
fn replicas_at_once_pass_no_more_than_the_limit(#[case] limit: &str, #[case] most: usize) {
    const EACH: usize = 12;
    let place = Place::new(Kind::Postgres);
    let limits = only(limit);
    let ledgers: Vec<_> = (0..4).map(|_| place.open_with(&limits, NOW)).collect();
    let start = std::sync::Barrier::new(ledgers.len());
    let passed: usize = std::thread::scope(|scope| {
        let race = |mut ledger: Opened| {
            start.wait();
            // Also several in one batch.
            let batches = (0..EACH / 2).map(|_| [(); 2].map(|()| open(&entry(), Charging::Ask)));
            let written = batches.flat_map(|batch| ledger.write(&batch)).collect::<Vec<_>>();
            let passes =
                |written: &&Written| matches!(written, Written::Opened(Some(decision)) if decision.result.is_ok());
            written.iter().filter(passes).count()
        };
        let racers: Vec<_> = ledgers.into_iter().map(|ledger| scope.spawn(move || race(ledger))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(passed, most);
    assert_eq!(sql(place.url(), "SELECT count(*) FROM message"), [most.to_string()]);
}

/// Nobody may hear whether a message was charged. What was is given back, once, and nothing else is.
#[test]
fn what_is_withdrawn_is_given_back_if_it_was_charged() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open_with(&only(THREE_PER_NUMBER), NOW);
    let withdrawn = |entry: &Entry| {
        let not_sent = Settlement::of(entry.id, Outcome::NotSent, NOW);
        Write::Settle(not_sent, Correction::Withdraw(entry.touched))
    };
    let [charged, never_opened, refused] = [entry(), entry(), entry()];
    assert_eq!(refused_by(ledger.ask(Kind::Postgres, &charged)), None);
    for _ in 0..2 {
        ledger.write(&[withdrawn(&charged), withdrawn(&never_opened)]);
    }
    assert_eq!(ledger.find(charged.id).status, "not_sent");
    for _ in 0..3 {
        assert_eq!(refused_by(ledger.ask(Kind::Postgres, &entry())), None);
    }
    assert_eq!(refused_by(ledger.ask(Kind::Postgres, &refused)), Some(Limit::Number));
    ledger.write(&[withdrawn(&refused)]);
    assert_eq!(refused_by(ledger.ask(Kind::Postgres, &entry())), Some(Limit::Number));
}

/// When a connection breaks while it commits, the same is written again.
#[test]
fn what_is_written_twice_counts_once() {
    let place = Place::new(Kind::Postgres);
    let limits = "limits.number = { mode = 'enforce', cooldown = '0s', rates = ['2/1h'] }\n\
                  limits.spend = { mode = 'enforce', per_day = { EUR = 10 } }\n";
    let mut ledger = place.open_with(limits, NOW);
    let [sent, failed] = [entry(), entry()];
    let charge = ledger.ask(Kind::Postgres, &sent).unwrap().result.unwrap();
    assert!(matches!(ledger.write(&[open(&sent, Charging::Force)])[..], [Written::Opened(None)]));
    let lost = ledger.ask(Kind::Postgres, &failed).unwrap().result.unwrap();

    let cost = Cost { micros: 1_000_000, currency: Currency::parse("EUR").unwrap() };
    let accepted = Settlement { cost: Some(cost), ..Settlement::of(sent.id, Outcome::Accepted, NOW) };
    let not_sent = Settlement::of(failed.id, Outcome::NotSent, NOW);
    let writes = [
        Write::Settle(accepted, Correction::Pay(cost, Some(charge))),
        Write::Settle(not_sent, Correction::GiveBack(failed.touched, lost)),
    ];
    let nothing = Cost { micros: 0, ..cost };
    for _ in 0..2 {
        ledger.write(&writes);
        let spent = ledger.limiter.pay(nothing, sent.touched.country, None, NOW).expect("a budget in euros");
        assert_eq!(spent.today.micros, 1_000_000);
    }

    let decisions = [entry(), entry()].map(|entry| refused_by(ledger.ask(Kind::Postgres, &entry)));
    assert_eq!(decisions, [None, Some(Limit::Number)]);
}

#[test]
fn an_exempt_message_is_written_and_not_counted() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open();
    let exempt = Entry { is_counted: false, is_ip_counted: false, ..entry() };
    assert_eq!(ledger.ask(Kind::Postgres, &exempt), None);
    assert_eq!(ledger.find(exempt.id).status, "open");
    assert_eq!(sql(place.url(), "SELECT count(*) FROM limit_state"), ["0"]);
}

#[test]
fn a_limit_without_rates_holds_nobody_up() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open_with(&only("limits.service = { mode = 'enforce', rates = [] }\n"), NOW);
    ledger.ask(Kind::Postgres, &entry()).unwrap().result.unwrap();
    assert_eq!(sql(place.url(), "SELECT count(*) FROM limit_state"), ["0"], "a row would be locked by each batch");
}

#[test]
fn states_that_no_longer_count_are_forgotten_in_steps() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open_with(&only(THREE_PER_NUMBER), NOW);
    for number in ["+4526091041", "+4526091042", "+4526091043"] {
        ledger.ask(Kind::Postgres, &entry_to(number, None, NOW)).unwrap().result.unwrap();
    }
    let count = || sql(place.url(), "SELECT count(*) FROM limit_state").concat();
    let nothing = MessageId::first_at(Timestamp::default());
    let day = ledger.limiter.rules.longest_period();
    assert_eq!(ledger.store.forget(nothing, NOW.plus(day), 2).unwrap(), 0);
    let later = NOW.plus(day + seconds(3601));
    assert_eq!(ledger.store.forget(nothing, later, 2).unwrap(), 2);
    assert_eq!((ledger.store.forget(nothing, later, 2).unwrap(), count()), (1, "0".to_owned()));
}
