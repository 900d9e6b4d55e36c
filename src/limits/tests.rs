//! What the limits promise, as the ledger asks them: first the lists, then what was sent before.

mod address;
mod clock;
mod force;
mod give_back;
mod number;
mod privacy;
mod properties;
mod range;
mod spend;
mod standing;
mod totals;
mod waits;

use std::{collections::HashMap, net::IpAddr};

use rstest::rstest;

use super::*;
use crate::{
    config::{Settings, Source},
    sms::Recipient,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MICROSECOND: Duration = Duration::from_micros(1);

const DANISH: &str = "+4526091045";
const SWEDISH: &str = "+46701234567";
const NORWEGIAN: &str = "+4740612345";
const GERMAN: &str = "+4915123456789";
const AMERICAN: &str = "+12015550123";

/// None of the limits.
const NONE: &str = r#"
    limits.number.mode = "off"
    limits.ip.mode = "off"
    limits.range.mode = "off"
    limits.country.mode = "off"
    limits.service.mode = "off"
    limits.spend.mode = "off"
    limits.countries.mode = "off"
    limits.line_types.mode = "off"
"#;

/// Rules from the defaults, `preset` over them, and `toml` over both.
fn rules(preset: &str, toml: &str) -> Rules {
    let required = [
        ("SMS_LOGTO__AUTHORIZATION", "Bearer open sesame"),
        ("SMS_GATEWAYAPI__API_TOKEN", "token"),
        ("SMS_GATEWAYAPI__SENDER", "Acme"),
    ];
    let source = Source {
        file: None,
        environment: required.map(|(name, value)| (name.into(), value.into())).into(),
        preset: Some(preset.to_owned()),
        forced: Some(toml.to_owned()),
    };
    Rules::of(&Settings::load(&source).unwrap().settings.limits)
}

/// Remembers everything.
#[derive(Debug, Clone, Default, PartialEq)]
struct Remembered(HashMap<Key, Vec<i64>>);

impl States for Remembered {
    fn get(&self, key: Key) -> Option<&[i64]> {
        self.0.get(&key).map(Vec::as_slice)
    }

    fn set(&mut self, key: Key, state: &[i64]) {
        self.0.insert(key, state.to_vec());
    }
}

#[derive(Debug, Clone, Copy)]
struct Message {
    recipient: Recipient,
    ip: Option<IpAddr>,
}

fn to(number: &str) -> Message {
    Message { recipient: Recipient::parse(number).unwrap(), ip: None }
}

impl Message {
    fn from(self, ip: &str) -> Self {
        Self { ip: Some(ip.parse().unwrap()), ..self }
    }

    fn in_no_country(self) -> Self {
        Self { recipient: Recipient { country: None, ..self.recipient }, ..self }
    }
}

/// A connector with its limits, at some moment.
struct Service {
    rules: Rules,
    states: Remembered,
    now: Timestamp,
    /// What the next message is expected to cost.
    expected: Option<Cost>,
}

impl Service {
    /// With the default limits, but for these.
    fn with(toml: &str) -> Self {
        Self::of(rules("", toml))
    }

    /// With no other limits than these.
    fn only(toml: &str) -> Self {
        Self::of(rules(NONE, toml))
    }

    fn of(rules: Rules) -> Self {
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        Self { rules, states: Remembered::default(), now, expected: None }
    }

    fn later(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now.plus(duration);
        self
    }

    fn just_before(&mut self, duration: Duration) -> &mut Self {
        self.later(duration.saturating_sub(MICROSECOND))
    }

    fn touched(&self, message: Message) -> Result<Option<(Touched, LimitSet)>, Refusal> {
        let pseudonyms = Pseudonyms::new(b"key");
        let Message { recipient, ip } = message;
        Ok(match self.rules.examine(recipient, ip, self.now)? {
            Standing::Test | Standing::Exempt => None,
            Standing::Limited { ip, monitored } => Some((
                Touched {
                    number: pseudonyms.number(recipient.msisdn),
                    ip: ip.map(|ip| pseudonyms.address(ip)),
                    ranges: pseudonyms.ranges(recipient.msisdn),
                    country: recipient.country,
                },
                monitored,
            )),
        })
    }

    fn decide(&mut self, message: Message, charging: Charging) -> Decision {
        let (touched, monitored) = match self.touched(message) {
            Ok(touched) => touched.expect("this message is counted"),
            Err(refusal) => return Decision { result: Err(refusal), monitored: LimitSet::default() },
        };
        let decision = self.rules.decide(&touched, self.expected, charging, self.now, &mut self.states);
        Decision { monitored: LimitSet(decision.monitored.0 | monitored.0), ..decision }
    }

    fn send(&mut self, message: Message) -> Result<Charge, Refusal> {
        self.decide(message, Charging::Ask).result
    }

    /// How many of these leave.
    fn send_all(&mut self, messages: impl IntoIterator<Item = Message>) -> usize {
        messages.into_iter().filter(|message| self.send(*message).is_ok()).count()
    }

    fn refusal(&mut self, message: Message) -> Refusal {
        self.send(message).expect_err("the message is refused")
    }

    /// The limits that would have refused a message that leaves.
    fn monitored(&mut self, message: Message) -> Vec<Limit> {
        let decision = self.decide(message, Charging::Ask);
        decision.result.expect("the message leaves");
        decision.monitored.iter().collect()
    }

    fn did_not_leave(&mut self, message: Message, charge: Charge) {
        let (touched, _) = self.touched(message).unwrap().unwrap();
        self.rules.give_back(&touched, charge, &mut self.states);
    }
}

fn refused(limit: Limit, rule: Rule, wait: Duration) -> Refusal {
    Refusal { limit, rule, wait: Some(wait) }
}

#[rstest]
#[case("number", Limit::Number, "limits.number.cooldown = '25s'")]
#[case("ip", Limit::Ip, "limits.ip.rates = '1/25s'")]
#[case("range", Limit::Range, "limits.range.rates = '1/25s'")]
#[case("country", Limit::Country, "limits.country.rates = '1/25s'")]
#[case("service", Limit::Service, "limits.service.rates = '1/25s'")]
fn a_limit_is_off_or_watches_or_refuses(#[case] name: &str, #[case] limit: Limit, #[case] toml: &str) {
    let second = if limit == Limit::Range { "+4526091046" } else { DANISH };
    let messages = [DANISH, second].map(|number| to(number).from("198.51.100.7"));
    let service = |mode| {
        let mut service = Service::only(&format!("{toml}\nlimits.{name}.mode = '{mode}'"));
        service.send(messages[0]).unwrap();
        service
    };
    assert_eq!(service("off").monitored(messages[1]), []);
    assert_eq!(service("monitor").monitored(messages[1]), [limit]);
    let refusal = service("enforce").refusal(messages[1]);
    assert_eq!((refusal.limit, refusal.wait), (limit, Some(25 * SECOND)));
}

#[test]
fn the_cheapest_limit_that_refuses_decides() {
    let modes = ["number", "ip", "range", "country", "service"];
    let enforced = modes.map(|limit| format!("limits.{limit} = {{ mode = 'enforce', rates = '1/25s' }}\n")).concat();
    let mut enforced = format!("limits.countries = {{ mode = 'enforce', deny = 'DK' }}\n{enforced}");
    let message = to(DANISH).from("198.51.100.7");
    assert_eq!(Service::only(&enforced).refusal(message).limit, Limit::Countries);
    for decides in [Limit::Number, Limit::Ip, Limit::Range, Limit::Country, Limit::Service] {
        // Without the one that decided before.
        enforced = enforced.split_once('\n').unwrap().1.to_owned();
        let mut service = Service::only(&enforced);
        let before = if decides == Limit::Number { message } else { to("+4526091046").from("198.51.100.7") };
        service.send(before).unwrap();
        assert_eq!(service.refusal(message).limit, decides);
    }
}

#[test]
fn what_refuses_and_what_watches_is_told_apart() {
    let mut service = Service::only(
        "limits.number = { mode = 'monitor', cooldown = '25s' }
         limits.ip = { mode = 'enforce', rates = '2/10m' }
         limits.country = { mode = 'monitor', rates = '1/10m' }",
    );
    let message = to(DANISH).from("198.51.100.7");
    assert_eq!(service.monitored(message), []);
    assert_eq!(service.monitored(message), [Limit::Number, Limit::Country]);
    let decision = service.decide(message, Charging::Ask);
    assert_eq!(decision.result.unwrap_err().limit, Limit::Ip);
    assert_eq!(decision.monitored.iter().collect::<Vec<_>>(), [Limit::Number], "the country was not asked");
}

/// All states that a message changes can be fetched beforehand.
#[test]
fn the_keys_of_a_message_are_those_that_it_changes() {
    let mut service = Service::with(
        "limits.range.mode = 'enforce'
         limits.service.rates = '100/1m'
         limits.spend.per_day = { EUR = 5, DKK = 50 }",
    );
    service.expected = Some(Cost { micros: 70_000, currency: Currency::parse("EUR").unwrap() });
    let message = to(DANISH).from("198.51.100.7");
    let (touched, _) = service.touched(message).unwrap().unwrap();
    service.send(message).unwrap();
    let keys: Vec<_> = service.rules.keys(&touched).collect();
    assert!(service.states.0.keys().all(|key| keys.contains(key)), "{:?} {keys:?}", service.states);
    assert_eq!(keys.len(), 8);
    let service = Service::only("");
    assert_eq!(service.rules.keys(&touched).count(), 0);
}

/// What counts nothing takes no memory.
#[test]
fn limits_without_rates_remember_nothing() {
    let mut service = Service::with(
        "limits.number = { cooldown = '0s', rates = [] }
         limits.ip = { rates = [], max_countries = 0 }
         limits.range.rates = []
         limits.country.rates = []
         limits.service.rates = []",
    );
    assert_eq!(service.send_all([to(DANISH).from("198.51.100.7"); 100]), 100);
    assert_eq!(service.states, Remembered::default());
}

#[test]
fn a_flood_does_not_grow_the_memory() {
    let rules = rules("", "limits.range.mode = 'enforce'");
    let mut memory = Memory::new(1000, rules.longest_period());
    for subject in 0..20_000 {
        let one = |kind: i64| Pseudonym::from_bits(subject * 8 + kind);
        let touched = Touched { number: one(0), ip: Some(one(1)), ranges: [one(2), one(3)], country: None };
        let now = Timestamp::from_seconds(1_000_000 + subject);
        drop(memory.age(now));
        rules.decide(&touched, None, Charging::Force, now, &mut memory).result.unwrap();
        assert!(memory.len() <= 2 * 1000 + rules.keys(&touched).count(), "{}", memory.len());
    }
}
