use std::time::Duration;

use secrecy::SecretString;
use tokio_postgres::{Client, types::ToSql};
use uuid::Uuid;

use super::{
    PostgresError,
    address::Address,
    link::{Link, Role},
};
use crate::{
    config,
    ledger::{
        deliveries::Fate,
        message::{MessageRecord, Query},
        row::{Cell, Cells, Row},
        search,
        store::{Shelf, StoreError},
    },
    sms::MessageId,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Reads on a connection of its own, so that a long search holds up no message.
pub(in crate::ledger) struct PostgresShelf(Link<Reading>);

struct Reading;

impl Role for Reading {
    type Prepared = ();

    async fn prepare(&self, client: &mut Client) -> Result<(), StoreError> {
        let ours =
            format!("SET default_transaction_read_only = on; SET statement_timeout = '{}ms'", PATIENCE.as_millis());
        Ok(client.batch_execute(&ours).await?)
    }
}

impl PostgresShelf {
    pub(in crate::ledger) fn new(url: &SecretString, settings: &config::Ledger) -> Result<Self, PostgresError> {
        Ok(Self(Link::new(Address::parse(url, settings)?, Reading)))
    }

    fn select<T>(
        &mut self,
        sql: &str,
        cells: &[Cell<'_>],
        read: impl Fn(&tokio_postgres::Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let values: Vec<Box<dyn ToSql + Sync + '_>> = cells
            .iter()
            .map(|cell| match cell {
                Cell::Id(id) => Box::new(id.as_uuid()) as Box<dyn ToSql + Sync>,
                Cell::Integer(integer) => Box::new(integer),
                Cell::Text(text) => Box::new(text),
            })
            .collect();
        let values: Vec<_> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        self.0.call(PATIENCE, async |client, ()| {
            let rows = client.query(sql, &values).await?;
            Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
        })
    }
}

impl Shelf for PostgresShelf {
    fn find(&mut self, id: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        let sql = format!("SELECT {} FROM message WHERE id = $1", Row::columns());
        Ok(self.select(&sql, &[Cell::Id(id)], record)?.pop())
    }

    fn list(&mut self, query: &Query) -> Result<Vec<MessageRecord>, StoreError> {
        let (sql, cells) = search::statement(query, "number_hash = ?");
        self.select(&sql, &cells, record)
    }

    fn fates(&mut self, first: MessageId, end: MessageId) -> Result<Vec<Fate>, StoreError> {
        self.select(&Fate::newest(), &[Cell::Id(first), Cell::Id(end)], Fate::read)
    }
}

fn record(row: &tokio_postgres::Row) -> Result<MessageRecord, tokio_postgres::Error> {
    Row::read(row).map(Row::into_record)
}

impl Cells for tokio_postgres::Row {
    type Error = tokio_postgres::Error;

    fn id(&self, index: usize) -> Result<MessageId, Self::Error> {
        self.try_get::<_, Uuid>(index).map(MessageId::from)
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, Self::Error> {
        self.try_get(index)
    }

    fn text(&self, index: usize) -> Result<Option<String>, Self::Error> {
        self.try_get(index)
    }
}
