//! The README says what is so.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use gatewayapi_sms_connector::simulator::magic_numbers;

const README: &str = include_str!("../README.md");

#[test]
fn it_lists_every_magic_number() {
    for (number, what) in magic_numbers() {
        assert!(README.contains(&format!("| `{number}` | {what} |")), "{number}");
    }
}

#[test]
fn it_lists_every_endpoint_for_operators() {
    let source = include_str!("../src/routes/operator.rs");
    let resources: Vec<_> =
        source.split("resource(").filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect();
    assert!(resources.len() >= 5 && resources.contains(&"/messages/{id}/events"), "{resources:?}");
    for path in resources {
        assert!(README.contains(&format!(" /api{path}` |")), "{path}");
    }
}
