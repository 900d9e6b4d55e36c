//! Alerts, dashboard and runbook name only what the service tells Prometheus, and each alert has its paragraph.
//!
//! That the alerts fire when they should is shown by `promtool test rules`, in `tests/run.sh`.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

mod dashboard;
mod expression;
mod rules;
mod runbook;
mod service;

use std::{fs, path::Path};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
