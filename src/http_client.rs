//! How we speak HTTP to GatewayAPI, and to the collector of traces.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect, retry};

use crate::config::Endpoint;

/// A client that asks for what it is told to, once, and of nobody else.
pub fn builder(endpoint: &Endpoint, tls: rustls::ClientConfig, connect_timeout: Duration) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .http1_only()
        .connect_timeout(connect_timeout)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never());
    // The environment's proxy does not lead to this machine.
    if endpoint.is_loopback() { builder.no_proxy() } else { builder }
}
