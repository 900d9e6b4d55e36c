//! How an outcome becomes HTTP: one short sentence for the person, or RFC 9457 for a program.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{ACCEPT, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    problem::Problem,
    sentence::{Language, Sentence, Sentences},
};
use crate::{
    gatewayapi::{FailureKind, NotSent, Rejection},
    limits::{Limit, Refusal, Rule},
    send::{Delivery, MessageError, SendError},
    sms::MessageId,
};

/// An answer to `POST /send`, or to an operator's test delivery, before it is put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) sentence: Sentence,
    pub(super) retry_after: Option<Duration>,
    pub(super) message_id: Option<MessageId>,
    /// Which limit refused, for operators.
    pub(super) limit: Option<Limit>,
}

const MESSAGE_ID: HeaderName = HeaderName::from_static("x-message-id");
const LIMIT: HeaderName = HeaderName::from_static("x-limit");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// After a short fault, when nobody said how long it lasts.
const SOON: Duration = Duration::from_secs(5);
/// Where the same call only passes once somebody has changed the configuration.
const UNTIL_SETTINGS_CHANGE: Duration = Duration::from_secs(24 * 3600);
/// By then a message that may have been sent has come.
const AFTER_A_MESSAGE_MAY_COME: Duration = Duration::from_secs(60);

impl Answer {
    pub(super) const fn new(status: StatusCode, sentence: Sentence) -> Self {
        Self { status, sentence, retry_after: None, message_id: None, limit: None }
    }

    /// The service takes no calls just now.
    pub(super) const fn unavailable() -> Self {
        Self { retry_after: Some(SOON), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, Sentence::Unavailable) }
    }

    /// It may have been sent, and may not.
    const fn unknown() -> Self {
        let unknown = Self::new(StatusCode::GATEWAY_TIMEOUT, Sentence::OutcomeUnknown);
        Self { retry_after: Some(AFTER_A_MESSAGE_MAY_COME), ..unknown }
    }

    pub(super) fn of(delivery: &Delivery) -> Self {
        let answer = match &delivery.result {
            Ok(_) => Self::new(StatusCode::OK, Sentence::Sent),
            Err(error) => Self::of_error(error),
        };
        Self { message_id: Some(delivery.id), ..answer }
    }

    /// The one place where an error becomes a status.
    fn of_error(error: &SendError) -> Self {
        let failure = match error {
            SendError::Number(_) => return Self::new(StatusCode::UNPROCESSABLE_ENTITY, Sentence::NumberUnusable),
            SendError::Message(MessageError::Template(_) | MessageError::TooManySegments { .. }) => {
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, Sentence::ServiceFault);
            }
            SendError::Limit(refusal) => return Self::of_refusal(refusal),
            SendError::Ledger(_) => return Self::unavailable(),
            SendError::Interrupted => return Self::unknown(),
            SendError::Message(MessageError::GatewayApi(failure)) => failure,
        };
        let (status, sentence) = match failure.kind {
            FailureKind::Rejected(Rejection::Recipient) => (422, Sentence::RecipientRefused),
            FailureKind::Rejected(Rejection::RecipientForNow) => (422, Sentence::RecipientRefusedForNow),
            FailureKind::Rejected(Rejection::Destination) => (422, Sentence::DestinationRefused),
            FailureKind::Rejected(Rejection::Content) => (422, Sentence::ContentRefused),
            FailureKind::Rejected(Rejection::Request | Rejection::Settings) | FailureKind::Account(_) => {
                (502, Sentence::ProviderFault)
            }
            FailureKind::NotSent(_) => (503, Sentence::Unavailable),
            FailureKind::Unknown(_) => return Self::unknown(),
        };
        let retry_after = match failure.kind {
            FailureKind::NotSent(NotSent::Superseded) => None,
            FailureKind::NotSent(_) => Some(failure.retry_after.unwrap_or(SOON)),
            FailureKind::Rejected(_) | FailureKind::Account(_) | FailureKind::Unknown(_) => None,
        };
        let status = StatusCode::from_u16(status).expect("a constant status");
        Self { retry_after, ..Self::new(status, sentence) }
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        let (status, sentence) = match (refusal.limit, refusal.rule) {
            // Another number helps here, and waiting does not.
            (Limit::LineTypes, _) => (StatusCode::UNPROCESSABLE_ENTITY, Sentence::LimitLineTypes),
            (Limit::Number, Rule::Cooldown) => (StatusCode::TOO_MANY_REQUESTS, Sentence::LimitCooldown),
            (limit, _) => (StatusCode::TOO_MANY_REQUESTS, sentence_of(limit)),
        };
        let wait = refusal.wait.or_else(|| (status == StatusCode::TOO_MANY_REQUESTS).then_some(UNTIL_SETTINGS_CHANGE));
        Self { retry_after: wait, limit: Some(refusal.limit), ..Self::new(status, sentence) }
    }

    /// Puts it into words, in the form that the caller asked for.
    pub(super) fn respond(&self, request: &HttpRequest, sentences: &Sentences, language: Language) -> HttpResponse {
        let text = sentences.text(self.sentence, language);
        let mut response = self.head();
        response.insert_header((CONTENT_LANGUAGE, sentences.tag(language)));
        if !wants_json(request) {
            return response.insert_header((CONTENT_TYPE, PLAIN_TEXT)).body(text.clone());
        }
        if self.status.is_success() {
            return response.json(Acceptance { message_id: self.message_id, detail: text });
        }
        self.problem(text).put_into(&mut response)
    }

    /// Status and headers.
    pub(super) fn head(&self) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status);
        if let Some(id) = self.message_id {
            response.insert_header((MESSAGE_ID, id.to_string()));
        }
        if let Some(limit) = self.limit {
            response.insert_header((LIMIT, HeaderValue::from_static(limit.as_str())));
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: an earlier retry would only be refused again.
            response.insert_header((RETRY_AFTER, wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        response
    }

    pub(super) fn problem<'a>(&self, detail: &'a str) -> Problem<'a> {
        Problem { message_id: self.message_id, ..Problem::of(self.sentence.key(), self.status, detail) }
    }
}

const fn sentence_of(limit: Limit) -> Sentence {
    match limit {
        Limit::Deny => Sentence::LimitDeny,
        Limit::Countries => Sentence::LimitCountries,
        Limit::LineTypes => Sentence::LimitLineTypes,
        Limit::Number => Sentence::LimitNumber,
        Limit::Ip => Sentence::LimitIp,
        Limit::Range => Sentence::LimitRange,
        Limit::Country => Sentence::LimitCountry,
        Limit::Service => Sentence::LimitService,
        Limit::Spend => Sentence::LimitSpend,
    }
}

/// GatewayAPI accepted the message.
#[derive(Serialize, ToSchema)]
pub(super) struct Acceptance<'a> {
    message_id: Option<MessageId>,
    /// One sentence, for people.
    #[schema(examples("Your text message is on its way."))]
    detail: &'a str,
}

/// Logto's connector names no type, or any; only who asks for JSON by name gets it.
fn wants_json(request: &HttpRequest) -> bool {
    let named = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| {
            value.split(',').filter_map(|range| range.split(';').next()).any(|range| {
                let range = range.trim();
                range.eq_ignore_ascii_case("application/json") || range.eq_ignore_ascii_case("application/problem+json")
            })
        })
    };
    request.headers().get_all(ACCEPT).any(named)
}
