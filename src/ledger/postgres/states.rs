//! The limits' states in the database: read and locked, changed in memory, and written back.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Row, Statement};

use crate::{
    ledger::store::StoreError,
    limits::{Key, Limit, States},
    sms::Timestamp,
};

/// A change is only written over the version that was read: where there was no row to lock, another replica may have
/// made it in the meantime.
pub(super) const LOCK: &str = r#"SELECT "limit", subject, stamps, version FROM limit_state
    WHERE ("limit", subject) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))
    ORDER BY "limit", subject FOR UPDATE"#;
const WRITE: &str = r#"INSERT INTO limit_state ("limit", subject, stamps, version, touched_at)
    SELECT kind, subject, stamps::bigint[], version, $5
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS new (kind, subject, stamps, version)
    ON CONFLICT ("limit", subject) DO UPDATE
    SET stamps = excluded.stamps, version = excluded.version, touched_at = excluded.touched_at
    WHERE limit_state.version = excluded.version - 1"#;

pub(super) struct Statements {
    lock: Statement,
    write: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let (lock, write) = tokio::try_join!(client.prepare(LOCK), client.prepare(WRITE))?;
        Ok(Self { lock, write })
    }

    /// Reads the states, and keeps others from changing them. All replicas lock in the same order.
    pub(super) async fn lock(&self, client: &Client, keys: &BTreeSet<Key>) -> Result<Fetched, tokio_postgres::Error> {
        let (limits, subjects): (Vec<_>, Vec<_>) = keys.iter().map(|key| (key.limit.as_str(), key.subject)).unzip();
        let rows = client.query(&self.lock, &[&limits, &subjects]).await?;
        rows.iter().filter_map(|row| state(row).transpose()).collect::<Result<_, _>>().map(Fetched)
    }

    /// `false`: another replica was faster with a new subject.
    pub(super) async fn write(&self, client: &Client, states: &Fetched, now: Timestamp) -> Result<bool, StoreError> {
        let changed: Vec<_> = states.0.iter().filter(|(_, state)| state.is_changed).collect();
        if changed.is_empty() {
            return Ok(true);
        }
        let limits: Vec<_> = changed.iter().map(|(key, _)| key.limit.as_str()).collect();
        let subjects: Vec<_> = changed.iter().map(|(key, _)| key.subject).collect();
        let stamps: Vec<_> = changed.iter().map(|(_, state)| array(&state.stamps)).collect();
        let versions: Vec<_> = changed.iter().map(|(_, state)| state.version + 1).collect();
        let touched_at = whole_hour_after(now).micros();
        let written = client.execute(&self.write, &[&limits, &subjects, &stamps, &versions, &touched_at]).await?;
        Ok(written == changed.len() as u64)
    }
}

/// States as they were read, and as they become.
pub(super) struct Fetched(BTreeMap<Key, State>);

struct State {
    stamps: Vec<i64>,
    /// Zero: it is not in the database yet.
    version: i64,
    is_changed: bool,
}

impl Fetched {
    pub(super) fn is_changed(&self) -> bool {
        self.0.values().any(|state| state.is_changed)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &[i64])> {
        self.0.iter().map(|(key, state)| (*key, state.stamps.as_slice()))
    }
}

impl States for Fetched {
    fn get(&self, key: Key) -> Option<&[i64]> {
        self.0.get(&key).map(|state| state.stamps.as_slice())
    }

    fn set(&mut self, key: Key, stamps: &[i64]) {
        // To know nothing and to know that there is nothing is the same.
        if self.get(key).unwrap_or_default() != stamps {
            let state = self.0.entry(key).or_insert(State { stamps: Vec::new(), version: 0, is_changed: true });
            stamps.clone_into(&mut state.stamps);
            state.is_changed = true;
        }
    }
}

/// `None`: of a limit that this version does not know.
fn state(row: &Row) -> Result<Option<(Key, State)>, tokio_postgres::Error> {
    let name: &str = row.try_get(0)?;
    let Some(limit) = Limit::ALL.into_iter().find(|limit| limit.as_str() == name) else { return Ok(None) };
    let key = Key { limit, subject: row.try_get(1)? };
    Ok(Some((key, State { stamps: row.try_get(2)?, version: row.try_get(3)?, is_changed: false })))
}

/// As PostgreSQL writes an array of numbers.
fn array(stamps: &[i64]) -> String {
    let stamps: Vec<_> = stamps.iter().map(ToString::to_string).collect();
    format!("{{{}}}", stamps.join(","))
}

fn whole_hour_after(now: Timestamp) -> Timestamp {
    const HOUR: i64 = 3600;
    Timestamp::from_seconds((now.micros().div_euclid(HOUR * 1_000_000) + 1) * HOUR)
}
