//! What can go wrong with a call on its way along the line.

use crate::{
    gatewayapi::Failure,
    ledger::{Away, Denial},
    limits::Refusal,
    sms::{NumberError, Outcome, UsageType},
    templates::RenderError,
};

/// Why a message was not accepted, or is not known to have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the number can't be a mobile number: {0}")]
    Number(#[from] NumberError),
    #[error("{0}")]
    Limit(Refusal),
    #[error(transparent)]
    Ledger(#[from] Away),
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The task that sent it ended early, which only a defect can cause.
    #[error("the service was interrupted")]
    Interrupted,
}

/// Why a message that was admitted, and has its row, was not accepted, or is not known to have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Template(#[from] RenderError),
    #[error("template {usage_type}, locale {locale}: the text takes {segments} segments")]
    TooManySegments { usage_type: UsageType, locale: String, segments: u32, max_segments: u32 },
    #[error("GatewayAPI: {}", .0.kind.as_str())]
    GatewayApi(#[from] Failure),
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        Self::Message(failure.into())
    }
}

impl From<Denial> for SendError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Refused(refusal) => Self::Limit(refusal),
            Denial::Away(away) => Self::Ledger(away),
        }
    }
}

impl SendError {
    /// What failed, by us or by those behind us. A refusal is no fault.
    pub(super) const fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Number(_) | Self::Limit(_) => None,
            Self::Ledger(_) => Some("ledger_away"),
            Self::Message(error) => Some(error.fault()),
            Self::Interrupted => Some("interrupted"),
        }
    }
}

impl MessageError {
    pub(super) const fn fault(&self) -> &'static str {
        match self {
            Self::Template(_) | Self::TooManySegments { .. } => Outcome::TemplateFault.as_str(),
            Self::GatewayApi(failure) => failure.kind.as_str(),
        }
    }
}
