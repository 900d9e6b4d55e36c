use std::time::Duration;

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

use super::SEND;
use crate::simulator::errors::Refusal;

/// How a request ends.
pub(super) enum Reply {
    Answer(Response<Bytes>),
    Late(Duration, Response<Bytes>),
    /// The connection breaks in the middle of the answer.
    CutShort(Response<Bytes>),
    /// The connection is closed without an answer.
    Closed,
    Never,
}

/// As a proxy in front of GatewayAPI may answer.
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>GatewayAPI</title></head><body><h1>Oops</h1></body></html>\n";

impl Reply {
    pub fn ok(body: &impl Serialize) -> Self {
        Self::Answer(json(200, body))
    }

    pub fn refusal(refusal: &Refusal) -> Self {
        let mut answer = json(refusal.status, &refusal.body());
        let headers = answer.headers_mut();
        match refusal.status {
            302 => drop(headers.insert(LOCATION, HeaderValue::from_static(SEND))),
            401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"GatewayAPI\""))),
            429 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        Self::Answer(answer)
    }

    /// A status without an error code.
    pub fn status(status: u16) -> Self {
        let reason = status_code(status).canonical_reason().unwrap_or("Failed");
        Self::refusal(&Refusal::uncoded(status, reason))
    }

    pub fn html(status: u16) -> Self {
        Self::Answer(response(status, "text/html; charset=utf-8", Bytes::from_static(HTML.as_bytes())))
    }

    pub fn late(self, delay: Duration) -> Self {
        match self {
            Self::Answer(answer) => Self::Late(delay, answer),
            other => other,
        }
    }

    pub fn cut_short(self) -> Self {
        match self {
            Self::Answer(answer) => Self::CutShort(answer),
            other => other,
        }
    }

    /// Another reply in the place of an answer that says yes.
    pub fn or_if_success(self, other: Self) -> Self {
        match &self {
            Self::Answer(answer) | Self::Late(_, answer) | Self::CutShort(answer) if answer.status().is_success() => {
                other
            }
            _ => self,
        }
    }
}

fn json(status: u16, body: &impl Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).expect("text keys and numbers are JSON");
    response(status, "application/json", body.into())
}

fn response(status: u16, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status_code(status);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// A number that can be no status of an answer becomes 500.
fn status_code(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(code) if !code.is_informational() => code,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
