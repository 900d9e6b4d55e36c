//! What holds however messages fall.

use super::*;
use proptest::prelude::*;

/// Of four numbers in three countries, two of them in one range.
pub(super) fn touched(number: usize, ip: usize) -> Touched {
    let bits = Pseudonym::from_bits;
    let country = [Country::parse("DK"), Country::parse("DK"), Country::parse("SE"), None][number];
    let of = [[1, 10, 20], [2, 10, 20], [3, 11, 21], [4, 12, 22]][number];
    Touched {
        number: bits(of[0]),
        ip: [None, Some(bits(30)), Some(bits(31))][ip],
        ranges: [bits(of[1]), bits(of[2])],
        country,
    }
}

/// Every limit enforced, and reached now and then.
const TIGHT: &str = "
    limits.number = { cooldown = '25s', rates = ['4/5m', '6/20m'] }
    limits.ip = { rates = ['5/5m', '8/20m'], max_countries = 1 }
    limits.range = { mode = 'enforce', rates = ['1/3m', '2/10m'] }
    limits.country = { mode = 'enforce', rates = ['5/4m'], override = { SE = ['3/3m'] } }
    limits.service.rates = ['6/2m', '20/30m']
    limits.spend.per_day = { EUR = 2 }
";

fn cent() -> Cost {
    Cost { micros: 50_000, currency: Currency::parse("EUR").unwrap() }
}

/// Gaps of which some are long, numbers and addresses.
fn messages() -> impl Strategy<Value = Vec<(Duration, usize, usize)>> {
    let gap = prop_oneof![4 => 1u64..30_000_000, 1 => 1u64..1_000_000_000, 1 => 1u64..20_000_000_000];
    prop::collection::vec((gap.prop_map(Duration::from_micros), 0..4usize, 0..3usize), 1..60)
}

struct World {
    rules: Rules,
    states: Remembered,
    now: Timestamp,
}

impl World {
    fn new(toml: &str) -> Self {
        Self { rules: rules(TIGHT, toml), states: Remembered::default(), now: Timestamp::from_seconds(1_700_000_000) }
    }

    fn send_at(&mut self, now: Timestamp, touched: &Touched) -> Result<Charge, Refusal> {
        self.rules.decide(touched, Some(cent()), Charging::Ask, now, &mut self.states).result
    }

    fn would_pass(&self, now: Timestamp, touched: &Touched) -> bool {
        self.rules.decide(touched, Some(cent()), Charging::Ask, now, &mut self.states.clone()).result.is_ok()
    }
}

/// No window holds more than a burst and what its length pays back.
fn most_in_any_window(moments: &[Timestamp], rates: &[(u32, Duration)]) -> Result<(), TestCaseError> {
    for (first, from) in moments.iter().enumerate() {
        for (last, until) in moments.iter().enumerate().skip(first) {
            for (count, period) in rates {
                let refilled = until.since(*from).as_secs_f64() / period.as_secs_f64() * f64::from(*count);
                prop_assert!((last - first + 1) as f64 <= f64::from(*count) + refilled + 1e-6);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_lets_more_pass_than_it_says(messages in messages()) {
        let mut world = World::new("");
        let mut passed: Vec<(Timestamp, Touched)> = Vec::new();
        for (gap, number, ip) in messages {
            world.now = world.now.plus(gap);
            let touched = touched(number, ip);
            if world.send_at(world.now, &touched).is_ok() {
                passed.push((world.now, touched));
            }
        }
        let when = |is: &dyn Fn(&Touched) -> bool| -> Vec<_> {
            passed.iter().filter(|(_, touched)| is(touched)).map(|(moment, _)| *moment).collect()
        };
        for (number, ip) in (0..4).flat_map(|number| (0..3).map(move |ip| (number, ip))) {
            let of = touched(number, ip);
            let same_number = when(&|touched| touched.number == of.number);
            most_in_any_window(&same_number, &[(1, 25 * SECOND), (4, 5 * MINUTE), (6, 20 * MINUTE)])?;
            if of.ip.is_some() {
                most_in_any_window(&when(&|touched| touched.ip == of.ip), &[(5, 5 * MINUTE), (8, 20 * MINUTE)])?;
                for (at, _) in passed.iter().filter(|(_, touched)| touched.ip == of.ip) {
                    let days = passed.iter().filter(|(other, touched)| {
                        touched.ip == of.ip && at <= other && *other < at.plus(DAY)
                    });
                    let mut countries = days.map(|(_, touched)| touched.country).collect::<Vec<_>>();
                    countries.sort_unstable();
                    countries.dedup();
                    prop_assert!(countries.len() <= 1);
                }
            }
            let country = when(&|touched| touched.country == of.country);
            let of_country = if number == 2 { (3, 3 * MINUTE) } else { (5, 4 * MINUTE) };
            most_in_any_window(&country, &[of_country])?;
            // Of a range: the first message to each number in each period.
            for (count, period) in [(1, 3 * MINUTE), (2, 10 * MINUTE)] {
                let mut counted: Vec<(Timestamp, Pseudonym)> = Vec::new();
                for (moment, touched) in passed.iter().filter(|(_, touched)| touched.ranges == of.ranges) {
                    let known = counted.iter().rfind(|(_, number)| *number == touched.number);
                    if known.is_none_or(|(since, _)| since.plus(period) <= *moment) {
                        counted.push((*moment, touched.number));
                    }
                }
                let moments: Vec<_> = counted.into_iter().map(|(moment, _)| moment).collect();
                most_in_any_window(&moments, &[(count, period)])?;
            }
        }
        most_in_any_window(&when(&|_| true), &[(6, 2 * MINUTE), (20, 30 * MINUTE)])?;
        for (moment, _) in &passed {
            let of_day = when(&|_| true).into_iter().filter(|other| other.day() == moment.day()).count();
            prop_assert!(of_day <= 40, "2 EUR are 40 messages");
        }
    }

    #[test]
    fn a_refused_message_passes_after_exactly_its_wait(messages in messages()) {
        let mut world = World::new("");
        for (gap, number, ip) in messages {
            world.now = world.now.plus(gap);
            let touched = touched(number, ip);
            if let Err(refusal) = world.send_at(world.now, &touched) {
                let then = world.now.plus(refusal.wait.unwrap());
                prop_assert!(world.would_pass(then, &touched));
                prop_assert!(!world.would_pass(then.minus(MICROSECOND), &touched));
            }
        }
    }

    #[test]
    fn what_is_given_back_has_not_been(
        before in messages(),
        (gap, number, ip) in (0u64..100_000_000, 0..4usize, 0..3usize),
        after in messages(),
    ) {
        let mut world = World::new("");
        for (gap, number, ip) in before {
            world.now = world.now.plus(gap);
            let _ = world.send_at(world.now, &touched(number, ip));
        }
        let mut untouched = World { states: world.states.clone(), ..World::new("") };
        world.now = world.now.plus(Duration::from_micros(gap));
        let touched_too = touched(number, ip);
        if let Ok(charge) = world.send_at(world.now, &touched_too) {
            world.rules.give_back(&touched_too, charge, &mut world.states);
        }
        for (gap, number, ip) in after {
            world.now = world.now.plus(gap);
            let touched = touched(number, ip);
            let (one, other) = (world.send_at(world.now, &touched), untouched.send_at(world.now, &touched));
            prop_assert_eq!(one.map(|_| ()), other.map(|_| ()));
        }
    }

    /// Messages that came to nothing make no room for more than if nobody had tried them.
    #[test]
    fn giving_back_allows_no_more_than_the_rate(
        messages in messages(),
        comes_to_nothing in prop::collection::vec((any::<bool>(), 0..5usize), 60),
    ) {
        // Of a range, the first try counts for the messages to the same number that follow, so that it is a little early.
        let no_ranges = "limits.range.mode = 'off'";
        let mut world = World::new(no_ranges);
        let mut tried: Vec<(Timestamp, Touched, Charge, bool)> = Vec::new();
        for ((gap, number, ip), (fails, which)) in messages.into_iter().zip(comes_to_nothing) {
            world.now = world.now.plus(gap / 4);
            let touched = touched(number, ip);
            if let Ok(charge) = world.send_at(world.now, &touched) {
                tried.push((world.now, touched, charge, true));
            }
            let open = tried.len().checked_sub(which + 1);
            if let Some((_, touched, charge, left @ true)) = open.filter(|_| fails).map(|open| &mut tried[open]) {
                *left = false;
                world.rules.give_back(touched, *charge, &mut world.states);
            }
        }
        let mut only_those_that_left = World::new(no_ranges);
        for (moment, touched, ..) in tried.iter().filter(|(.., left)| *left) {
            prop_assert_eq!(only_those_that_left.send_at(*moment, touched).map(|_| ()), Ok(()));
        }
    }
}
