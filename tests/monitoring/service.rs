//! What a service that has just started says, and what the README says of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use gatewayapi_sms_connector::{
    config::{Settings, Source},
    metrics::INSTRUMENTS,
    server::Application,
};
use tokio::sync::oneshot;

use crate::{expression::Offer, read, rules};

const SETTINGS: &str = r#"
    server.listen = "127.0.0.1:0"
    server.workers = 1
    operator.listen = "127.0.0.1:0"
    logto.authorization = "Bearer what Logto knows"
    # Nobody listens there.
    gatewayapi.endpoint = "http://127.0.0.1:9/rest/mtsms"
    gatewayapi.api_token = "a token"
    gatewayapi.sender = "ExampleShop"
    ledger.url = "sqlite::memory:"
"#;

/// All that alerts and dashboard may read: the service's metrics and what the recording rules make of them.
pub fn offer() -> Offer {
    let mut offer = Offer::of(&metrics_at_start(), &words_of_the_readme());
    for rule in rules::recording() {
        let labels = offer.labels_of(&rule.expr).unwrap();
        let own = rule.labels.keys().cloned();
        offer.record(rule.record.as_deref().unwrap(), labels.into_iter().chain(own).collect());
    }
    offer
}

fn metrics_at_start() -> String {
    let source = Source { preset: Some(SETTINGS.to_owned()), ..Source::default() };
    let settings = Settings::load(&source).unwrap().settings;
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let served = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let application = Application::build(&settings).unwrap();
            ready.send(application.ports().operator).unwrap();
            application.run_until(async { drop(stopped.await) }).await
        })
    });
    let operator = is_ready.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let text = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(format!("http://{operator}/metrics")).send().await.unwrap().text().await.unwrap()
    });
    stop.send(()).unwrap();
    served.join().unwrap().unwrap();
    text
}

/// The third column of the README's table of metrics, where it lists what a label says.
fn words_of_the_readme() -> BTreeMap<String, BTreeSet<String>> {
    let mut words = BTreeMap::new();
    for row in read("README.md").lines().filter(|line| line.starts_with("| `sms_")) {
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        let listed = columns[3].split([',', ' ', ';', ':']).filter(|word| !word.is_empty()).map(str::to_owned);
        words.entry(columns[1].trim_matches('`').to_owned()).or_insert_with(BTreeSet::new).extend(listed);
    }
    words
}

#[test]
fn the_readme_lists_every_metric_with_its_labels() {
    let readme = read("README.md");
    let faults = INSTRUMENTS.iter().filter_map(|instrument| {
        let labels = instrument.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| `{}` | {labels}", instrument.name);
        (!readme.contains(&row)).then(|| format!("README.md has no row that begins {row}"))
    });
    crate::none(faults.collect());
}
