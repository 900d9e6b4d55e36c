//! What the interface's document says of answers that several endpoints give.

use std::collections::BTreeMap;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
        schema::{Object, Type},
    },
};

use super::problem::Problem;
use crate::sms::MessageId;

pub(super) type Responses = BTreeMap<String, RefOr<Response>>;

/// Of a body that was not read to its end.
pub(super) const UNREAD_BODY: [(u16, &str); 3] = [
    (408, "The body did not come in time."),
    (413, "The body is over 64 KiB."),
    (415, "The body is not said to be JSON."),
];

/// Of a message that was not sent, or may not have been.
pub(super) const UNDELIVERED: [(u16, &str); 6] = [
    (422, "The number can't be a mobile number, or GatewayAPI refuses the recipient, the country or the text."),
    (429, "A limit refused. The same call may pass after `Retry-After`."),
    (500, "The template failed, or took too many segments."),
    (502, "GatewayAPI refuses us: credentials, credit, or a wrong request."),
    (503, "GatewayAPI can't be reached, or the service is stopping or overloaded. Nothing was sent."),
    (504, "The outcome is unknown: it may have been sent."),
];

/// Problem details with what each status means.
pub(super) fn problems<const N: usize>(rows: [(u16, &str); N]) -> Responses {
    rows.map(|(status, meaning)| (status.to_string(), problem(meaning).build().into())).into()
}

pub(super) fn problem(meaning: &str) -> ResponseBuilder {
    let content = of_schema(&Problem::name());
    ResponseBuilder::new().description(meaning).content("application/problem+json", content)
}

pub(super) fn of_schema(name: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build()
}

/// The headers of an answer about a message.
pub(super) fn with_headers(mut response: ResponseBuilder, status: u16) -> ResponseBuilder {
    if matches!(status, 200 | 422..) {
        response = response.header("X-Message-Id", message_id_header());
    }
    if matches!(status, 422 | 429) {
        response = response.header("X-Limit", limit_header());
    }
    if matches!(status, 429 | 503 | 504) {
        response = response.header("Retry-After", retry_after_header());
    }
    response
}

fn message_id_header() -> Header {
    let description = "The ledger's message.";
    HeaderBuilder::new().schema(Some(MessageId::schema())).description(Some(description)).build()
}

fn retry_after_header() -> Header {
    let seconds = Object::builder().schema_type(Type::Integer).minimum(Some(0)).examples([25]);
    HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait.")).build()
}

fn limit_header() -> Header {
    let name = Object::builder().schema_type(Type::String).examples(["number"]);
    HeaderBuilder::new().schema(Some(name)).description(Some("The limit that refused.")).build()
}
