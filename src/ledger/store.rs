//! What a database does for the ledger. Each call may wait for it, so each is made on a thread of the ledger's own.

use crate::{
    limits::{Charge, Charging, Decision, Spent, Touched},
    sms::{Cost, DeliveryReport, MessageId, Timestamp},
};

use super::message::{Entry, MessageRecord, Query, Reported, Settlement};

/// One thing to write.
#[derive(Debug, Clone)]
pub(super) enum Write {
    /// Opens a row. Where the limits' states are in the database they are charged with it, and may refuse it.
    Open {
        entry: Entry,
        charging: Charging,
        expected: Option<Cost>,
    },
    Settle(Settlement, Correction),
    Report(DeliveryReport),
}

/// What an outcome changes about what the limits counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Correction {
    None,
    /// Nothing left.
    GiveBack(Touched, Charge),
    Pay(Cost, Option<Charge>),
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    /// `None`: the limits' states are not in this database, or it was open already.
    Opened(Option<Decision>),
    Settled(Option<Spent>),
    Reported(Reported),
}

/// Why nothing was written, or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("no answer in time")]
    TimedOut,
    #[error("other replicas write the same subjects again and again")]
    Contended,
}

pub(super) trait Store: Send {
    /// Writes all or nothing; what is written outlives a crash.
    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError>;

    /// Closes rows that a process left open when it ended: their messages may have been sent. Returns how many.
    fn close_abandoned(&mut self, now: Timestamp) -> Result<usize, StoreError>;

    /// Deletes rows made before `oldest`, but at most so many. Returns how many.
    fn forget(&mut self, oldest: MessageId, most: usize) -> Result<usize, StoreError>;
}

pub(super) trait Shelf: Send {
    fn find(&mut self, id: MessageId) -> Result<Option<MessageRecord>, StoreError>;

    /// Newest first.
    fn list(&mut self, query: &Query) -> Result<Vec<MessageRecord>, StoreError>;
}
