//! The answers that several of the operators' endpoints give, for the interface's document.

use utoipa::{
    IntoResponses,
    openapi::{
        HeaderBuilder,
        schema::{Object, Type},
    },
};

use crate::routes::described::{Responses, UNDELIVERED, UNREAD_BODY, problem, problems, with_headers};

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
        let malformed = problems([(400, "The body is not the JSON object that is wanted; `detail` says where.")]);
        malformed.into_iter().chain(problems(UNREAD_BODY)).collect()
    }
}

/// Of a test message that was not sent, or may not have been.
pub(super) struct Undelivered;
impl IntoResponses for Undelivered {
    fn responses() -> Responses {
        let response = |(status, meaning)| with_headers(problem(meaning), status).build().into();
        UNDELIVERED.map(|row| (row.0.to_string(), response(row))).into()
    }
}
