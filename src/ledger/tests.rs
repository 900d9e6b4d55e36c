//! The same tests on each database.

mod deliveries;
mod late;
mod life;
mod limits;
mod postgres;
mod property;
mod sqlite;

use super::{
    postgres::{PostgresShelf, PostgresStore},
    store::{Shelf, Store},
    *,
};
use crate::{
    config::Source,
    sms::{Country, DeliveryStatus, MessageId, Outcome, Recipient, UsageType},
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Noon, so that a day's budget does not end in the middle of a test.
const NOW: Timestamp = Timestamp::from_seconds(1_795_348_800);
const NUMBER: &str = "+4526091045";
const IP: &str = "198.51.100.7";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Memory,
    Postgres,
}

/// A database that is the test's own, and lasts as long as the test.
struct Place {
    folder: TempDir,
    /// Of PostgreSQL.
    url: Option<String>,
    kind: Kind,
}

/// A process's ledger, without its threads.
struct Opened {
    store: Box<dyn Store>,
    shelf: Box<dyn Shelf>,
    limiter: Arc<Limiter>,
}

impl Place {
    fn new(kind: Kind) -> Self {
        let url = (kind == Kind::Postgres).then(|| {
            let server = server();
            let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
            sql(&server, &format!("CREATE SCHEMA {schema}"));
            let separator = if server.contains('?') { '&' } else { '?' };
            // Nobody pulls the plug while the tests run.
            let options = format!("-csearch_path%3D{schema}%20-csynchronous_commit%3Doff");
            format!("{server}{separator}application_name={schema}&options={options}")
        });
        Self { folder: tempfile::tempdir().unwrap(), url, kind }
    }

    fn url(&self) -> &str {
        self.url.as_deref().expect("a PostgreSQL")
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn open(&self) -> Opened {
        self.open_with("", NOW)
    }

    /// With limits, in TOML.
    fn open_with(&self, toml: &str, now: Timestamp) -> Opened {
        let settings = settings(toml);
        let limiter = Arc::new(Limiter::new(Rules::of(&settings.limits), Arc::new(Metrics::new())));
        let (store, shelf): (Box<dyn Store>, Box<dyn Shelf>) = match self.kind {
            Kind::Postgres => {
                let url = SecretString::from(self.url());
                let store = PostgresStore::open(&url, &settings.ledger, Arc::clone(&limiter)).unwrap();
                assert!(store.is_connected(), "{} can't be reached", self.url());
                (Box::new(store), Box::new(PostgresShelf::new(&url, &settings.ledger).unwrap()))
            }
            Kind::File | Kind::Memory => {
                let place = if self.kind == Kind::File {
                    super::sqlite::Place::File(self.file())
                } else {
                    super::sqlite::Place::memory()
                };
                let (store, shelf) = super::sqlite::open(&place, &limiter, now).unwrap();
                (Box::new(store), Box::new(shelf))
            }
        };
        Opened { store, shelf, limiter }
    }
}

impl Opened {
    fn write(&mut self, writes: &[Write]) -> Vec<Written> {
        self.store.write(writes).unwrap()
    }

    /// Opens a row whose message has left already.
    fn force(&mut self, entry: &Entry) {
        self.write(&[open(entry, Charging::Force)]);
    }

    fn settle(&mut self, settlement: Settlement) {
        self.write(&[Write::Settle(settlement, Correction::None)]);
    }

    fn report(&mut self, report: DeliveryReport) -> Reported {
        match self.write(&[Write::Report(report)])[..] {
            [Written::Reported(reported)] => reported,
            ref other => panic!("{other:?}"),
        }
    }

    fn find(&mut self, id: MessageId) -> MessageRecord {
        self.shelf.find(id).unwrap().expect("the message is there")
    }

    /// Asks the limits as [`Ledger::charge`] does, and opens the row of a message that may leave.
    fn ask(&mut self, kind: Kind, entry: &Entry) -> Option<Decision> {
        let counted = entry.counted();
        if kind == Kind::Postgres {
            let write = Write::Open {
                entry: entry.clone(),
                charging: Charging::Ask,
                expected: self.limiter.expected_cost(entry.touched.country),
            };
            return match self.write(&[write])[..] {
                [Written::Opened(decision)] => decision,
                ref other => panic!("{other:?}"),
            };
        }
        let decision = counted.map(|touched| self.limiter.decide(&touched, Charging::Ask, entry.admitted_at));
        if decision.is_none_or(|decision| decision.result.is_ok()) {
            self.force(entry);
        }
        decision
    }
}

/// Settings that are fit to run with, with some limits in TOML.
fn settings(toml: &str) -> Settings {
    let required = "logto.authorization = 'Bearer open sesame'\n\
                    gatewayapi.api_token = '0123'\n\
                    gatewayapi.sender = 'Acme'\n";
    let source = Source { preset: Some(required.to_owned()), forced: Some(toml.to_owned()), ..Source::default() };
    Settings::load(&source).unwrap().settings
}

fn server() -> String {
    std::env::var("SMS_TEST_POSTGRES")
        .expect("SMS_TEST_POSTGRES names a PostgreSQL for the tests: run tests/run.sh, which starts one")
}

/// What a query gives, each row as one text.
fn sql(url: &str, query: &str) -> Vec<String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let rows = rows(&client, query).await;
        drop(client);
        connection.await.unwrap().unwrap();
        rows
    })
}

async fn rows(client: &Client, query: &str) -> Vec<String> {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).filter_map(|index| row.get(index)).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    client.simple_query(query).await.unwrap().into_iter().filter_map(row).collect()
}

/// An id as of that moment, above those made before.
fn id_at(moment: Timestamp) -> MessageId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let millis = u64::try_from(moment.millis()).unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
}

fn pseudonyms() -> Pseudonyms {
    Pseudonyms::new(b"a key of the tests")
}

fn entry_to(number: &str, ip: Option<&str>, now: Timestamp) -> Entry {
    let recipient = Recipient::parse(number).unwrap();
    let pseudonyms = pseudonyms();
    Entry {
        id: id_at(now),
        admitted_at: now,
        usage_type: UsageType::SignIn,
        masked_number: recipient.msisdn.masked(),
        touched: Touched {
            number: pseudonyms.number(recipient.msisdn),
            ip: ip.map(|ip| pseudonyms.address(ip.parse().unwrap())),
            ranges: pseudonyms.ranges(recipient.msisdn),
            country: recipient.country,
        },
        is_counted: true,
        is_ip_counted: ip.is_some(),
    }
}

fn entry() -> Entry {
    entry_to(NUMBER, Some(IP), NOW)
}

fn open(entry: &Entry, charging: Charging) -> Write {
    Write::Open { entry: entry.clone(), charging, expected: None }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn report(message: MessageId, status: DeliveryStatus, time: Timestamp) -> DeliveryReport {
    DeliveryReport { message, gatewayapi_id: 4711, status, time, error_code: None }
}
