//! What a message costs. A handful of countries; the prices are made up but of the usual size.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::received::{Class, Received};
use crate::sms::Recipient;

/// One line of the price list.
pub(super) struct Country {
    pub code: &'static str,
    name: &'static str,
    /// Calling code.
    prefix: u16,
    /// Mobile country code, ITU-T E.212.
    pub mcc: u16,
    /// A part, in hundredths of an øre, so that sums stay exact.
    price: u64,
}

const fn country(code: &'static str, name: &'static str, prefix: u16, mcc: u16, price: u64) -> Country {
    Country { code, name, prefix, mcc, price }
}

const COUNTRIES: [Country; 11] = [
    country("AD", "Andorra", 376, 213, 3100),
    country("BR", "Brazil", 55, 724, 1450),
    country("DE", "Germany", 49, 262, 5000),
    country("DK", "Denmark", 45, 238, 1200),
    country("ES", "Spain", 34, 214, 3350),
    country("FR", "France", 33, 208, 3400),
    country("GB", "United Kingdom", 44, 234, 2500),
    country("MX", "Mexico", 52, 334, 2100),
    country("NO", "Norway", 47, 242, 3500),
    country("SE", "Sweden", 46, 240, 3400),
    country("US", "United States", 1, 310, 600),
];

/// For countries that are not on the list.
const OTHER_PRICE: u64 = 6000;

/// For numbers of no country: ISO 3166-1 leaves this code to its users.
const NO_COUNTRY: &str = "ZZ";

pub(super) const CURRENCY: &str = "DKK";

impl Country {
    pub fn find(code: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.code == code)
    }
}

/// The ISO 3166-1 code of a number's country.
pub(super) fn country_code(msisdn: u64) -> Option<String> {
    let country = recipient(msisdn)?.country?;
    Some(country.as_str().to_owned())
}

pub(super) fn country_prefix(msisdn: u64) -> Option<u16> {
    Some(recipient(msisdn)?.msisdn.calling_code())
}

fn recipient(msisdn: u64) -> Option<Recipient> {
    Recipient::parse(&format!("+{msisdn}")).ok()
}

/// What an answer says was used.
#[derive(Serialize)]
pub(super) struct Usage {
    /// Parts by country.
    countries: BTreeMap<String, u64>,
    currency: &'static str,
    total_cost: Value,
}

impl Usage {
    pub fn of(messages: &[Received]) -> Self {
        let mut countries = BTreeMap::new();
        let mut cost = 0;
        for message in messages {
            let code = country_code(message.msisdn).unwrap_or_else(|| NO_COUNTRY.to_owned());
            let price = Country::find(&code).map_or(OTHER_PRICE, |country| country.price);
            cost += u64::from(message.parts) * in_class(price, message.class);
            *countries.entry(code).or_default() += u64::from(message.parts);
        }
        Self { countries, currency: CURRENCY, total_cost: amount(cost) }
    }
}

const fn in_class(price: u64, class: Class) -> u64 {
    match class {
        Class::Standard => price,
        Class::Premium | Class::Secret => price * 5 / 4,
    }
}

/// Whole amounts as an integer, others as a float, as GatewayAPI writes them.
fn amount(hundredths_of_ore: u64) -> Value {
    match hundredths_of_ore % 10_000 {
        0 => json!(hundredths_of_ore / 10_000),
        _ => json!(hundredths_of_ore as f64 / 10_000.0),
    }
}

/// The public price list.
pub(super) fn list() -> Value {
    let in_class = |class| -> Value {
        COUNTRIES
            .iter()
            .map(|country| {
                let price = in_class(country.price, class);
                json!({
                    "country": country.code,
                    "country_name": country.name,
                    "prefix": country.prefix,
                    "dkk": amount(price),
                    // At 7.45 DKK, close to the peg.
                    "eur": amount(price * 100 / 745),
                })
            })
            .collect()
    };
    json!({"standard": in_class(Class::Standard), "premium": in_class(Class::Premium)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(4526091045, Some("DK"), Some(45))]
    #[case(12125550123, Some("US"), Some(1))]
    #[case(376312345, Some("AD"), Some(376))]
    #[case::not_on_the_list(3584012345678, Some("FI"), Some(358))]
    #[case::satellite(881612345678, None, Some(881))]
    #[case(7, None, None)]
    fn a_number_may_have_a_country(#[case] msisdn: u64, #[case] code: Option<&str>, #[case] prefix: Option<u16>) {
        assert_eq!((country_code(msisdn).as_deref(), country_prefix(msisdn)), (code, prefix));
    }

    #[test]
    fn amounts_are_whole_or_fractional() {
        assert_eq!(amount(30_000).to_string(), "3");
        assert_eq!(amount(1200).to_string(), "0.12");
        assert_eq!(amount(3_600).to_string(), "0.36");
    }

    #[test]
    fn the_list_is_shaped_as_documented() {
        assert_eq!(
            list()["standard"][0],
            json!({"country": "AD", "country_name": "Andorra", "prefix": 376, "dkk": 0.31, "eur": 0.0416})
        );
        assert_eq!(list()["premium"].as_array().unwrap().len(), COUNTRIES.len());
    }
}
