//! Problem details (RFC 9457).

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    gatewayapi::Failure,
    limits::Refusal,
    send::{MessageError, SendError},
    sms::MessageId,
};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(super) struct Problem<'a> {
    /// Names the problem, for programs.
    #[serde(rename = "type")]
    #[schema(examples("urn:gatewayapi-sms-connector:problem:recipient_refused"))]
    pub(super) kind: String,
    /// The status in words.
    #[schema(examples("Unprocessable Entity"))]
    pub(super) title: &'static str,
    #[schema(examples(422))]
    pub(super) status: u16,
    /// One sentence, for people.
    #[schema(examples("No text message can be sent to this number. Please use another number."))]
    pub(super) detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) message_id: Option<MessageId>,
    /// The query's parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("limit"))]
    pub(super) parameter: Option<&'a str>,
    #[serde(flatten)]
    pub(super) cause: Cause<'a>,
}

/// What operators are told of a message that was not sent, and persons are not.
#[derive(Serialize, Default, ToSchema)]
#[schema(as = ProblemCause)]
pub(super) struct Cause<'a> {
    /// The sentence that a person would have read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    person_reads: Option<&'a str>,
    /// The limit that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("number"))]
    limit: Option<&'static str>,
    /// Its rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("cooldown"))]
    rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("recipient"))]
    error_kind: Option<&'static str>,
    /// GatewayAPI's, such as `0x0215`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_code: Option<String>,
    /// GatewayAPI's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    incident_uuid: Option<&'a str>,
    /// The text's, where they are more than `delivery.max_segments` allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples(4))]
    segments: Option<u32>,
    /// `delivery.max_segments`, where the text takes more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples(3))]
    max_segments: Option<u32>,
}

impl<'a> Problem<'a> {
    pub(super) fn of(kind: &str, status: StatusCode, detail: &'a str) -> Self {
        Self {
            kind: format!("urn:gatewayapi-sms-connector:problem:{kind}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            message_id: None,
            parameter: None,
            cause: Cause::default(),
        }
    }

    pub(super) fn put_into(&self, response: &mut HttpResponseBuilder) -> HttpResponse {
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE));
        response.body(serde_json::to_vec(self).expect("strings and numbers are JSON"))
    }

    pub(super) fn respond(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).expect("made from a status");
        self.put_into(&mut HttpResponse::build(status))
    }
}

impl<'a> Cause<'a> {
    pub(super) fn of(error: &'a SendError, person_reads: &'a str) -> Self {
        let nothing = Self { person_reads: Some(person_reads), ..Self::default() };
        match error {
            SendError::Number(error) => Self { error_kind: Some(error.as_str()), ..nothing },
            SendError::Limit(Refusal { limit, rule, .. }) => {
                Self { limit: Some(limit.as_str()), rule: Some(rule.as_str()), ..nothing }
            }
            SendError::Message(MessageError::GatewayApi(Failure { kind, code, incident, .. })) => Self {
                error_kind: Some(kind.as_str()),
                error_code: code.map(|code| code.to_string()),
                incident_uuid: incident.as_deref(),
                ..nothing
            },
            &SendError::Message(MessageError::TooManySegments { segments, max_segments, .. }) => {
                Self { segments: Some(segments), max_segments: Some(max_segments), ..nothing }
            }
            SendError::Message(MessageError::Template(_)) | SendError::Ledger(_) | SendError::Interrupted => nothing,
        }
    }
}
