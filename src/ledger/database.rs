//! Which database the ledger is in.

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    key::{self, KeyError},
    limiter::Limiter,
    postgres::{PostgresError, PostgresShelf, PostgresStore},
    sqlite::{self, Place, SqliteError},
    store::{Shelf, Store},
};
use crate::{
    config::{self, LedgerUrl},
    sms::Timestamp,
};

/// Why the service can't keep a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("ledger.url: {0}")]
    Sqlite(#[from] SqliteError),
    #[error("ledger.url: {0}")]
    Postgres(#[from] PostgresError),
    #[error("{0}")]
    Key(#[from] KeyError),
}

/// An open database.
pub(super) struct Database {
    pub(super) store: Box<dyn Store>,
    pub(super) shelf: Box<dyn Shelf>,
    /// Whether it can be written.
    pub(super) is_up: bool,
    /// Of the pseudonyms in it.
    pub(super) key: SecretString,
}

impl Database {
    /// Opens the database, or makes it.
    pub(super) fn open(settings: &config::Ledger, limiter: &Arc<Limiter>) -> Result<Self, LedgerError> {
        let (store, shelf, is_up): (Box<dyn Store>, Box<dyn Shelf>, bool) = match &settings.url {
            LedgerUrl::Postgres(url) => {
                let store = PostgresStore::open(url, settings, Arc::clone(limiter))?;
                let is_up = store.is_connected();
                (Box::new(store), Box::new(PostgresShelf::new(url, settings)?), is_up)
            }
            LedgerUrl::Sqlite(path) => {
                if settings.pseudonym_key.is_none() {
                    key::warn_of_loss(path);
                }
                let (store, shelf) = sqlite::open(&Place::File(path.clone()), limiter, Timestamp::now())?;
                (Box::new(store), Box::new(shelf), true)
            }
            LedgerUrl::Memory => {
                let (store, shelf) = sqlite::open(&Place::memory(), limiter, Timestamp::now())?;
                (Box::new(store), Box::new(shelf), true)
            }
        };
        let key = match (&settings.pseudonym_key, &settings.url) {
            (Some(key), _) => key.clone(),
            (None, LedgerUrl::Sqlite(path)) => key::beside(path)?,
            // PostgreSQL without a key does not come so far.
            (None, LedgerUrl::Memory | LedgerUrl::Postgres(_)) => {
                key::generate().map_err(|source| KeyError::File { file: "/dev/urandom".into(), source })?
            }
        };
        Ok(Self { store, shelf, is_up, key })
    }
}
