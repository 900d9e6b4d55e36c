//! `deploy/RUNBOOK.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{none, read, rules, service};

pub const FILE: &str = "deploy/RUNBOOK.md";

/// Headings as GitHub makes anchors of them.
pub fn anchors() -> BTreeSet<String> {
    let text = read(FILE);
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|heading| heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-")).collect()
}

/// The text below each heading of an alert.
fn paragraphs() -> BTreeMap<String, String> {
    let text = read(FILE);
    let parts = text.split("\n### ").skip(1);
    let split = |part: &str| part.split_once('\n').map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()));
    parts.filter_map(split).collect()
}

#[test]
fn each_alert_has_its_paragraph_and_each_paragraph_its_alert() {
    let paragraphs = paragraphs();
    let alerts = rules::alerts();
    assert_eq!(
        paragraphs.keys().collect::<BTreeSet<_>>(),
        alerts.iter().map(|(name, _)| name).collect::<BTreeSet<_>>()
    );
    for (name, rule) in &alerts {
        let begins = format!("**{}.** ", rule.severity());
        assert!(paragraphs[name].starts_with(&begins), "{name}: its paragraph does not begin with {begins}");
        assert!(paragraphs[name].len() > 150, "{name}: its paragraph says little");
    }
}

#[test]
fn links_lead_somewhere() {
    let anchors = anchors();
    let text = read(FILE);
    let links = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    none(links.filter(|link| !anchors.contains(*link)).map(|link| format!("no heading for #{link}")).collect());
}

#[test]
fn it_names_only_metrics_that_there_are() {
    let offer = service::offer();
    let text = read(FILE);
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    let words = text.split(|letter: char| !is_of_a_name(letter)).map(|word| word.trim_matches(':'));
    let is_metric = |word: &&str| ["sms_", "process_", "job_"].iter().any(|prefix| word.starts_with(prefix));
    none(words.filter(is_metric).filter(|word| !offer.has(word)).map(|word| format!("no metric {word}")).collect());
}

/// Indented lines that are no shell.
#[test]
fn its_queries_read_only_what_there_is() {
    let offer = service::offer();
    let text = read(FILE);
    let queries: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| ["sum", "topk", "histogram_quantile"].iter().any(|function| line.starts_with(function)))
        .collect();
    assert!(queries.len() > 5, "{queries:?}");
    none(queries.iter().filter_map(|query| offer.labels_of(query).err()).collect());
}
