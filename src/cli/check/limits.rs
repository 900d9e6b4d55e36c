//! The limits as a table: what stands, short enough to be read at a glance. Numbers are counted, not shown.

use std::iter::once;

use crate::{
    config::{IpLimit, Limits, Mode, NumberLimit, Rates},
    sms::{Cost, Country, LineType},
};

/// A line for each limit, and one for the lists that stand over them.
pub(super) fn describe(limits: &Limits) -> Vec<String> {
    let Limits { number, ip, range, country, service, spend, countries, line_types, .. } = limits;
    let rows: [(&str, Mode, String); 8] = [
        ("countries", countries.mode, destinations(&countries.allow, &countries.deny)),
        ("line_types", line_types.mode, refused(&line_types.refuse)),
        ("number", number.mode, per_number(number)),
        ("ip", ip.mode, per_address(ip)),
        ("range", range.mode, rates(&range.rates)),
        ("country", country.mode, per_country(limits)),
        ("service", service.mode, rates(&service.rates)),
        ("spend", spend.mode, budgets(limits)),
    ];
    let rows = rows.map(|(name, mode, what)| format!("{name:11} {:8} {what}", mode.as_str()));
    let exceptions = format!(
        "always_allow: {}, deny: {}, test_numbers: {}, trusted_networks: {}",
        limits.always_allow.len(),
        limits.deny.len(),
        limits.test_numbers.len(),
        limits.trusted_networks.len()
    );
    rows.into_iter().chain(once(exceptions)).collect()
}

fn rates(rates: &Rates) -> String {
    if rates.as_slice().is_empty() { "no rates".to_owned() } else { rates.to_string() }
}

fn destinations<'a>(
    allow: impl IntoIterator<Item = &'a Country>,
    deny: impl IntoIterator<Item = &'a Country>,
) -> String {
    let (allow, deny) = (codes(allow), codes(deny));
    let allowed = if allow.is_empty() { "all" } else { &allow };
    let denied = if deny.is_empty() { String::new() } else { format!(", not {deny}") };
    format!("{allowed}{denied}")
}

/// Their codes, or how many they are.
fn codes<'a>(countries: impl IntoIterator<Item = &'a Country>) -> String {
    const MOST: usize = 12;
    let codes: Vec<_> = countries.into_iter().map(Country::as_str).collect();
    if codes.len() > MOST { format!("{} countries", codes.len()) } else { codes.join(" ") }
}

fn refused(line_types: &[LineType]) -> String {
    if line_types.is_empty() {
        return "refuses none".to_owned();
    }
    format!("not {}", line_types.iter().map(|line_type| line_type.as_str()).collect::<Vec<_>>().join(" "))
}

fn per_number(limit: &NumberLimit) -> String {
    let cooldown =
        if limit.cooldown.get().is_zero() { "no cooldown".to_owned() } else { format!("1 in {}", limit.cooldown) };
    format!("{cooldown}, {}", rates(&limit.rates))
}

fn per_address(limit: &IpLimit) -> String {
    let countries = match limit.max_countries {
        0 => "any number of".to_owned(),
        most => most.to_string(),
    };
    format!("{}, {countries} countries in 24h", rates(&limit.rates))
}

fn per_country(Limits { country, home_countries, .. }: &Limits) -> String {
    let overrides = country.overrides.iter().map(|(country, own)| format!("; {}: {}", country.as_str(), rates(own)));
    let home = if home_countries.is_empty() { String::new() } else { format!("; not {}", codes(home_countries)) };
    format!("{}{}{home}", rates(&country.rates), overrides.collect::<String>())
}

fn budgets(limits: &Limits) -> String {
    let budget = |(&currency, &micros)| format!("{} {} a day", Cost { micros, currency }.amount(), currency.as_str());
    let budgets: Vec<_> = limits.spend.per_day.iter().map(budget).collect();
    if budgets.is_empty() { "no budget".to_owned() } else { budgets.join(", ") }
}
