//! `POST /send`: Logto's call, as its HTTP SMS connector makes it.

mod answers;

use std::{net::IpAddr, time::Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{ConnectionType, StatusCode, header::HeaderValue},
    web,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use self::answers::Answers;
use super::{
    Public,
    answer::Answer,
    body::{self, Unread},
    lifecycle::UnderWay,
    sentence::Sentence,
};
use crate::{
    auth::only_authorization,
    send::{Call, ClientAddress, Delivery, SendError},
    sms::{MessageId, Payload, Timestamp, UsageType},
};

/// The body of a call. Keys that we don't know are welcome: Logto added `ip` that way.
#[derive(Deserialize, ToSchema)]
#[schema(as = Call, description = "Logto's call. Other keys are welcome.")]
struct CallJson {
    /// The recipient, in international form.
    #[schema(examples("+4526091045"))]
    to: String,
    /// What the message is for; what is not known means `Generic`.
    #[serde(rename = "type")]
    #[schema(examples("SignIn"))]
    usage_type: String,
    /// The template's values: the code, the language, and whatever else Logto sends.
    #[schema(value_type = Object)]
    payload: Payload,
    /// The person's IPv4 or IPv6 address. Anything else is ignored.
    #[serde(default)]
    #[schema(examples("203.0.113.7"))]
    ip: Option<Value>,
}

#[utoipa::path(
    post,
    path = "/send",
    operation_id = "send",
    tag = "Logto",
    summary = "Send a verification code",
    description = "Renders the message in the person's language and sends it once. The answer is one short sentence for \
        the person, in their language, because Logto shows it. With `Accept: application/json` or \
        `application/problem+json` it is JSON.",
    security(("logto" = [])),
    request_body(content = CallJson, example = json!({
        "to": "+4526091045", "type": "SignIn", "payload": {"code": "123456", "locale": "en"}, "ip": "203.0.113.7"
    })),
    responses(Answers)
)]
pub(super) async fn post(request: HttpRequest, body: web::Payload, state: web::Data<Public>) -> HttpResponse {
    let begun = Instant::now();
    let deadline = state.deadline_from(begun);
    let sentences = &state.sentences;

    let Some(under_way) = state.lifecycle.enter() else {
        refused(&state, "draining", begun);
        let mut response = Answer::unavailable().respond(&request, sentences, sentences.default_language());
        response.head_mut().set_connection_type(ConnectionType::Close);
        return response;
    };
    let call = match read(&request, body, &state, deadline).await {
        Ok(call) => call,
        Err(refusal) => {
            refused(&state, refusal.as_str(), begun);
            return refusal.answer().respond(&request, sentences, sentences.default_language());
        }
    };
    let language = sentences.language(call.payload.locales());
    let delivery = deliver(&state, under_way, call, begun).await;
    Answer::of(&delivery).respond(&request, sentences, language)
}

/// Sends in a task of its own, so that a message is seen to its end though whoever asked may have gone.
pub(super) async fn deliver(state: &Public, under_way: UnderWay, call: Call, begun: Instant) -> Delivery {
    let line = state.line.clone();
    let deadline = state.deadline_from(begun);
    let sending = tokio::spawn(async move {
        let delivery = line.send(call, begun, deadline).await;
        drop(under_way);
        delivery
    });
    sending.await.unwrap_or_else(|_| {
        tracing::error!("a call ended early, by a defect");
        Delivery { id: MessageId::generate(), result: Err(SendError::Interrupted) }
    })
}

/// Why a call did not come to the line.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Unauthorized,
    Unread(Unread),
    Malformed,
}

impl Refusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Unread(Unread::NotJson) => "not_json",
            Self::Unread(Unread::TooLong) => "too_long",
            Self::Unread(Unread::TooSlow) => "too_slow",
            Self::Unread(Unread::Broken | Unread::NotAnObject) | Self::Malformed => "malformed",
        }
    }

    const fn answer(self) -> Answer {
        let status = match self {
            Self::Unauthorized => return Answer::new(StatusCode::UNAUTHORIZED, Sentence::Unauthorized),
            Self::Unread(unread) => unread.status(),
            Self::Malformed => StatusCode::BAD_REQUEST,
        };
        Answer::new(status, Sentence::Malformed)
    }
}

async fn read(request: &HttpRequest, body: web::Payload, state: &Public, deadline: Instant) -> Result<Call, Refusal> {
    let is_admitted = |header: &HeaderValue| state.authorization.admits(header.as_bytes());
    if !only_authorization(request.headers()).is_some_and(is_admitted) {
        return Err(Refusal::Unauthorized);
    }
    let body = body::read(request, body, deadline).await.map_err(Refusal::Unread)?;
    let call: CallJson = serde_json::from_slice(&body).map_err(|_| Refusal::Malformed)?;
    Ok(Call {
        to: call.to,
        usage_type: UsageType::of_request(&call.usage_type),
        payload: call.payload,
        client: call.ip.as_ref().map_or(ClientAddress::Unsaid, client_address),
        parent: state
            .line
            .tracer()
            .parent(|name| request.headers().get_all(name).filter_map(|value| value.to_str().ok())),
        is_test: false,
    })
}

/// IPv4, IPv6, or IPv4 mapped into IPv6, which is IPv4.
fn client_address(ip: &Value) -> ClientAddress {
    match ip.as_str().map(|text| text.trim().parse::<IpAddr>()) {
        Some(Ok(address)) => ClientAddress::Known(address.to_canonical()),
        _ => ClientAddress::Unreadable,
    }
}

fn refused(state: &Public, outcome: &'static str, begun: Instant) {
    state.metrics.requests.with_label_values(&[outcome, "unknown"]).inc();
    let duration_ms = begun.elapsed().as_micros() as f64 / 1000.0;
    if state.refusals.takes(Timestamp::now()) {
        tracing::warn!(outcome, duration_ms, "a call was refused unread");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!("203.0.113.7"), Some("203.0.113.7"))]
    #[case(json!("::ffff:127.0.0.1"), Some("127.0.0.1"))]
    #[case(json!("2001:db8::1"), Some("2001:db8::1"))]
    #[case(json!("203.0.113.7, 10.0.0.1"), None)]
    #[case(json!("localhost"), None)]
    #[case(json!(7), None)]
    fn the_ip_is_an_address_or_ignored(#[case] ip: Value, #[case] expected: Option<&str>) {
        assert_eq!(client_address(&ip).ip(), expected.map(|text| text.parse().unwrap()));
    }
}
