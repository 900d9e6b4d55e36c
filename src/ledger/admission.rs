//! Who asks to be sent, and what it is told.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{Away, writer};
use crate::{
    limits::{Charge, Refusal, Touched},
    sms::{Country, MessageId, Recipient, UsageType},
};

/// A message waits no longer for the database: then it goes on under the limits in memory.
pub(super) const PATIENCE: Duration = writer::LONG;

/// A message that asks to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Applicant {
    pub id: MessageId,
    pub usage_type: UsageType,
    pub recipient: Recipient,
    /// Of the person who asked.
    pub ip: Option<IpAddr>,
}

/// A message that may leave.
#[derive(Debug)]
pub enum Admission {
    /// To a test number: it is answered as sent, and not sent.
    Test,
    Open(OpenMessage),
}

/// A message that may leave, to be settled.
#[derive(Debug, Clone, Copy)]
pub struct OpenMessage {
    pub(super) id: MessageId,
    pub(super) touched: Touched,
    pub(super) charge: Option<Charge>,
}

/// Why a message may not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("{0}")]
    Refused(Refusal),
    /// `ledger.required` is set.
    #[error(transparent)]
    Away(#[from] Away),
}

impl OpenMessage {
    pub const fn id(&self) -> MessageId {
        self.id
    }

    pub const fn country(&self) -> Option<Country> {
        self.touched.country
    }
}

/// How long a message waits for the database.
pub(super) fn patience(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).min(PATIENCE)
}
