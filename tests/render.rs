//! Our rendering against Logto's own, on generated templates and payloads.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::process::Command;

use gatewayapi_sms_connector::{
    sms::{Payload, UsageType},
    templates::{Syntax, TemplateOptions, TemplateSet},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    template: String,
    payload: Payload,
    expected: String,
}

const CASES: usize = 10_000;

#[test]
fn ten_thousand_generated_templates_render_as_logto_renders_them() {
    let output = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/render-cases.mjs"))
        .args(["--count", &CASES.to_string(), "--seed", "20261122"])
        .output()
        .expect("tests/run.sh installs Node");
    assert!(output.status.success(), "tests/run.sh installs Logto's packages");
    let options =
        TemplateOptions { default_locale: "en".to_owned(), constants: serde_json::Map::new(), max_segments: u32::MAX };
    let (mut read, mut compared) = (0, 0);
    for line in str::from_utf8(&output.stdout).unwrap().lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        read += 1;
        // What comes out empty is refused rather than sent, and so is a template that is empty.
        let is_sent = !case.expected.trim().is_empty();
        match TemplateSet::of_content(&case.template, Syntax::Logto, &options) {
            Ok(set) => {
                let rendered = set.render(UsageType::Generic, &case.payload);
                let text = rendered.as_ref().map(|rendered| rendered.text.as_str()).ok();
                assert_eq!(text, is_sent.then_some(case.expected.as_str()), "{line}");
                compared += 1;
            }
            Err(faults) => assert!(case.template.trim().is_empty(), "{faults}: {line}"),
        }
    }
    assert_eq!(read, CASES);
    assert!(compared > CASES * 99 / 100, "only {compared} were compared");
}
