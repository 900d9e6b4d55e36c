//! The ledger in PostgreSQL: shared by several processes, with the limits' states in the database, which decides.

mod address;
mod batch;
mod link;
mod messages;
mod read;
mod schema;
mod states;

use std::{io, path::PathBuf, sync::Arc, thread, time::Duration};

use secrecy::SecretString;
use tokio_postgres::{Client, Statement};

use self::{
    address::Address,
    link::{Link, Role},
};
use super::{
    limiter::Limiter,
    store::{Store, StoreError, Write, Written, sentence},
};
use crate::{
    config,
    sms::{MessageId, Outcome, Timestamp},
};

pub(super) use self::read::PostgresShelf;

/// For a batch. A message waits as long.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a crash there may be much to close.
const CHORE_PATIENCE: Duration = Duration::from_secs(5);
/// A row that is still open then is nobody's any longer: a message is given up long before.
const LONGEST_OPEN: Duration = Duration::from_secs(5 * 60);
/// Others wait for what we lock, so nobody may hold it for long: not even a process that is cut off.
const MANNERS: &str = "SET lock_timeout = '300ms'; SET idle_in_transaction_session_timeout = '2s'";
/// Each statement finds a few rows by an index. A plan that was made while the tables were small would read them whole.
const PLANS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

const CLOSE: &str = "UPDATE message SET outcome = $1, error_kind = 'interrupted', settled_at = $2 WHERE id IN (
        SELECT id FROM message WHERE outcome IS NULL AND (admitted_at < $3 OR instance = ANY($4))
        FOR UPDATE SKIP LOCKED)";
/// Whose lock can be had has ended.
const ENDED: &str = "SELECT instance FROM (SELECT DISTINCT instance FROM message WHERE outcome IS NULL) AS opened
    WHERE instance <> $1 AND pg_try_advisory_xact_lock(instance)";
const FORGET: &str = "DELETE FROM message WHERE id IN (
        SELECT id FROM message WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)";
const FORGET_STATES: &str = r#"DELETE FROM limit_state WHERE ("limit", subject) IN (
        SELECT "limit", subject FROM limit_state WHERE touched_at < $1 ORDER BY touched_at LIMIT $2
        FOR UPDATE SKIP LOCKED)"#;

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "this is no address such as postgres://user:password@host/database?sslmode=require (a password's special \
         characters are written %40 and so on; sslmode is disable, prefer or require)"
    )]
    Address,
    #[error("ledger.ca_file, {file}: {source}", file = .file.display())]
    Authorities { file: PathBuf, source: io::Error },
    #[error(
        "the PostgreSQL server's certificate is not trusted ({0}): name its authorities in ledger.ca_file, or set \
         sslmode=disable in a network of your own"
    )]
    Certificate(String),
    #[error("PostgreSQL refuses: {0}")]
    Refused(String),
    #[error("the database was made by a later version of this service")]
    TooNew,
}

pub(super) struct PostgresStore {
    link: Link<Writing>,
    limiter: Arc<Limiter>,
}

/// Writes batches, and keeps the rows in order.
struct Writing {
    /// Of this process, in the rows that it opens. While it lives it holds an advisory lock on it.
    instance: i64,
}

struct Statements {
    states: states::Statements,
    messages: messages::Statements,
    ended: Statement,
    close: Statement,
    forget: Statement,
    forget_states: Statement,
}

impl PostgresStore {
    /// Makes the tables where there are none. A server that can't be reached is no error: it may come up later.
    pub(super) fn open(
        url: &SecretString,
        settings: &config::Ledger,
        limiter: Arc<Limiter>,
    ) -> Result<Self, PostgresError> {
        let link = Link::new(Address::parse(url, settings)?, Writing { instance: fastrand::i64(1..) });
        let mut store = Self { link, limiter };
        // On a thread of its own, because the caller may be one that must not wait.
        let connected = thread::scope(|scope| scope.spawn(|| store.link.connect()).join());
        match connected.expect("connecting does not panic") {
            Ok(()) => tracing::info!("the ledger is open"),
            Err(error) => {
                refusal(&error).map_or(Ok(()), Err)?;
                tracing::error!(%error, "the ledger's database can't be reached: what can be written later is kept");
            }
        }
        Ok(store)
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.link.is_connected()
    }
}

/// `None`: it may pass by itself.
fn refusal(error: &StoreError) -> Option<PostgresError> {
    match error {
        StoreError::TooNew => Some(PostgresError::TooNew),
        StoreError::Postgres(error) => match address::fault(error) {
            address::Fault::Passing => None,
            address::Fault::Certificate => Some(PostgresError::Certificate(sentence(error))),
            address::Fault::Lasting => Some(PostgresError::Refused(sentence(error))),
        },
        _ => None,
    }
}

impl Role for Writing {
    type Prepared = Statements;

    async fn prepare(&self, client: &mut Client) -> Result<Statements, StoreError> {
        schema::migrate(client).await?;
        client.batch_execute(MANNERS).await?;
        client.batch_execute(PLANS).await?;
        // Shared, because a connection of ours that broke may still hold it.
        client.execute("SELECT pg_advisory_lock_shared($1)", &[&self.instance]).await?;
        let (states, messages, ended, close, forget, forget_states) = tokio::try_join!(
            states::Statements::prepare(client),
            messages::Statements::prepare(client),
            client.prepare(ENDED),
            client.prepare(CLOSE),
            client.prepare(FORGET),
            client.prepare(FORGET_STATES),
        )?;
        Ok(Statements { states, messages, ended, close, forget, forget_states })
    }
}

impl Store for PostgresStore {
    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        let (instance, limiter) = (self.link.role().instance, &*self.limiter);
        self.link.call(PATIENCE, async |client, statements| {
            batch::write(client, statements, instance, limiter, writes).await
        })
    }

    fn close_abandoned(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let instance = self.link.role().instance;
        self.link.call(CHORE_PATIENCE, async |client, statements| {
            let rows = client.query(&statements.ended, &[&instance]).await?;
            let ended = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
            let oldest = now.minus(LONGEST_OPEN);
            let unknown = Outcome::Unknown.as_str();
            let closed =
                client.execute(&statements.close, &[&unknown, &now.micros(), &oldest.micros(), &ended]).await?;
            Ok(closed as usize)
        })
    }

    fn forget(&mut self, oldest: MessageId, now: Timestamp, most: usize) -> Result<usize, StoreError> {
        let untouched = now.minus(self.limiter.rules.longest_period());
        self.link.call(CHORE_PATIENCE, async |client, statements| {
            let (oldest, most) = (oldest.as_uuid(), most as i64);
            let rows = client.execute(&statements.forget, &[&oldest, &most]).await?;
            let states = client.execute(&statements.forget_states, &[&untouched.micros(), &most]).await?;
            Ok(rows.max(states) as usize)
        })
    }
}
