//! The answers that several of the operators' endpoints give, for the interface's document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
        schema::{Object, Type},
    },
};

use crate::{routes::problem::Problem, sms::MessageId};

type Responses = BTreeMap<String, RefOr<Response>>;

/// Problem details with what each status means.
pub(in crate::routes) fn problems<const N: usize>(rows: [(u16, &str); N]) -> Responses {
    rows.map(|(status, description)| (status.to_string(), problem(description).build().into())).into()
}

fn problem(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content)
}

pub(in crate::routes) fn message_id_header() -> Header {
    let description = "The ledger's message.";
    HeaderBuilder::new().schema(Some(MessageId::schema())).description(Some(description)).build()
}

pub(in crate::routes) fn retry_after_header() -> Header {
    let seconds = Object::builder().schema_type(Type::Integer).minimum(Some(0)).examples([25]);
    HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait.")).build()
}

pub(in crate::routes) fn limit_header() -> Header {
    let name = Object::builder().schema_type(Type::String).examples(["number"]);
    HeaderBuilder::new().schema(Some(name)).description(Some("The limit that refused.")).build()
}

pub(super) struct Unauthorized;
impl IntoResponses for Unauthorized {
    fn responses() -> Responses {
        let bearer = Object::builder().schema_type(Type::String).examples(["Bearer"]);
        let header = HeaderBuilder::new().schema(Some(bearer)).build();
        let response = problem("An operator's token is needed.").header("WWW-Authenticate", header);
        [("401".to_owned(), response.build().into())].into()
    }
}

pub(super) struct UnknownMessage;
impl IntoResponses for UnknownMessage {
    fn responses() -> Responses {
        problems([(404, "There is no message of this id.")])
    }
}

pub(super) struct LedgerAway;
impl IntoResponses for LedgerAway {
    fn responses() -> Responses {
        problems([(503, "The ledger can't be read just now.")])
    }
}

/// Of a stream of events.
pub(super) struct Busy;
impl IntoResponses for Busy {
    fn responses() -> Responses {
        problems([(503, "Too many streams are open, or the ledger can't be read just now.")])
    }
}

pub(super) struct UnreadBody;
impl IntoResponses for UnreadBody {
    fn responses() -> Responses {
        problems([
            (400, "The body is not the JSON object that is wanted; `detail` says where."),
            (408, "The body did not come in time."),
            (413, "The body is over 64 KiB."),
            (415, "The body is not said to be JSON."),
        ])
    }
}

/// Of a test message that was not sent, or may not have been.
pub(super) struct Undelivered;
impl IntoResponses for Undelivered {
    fn responses() -> Responses {
        let rows = [
            (422, "The number can't be a mobile number, or GatewayAPI refuses the recipient, the country or the text."),
            (429, "A limit refused."),
            (500, "The template failed, or took too many segments."),
            (502, "GatewayAPI refuses us: credentials, credit, or a wrong request."),
            (503, "GatewayAPI can't be reached, or the service is stopping or overloaded. Nothing was sent."),
            (504, "The outcome is unknown: it may have been sent."),
        ];
        let with_headers = |(status, description): (u16, &str)| {
            let mut response = problem(description).header("X-Message-Id", message_id_header());
            if matches!(status, 422 | 429) {
                response = response.header("X-Limit", limit_header());
            }
            if matches!(status, 429 | 503 | 504) {
                response = response.header("Retry-After", retry_after_header());
            }
            (status.to_string(), response.build().into())
        };
        rows.map(with_headers).into()
    }
}
