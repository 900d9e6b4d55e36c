//! `deploy/grafana`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{none, read, runbook, service};

fn dashboard() -> Value {
    serde_json::from_str(&read("deploy/grafana/dashboard.json")).unwrap()
}

/// All but rows.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let all = dashboard["panels"].as_array().unwrap().iter();
    let panels: Vec<_> = all.filter(|panel| panel["type"] != "row").collect();
    assert!(panels.len() > 30, "{}", panels.len());
    panels
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// With Grafana's variables filled in.
fn filled(expr: &str) -> String {
    let filled = [
        ("$__rate_interval", "1m"),
        ("$__range", "6h"),
        ("$job|", "sms|"),
        ("$job", "sms"),
        ("$instance", ".*"),
        ("$country", ".*"),
    ]
    .iter()
    .fold(expr.to_owned(), |expr, (variable, value)| expr.replace(variable, value));
    assert!(!filled.contains('$'), "{filled}");
    filled
}

#[test]
fn panels_read_only_what_there_is() {
    let offer = service::offer();
    let dashboard = dashboard();
    let mut faults = Vec::new();
    for panel in panels(&dashboard) {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            let expr = text(target, "expr");
            let labels = match offer.labels_of(&filled(expr)) {
                Ok(labels) => labels,
                Err(fault) => {
                    faults.push(format!("{}: {fault}", panel["title"]));
                    continue;
                }
            };
            let legend = text(target, "legendFormat");
            let named = legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
            let unknown = named.filter(|label| !labels.contains(*label));
            faults.extend(unknown.map(|label| format!("{}: its legend names {label}", panel["title"])));
        }
    }
    none(faults);
}

#[test]
fn a_panel_says_what_is_normal_and_where_to_read_on() {
    let anchors = runbook::anchors();
    let dashboard = dashboard();
    for panel in panels(&dashboard) {
        let (title, description) = (text(panel, "title"), text(panel, "description"));
        let (what, link) = description.rsplit_once("\n\n").unwrap();
        let anchor = link.strip_prefix("[Runbook](${runbook}#").and_then(|rest| rest.strip_suffix(')')).unwrap();
        assert!(anchors.contains(anchor), "{title}: the runbook has no #{anchor}");
        assert_eq!(panel["links"][0]["url"], format!("${{runbook}}#{anchor}"), "{title}");
        assert!(what.split_once("\n\n").is_some_and(|(normal, deed)| normal.len() > 30 && deed.len() > 15), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
    }
}

#[test]
fn it_can_be_imported_anywhere() {
    let dashboard = dashboard();
    assert_eq!(
        (&dashboard["uid"], &dashboard["title"]),
        (&"gatewayapi-sms-connector".into(), &"gatewayapi-sms-connector".into())
    );
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39, "Grafana 11");
    assert!(dashboard.get("id").is_none(), "an id is of one Grafana");
    let variables: Vec<_> =
        dashboard["templating"]["list"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
    assert_eq!(variables, ["datasource", "job", "instance", "country", "runbook"]);
    let mut ids = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "an id twice: {}", panel["title"]);
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && cells.insert((x, y)), "{} lies on another panel", panel["title"]);
            }
        }
        let sources = panel["targets"].as_array().into_iter().flatten().chain([panel]).map(|one| &one["datasource"]);
        for source in sources.filter(|source| !source.is_null()) {
            assert_eq!(source["uid"], "${datasource}", "{}", panel["title"]);
        }
    }
}

/// What deploy/compose.yaml mounts.
#[test]
fn it_is_provisioned_with_its_data_source() {
    let read = |file: &str| serde_norway::from_str::<serde_norway::Value>(&read(file)).unwrap();
    let source = &read("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0];
    assert_eq!((&source["uid"], &source["url"]), (&"prometheus".into(), &"http://prometheus:9090".into()));
    let provider = &read("deploy/grafana/provisioning/dashboards/sms.yml")["providers"][0];
    assert_eq!(provider["options"]["path"], "/var/lib/grafana/dashboards");
}
