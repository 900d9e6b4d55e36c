//! Sends Logto's verification codes as SMS through GatewayAPI.
//!
//! The modules stand in the order in which they depend on each other: each uses only those above it. A call goes
//!
//! ```text
//! HTTP request → authenticate → validate → admit → render → encode → GatewayAPI → settle → answer
//!    routes         auth        send, sms  ledger  templates   sms    gatewayapi   ledger   routes
//!                                          limits
//! ```

pub mod sms;

pub mod config;

pub mod tls;

pub mod http_client;

pub mod metrics;

pub mod traces;

pub mod limits;

pub mod templates;

pub mod gatewayapi;

pub mod ledger;

pub mod send;

pub mod auth;

pub mod routes;

pub mod server;

pub mod simulator;

pub mod telemetry;

pub mod cli;
