//! `Settings`: plain values, loaded from layers and checked. Builds nothing.

mod environment;
mod layers;
mod value;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::{
    layers::{ConfigError, Loaded, Source},
    value::{Authorizations, Endpoint, Seconds},
};
use crate::sms::{Country, Sender};

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
    pub log: Log,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    pub listen: SocketAddr,
    pub shutdown_grace: Seconds,
    pub workers: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Operator {
    pub listen: SocketAddr,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Logto {
    pub authorization: Authorizations,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GatewayApi {
    pub endpoint: Endpoint,
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
    /// The sender of a message to this country.
    pub fn sender_for(&self, country: Option<Country>) -> &Sender {
        country.and_then(|country| self.senders.get(&country)).unwrap_or(&self.sender)
    }
}

/// GatewayAPI's `class`: which route a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Standard,
    Premium,
    Secret,
}

/// GatewayAPI's `priority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Priority {
    Bulk,
    Normal,
    Urgent,
    VeryUrgent,
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
}

#[derive(Debug, Clone, Deserialize)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Auto,
    Json,
    Pretty,
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

    fn check(&self) -> Result<(), ConfigError> {
        let gatewayapi = &self.gatewayapi;
        let whole_seconds = gatewayapi.validity_period.get().as_secs();
        let faults = [
            (self.logto.authorization.any_empty(), "logto.authorization", "must not be empty"),
            (gatewayapi.api_token.expose_secret().trim().is_empty(), "gatewayapi.api_token", "must not be empty"),
            (whole_seconds < 60, "gatewayapi.validity_period", "must be at least 60 s: GatewayAPI refuses less"),
            (!(1..=40).contains(&gatewayapi.max_connections), "gatewayapi.max_connections", "must be 1 to 40"),
            (!(1..=1000).contains(&gatewayapi.max_batch), "gatewayapi.max_batch", "must be 1 to 1000"),
            (gatewayapi.max_waiting == 0, "gatewayapi.max_waiting", "must be at least 1"),
            (gatewayapi.connect_timeout.get().is_zero(), "gatewayapi.connect_timeout", "must be more than 0"),
            (gatewayapi.request_timeout.get().is_zero(), "gatewayapi.request_timeout", "must be more than 0"),
            (self.delivery.deadline.get().is_zero(), "delivery.deadline", "must be more than 0"),
            (self.delivery.max_segments == 0, "delivery.max_segments", "must be at least 1"),
        ];
        match faults.into_iter().find(|(wrong, ..)| *wrong) {
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
