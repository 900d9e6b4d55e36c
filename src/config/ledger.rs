//! The ledger's section: where messages are kept, and for how long.

use std::{fmt, net::IpAddr, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::form_urlencoded;

use super::{Seconds, secret};

#[derive(Debug, Clone, Deserialize)]
pub struct Ledger {
    pub url: LedgerUrl,
    pub retention: Seconds,
    pub required: bool,
    #[serde(default, deserialize_with = "secret::optional")]
    pub pseudonym_key: Option<SecretString>,
    pub ca_file: Option<PathBuf>,
}

impl Ledger {
    /// Authorities to check a server by, and an address that would take a server without TLS.
    pub(super) fn contradicts_itself(&self) -> bool {
        self.ca_file.is_some() && self.url.sslmode().is_some_and(|mode| mode != "require")
    }

    /// PostgreSQL's own default takes a connection without TLS where the server, or somebody before it, offers no other.
    pub(super) fn may_be_read_on_the_way(&self) -> bool {
        self.ca_file.is_none() && self.url.sslmode().is_none() && self.url.is_elsewhere()
    }
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
        let text = secret::one(deserializer)?;
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

    /// The parameters of a PostgreSQL address.
    fn parameters(&self) -> form_urlencoded::Parse<'_> {
        let parameters = match self {
            Self::Postgres(url) => url.expose_secret().split_once('?').map_or("", |(_, parameters)| parameters),
            Self::Sqlite(_) | Self::Memory => "",
        };
        form_urlencoded::parse(parameters.as_bytes())
    }

    /// Whether TLS is wanted, where the address says so; of several the last counts.
    fn sslmode(&self) -> Option<String> {
        self.parameters().filter(|(name, _)| name == "sslmode").map(|(_, mode)| mode.into_owned()).last()
    }

    /// On another machine, as far as the address tells: reached by neither a socket nor a loopback address.
    fn is_elsewhere(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        let named = |parameter: &'static str| {
            self.parameters().filter(move |(name, _)| name == parameter).map(|(_, hosts)| hosts.into_owned())
        };
        let hosts = location(url.expose_secret()).and_then(|location| location.split('/').next()).unwrap_or_default();
        // An address is asked in place of the names.
        let addresses: Vec<_> = named("hostaddr").collect();
        let hosts = if addresses.is_empty() { named("host").chain([hosts.to_owned()]).collect() } else { addresses };
        hosts.iter().flat_map(|hosts| hosts.split(',')).any(|host| !host.is_empty() && !is_here(host))
    }
}

/// A socket or this machine, as a host with or without its port.
fn is_here(host: &str) -> bool {
    let without_port = || host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let address = host.trim_matches(['[', ']']).parse().or_else(|_| without_port().parse::<IpAddr>());
    host.starts_with('/')
        || host.to_ascii_lowercase().starts_with("%2f")
        || without_port() == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
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
