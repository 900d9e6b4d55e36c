//! `POST /api/messages`: a test delivery, along the very line that Logto's calls go.

use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, http::ConnectionType, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    Operators,
    answers::{Unauthorized, Undelivered, UnreadBody},
    bad_request, read, usage_type,
};
use crate::{
    ledger::MessageRecord,
    routes::{
        Public,
        answer::Answer,
        problem::{Cause, Problem},
        send::deliver,
    },
    send::{Call, ClientAddress, Sent},
    sms::{MessageId, Payload, UsageType},
    traces::Parent,
};

/// The answer does not wait longer for the ledger.
const PATIENCE: Duration = Duration::from_secs(1);

/// A test delivery.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TestDelivery {
    /// The recipient, in international form.
    #[schema(examples("+4526091045"))]
    to: String,
    /// `Generic` unless you say otherwise.
    #[serde(rename = "type")]
    #[schema(value_type = Option<UsageType>)]
    usage_type: Option<String>,
    /// The language, as a BCP 47 tag.
    #[schema(examples("de"))]
    locale: Option<String>,
    /// The template's values. Without `code` and `link`, the code is `000000`.
    #[schema(value_type = Option<Object>, examples(json!({"code": "000000"})))]
    payload: Option<Map<String, Value>>,
}

/// GatewayAPI accepted a test delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = TestDeliveryAccepted)]
struct Accepted {
    id: MessageId,
    /// `accepted`, or `test_number`: nothing was sent.
    #[schema(examples("accepted"))]
    outcome: &'static str,
    /// None for a test number, and where the ledger is slow.
    message: Option<MessageRecord>,
}

#[utoipa::path(
    post,
    path = "/messages",
    operation_id = "sendTestMessage",
    tag = "Messages",
    summary = "Send a test message",
    description = "It goes along the very line of Logto's calls, limits and all. The answer comes when GatewayAPI has \
        accepted or refused it; what becomes of it afterwards is told by its events.",
    security(("operator" = [])),
    request_body(content = TestDelivery, examples(
        ("Short" = (summary = "All by default", value = json!({"to": "+4526091045"}))),
        ("Long" = (summary = "A sign-in in German",
            value = json!({"to": "+4526091045", "type": "SignIn", "locale": "de", "payload": {"code": "123456"}})))
    )),
    responses(Unauthorized, UnreadBody, Undelivered, (
        status = 200,
        description = "GatewayAPI accepted it, or the number is a test number.",
        body = Accepted,
        headers(("X-Message-Id" = MessageId, description = "The message's id.")),
        links(
            ("message" = (operation_id = "getMessage", parameters(("id" = "$response.body#/id")))),
            ("events" = (operation_id = "followMessage", parameters(("id" = "$response.body#/id"))))
        )
    ))
)]
pub(super) async fn post(request: HttpRequest, body: web::Payload, state: web::Data<Operators>) -> HttpResponse {
    let begun = Instant::now();
    let shared = &state.shared;
    let Some(under_way) = shared.lifecycle.enter() else {
        let answer = Answer::unavailable();
        let mut response = answer.problem("the service is stopping").put_into(&mut answer.head());
        response.head_mut().set_connection_type(ConnectionType::Close);
        return response;
    };
    let call = match read(&request, body).await {
        Ok(asked) => match call(asked) {
            Ok(call) => call,
            Err(problem) => return bad_request(&problem),
        },
        Err(refusal) => return refusal,
    };
    let language = shared.sentences.language(call.payload.locales());
    let delivery = deliver(shared, under_way, call, begun).await;
    let answer = Answer::of(&delivery);
    match &delivery.result {
        Ok(sent) => answer.head().json(accepted_as(*sent, delivery.id, shared).await),
        Err(error) => {
            let cause = Cause::of(error, shared.sentences.text(answer.sentence, language));
            let detail = error.to_string();
            Problem { cause, ..answer.problem(&detail) }.put_into(&mut answer.head())
        }
    }
}

fn call(asked: TestDelivery) -> Result<Call, String> {
    let usage_type = asked.usage_type.as_deref().map_or(Ok(UsageType::Generic), usage_type)?;
    let mut values = asked.payload.unwrap_or_default();
    if !values.contains_key("code") && !values.contains_key("link") {
        values.insert("code".to_owned(), Payload::TEST_CODE.into());
    }
    if let Some(locale) = asked.locale {
        values.entry("locale").or_insert_with(|| locale.into());
    }
    let (payload, client, parent) = (Payload::from(values), ClientAddress::Unsaid, Parent::default());
    Ok(Call { to: asked.to, usage_type, payload, client, parent, is_test: true })
}

async fn accepted_as(sent: Sent, id: MessageId, shared: &Public) -> Accepted {
    match sent {
        Sent::ToTestNumber => Accepted { id, outcome: "test_number", message: None },
        Sent::Accepted(_) => {
            let read = timeout(PATIENCE, shared.ledger.message(id)).await;
            Accepted { id, outcome: "accepted", message: read.ok().and_then(Result::ok).flatten() }
        }
    }
}
