//! `GET /api/messages` and `GET /api/messages/{id}`: what was sent, and what became of it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Operators,
    answers::{LedgerAway, Unauthorized, UnknownMessage},
    ledger_away, problem, query,
};
use crate::{
    ledger::{Ledger, MessageRecord, Query},
    sms::MessageId,
};

/// Some of the messages, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Messages)]
struct Page {
    messages: Vec<MessageRecord>,
    /// Where the next page begins. `None`: this is the last.
    next: Option<MessageId>,
}

/// Newest first.
#[utoipa::path(
    get,
    path = "/messages",
    operation_id = "listMessages",
    tag = "Messages",
    summary = "What was sent",
    description = "Newest first. Each parameter narrows it, and may be given once.",
    security(("operator" = [])),
    params(query::Parameters),
    responses(Unauthorized, query::WrongParameter, LedgerAway,
        (status = 200, description = "A page of messages, and where the next begins.", body = Page))
)]
pub(super) async fn list(request: HttpRequest, state: web::Data<Operators>) -> HttpResponse {
    let ledger = &state.shared.ledger;
    let query = match query::parse(request.query_string(), |msisdn| ledger.pseudonym(msisdn)) {
        Ok(query) => query,
        Err(wrong) => return wrong.respond(),
    };
    let limit = query.limit;
    // One more tells whether there is another page.
    let Ok(mut messages) = ledger.messages(Query { limit: limit + 1, ..query }).await else { return ledger_away() };
    let is_last = messages.len() <= limit;
    messages.truncate(limit);
    let next = messages.last().map(|message| message.id).filter(|_| !is_last);
    HttpResponse::Ok().json(Page { messages, next })
}

#[utoipa::path(
    get,
    path = "/messages/{id}",
    operation_id = "getMessage",
    tag = "Messages",
    summary = "One message",
    description = "Its state, times, template, segments, cost and delivery.",
    security(("operator" = [])),
    params(("id" = MessageId, Path, description = "The message's id, as in `X-Message-Id`.")),
    responses(Unauthorized, UnknownMessage, LedgerAway,
        (status = 200, description = "What is known of it.", body = MessageRecord))
)]
pub(super) async fn get(id: web::Path<String>, state: web::Data<Operators>) -> HttpResponse {
    find(&id, &state.shared.ledger).await.map_or_else(|error| error, |message| HttpResponse::Ok().json(message))
}

/// The message of an id as it stands in a path.
pub(super) async fn find(id: &str, ledger: &Ledger) -> Result<MessageRecord, HttpResponse> {
    let found = match MessageId::parse(id) {
        Some(id) => ledger.message(id).await.map_err(|_| ledger_away())?,
        None => None,
    };
    found.ok_or_else(|| problem(StatusCode::NOT_FOUND, "unknown_message", "there is no message of this id"))
}
