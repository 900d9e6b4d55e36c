//! Stub.
use std::sync::Arc;

use secrecy::SecretString;

use super::{
    limiter::Limiter,
    message::{MessageRecord, Query},
    store::{Shelf, Store, StoreError, Write, Written},
};
use crate::{
    config,
    sms::{MessageId, Timestamp},
};

#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct PostgresError;

pub(super) struct PostgresStore;

impl PostgresStore {
    pub(super) fn open(_: &SecretString, _: &config::Ledger, _: Arc<Limiter>) -> Result<Self, PostgresError> {
        Err(PostgresError)
    }
    pub(super) fn is_connected(&self) -> bool {
        false
    }
}

impl Store for PostgresStore {
    fn write(&mut self, _: &[Write]) -> Result<Vec<Written>, StoreError> {
        Err(StoreError::TimedOut)
    }
    fn close_abandoned(&mut self, _: Timestamp) -> Result<usize, StoreError> {
        Err(StoreError::TimedOut)
    }
    fn forget(&mut self, _: MessageId, _: usize) -> Result<usize, StoreError> {
        Err(StoreError::TimedOut)
    }
}

pub(super) struct PostgresShelf;

impl PostgresShelf {
    pub(super) fn new(_: &SecretString, _: &config::Ledger) -> Result<Self, PostgresError> {
        Err(PostgresError)
    }
}

impl Shelf for PostgresShelf {
    fn find(&mut self, _: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        Err(StoreError::TimedOut)
    }
    fn list(&mut self, _: &Query) -> Result<Vec<MessageRecord>, StoreError> {
        Err(StoreError::TimedOut)
    }
}
