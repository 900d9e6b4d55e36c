//! The index by which a number's messages are found. It is filled a while after them, in steps.

use std::time::Duration;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::mark::{self, Mark};
use crate::{
    ledger::{message::Entry, row::Cell},
    sms::{MessageId, Timestamp},
};

/// After so long no message with an older id is written, but for those that were kept.
const SETTLED: Duration = Duration::from_secs(60);

/// The messages of a number: those in the index, and the newest, which are not in it yet.
pub(super) const SEARCH: &str = "id IN (SELECT id FROM message_of_number WHERE number_hash = ? UNION ALL \
     SELECT id FROM message WHERE number_hash = ? AND id > (SELECT ifnull(max(id), x'') FROM mark WHERE name = 'indexed'))";

/// Adds a single message.
pub(super) fn add(connection: &Connection, entry: &Entry) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO message_of_number (number_hash, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![entry.touched.number.bits(), Cell::Id(entry.id)])?;
    Ok(())
}

/// Adds the next messages, but at most so many. Returns how many, and up to which.
pub(super) fn add_next(
    connection: &Connection,
    indexed: MessageId,
    now: Timestamp,
    most: Cell<'_>,
) -> Result<(usize, MessageId), rusqlite::Error> {
    let end = MessageId::first_at(now.minus(SETTLED));
    let (count, last): (i64, Option<[u8; 16]>) = connection
        .prepare_cached(
            "SELECT count(*), max(id) FROM (SELECT id FROM message WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)",
        )?
        .query_row([Cell::Id(indexed), Cell::Id(end), most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last.map(|bytes| MessageId::from(Uuid::from_bytes(bytes))) else { return Ok((0, indexed)) };
    connection
        .prepare_cached(
            "INSERT INTO message_of_number (number_hash, id) SELECT number_hash, id FROM message \
             WHERE id > ?1 AND id <= ?2 ORDER BY number_hash ON CONFLICT DO NOTHING",
        )?
        .execute([Cell::Id(indexed), Cell::Id(last)])?;
    mark::set(connection, Mark::Indexed, last)?;
    Ok((usize::try_from(count).unwrap_or_default(), last))
}

/// Removes the oldest messages, but at most so many.
pub(super) fn forget(connection: &Connection, oldest: MessageId, most: Cell<'_>) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "DELETE FROM message_of_number WHERE (number_hash, id) IN \
             (SELECT number_hash, id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute([Cell::Id(oldest), most])?;
    Ok(())
}
