//! Places in the order of ids that outlast the process.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::{
    ledger::row::Cell,
    sms::{MessageId, Timestamp},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Up to here numbers are found by the index.
    Indexed,
    /// From here on the present process has written.
    Started,
}

impl Mark {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Indexed => "indexed",
            Self::Started => "started",
        }
    }
}

/// Before all ids, unless it was set.
pub(super) fn get(connection: &Connection, mark: Mark) -> Result<MessageId, rusqlite::Error> {
    let id = connection
        .prepare_cached("SELECT id FROM mark WHERE name = ?1")?
        .query_row([mark.as_str()], |row| row.get(0).map(Uuid::from_bytes))
        .optional()?;
    Ok(id.map_or(MessageId::first_at(Timestamp::default()), MessageId::from))
}

pub(super) fn set(connection: &Connection, mark: Mark, id: MessageId) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO mark (name, id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET id = excluded.id";
    connection.prepare_cached(sql)?.execute(params![mark.as_str(), Cell::Id(id)])?;
    Ok(())
}
