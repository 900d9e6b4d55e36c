//! Where spans go.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::{Endpoint, secret};

#[derive(Debug, Clone, Deserialize)]
pub struct Telemetry {
    pub otlp_endpoint: Option<Endpoint>,
    #[serde(default, deserialize_with = "secret::optional")]
    pub otlp_headers: Option<SecretString>,
    pub extra_ca_file: Option<PathBuf>,
    pub sample_ratio: f64,
}

impl Telemetry {
    /// Whether it is right, by key, and what to say where not.
    pub(super) fn check(&self) -> [(bool, &'static str, &'static str); 4] {
        let is_told = self.otlp_endpoint.is_some();
        [
            (
                !is_told || cfg!(feature = "otlp"),
                "telemetry.otlp_endpoint",
                "is set, but this build makes no traces: build it with `cargo build --release --features otlp`, or leave \
                 the key out",
            ),
            (
                is_told || self.otlp_headers.is_none(),
                "telemetry.otlp_headers",
                "goes with telemetry.otlp_endpoint only",
            ),
            (
                is_told || self.extra_ca_file.is_none(),
                "telemetry.extra_ca_file",
                "goes with telemetry.otlp_endpoint only",
            ),
            ((0.0..=1.0).contains(&self.sample_ratio), "telemetry.sample_ratio", "must be 0 to 1"),
        ]
    }
}
