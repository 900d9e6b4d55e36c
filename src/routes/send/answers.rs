//! The answers of `POST /send`, for the interface's document.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        ContentBuilder, HeaderBuilder, Response, ResponseBuilder,
        schema::{Object, Type},
    },
};

use crate::routes::{
    answer::Acceptance,
    described::{Responses, UNDELIVERED, UNREAD_BODY, of_schema, with_headers},
    problem::Problem,
};

pub(super) struct Answers;

const ACCEPTED_OR_REFUSED: [(u16, &str); 3] = [
    (
        200,
        "GatewayAPI accepted it. So is a repeat of the same `to`, `type` and code within 60 s answered, which is sent \
         once.",
    ),
    (400, "The body is not the JSON that Logto sends."),
    (401, "`Authorization` is missing or wrong."),
];

/// What a person reads at each status, in English.
const SENTENCES: [(u16, &str); 12] = [
    (200, "Your text message is on its way."),
    (400, MALFORMED),
    (401, "Text messages are not set up correctly on this site. Please contact its support."),
    (408, MALFORMED),
    (413, MALFORMED),
    (415, MALFORMED),
    (422, "This phone number can't receive text messages. Please check it or use another one."),
    (429, "A code has just been sent to this number. Please wait a moment before asking for a new one."),
    (500, "Something went wrong on our side and no text message was sent. Please contact support if this continues."),
    (502, "We can't send text messages at the moment. Please try again later."),
    (503, "The text message could not be sent just now. Please try again in a moment."),
    (504, "We don't know whether the text message was sent. Please wait a minute for it before asking for a new one."),
];
const MALFORMED: &str = "The request could not be understood. Please contact this site's support.";

impl IntoResponses for Answers {
    fn responses() -> Responses {
        let meanings: BTreeMap<_, _> = ACCEPTED_OR_REFUSED.into_iter().chain(UNREAD_BODY).chain(UNDELIVERED).collect();
        SENTENCES
            .map(|(status, sentence)| (status.to_string(), response(status, meanings[&status], sentence).into()))
            .into()
    }
}

fn response(status: u16, meaning: &str, sentence: &str) -> Response {
    let text = Object::builder().schema_type(Type::String);
    let sentence = ContentBuilder::new().schema(Some(text)).example(Some(json!(sentence))).build();
    let language = HeaderBuilder::new()
        .schema(Some(Object::builder().schema_type(Type::String).examples(["en"])))
        .description(Some("The sentence's language."))
        .build();
    let response = ResponseBuilder::new()
        .description(meaning)
        .content("text/plain", sentence)
        .header("Content-Language", language);
    let response = match status {
        200 => response.content("application/json", of_schema(&Acceptance::name())),
        _ => response.content("application/problem+json", of_schema(&Problem::name())),
    };
    with_headers(response, status).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_sentences_that_people_read() {
        let sentences: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(include_str!("../sentences.json")).unwrap();
        for (status, example) in SENTENCES {
            assert!(sentences.values().any(|by_language| by_language["en"] == example), "{status}: {example}");
        }
    }
}
