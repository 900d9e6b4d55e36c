use rusqlite::{Connection, OpenFlags, OptionalExtension, params_from_iter};
use uuid::Uuid;

use super::{Place, numbers};
use crate::{
    ledger::{
        deliveries::Fate,
        message::{MessageRecord, Query},
        row::{Cell, Cells, Row},
        search,
        store::{Shelf, StoreError},
    },
    sms::MessageId,
};

/// Reads on a connection of its own, so that a long search holds up no message.
pub(in crate::ledger) struct SqliteShelf(Connection);

impl SqliteShelf {
    pub(in crate::ledger) fn open(place: &Place) -> Result<Self, rusqlite::Error> {
        let connection = match place {
            Place::File(_) => place.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            // A reader of shared memory would otherwise wait for the writer, and the other way round.
            Place::Memory(_) => {
                let connection = place.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.pragma_update(None, "read_uncommitted", true)?;
                connection
            }
        };
        Ok(Self(connection))
    }
}

impl Shelf for SqliteShelf {
    fn find(&mut self, id: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        Ok(find(&self.0, id)?.map(Row::into_record))
    }

    fn list(&mut self, query: &Query) -> Result<Vec<MessageRecord>, StoreError> {
        let (sql, cells) = search::statement(query, numbers::SEARCH);
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(cells), |row| Row::read(row))?;
        Ok(rows.map(|row| row.map(Row::into_record)).collect::<Result<_, _>>()?)
    }

    fn fates(&mut self, first: MessageId, end: MessageId) -> Result<Vec<Fate>, StoreError> {
        let mut statement = self.0.prepare_cached(&Fate::newest())?;
        let rows = statement.query_map([Cell::Id(first), Cell::Id(end)], |row| Fate::read(row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn find(connection: &Connection, id: MessageId) -> Result<Option<Row>, rusqlite::Error> {
    let sql = format!("SELECT {} FROM message WHERE id = $1", Row::columns());
    connection.prepare_cached(&sql)?.query_row([Cell::Id(id)], |row| Row::read(row)).optional()
}

impl Cells for rusqlite::Row<'_> {
    type Error = rusqlite::Error;

    fn id(&self, index: usize) -> Result<MessageId, Self::Error> {
        self.get(index).map(|bytes| MessageId::from(Uuid::from_bytes(bytes)))
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, Self::Error> {
        self.get(index)
    }

    fn text(&self, index: usize) -> Result<Option<String>, Self::Error> {
        self.get(index)
    }
}
