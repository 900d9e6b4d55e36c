//! The ledger's database: a SQLite file, or a schema of its own in PostgreSQL where `SMS_TEST_LEDGER=postgres`, so that
//! every test of the service runs on both.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use tempfile::TempDir;
use uuid::Uuid;

/// Kept as long as anybody uses it.
#[derive(Clone)]
pub enum Database {
    Sqlite(Arc<TempDir>),
    Postgres { url: String },
}

impl Database {
    /// An empty one, of the kind that this run of the tests is for.
    pub async fn create() -> Self {
        match std::env::var("SMS_TEST_LEDGER").as_deref() {
            Ok("postgres") => Self::postgres().await,
            Ok("sqlite") | Err(_) => Self::sqlite(),
            Ok(other) => panic!("SMS_TEST_LEDGER is {other}: it must be sqlite or postgres"),
        }
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub async fn postgres() -> Self {
        let server = std::env::var("SMS_TEST_POSTGRES")
            .expect("SMS_TEST_POSTGRES names a PostgreSQL server for the tests, as tests/run.sh starts one");
        let schema = format!("test_{}", Uuid::new_v4().simple());
        let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        let separator = if server.contains('?') { '&' } else { '?' };
        Self::Postgres { url: format!("{server}{separator}options=-csearch_path%3D{schema}") }
    }

    /// As `ledger.url` wants it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("ledger.db").display()),
            Self::Postgres { url } => url.clone(),
        }
    }

    /// Where PostgreSQL listens.
    pub fn server(&self) -> SocketAddr {
        let Self::Postgres { url } = self else { panic!("not PostgreSQL") };
        url.split(['@', '/']).nth(3).unwrap().parse().unwrap()
    }

    /// The same, by way of another address.
    pub fn at(&self, address: SocketAddr) -> Self {
        let Self::Postgres { url } = self else { panic!("not PostgreSQL") };
        Self::Postgres { url: url.replace(&self.server().to_string(), &address.to_string()) }
    }

    /// Another user of the file.
    pub fn connection(&self) -> rusqlite::Connection {
        let Self::Sqlite(folder) = self else { panic!("not SQLite") };
        rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap()
    }

    /// Has each message be older by that.
    pub async fn age(&self, by: Duration) {
        let micros = by.as_micros();
        // An id begins with its millisecond, in 12 hexadecimal digits.
        let id = match self {
            Self::Sqlite(_) => {
                format!("unhex(printf('%012x', (admitted_at - {micros}) / 1000) || substr(hex(id), 13))")
            }
            Self::Postgres { .. } => {
                let millis = format!("lpad(to_hex((admitted_at - {micros}) / 1000), 12, '0')");
                format!("({millis} || substr(replace(id::text, '-', ''), 13))::uuid")
            }
        };
        let sql = format!(
            "UPDATE message SET id = {id}, admitted_at = admitted_at - {micros}, settled_at = settled_at - {micros}"
        );
        match self {
            Self::Sqlite(_) => self.connection().execute_batch(&sql).unwrap(),
            Self::Postgres { url } => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&sql).await.unwrap();
            }
        }
    }

    /// The outcome of each message, by its id.
    pub async fn outcomes(&self) -> BTreeMap<String, String> {
        match self {
            Self::Sqlite(_) => {
                let connection = self.connection();
                let mut statement = connection.prepare("SELECT id, coalesce(outcome, 'open') FROM message").unwrap();
                let row =
                    |row: &rusqlite::Row<'_>| Ok((Uuid::from_bytes(row.get(0)?).to_string(), row.get::<_, String>(1)?));
                statement.query_map([], row).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres { url } => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                let sql = "SELECT id::text, coalesce(outcome, 'open') FROM message";
                client.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
            }
        }
    }
}
