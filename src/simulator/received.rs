use std::fmt;

use serde::Deserialize;

/// A message that was accepted for one recipient: what would have reached the phone, and what came with it.
///
/// Its `Debug` shows neither number nor text.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// GatewayAPI's id of the message; the same for all its recipients.
    pub id: u64,
    /// The recipient.
    pub msisdn: u64,
    pub sender: Option<String>,
    pub text: String,
    pub encoding: Encoding,
    pub class: Class,
    pub priority: Priority,
    pub destination: Destination,
    /// Seconds.
    pub validity_period: Option<u64>,
    pub label: Option<String>,
    pub userref: Option<String>,
    pub callback_url: Option<String>,
    /// The most parts that it allowed.
    pub max_parts: Option<u8>,
    /// The parts that are billed.
    pub parts: u32,
    /// The number of the request that carried it, from 1.
    pub request: usize,
    /// Whether the phone shows the text as it was sent: `false` for characters outside GSM 03.38 that were sent as
    /// [`Encoding::Utf8`], of which nobody documents what becomes.
    pub lossless: bool,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("id", &self.id)
            .field("parts", &self.parts)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// A message's `encoding`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Encoding {
    /// The GSM 03.38 alphabet, in spite of its name.
    #[default]
    Utf8,
    Ucs2,
}

impl Encoding {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF8",
            Self::Ucs2 => "UCS2",
        }
    }
}

/// A message's `class`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Class {
    #[default]
    Standard,
    Premium,
    Secret,
}

impl Class {
    const ALL: [Self; 3] = [Self::Standard, Self::Premium, Self::Secret];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Premium => "premium",
            Self::Secret => "secret",
        }
    }
}

/// A message's `priority`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Priority {
    Bulk,
    #[default]
    Normal,
    Urgent,
    VeryUrgent,
}

impl Priority {
    /// Needs [`Class::Premium`].
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Urgent | Self::VeryUrgent)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "BULK",
            Self::Normal => "NORMAL",
            Self::Urgent => "URGENT",
            Self::VeryUrgent => "VERY_URGENT",
        }
    }
}

/// A message's `destaddr`: what part of the phone takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Destination {
    #[default]
    Mobile,
    /// Flash: shown at once, and not stored.
    Display,
    Simcard,
    Extunit,
}
