//! What a database does for the ledger. Each call may wait for it, so each is made on a thread of the ledger's own.

use std::{error::Error as _, io};

use crate::{
    limits::{Charge, Charging, Decision, Touched},
    sms::{Cost, DeliveryReport, MessageId, Timestamp},
};

use super::{
    deliveries::Fate,
    message::{Entry, MessageRecord, Query, Reported, Settlement},
};

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

impl Write {
    pub(super) const fn id(&self) -> MessageId {
        match self {
            Self::Open { entry, .. } => entry.id,
            Self::Settle(settlement, _) => settlement.id,
            Self::Report(report) => report.message,
        }
    }

    /// When it happened, by our clock.
    pub(super) const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { entry, .. } => Some(entry.admitted_at),
            Self::Settle(settlement, _) => Some(settlement.settled_at),
            Self::Report(_) => None,
        }
    }
}

/// What an outcome changes about what the limits counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Correction {
    None,
    /// Nothing left.
    GiveBack(Touched, Charge),
    /// Nothing left, and whether anything was charged, and what, only the database knows.
    Withdraw(Touched),
    Pay(Cost, Option<Charge>),
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    /// `None`: the limits' states are not in this database, or it was open already.
    Opened(Option<Decision>),
    Settled {
        /// The acceptance is to be counted, which a delivery report may have told.
        newly_accepted: bool,
    },
    Reported(Reported),
}

/// Why nothing was written, or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{}", sentence(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("no answer in time")]
    TimedOut,
    #[error("the database was made by a later version of this service")]
    TooNew,
    #[error("can't wait for the database: {0}")]
    Runtime(io::Error),
    #[error("other replicas write the same subjects again and again")]
    Contended,
}

/// The error with its cause, which it does not show by itself, in one line.
pub(super) fn sentence(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(refusal), _) => format!("{} ({})", refusal.message(), refusal.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

pub(super) trait Store: Send {
    /// Writes all or nothing; what is written outlives a crash.
    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError>;

    /// Closes rows that a process left open when it ended: their messages may have been sent. Returns how many.
    fn close_abandoned(&mut self, now: Timestamp) -> Result<usize, StoreError>;

    /// Deletes rows made before `oldest`, but at most so many, and what the limits no longer need. Returns how many: as
    /// many as `most` where there may be more.
    fn forget(&mut self, oldest: MessageId, now: Timestamp, most: usize) -> Result<usize, StoreError>;
}

pub(super) trait Shelf: Send {
    fn find(&mut self, id: MessageId) -> Result<Option<MessageRecord>, StoreError>;

    /// Newest first.
    fn list(&mut self, query: &Query) -> Result<Vec<MessageRecord>, StoreError>;

    /// What became of the messages from one id until below another: newest first, one more than are looked at where there
    /// are as many.
    fn fates(&mut self, first: MessageId, end: MessageId) -> Result<Vec<Fate>, StoreError>;
}
