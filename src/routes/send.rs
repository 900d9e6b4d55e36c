//! `POST /send`: Logto's call, as its HTTP SMS connector makes it.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    mime::{self, Mime},
    web,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout_at;

use super::{Public, answer::Answer, sentence::Sentence};
use crate::{
    send::{Call, Delivery, SendError},
    sms::{MessageId, Payload, UsageType},
};

/// Logto's are a few hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// The answer leaves so long before the deadline, because it has a way to go; less where the deadline is short.
const ANSWER_EARLY: Duration = Duration::from_millis(200);

/// The body of a call. Keys that we don't know are welcome: Logto added `ip` that way.
#[derive(Deserialize)]
struct CallJson {
    to: String,
    #[serde(rename = "type")]
    usage_type: String,
    payload: Payload,
    #[serde(default)]
    ip: Option<Value>,
}

pub(super) async fn post(request: HttpRequest, body: web::Payload, state: web::Data<Public>) -> HttpResponse {
    let begun = Instant::now();
    let deadline = begun + state.deadline.saturating_sub(ANSWER_EARLY.min(state.deadline / 20));
    let sentences = &state.sentences;

    let Some(accepted) = state.lifecycle.accept() else {
        refused(&state, "draining", begun);
        let mut response = Answer::unavailable().respond(&request, sentences, sentences.default_language());
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
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
    // In a task of its own, so that a message is seen to its end though Logto may have gone.
    let line = state.line.clone();
    let sending = tokio::spawn(async move {
        let delivery = line.send(call, begun, deadline).await;
        drop(accepted);
        delivery
    });
    let delivery = sending.await.unwrap_or_else(|_| {
        tracing::error!("a call ended early, by a defect");
        Delivery { id: MessageId::generate(), result: Err(SendError::Interrupted) }
    });
    Answer::of(&delivery).respond(&request, sentences, language)
}

/// Why a call did not come to the line.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Unauthorized,
    NotJson,
    TooLong,
    Malformed,
    TooSlow,
}

impl Refusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::NotJson => "not_json",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::TooSlow => "too_slow",
        }
    }

    const fn answer(self) -> Answer {
        let status = match self {
            Self::Unauthorized => return Answer::refusal(StatusCode::UNAUTHORIZED, Sentence::Unauthorized),
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        };
        Answer::refusal(status, Sentence::Malformed)
    }
}

async fn read(request: &HttpRequest, body: web::Payload, state: &Public, deadline: Instant) -> Result<Call, Refusal> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    // Two headers are a smuggler's, whichever of them is right.
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(Refusal::Unauthorized) };
    if !state.authorization.admits(header.as_bytes()) {
        return Err(Refusal::Unauthorized);
    }
    if !is_json(request) {
        return Err(Refusal::NotJson);
    }
    let body = timeout_at(deadline.into(), body.to_bytes_limited(LONGEST_BODY))
        .await
        .map_err(|_| Refusal::TooSlow)?
        .map_err(|_| Refusal::TooLong)?
        .map_err(|_| Refusal::Malformed)?;
    let call: CallJson = serde_json::from_slice(&body).map_err(|_| Refusal::Malformed)?;
    Ok(Call {
        to: call.to,
        usage_type: UsageType::of_request(&call.usage_type),
        payload: call.payload,
        ip: call.ip.as_ref().and_then(client_address),
    })
}

fn is_json(request: &HttpRequest) -> bool {
    let Some(content_type) = request.headers().get(CONTENT_TYPE) else { return false };
    // As Logto writes it.
    if content_type.as_bytes() == b"application/json" {
        return true;
    }
    let Some(mime) = content_type.to_str().ok().and_then(|value| value.parse::<Mime>().ok()) else { return false };
    mime.type_() == mime::APPLICATION && (mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON))
}

/// IPv4, IPv6, or IPv4 mapped into IPv6, which is IPv4.
fn client_address(ip: &Value) -> Option<IpAddr> {
    let address = ip.as_str().and_then(|text| text.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical());
    if address.is_none() {
        tracing::warn!("the ip of a call is no address; going on without");
    }
    address
}

fn refused(state: &Public, outcome: &'static str, begun: Instant) {
    state.metrics.requests.with_label_values(&[outcome, "unknown"]).inc();
    let duration_ms = begun.elapsed().as_micros() as f64 / 1000.0;
    tracing::warn!(outcome, duration_ms, "a call was refused unread");
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
        assert_eq!(client_address(&ip), expected.map(|text| text.parse().unwrap()));
    }
}
