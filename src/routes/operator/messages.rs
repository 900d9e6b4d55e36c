//! `GET /api/messages` and `GET /api/messages/{id}`: what was sent, and what became of it.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Serialize;

use super::{Operators, ledger_away, problem, query};
use crate::{
    ledger::{Ledger, MessageRecord, Query},
    routes::problem::Problem,
    sms::MessageId,
};

#[derive(Serialize)]
struct Page {
    messages: Vec<MessageRecord>,
    /// Where the next page begins. `None`: this is the last.
    next: Option<MessageId>,
}

/// Newest first.
pub(super) async fn list(request: HttpRequest, state: web::Data<Operators>) -> HttpResponse {
    let ledger = &state.shared.ledger;
    let query = match query::parse(request.query_string(), |msisdn| ledger.pseudonym(msisdn)) {
        Ok(query) => query,
        Err(wrong) => {
            let problem = Problem::of("wrong_parameter", StatusCode::BAD_REQUEST, &wrong.problem);
            return Problem { parameter: Some(&wrong.parameter), ..problem }.respond();
        }
    };
    let limit = query.limit;
    // One more tells whether there is another page.
    let Ok(mut messages) = ledger.messages(Query { limit: limit + 1, ..query }).await else { return ledger_away() };
    let is_last = messages.len() <= limit;
    messages.truncate(limit);
    let next = messages.last().map(|message| message.id).filter(|_| !is_last);
    HttpResponse::Ok().json(Page { messages, next })
}

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
