//! The ledger's section: where messages are kept, and for how long.

use std::{fmt, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

use super::{Seconds, value};

#[derive(Debug, Clone, Deserialize)]
pub struct Ledger {
    pub url: LedgerUrl,
    pub retention: Seconds,
    pub required: bool,
    #[serde(default, deserialize_with = "value::optional_secret")]
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

/// Where it is, without credentials.
impl fmt::Display for LedgerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite {}", path.display()),
            Self::Memory => f.write_str("in memory"),
            Self::Postgres(url) => write!(f, "PostgreSQL {}", location(url.expose_secret()).unwrap_or_default()),
        }
    }
}

impl<'de> Deserialize<'de> for LedgerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = value::secret(deserializer)?;
        // It may hold a password, so no error repeats it.
        Self::parse(text.expose_secret().trim()).map_err(de::Error::custom)
    }
}

impl LedgerUrl {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "sqlite::memory:" {
            return Ok(Self::Memory);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return match location(text) {
                Some(_) => Ok(Self::Postgres(text.into())),
                None => Err("must be postgres://user:password@host:port/database; in user and password @ is written \
                             %40, / is %2F, ? is %3F and # is %23"),
            };
        }
        match text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            Some(path) if is_plain(path) => Ok(Self::Sqlite(path.into())),
            _ => Err("must be sqlite://<path>, sqlite::memory: or postgres://…, without parameters for SQLite"),
        }
    }
}

/// Names a file, and SQLite reads nothing else into it, such as `:memory:` or `file:…`.
fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['?', '#'])
        && !path.starts_with([':', ' '])
        && !path.starts_with("file:")
        && !path.ends_with('/')
}

/// `host:port/database` of a PostgreSQL address. `None` where a part of the credentials could be taken for it.
fn location(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (address, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let location = address.split_once('@').map_or(address, |(_, location)| location);
    let (hosts, _) = location.split_once('/').unwrap_or((location, ""));
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = |host: &str| host.ends_with(']') || host.rsplit_once(':').is_none_or(|(_, port)| is_port(port));
    let is_clear = !location.contains('@') && !parameters.contains('@') && hosts.split(',').all(is_host);
    is_clear.then_some(location)
}
