//! The service as its neighbours see it: Logto before it, a simulated GatewayAPI behind it.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

mod app;
mod authentication;
mod batching;
mod crash;
mod database;
mod deliveries;
mod delivery_reports;
mod document;
mod encryption;
mod late;
mod limits;
mod log;
mod logto_connector;
mod numbers;
mod observability;
mod operators;
mod outage;
mod outcomes;
mod page;
mod reloading;
mod repeats;
mod request;
mod shutdown;
mod time;
#[cfg(feature = "otlp")]
mod traces;
mod words;
