//! Where the server is, and why it can't be reached.

use std::{error::Error as _, io};

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{
    Client, Config, Connection, Socket,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresError;
use crate::{config, tls};

/// As an administrator of the database sees us.
const APPLICATION: &str = "gatewayapi-sms-connector";

/// The server's address, with the password.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    tls: MakeRustlsConnect,
}

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl Address {
    pub(super) fn parse(url: &SecretString, settings: &config::Ledger) -> Result<Self, PostgresError> {
        // What the parser says may repeat a part of the password.
        let mut config: Config = url.expose_secret().parse().map_err(|_| PostgresError::Address)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(PostgresError::Address);
        }
        // The parser's default takes a server without TLS, whose authorities nobody would look at. A socket has no TLS.
        let is_remote = |host: &Host| matches!(host, Host::Tcp(_));
        if settings.ca_file.is_some()
            && (config.get_hosts().iter().any(is_remote) || !config.get_hostaddrs().is_empty())
        {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        let tls = tls::of_database(settings.ca_file.as_deref()).map_err(|source| PostgresError::Authorities {
            file: settings.ca_file.clone().unwrap_or_default(),
            source,
        })?;
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }

    pub(super) async fn connect(&self) -> Result<(Client, Connection<Socket, Stream>), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// Why no connection can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It passes by itself: the server is down, starting or full.
    Passing,
    /// We don't trust the server's certificate.
    Certificate,
    /// It stays until somebody changes the configuration.
    Lasting,
}

pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    /// Connections, transactions, resources, locks, and what an administrator or a failover does.
    const PASSING: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match (error.code(), io) {
        (Some(state), _) if PASSING.iter().any(|class| state.code().starts_with(class)) => Fault::Passing,
        (None, Some(io)) if io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() => {
            Fault::Certificate
        }
        (None, Some(_)) => Fault::Passing,
        (None, None) if error.is_closed() => Fault::Passing,
        _ => Fault::Lasting,
    }
}
