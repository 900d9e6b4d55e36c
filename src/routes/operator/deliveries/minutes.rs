//! The query of `GET /api/deliveries`.

use std::ops::RangeInclusive;

use url::form_urlencoded;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder,
        path::{Parameter, ParameterIn},
        schema::Type,
    },
};

use crate::routes::operator::query::{self, WrongParameter};

const MINUTES: &str = "minutes";
const DEFAULT: u64 = 60;
const ALLOWED: RangeInclusive<u64> = 5..=24 * 60;

/// Reads the part of a URL behind the `?`.
pub(super) fn parse(query: &str) -> Result<u64, WrongParameter> {
    let mut minutes = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let result = match &*name {
            MINUTES if minutes.is_some() => Err("must be given once".to_owned()),
            MINUTES => query::integer(&value)
                .filter(|minutes| ALLOWED.contains(minutes))
                .ok_or_else(|| format!("must be {} to {}", ALLOWED.start(), ALLOWED.end())),
            _ => Err(query::only(&[MINUTES])),
        };
        minutes = Some(result.map_err(|problem| WrongParameter { parameter: name.into_owned(), problem })?);
    }
    Ok(minutes.unwrap_or(DEFAULT))
}

/// What [`parse`] reads, for the interface's document.
pub(super) struct Parameters;
impl IntoParams for Parameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let minutes = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(*ALLOWED.start()))
            .maximum(Some(*ALLOWED.end()))
            .default(Some(DEFAULT.into()));
        vec![query::parameter(MINUTES, "How far to look back.", minutes)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", 60)]
    #[case("minutes=5", 5)]
    #[case("minutes=1440", 1440)]
    fn an_hour_is_looked_at_unless_otherwise_asked(#[case] query: &str, #[case] expected: u64) {
        assert_eq!(parse(query), Ok(expected));
    }

    #[rstest]
    #[case("minutes=4", "minutes")]
    #[case("minutes=1441", "minutes")]
    #[case("minutes=", "minutes")]
    #[case("minutes=an+hour", "minutes")]
    #[case("minutes=%2B60", "minutes")]
    #[case("minutes=060", "minutes")]
    #[case("minutes=60.0", "minutes")]
    #[case("minutes=60&minutes=60", "minutes")]
    #[case("minutes=60&hours=1", "hours")]
    fn another_parameter_is_wrong(#[case] query: &str, #[case] expected: &str) {
        assert_eq!(parse(query).unwrap_err().parameter, expected);
    }
}
