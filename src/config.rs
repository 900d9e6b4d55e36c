//! `Settings`: plain values, loaded from layers and checked. Builds nothing.

mod environment;
mod layers;
mod ledger;
mod limits;
mod secret;
mod telemetry;
mod value;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::{
    layers::{ConfigError, Loaded, Source},
    ledger::{Ledger, LedgerUrl},
    limits::{
        CountriesLimit, CountryLimit, IpLimit, Limits, LineTypesLimit, Mode, NumberLimit, Party, Rate, RateLimit,
        Rates, SpendLimit, TestNumber,
    },
    secret::Secrets,
    telemetry::Telemetry,
    value::{Endpoint, Seconds},
};
use crate::sms::{Country, Sender, Senders};

/// The first layer and the reference of all keys.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Everything that can be configured. `config/default.toml` says what each key means.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    pub server: Server,
    pub operator: Operator,
    pub logto: Logto,
    pub gatewayapi: GatewayApi,
    pub delivery: Delivery,
    pub templates: Templates,
    pub delivery_reports: DeliveryReports,
    pub ledger: Ledger,
    pub limits: Limits,
    pub log: Log,
    pub telemetry: Telemetry,
    /// `sandbox` alone says so, and no configuration.
    #[serde(skip)]
    pub is_sandbox: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    #[serde(deserialize_with = "value::listener")]
    pub listen: SocketAddr,
    pub shutdown_grace: Seconds,
    pub workers: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Operator {
    #[serde(deserialize_with = "value::listener")]
    pub listen: SocketAddr,
    pub token: Option<Secrets>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Logto {
    pub authorization: Secrets,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GatewayApi {
    pub endpoint: Endpoint,
    #[serde(deserialize_with = "secret::one")]
    pub api_token: SecretString,
    #[serde(deserialize_with = "value::sender")]
    pub sender: Sender,
    pub class: Option<Class>,
    pub priority: Option<Priority>,
    pub validity_period: Seconds,
    pub label: Option<String>,
    pub max_connections: usize,
    pub max_batch: usize,
    pub max_waiting: usize,
    pub connect_timeout: Seconds,
    pub request_timeout: Seconds,
    pub extra_ca_file: Option<PathBuf>,
    #[serde(deserialize_with = "value::senders")]
    pub senders: BTreeMap<Country, Sender>,
}

impl GatewayApi {
    /// `sender` and `senders`.
    pub fn all_senders(&self) -> Senders {
        Senders::new(self.sender.clone(), self.senders.clone())
    }
}

value::named_values! {
    /// GatewayAPI's `class`: which route a message takes.
    Class { Standard = "standard", Premium = "premium", Secret = "secret" }

    /// GatewayAPI's `priority`.
    Priority { Bulk = "BULK", Normal = "NORMAL", Urgent = "URGENT", VeryUrgent = "VERY_URGENT" }

    LogLevel { Error = "error", Warn = "warn", Info = "info", Debug = "debug", Trace = "trace" }

    LogFormat { Auto = "auto", Json = "json", Pretty = "pretty" }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Delivery {
    pub deadline: Seconds,
    pub max_segments: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Templates {
    pub directory: Option<PathBuf>,
    pub default_locale: String,
    pub variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DeliveryReports {
    pub url: Option<Endpoint>,
    pub secret: Option<Secrets>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

impl Settings {
    /// Loads defaults, file and environment, and checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// One sentence for an operator: which key, what is wrong, where it came from.
    pub fn load(source: &Source) -> Result<Loaded, ConfigError> {
        layers::load(source)
    }

    /// What is allowed, but seldom meant.
    fn warnings(&self) -> impl Iterator<Item = String> {
        let Self { operator, logto, gatewayapi, delivery_reports, ledger, limits, .. } = self;
        let warnings = [
            (
                limits.countries.allow.is_empty() && limits.countries.mode != Mode::Off,
                "limits.countries.allow is empty: codes go to every country, which is what SMS pumping looks for; list \
                 the countries of your users",
            ),
            (
                delivery_reports.secret.is_none(),
                "delivery_reports.secret is not set: /delivery-reports answers 404, and whether codes arrive stays unknown",
            ),
            (
                operator.token.as_ref().is_some_and(Secrets::any_short),
                "operator.token has fewer than 16 characters: it can be guessed (openssl rand -hex 32)",
            ),
            (
                delivery_reports.secret.as_ref().is_some_and(Secrets::any_short),
                "delivery_reports.secret has fewer than 16 characters: who guesses it can forge reports (openssl rand -hex 32)",
            ),
            (
                logto.authorization.any_short_behind_scheme(),
                "logto.authorization has fewer than 16 characters behind its scheme: who guesses it sends messages at \
                 your cost (openssl rand -hex 32)",
            ),
            (
                gatewayapi.endpoint.is_clear_text(),
                "gatewayapi.endpoint is http: the API token, numbers and codes can be read on the way; only a simulated \
                 GatewayAPI has no https",
            ),
            (
                limits.always_allow.iter().any(|party| matches!(party, Party::Network(_))),
                "limits.always_allow names a network: no limit holds for whoever makes Logto take an address of it for \
                 theirs (X-Forwarded-For), so your proxy has to overwrite that header; limits.trusted_networks leaves \
                 the other limits standing",
            ),
            (
                ledger.may_be_read_on_the_way(),
                "ledger.url has no sslmode: the password and the rows can be read on the way to the database; add \
                 ?sslmode=require (with ledger.ca_file, where its authority is your own)",
            ),
            (
                ledger.retention.get() < limits.longest_period(),
                "ledger.retention is shorter than the longest period of the limits: after a restart they know less",
            ),
        ];
        warnings.into_iter().filter(|(applies, _)| *applies).map(|(_, warning)| warning.to_owned())
    }

    fn check(&self) -> Result<(), ConfigError> {
        const MINUTE: u64 = 60;
        const DAY: u64 = 24 * 60 * MINUTE;
        let Self { server, operator, logto, gatewayapi, delivery, delivery_reports, ledger, limits, .. } = self;
        let is_empty = |secrets: &Option<Secrets>| secrets.as_ref().is_some_and(Secrets::any_empty);
        let is_in = |duration: Seconds, longest| {
            (Duration::from_millis(1)..=Duration::from_secs(longest)).contains(&duration.get())
        };
        let validity_period = gatewayapi.validity_period.get().as_secs();
        let right = [
            (!logto.authorization.any_empty(), "logto.authorization", "must not be empty"),
            (!logto.authorization.any_scheme_alone(), "logto.authorization", "must have a secret behind its scheme"),
            (!gatewayapi.api_token.expose_secret().trim().is_empty(), "gatewayapi.api_token", "must not be empty"),
            (
                !gatewayapi.endpoint.has_credentials(),
                "gatewayapi.endpoint",
                "must hold no user and no password: GatewayAPI's token is gatewayapi.api_token",
            ),
            (
                (60..=7 * DAY).contains(&validity_period),
                "gatewayapi.validity_period",
                "must be 60 s, below which GatewayAPI refuses, to 7 d",
            ),
            ((1..=40).contains(&gatewayapi.max_connections), "gatewayapi.max_connections", "must be 1 to 40"),
            ((1..=1000).contains(&gatewayapi.max_batch), "gatewayapi.max_batch", "must be 1 to 1000"),
            (gatewayapi.max_waiting > 0, "gatewayapi.max_waiting", "must be at least 1"),
            (is_in(gatewayapi.connect_timeout, MINUTE), "gatewayapi.connect_timeout", "must be 1 ms to 60 s"),
            (is_in(gatewayapi.request_timeout, 2 * MINUTE), "gatewayapi.request_timeout", "must be 1 ms to 120 s"),
            (is_in(delivery.deadline, MINUTE), "delivery.deadline", "must be 1 ms to 60 s (Logto's page waits 10 s)"),
            (delivery.max_segments > 0, "delivery.max_segments", "must be at least 1"),
            (server.shutdown_grace.get().as_secs() <= DAY, "server.shutdown_grace", "must be at most 24 h"),
            (server.workers <= 256, "server.workers", "must be at most 256"),
            (!is_empty(&operator.token), "operator.token", "must not be empty"),
            (!is_empty(&delivery_reports.secret), "delivery_reports.secret", "must not be empty"),
            (!ledger.retention.get().is_zero(), "ledger.retention", "must be at least 1 s"),
            (
                !ledger.contradicts_itself(),
                "ledger.ca_file",
                "must not stand with sslmode=prefer or sslmode=disable in ledger.url, which take a server without TLS: \
                 write sslmode=require, or leave sslmode out",
            ),
            (
                ledger.pseudonym_key.is_some() || !matches!(ledger.url, LedgerUrl::Postgres(_)),
                "ledger.pseudonym_key",
                "must be set with PostgreSQL, and be the same on all replicas: they recognise a number by it \
                 (openssl rand -hex 32)",
            ),
            (
                ledger.pseudonym_key.as_ref().is_none_or(|key| !secret::is_short(key.expose_secret())),
                "ledger.pseudonym_key",
                "must have at least 16 characters",
            ),
            (limits.number.cooldown.get().as_secs() <= 31 * DAY, "limits.number.cooldown", "must be at most 31 d"),
            (
                limits.ip.max_countries <= IpLimit::MOST_COUNTRIES,
                "limits.ip.max_countries",
                "must be at most 8 (0: any number)",
            ),
        ];
        match right.into_iter().chain(self.telemetry.check()).find(|(is_right, ..)| !is_right) {
            Some((_, key, problem)) => Err(ConfigError::Value { key, problem }),
            None => Ok(()),
        }
    }
}

/// Where a command looks for its configuration file when none is named.
pub fn default_file() -> Option<PathBuf> {
    let file = Path::new("config/local.toml");
    file.exists().then(|| file.to_owned())
}

#[cfg(test)]
mod tests;
