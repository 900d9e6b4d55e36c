use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, ToSql, named_params, params_from_iter};

use super::Place;
use crate::{
    ledger::{
        message::{DeliveryRecord, MessageRecord, Query},
        store::{Shelf, StoreError},
    },
    limits::Pseudonym,
    sms::{DeliveryStatus, MessageId, Timestamp},
};

const COLUMNS: &str = "id, usage_type, country, number_masked, admitted_at, sent_at, settled_at, outcome, error_kind, \
     error_code, locale, template_variant, encoding, segments, gatewayapi_id, cost_micros, currency, delivery_status, \
     delivery_time, delivery_error_group, delivery_error_code";

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
        let mut statement = self.0.prepare_cached(&format!("SELECT {COLUMNS} FROM message WHERE id = :id"))?;
        Ok(statement.query_row(named_params! {":id": &id.as_uuid().as_bytes()[..]}, record).optional()?)
    }

    fn list(&mut self, query: &Query) -> Result<Vec<MessageRecord>, StoreError> {
        let mut conditions = Vec::new();
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut is = |condition: &str, value: Box<dyn ToSql>| {
            values.push(value);
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        };
        let bytes = |id: MessageId| Box::new(id.as_uuid().as_bytes().to_vec());
        if let Some(number) = query.number {
            is("number_hash = ?", Box::new(Pseudonym::bits(number)));
        }
        if let Some(status) = &query.status {
            is("coalesce(lower(delivery_status), outcome, 'open') = ?", Box::new(status.clone()));
        }
        if let Some(usage_type) = query.usage_type {
            is("usage_type = ?", Box::new(usage_type.as_str()));
        }
        if let Some(country) = query.country {
            is("country = ?", Box::new(country.as_str().to_owned()));
        }
        if let Some(since) = query.since {
            is("id >= ?", bytes(MessageId::first_at(since)));
        }
        if let Some(before) = query.before {
            is("id < ?", bytes(before));
        }
        let conditions = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
        let limit = query.limit;
        let sql = format!("SELECT {COLUMNS} FROM message WHERE {conditions} ORDER BY id DESC LIMIT {limit}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let records = statement.query_map(params_from_iter(values), record)?;
        Ok(records.collect::<Result<_, _>>()?)
    }
}

fn record(row: &Row<'_>) -> Result<MessageRecord, rusqlite::Error> {
    let time = |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_micros));
    let outcome: Option<String> = row.get(7)?;
    let delivery_status: Option<String> = row.get(17)?;
    let delivery_time = time(18)?;
    let delivered = delivery_status.as_deref() == Some(DeliveryStatus::Delivered.as_str());
    Ok(MessageRecord {
        id: row.get::<_, [u8; 16]>(0).map(|bytes| MessageId::from(uuid::Uuid::from_bytes(bytes)))?,
        status: MessageRecord::status_of(outcome.as_deref(), delivery_status.as_deref()),
        usage_type: row.get(1)?,
        country: row.get(2)?,
        to: row.get(3)?,
        admitted_at: Timestamp::from_micros(row.get(4)?),
        sent_at: time(5)?,
        settled_at: time(6)?,
        delivered_at: delivery_time.filter(|_| delivered),
        outcome,
        error_kind: row.get(8)?,
        error_code: row.get(9)?,
        locale: row.get(10)?,
        template_variant: row.get(11)?,
        encoding: row.get(12)?,
        segments: row.get(13)?,
        gatewayapi_id: row.get::<_, Option<i64>>(14)?.map(|id| id as u64),
        cost: row.get::<_, Option<i64>>(15)?.map(|micros| micros as f64 / 1e6),
        currency: row.get(16)?,
        delivery: match delivery_status.zip(delivery_time) {
            Some((status, time)) => {
                Some(DeliveryRecord { status, time, error_group: row.get(19)?, error_code: row.get(20)? })
            }
            None => None,
        },
    })
}
