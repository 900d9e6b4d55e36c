//! The query of `GET /api/messages`.

use std::{
    collections::{BTreeMap, HashSet},
    str::FromStr,
};

use actix_web::{HttpResponse, http::StatusCode};
use url::form_urlencoded;
use utoipa::{
    IntoParams, IntoResponses, PartialSchema as _,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Required, Response, Schema, SchemaFormat,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{AnyOf, Type},
    },
};

use super::usage_type;
use crate::{
    ledger::Query,
    limits::Pseudonym,
    routes::{described::problems, problem::Problem},
    sms::{Country, DeliveryStatus, MessageId, Msisdn, Outcome, Recipient, Timestamp, UsageType, one_of},
};

const DEFAULT_LIMIT: usize = 50;
const MOST: usize = 200;
const NAMES: [&str; 7] = ["number", "status", "type", "country", "since", "cursor", "limit"];

/// What is wrong with which parameter. Shows no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongParameter {
    pub(super) parameter: String,
    pub(super) problem: String,
}

impl WrongParameter {
    pub(super) fn respond(&self) -> HttpResponse {
        let problem = Problem::of("wrong_parameter", StatusCode::BAD_REQUEST, &self.problem);
        Problem { parameter: Some(&self.parameter), ..problem }.respond()
    }
}

impl IntoResponses for WrongParameter {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([(400, "A parameter is wrong, or there is none of its name.")])
    }
}

/// What is wrong with the name of a parameter.
pub(super) fn only(names: &[&str]) -> String {
    format!("there is no such parameter; its name must be one of: {}", names.join(", "))
}

/// Reads the part of a URL behind the `?`.
pub(super) fn parse(query: &str, pseudonym: impl Fn(Msisdn) -> Pseudonym) -> Result<Query, WrongParameter> {
    let mut wanted = Query { limit: DEFAULT_LIMIT, ..Query::default() };
    let mut seen = HashSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let result = match &*name {
            _ if seen.contains(&name) => Err("must be given once".to_owned()),
            // A `+` that was not encoded has become a space, which a number may have.
            "number" => Recipient::parse(&value)
                .map(|recipient| wanted.number = Some(pseudonym(recipient.msisdn)))
                .map_err(|error| error.to_string()),
            "status" => status(&value).map(|status| wanted.status = Some(status)),
            "type" => usage_type(&value).map(|usage_type| wanted.usage_type = Some(usage_type)),
            "country" => value.parse::<Country>().map(|country| wanted.country = Some(country)).map_err(Into::into),
            "since" => Timestamp::parse(&value)
                .map(|since| wanted.since = Some(since))
                .ok_or_else(|| "must be a date, or a moment such as 2026-11-22T12:00:00Z".to_owned()),
            "cursor" => MessageId::parse(&value)
                .map(|id| wanted.before = Some(id))
                .ok_or_else(|| "must be the `next` of another answer".to_owned()),
            "limit" => match integer(&value) {
                Some(limit @ 1..=MOST) => {
                    wanted.limit = limit;
                    Ok(())
                }
                _ => Err(format!("must be 1 to {MOST}")),
            },
            _ => Err(only(&NAMES)),
        };
        result.map_err(|problem| WrongParameter { parameter: name.to_string(), problem })?;
        seen.insert(name);
    }
    Ok(wanted)
}

/// A whole number as the document has it: with no sign, and no zero before it.
pub(super) fn integer<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|number: &T| number.to_string() == text)
}

/// One of the statuses that a row may have.
fn status(text: &str) -> Result<String, String> {
    let known = statuses();
    if known.iter().any(|status| status == text) {
        return Ok(text.to_owned());
    }
    Err(format!("must be one of: {}", known.join(", ")))
}

fn statuses() -> Vec<String> {
    let outcomes = Outcome::ALL.map(|outcome| outcome.as_str().to_owned());
    let deliveries = DeliveryStatus::ALL.map(|status| status.as_str().to_lowercase());
    let mut known: Vec<_> = ["open".to_owned()].into_iter().chain(outcomes).chain(deliveries).collect();
    known.sort();
    known.dedup();
    known
}

/// What [`parse`] reads, for the interface's document.
pub(super) struct Parameters;
impl IntoParams for Parameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let formatted = |format| text().format(Some(SchemaFormat::KnownFormat(format)));
        let statuses = statuses();
        let status = one_of(statuses.iter().map(String::as_str), "A delivery status, an outcome, or `open`.");
        let since = AnyOf::builder().item(formatted(KnownFormat::DateTime)).item(formatted(KnownFormat::Date));
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST as u64));
        let number = text().pattern(Some(r"^\+?[0-9]{8,15}$")).examples(["+4526091045"]);
        let country = text().pattern(Some("^[A-Za-z]{2}$")).examples(["DK"]);
        let rows: [(&str, &str, RefOr<Schema>); 7] = [
            (
                "number",
                "The recipient: `+`, country code and digits. Spaces, dashes and a leading `00` are understood, too.",
                number.into(),
            ),
            ("status", "The newest thing known.", status),
            ("type", "The usage type.", UsageType::schema()),
            ("country", "The recipient's country (ISO 3166-1).", country.into()),
            ("since", "Admitted then or later: a date, or a moment.", since.into()),
            ("cursor", "The `next` of the page before.", MessageId::schema()),
            ("limit", "Messages of a page.", limit.default(Some(DEFAULT_LIMIT.into())).into()),
        ];
        rows.map(|(name, description, schema)| parameter(name, description, schema)).into()
    }
}

/// One that may be left out, for the interface's document.
pub(super) fn parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{limits::Pseudonyms, sms::UsageType};
    use rstest::rstest;

    fn read(query: &str) -> Result<Query, WrongParameter> {
        parse(query, |msisdn| Pseudonyms::new(b"key").number(msisdn))
    }

    #[rstest]
    fn a_number_may_be_written_in_any_form(
        #[values("4526091045", "%2B4526091045", "+4526091045", "004526091045", "+45+26+09+10+45", "+45%20(26)-091045")]
        number: &str,
    ) {
        let expected = Pseudonyms::new(b"key").number(Recipient::parse("4526091045").unwrap().msisdn);
        assert_eq!(read(&format!("number={number}")).unwrap().number, Some(expected));
    }

    #[test]
    fn each_parameter_narrows_the_query() {
        let query = read("status=delivered&type=SignIn&country=dk&since=2026-11-22&limit=200").unwrap();
        assert_eq!(query.status.as_deref(), Some("delivered"));
        assert_eq!(query.usage_type, Some(UsageType::SignIn));
        assert_eq!(query.country, Country::parse("DK"));
        assert_eq!((query.since, query.limit), (Timestamp::parse("2026-11-22T00:00:00Z"), 200));
        assert_eq!(read("").unwrap().limit, 50);
    }

    #[rstest]
    #[case("number=1", "number")]
    #[case("status=lost", "status")]
    #[case("status=", "status")]
    #[case("type=signin", "type")]
    #[case("country=Denmark", "country")]
    #[case("since=yesterday", "since")]
    #[case("cursor=17", "cursor")]
    #[case("limit=0", "limit")]
    #[case("limit=201", "limit")]
    #[case("limit=%2B5", "limit")]
    #[case("limit=05", "limit")]
    #[case("limit=5&limit=6", "limit")]
    #[case("limit=5&to=4526091045", "to")]
    fn a_wrong_parameter_is_named_without_its_value(#[case] query: &str, #[case] parameter: &str) {
        let wrong = read(query).unwrap_err();
        assert_eq!(wrong.parameter, parameter);
        assert!(!wrong.problem.contains("4526091045"), "{wrong:?}");
    }
}
