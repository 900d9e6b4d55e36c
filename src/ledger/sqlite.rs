//! The ledger in SQLite: one process, one writing connection, and limits whose states are in memory.

mod file;
mod mark;
mod numbers;
mod read;
mod start;

use std::{fs::File, sync::LazyLock};

use rusqlite::{Connection, ToSql, Transaction, params_from_iter, types::ToSqlOutput};

use super::{
    limiter::Limiter,
    message::{Entry, Reported, Settlement},
    row::{Cell, ENTRY, Progress, Row, entry_cells},
    store::{Store, StoreError, Write, Written},
};
use crate::sms::{MessageId, Timestamp};

pub use self::file::SqliteError;
use self::mark::Mark;
pub(super) use self::{file::Place, read::SqliteShelf};

pub(super) struct SqliteStore {
    connection: Connection,
    /// Up to this message numbers are found by the index.
    indexed: MessageId,
    /// Held as long as the file is in use.
    _lock: Option<File>,
}

/// Opens the database for writing and for reading, or makes it, and has the limits remember what was sent.
pub(super) fn open(
    place: &Place,
    limiter: &Limiter,
    now: Timestamp,
) -> Result<(SqliteStore, SqliteShelf), SqliteError> {
    let (connection, lock) = file::open(place)?;
    let prepared = || {
        let closed = start::close_open(&connection, now)?;
        let counted = start::rebuild(&connection, limiter, now)?;
        Ok((closed, counted, mark::get(&connection, Mark::Indexed)?, SqliteShelf::open(place)?))
    };
    let (closed, counted, indexed, shelf) = prepared().map_err(|source| place.unusable(source))?;
    tracing::info!(closed, counted, "the ledger is open: messages left open are unknown now, and the limits remember");
    Ok((SqliteStore { connection, indexed, _lock: lock }, shelf))
}

impl Store for SqliteStore {
    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        let transaction = self.connection.transaction()?;
        let mut written = Vec::with_capacity(writes.len());
        for write in writes {
            written.push(match write {
                Write::Open { entry, .. } => {
                    insert(&transaction, entry)?;
                    if entry.id <= self.indexed {
                        // It was kept for long, while the file could not be written.
                        numbers::add(&transaction, entry)?;
                    }
                    Written::Opened(None)
                }
                Write::Settle(settlement, _) => {
                    let newly_accepted = settle(&transaction, settlement)?;
                    Written::Settled { newly_accepted }
                }
                Write::Report(report) => {
                    let reported = change(&transaction, report.message, |row| row.report(report))?;
                    Written::Reported(reported.unwrap_or(Reported::UNKNOWN))
                }
            });
        }
        transaction.commit()?;
        Ok(written)
    }

    /// There is no other process, and this one has closed them at its start. Writes all the same, to see whether it can.
    fn close_abandoned(&mut self, _: Timestamp) -> Result<usize, StoreError> {
        self.connection.execute("UPDATE mark SET id = id", [])?;
        Ok(0)
    }

    fn forget(&mut self, oldest: MessageId, now: Timestamp, most: usize) -> Result<usize, StoreError> {
        let transaction = self.connection.transaction()?;
        let most = Cell::Integer(Some(most as i64));
        numbers::forget(&transaction, oldest, most)?;
        let forgotten = transaction
            .prepare_cached(
                "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2)",
            )?
            .execute([Cell::Id(oldest), most])?;
        let (indexed, up_to) = numbers::add_next(&transaction, self.indexed, now, most)?;
        transaction.commit()?;
        self.indexed = up_to;
        Ok(forgotten.max(indexed))
    }
}

fn insert(transaction: &Transaction<'_>, entry: &Entry) -> Result<(), rusqlite::Error> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let (names, values) = (ENTRY.map(|(name, _)| name).join(", "), ENTRY.map(|_| "?").join(", "));
        format!("INSERT INTO message ({names}) VALUES ({values}) ON CONFLICT DO NOTHING")
    });
    transaction.prepare_cached(&SQL)?.execute(params_from_iter(entry_cells(entry)))?;
    Ok(())
}

/// Nearly every row is as it was opened; the others are looked at first. Whether the acceptance is to be counted.
fn settle(transaction: &Transaction<'_>, settlement: &Settlement) -> Result<bool, rusqlite::Error> {
    static SQL: LazyLock<String> =
        LazyLock::new(|| format!("{} AND outcome IS NULL AND delivery_status IS NULL", update()));
    let mut progress = Progress::default();
    let newly_accepted = progress.settle(settlement);
    let cells = progress.cells().into_iter().chain([Cell::Id(settlement.id)]);
    if transaction.prepare_cached(&SQL)?.execute(params_from_iter(cells))? > 0 {
        return Ok(newly_accepted);
    }
    // Where there is no row, it is as if it had been opened.
    Ok(change(transaction, settlement.id, |row| row.progress.settle(settlement))?.unwrap_or(newly_accepted))
}

/// Changes a row, unless it is unknown, or nothing is new.
fn change<T>(
    transaction: &Transaction<'_>,
    id: MessageId,
    change: impl FnOnce(&mut Row) -> T,
) -> Result<Option<T>, rusqlite::Error> {
    static SQL: LazyLock<String> = LazyLock::new(update);
    let Some(mut row) = read::find(transaction, id)? else { return Ok(None) };
    let before = row.progress.clone();
    let changed = change(&mut row);
    if row.progress != before {
        let cells = row.progress.cells().into_iter().chain([Cell::Id(id)]);
        transaction.prepare_cached(&SQL)?.execute(params_from_iter(cells))?;
    }
    Ok(Some(changed))
}

fn update() -> String {
    let names = Progress::COLUMNS.map(|(name, _)| name).join(", ");
    let values = Progress::COLUMNS.map(|_| "?").join(", ");
    format!("UPDATE message SET ({names}) = ({values}) WHERE id = ?")
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        match self {
            Self::Id(id) => id.as_bytes().to_sql(),
            Self::Integer(integer) => integer.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}
