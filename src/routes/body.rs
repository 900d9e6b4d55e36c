//! A JSON body, read within bounds.

use std::time::Instant;

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
    mime::{self, Mime},
    web::{self, Bytes},
};
use tokio::time::timeout_at;

/// Logto's are a few hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    NotJson,
    TooLong,
    TooSlow,
    Broken,
    /// A list, for example, which serde would take for an object whose values stand in order.
    NotAnObject,
}

impl Unread {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::NotAnObject => StatusCode::BAD_REQUEST,
        }
    }

    /// What a developer reads.
    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::NotJson => "the Content-Type must be application/json",
            Self::TooLong => "the body has more than 64 KiB",
            Self::TooSlow => "the body did not come in time",
            Self::Broken => "the body broke off",
            Self::NotAnObject => "the body must be a JSON object",
        }
    }
}

/// The body of a request that says it is JSON: it begins as an object does.
pub(super) async fn read(request: &HttpRequest, body: web::Payload, deadline: Instant) -> Result<Bytes, Unread> {
    if !is_json(request) {
        return Err(Unread::NotJson);
    }
    let body = timeout_at(deadline.into(), body.to_bytes_limited(LONGEST_BODY))
        .await
        .map_err(|_| Unread::TooSlow)?
        .map_err(|_| Unread::TooLong)?
        .map_err(|_| Unread::Broken)?;
    if body.trim_ascii_start().first() == Some(&b'{') { Ok(body) } else { Err(Unread::NotAnObject) }
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
