//! `deploy/prometheus`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_norway::Value;

use crate::{none, read, service};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default, rename = "interval")]
    _interval: Option<String>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub record: Option<String>,
    pub alert: Option<String>,
    pub expr: String,
    #[serde(rename = "for")]
    pending: Option<String>,
    #[serde(default, rename = "keep_firing_for")]
    _keep_firing_for: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Rule {
    pub fn severity(&self) -> &str {
        &self.labels["severity"]
    }
}

fn groups() -> Vec<Group> {
    serde_norway::from_str::<File>(&read("deploy/prometheus/alerts.yml")).unwrap().groups
}

pub fn recording() -> Vec<Rule> {
    groups().into_iter().flat_map(|group| group.rules).filter(|rule| rule.record.is_some()).collect()
}

pub fn alerts() -> Vec<(String, Rule)> {
    let rules = groups().into_iter().flat_map(|group| group.rules);
    rules.filter_map(|rule| Some((rule.alert.clone()?, rule))).collect()
}

#[test]
fn alerts_read_only_what_there_is() {
    let offer = service::offer();
    assert!(alerts().len() > 20, "{}", alerts().len());
    let mut faults = Vec::new();
    for (name, rule) in alerts() {
        match offer.labels_of(&rule.expr) {
            Err(fault) => faults.push(format!("{name}: {fault}")),
            Ok(labels) => {
                for text in rule.annotations.values() {
                    let named = text.split("$labels.").skip(1).map(|rest| rest.split([' ', '}']).next().unwrap_or(""));
                    let unknown = named.filter(|label| !labels.contains(*label));
                    faults.extend(unknown.map(|label| format!("{name}: an annotation names {label}, only {labels:?}")));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn a_recorded_name_begins_with_its_labels() {
    let offer = service::offer();
    for rule in recording() {
        let name = rule.record.unwrap();
        let level: BTreeSet<_> = name.split(':').next().unwrap().split('_').map(str::to_owned).collect();
        let mut labels = offer.labels_of(&rule.expr).unwrap();
        // There or not, as the target has one.
        assert!(labels.remove("namespace"), "{name}");
        assert_eq!(labels, level, "{name}");
    }
}

#[test]
fn an_alert_says_how_urgent_it_is_and_what_to_read() {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, rule) in alerts() {
        let mut check = |is_right: bool, fault: &str| {
            if !is_right {
                faults.push(format!("{name}: {fault}"));
            }
        };
        check(seen.insert(name.clone()), "twice");
        check(rule.pending.is_some(), "no `for`");
        let severity = rule.labels.get("severity").map(String::as_str);
        check(matches!(severity, Some("page" | "ticket")), "its severity is neither page nor ticket");
        check(rule.labels.get("service").is_some_and(|name| name == "gatewayapi-sms-connector"), "no label service");
        check(rule.labels.len() == 2, "labels besides severity and service");
        let keys: Vec<_> = rule.annotations.keys().map(String::as_str).collect();
        check(keys == ["description", "runbook_url", "summary"], "its annotations");
        let anchor = format!("deploy/RUNBOOK.md#{}", name.to_lowercase());
        check(rule.annotations.get("runbook_url") == Some(&anchor), "its runbook_url");
    }
    none(faults);
}

/// Each fires in one case and not in one that is near: an evaluation without alerts, or a series of a namespace `near…`.
#[test]
fn each_alert_has_a_case_that_fires_and_one_that_does_not() {
    let mut fires = BTreeSet::new();
    let mut spares = BTreeSet::new();
    for file in ["deploy/prometheus/alerts.test.yml", "deploy/prometheus/alerts.long.test.yml"] {
        let text = read(file);
        let tests: Value = serde_norway::from_str(&text).unwrap();
        let order: Vec<_> =
            tests["group_eval_order"].as_sequence().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(order, groups().iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), "{file}");
        for test in tests["tests"].as_sequence().unwrap() {
            let series = test["input_series"].as_sequence().unwrap();
            let has_near = series.iter().any(|one| one["series"].as_str().unwrap().contains("namespace=\"near"));
            for case in test["alert_rule_test"].as_sequence().unwrap() {
                let name = case["alertname"].as_str().unwrap().to_owned();
                let expected = case["exp_alerts"].as_sequence().unwrap();
                if expected.is_empty() || has_near {
                    spares.insert(name.clone());
                }
                if !expected.is_empty() {
                    fires.insert(name);
                }
            }
        }
    }
    let names: BTreeSet<_> = alerts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(fires, names, "alerts with a case that fires");
    assert_eq!(spares, names, "alerts with a case that does not");
}

/// The alerts count on the job's name, and compose mounts the rules there.
#[test]
fn prometheus_scrapes_the_job_that_the_alerts_name() {
    let config: Value = serde_norway::from_str(&read("deploy/prometheus/prometheus.yml")).unwrap();
    assert_eq!(config["rule_files"][0], "/etc/prometheus/alerts.yml");
    let job = &config["scrape_configs"][0];
    assert_eq!(job["job_name"], "gatewayapi-sms-connector");
    assert_eq!(job["static_configs"][0]["targets"][0], "sms:9090");
    let named = read("deploy/prometheus/alerts.yml").matches(r#"job="gatewayapi-sms-connector""#).count();
    assert!(named >= 4, "{named}");
}
