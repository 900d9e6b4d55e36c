use std::fmt;

use super::Timestamp;

/// What GatewayAPI reports about a message that it accepted (its `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    Scheduled,
    Buffered,
    Enroute,
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    Accepted,
    Rejected,
    Skipped,
    /// `UNKNOWN`, and any state that GatewayAPI's documentation does not name: never taken for delivered.
    Unknown,
}

impl DeliveryStatus {
    pub const ALL: [Self; 11] = [
        Self::Scheduled,
        Self::Buffered,
        Self::Enroute,
        Self::Delivered,
        Self::Expired,
        Self::Deleted,
        Self::Undeliverable,
        Self::Accepted,
        Self::Rejected,
        Self::Skipped,
        Self::Unknown,
    ];

    /// The state of exactly this name; any other name means [`Unknown`](Self::Unknown).
    pub fn of_report(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == name).unwrap_or(Self::Unknown)
    }

    /// GatewayAPI's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Buffered => "BUFFERED",
            Self::Enroute => "ENROUTE",
            Self::Delivered => "DELIVERED",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIVERABLE",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Skipped => "SKIPPED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// No state follows it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Buffered | Self::Enroute | Self::Unknown)
    }
}

/// Where on its way a message failed, by the range of the report's error code (GatewayAPI's list of error codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorGroup {
    Hlr,
    Msc,
    Screen,
    Smsc,
    Route,
    Esme,
    Sp,
    GatewayApi,
    Other,
}

impl ErrorGroup {
    /// The group of a code such as `0x1001`.
    pub const fn of(code: u32) -> Self {
        match code {
            0x1001..=0x101b => Self::Hlr,
            0x1020..=0x102e => Self::Msc,
            0x1030..=0x103c => Self::Screen,
            0x1040..=0x104a => Self::Smsc,
            0x1050..=0x1057 => Self::Route,
            0x1060..=0x1087 => Self::Esme,
            0x1090..=0x1094 => Self::Sp,
            0x1902..=0x1904 => Self::GatewayApi,
            _ => Self::Other,
        }
    }

    /// For metrics, logs and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hlr => "HLR",
            Self::Msc => "MSC",
            Self::Screen => "SCREEN",
            Self::Smsc => "SMSC",
            Self::Route => "ROUTE",
            Self::Esme => "ESME",
            Self::Sp => "SP",
            Self::GatewayApi => "GWAPI",
            Self::Other => "OTHER",
        }
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One delivery report, as far as we use it. Holds no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Our message, by the report's `userref`.
    pub message: super::MessageId,
    /// GatewayAPI's own id of the message.
    pub gatewayapi_id: u64,
    pub status: DeliveryStatus,
    /// When the state was reached, by GatewayAPI's word; whole seconds.
    pub time: Timestamp,
    pub error_code: Option<u32>,
}
