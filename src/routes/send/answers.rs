//! The answers of `POST /send`, for the interface's document.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
        schema::{Object, Type},
    },
};

use crate::routes::{
    answer::Acceptance,
    operator::{limit_header, message_id_header, retry_after_header},
    problem::Problem,
};

pub(super) struct Answers;

/// Status, when, and what a person reads then, in English.
const ANSWERS: [(u16, &str, &str); 12] = [
    (
        200,
        "GatewayAPI accepted it. So is a repeat of the same `to`, `type` and code within 60 s answered, which is sent \
         once.",
        "Your text message is on its way.",
    ),
    (400, "The body is not the JSON that Logto sends.", MALFORMED),
    (
        401,
        "`Authorization` is missing or wrong.",
        "Text messages are not set up correctly on this site. Please contact its support.",
    ),
    (408, "The body did not come in time.", MALFORMED),
    (413, "The body is over 64 KiB.", MALFORMED),
    (415, "The body is not said to be JSON.", MALFORMED),
    (
        422,
        "The number can't be a mobile number, or GatewayAPI refuses the recipient, the country or the text.",
        "This phone number can't receive text messages. Please check it or use another one.",
    ),
    (
        429,
        "A limit refused. The same call may pass after `Retry-After`.",
        "A code has just been sent to this number. Please wait a moment before asking for a new one.",
    ),
    (
        500,
        "A template or the configuration is faulty.",
        "Something went wrong on our side and no text message was sent. Please contact support if this continues.",
    ),
    (
        502,
        "GatewayAPI refuses us: credentials, credit, or a wrong request.",
        "We can't send text messages at the moment. Please try again later.",
    ),
    (
        503,
        "GatewayAPI can't be reached, or the service is stopping or overloaded. Nothing was sent.",
        "The text message could not be sent just now. Please try again in a moment.",
    ),
    (
        504,
        "The outcome is unknown: it may have been sent.",
        "We don't know whether the text message was sent. Please wait a minute for it before asking for a new one.",
    ),
];
const MALFORMED: &str = "The request could not be understood. Please contact this site's support.";

impl IntoResponses for Answers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        ANSWERS.map(|(status, when, sentence)| (status.to_string(), response(status, when, sentence).into())).into()
    }
}

fn response(status: u16, when: &str, sentence: &str) -> Response {
    let text = Object::builder().schema_type(Type::String);
    let sentence = ContentBuilder::new().schema(Some(text)).example(Some(json!(sentence))).build();
    let language = HeaderBuilder::new()
        .schema(Some(Object::builder().schema_type(Type::String).examples(["en"])))
        .description(Some("The sentence's language."))
        .build();
    let mut response =
        ResponseBuilder::new().description(when).content("text/plain", sentence).header("Content-Language", language);
    response = match status {
        200 => response.content("application/json", of_schema(&Acceptance::name())),
        _ => response.content("application/problem+json", of_schema(&Problem::name())),
    };
    if matches!(status, 200 | 422..) {
        response = response.header("X-Message-Id", message_id_header());
    }
    if matches!(status, 422 | 429) {
        response = response.header("X-Limit", limit_header());
    }
    if matches!(status, 429 | 503 | 504) {
        response = response.header("Retry-After", retry_after_header());
    }
    response.build()
}

fn of_schema(name: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_sentences_that_people_read() {
        let sentences: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(include_str!("../sentences.json")).unwrap();
        for (status, _, example) in ANSWERS {
            assert!(sentences.values().any(|by_language| by_language["en"] == example), "{status}: {example}");
        }
    }
}
