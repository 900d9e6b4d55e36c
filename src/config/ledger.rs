//! The ledger's section: where messages are kept, and for how long.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

use super::Seconds;

#[derive(Debug, Clone, Deserialize)]
pub struct Ledger {
    pub url: LedgerUrl,
    pub retention: Seconds,
    pub required: bool,
    pub pseudonym_key: Option<SecretString>,
    pub ca_file: Option<PathBuf>,
}

/// Which database, and where.
#[derive(Debug, Clone)]
pub enum LedgerUrl {
    /// `sqlite://data/ledger.db`, or `sqlite:///var/lib/sms/ledger.db` for an absolute path.
    Sqlite(PathBuf),
    /// `sqlite::memory:`: gone with the process.
    Memory,
    /// `postgres://user:password@host/database`: secret, for it may hold a password.
    Postgres(SecretString),
}

impl<'de> Deserialize<'de> for LedgerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        if text == "sqlite::memory:" {
            return Ok(Self::Memory);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.into()));
        }
        match text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            Some(path) if !path.is_empty() && !path.contains(['?', '#']) => Ok(Self::Sqlite(path.into())),
            // It may hold a password, so it is not repeated.
            _ => Err(de::Error::custom(
                "must be sqlite://<path>, sqlite::memory: or postgres://…, without parameters for SQLite",
            )),
        }
    }
}
