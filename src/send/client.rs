//! From where a person asked.

use std::net::IpAddr;

/// The address of the person who asked, as Logto passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddress {
    /// Logto says nothing of it.
    Unsaid,
    /// What Logto says is no address, as where a caller writes it himself. It counts as none, and the log tells.
    Unreadable,
    Known(IpAddr),
}

impl ClientAddress {
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Known(ip) => Some(ip),
            Self::Unsaid | Self::Unreadable => None,
        }
    }

    /// As the log shows it, which shows no address.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Unsaid => "none",
            Self::Unreadable => "unreadable",
            Self::Known(IpAddr::V4(_)) => "4",
            Self::Known(IpAddr::V6(_)) => "6",
        }
    }
}
