//! The ledger in SQLite: one process, one writing connection, and limits whose states are in memory.

mod read;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, ToSql, Transaction, params_from_iter, types::ToSqlOutput};

use super::{
    limiter::Limiter,
    message::{Entry, Reported, Settlement},
    row::{Cell, ENTRY, Progress, Row, entry_cells},
    store::{Store, StoreError, Write, Written},
};
use crate::{
    limits::{Charging, Pseudonym, Touched},
    sms::{Country, MessageId, Timestamp},
};

pub(super) use self::read::SqliteShelf;

const SCHEMA: &str = include_str!("sqlite/schema.sql");
const VERSION: i64 = 1;
/// Somebody who looks at the file with a tool may hold it for a moment.
const BUSY: Duration = Duration::from_millis(500);

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    #[error("can't make the folder {folder}: {source}", folder = .folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("{file} can't be opened: {source}", file = .file.display())]
    Lock { file: PathBuf, source: io::Error },
    #[error(
        "{file} is in use by another process of this service; several replicas need PostgreSQL (ledger.url)",
        file = .file.display()
    )]
    InUse { file: PathBuf },
    #[error("{file} was made by a later version of this service", file = .file.display())]
    TooNew { file: PathBuf },
    #[error("{file}: {source}", file = .file.display())]
    Sqlite { file: PathBuf, source: rusqlite::Error },
}

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(PathBuf),
    /// In memory, under a name of its own that several connections can share.
    Memory(String),
}

impl Place {
    pub(super) fn memory() -> Self {
        Self::Memory(format!("file:ledger-{}?mode=memory&cache=shared", uuid::Uuid::now_v7().simple()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(name) => Path::new(name),
        }
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags & !OpenFlags::SQLITE_OPEN_URI)?,
            Self::Memory(name) => Connection::open_with_flags(name, flags)?,
        };
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}

pub(super) struct SqliteStore {
    connection: Connection,
    /// Held as long as the file is in use.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the file, or makes it.
    pub(super) fn open(place: &Place) -> Result<Self, SqliteError> {
        let lock = match place {
            Place::File(path) => Some(lock(path)?),
            Place::Memory(_) => None,
        };
        let file = || place.path().to_owned();
        let sqlite = |source| SqliteError::Sqlite { file: file(), source };
        let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = place.connect(writing).map_err(sqlite)?;
        prepare(&connection).map_err(sqlite)?;
        if !migrate(&mut connection).map_err(sqlite)? {
            return Err(SqliteError::TooNew { file: file() });
        }
        Ok(Self { connection, _lock: lock })
    }

    /// Closes what the process before left open when it ended: it may have been sent.
    fn close_open(&self, now: Timestamp) -> Result<usize, rusqlite::Error> {
        self.connection.execute(
            "UPDATE message SET outcome = 'unknown', error_kind = 'interrupted', settled_at = ?1 WHERE outcome IS NULL",
            [now.micros()],
        )
    }

    /// Has the limits count what the rows tell was sent.
    fn rebuild(&self, limiter: &Limiter, now: Timestamp) -> Result<usize, rusqlite::Error> {
        let oldest = MessageId::first_at(now.minus(limiter.rules.longest_period()));
        let mut statement = self.connection.prepare(
            "SELECT admitted_at, number_hash, range3_hash, range4_hash, ip_hash, country, counted FROM message \
             WHERE id >= ?1 AND counted & 1 AND (outcome IS NULL OR outcome IN ('accepted', 'unknown')) ORDER BY id",
        )?;
        let mut rows = statement.query([Cell::Id(oldest)])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let pseudonym = |index| row.get(index).map(Pseudonym::from_bits);
            let is_ip_counted = row.get::<_, i64>(6)? & 2 != 0;
            let touched = Touched {
                number: pseudonym(1)?,
                ranges: [pseudonym(2)?, pseudonym(3)?],
                ip: row.get::<_, Option<i64>>(4)?.filter(|_| is_ip_counted).map(Pseudonym::from_bits),
                country: country(row.get_ref(5)?.as_str_or_null()?),
            };
            limiter.decide(&touched, Charging::Force, Timestamp::from_micros(row.get(0)?));
            count += 1;
        }
        // What the day's messages cost stands in the rows, too, and what the last one to a country did.
        let midnight = MessageId::first_at(Timestamp::from_seconds(now.day() * 24 * 3600));
        let mut statement = self.connection.prepare(
            "SELECT currency, country, sum(iif(id >= ?2, cost_micros, 0)), cost_micros, max(id) FROM message \
             WHERE id >= ?1 AND currency IS NOT NULL GROUP BY currency, country ORDER BY max(id)",
        )?;
        let mut rows = statement.query([oldest, midnight].map(Cell::Id))?;
        while let Some(row) = rows.next()? {
            let country = country(row.get_ref(1)?.as_str_or_null()?);
            limiter.relearn_costs(&row.get::<_, String>(0)?, country, row.get(2)?, row.get(3)?, now);
        }
        Ok(count)
    }
}

/// Opens the database for writing and for reading, and has the limits remember what was sent.
pub(super) fn open(
    place: &Place,
    limiter: &Limiter,
    now: Timestamp,
) -> Result<(SqliteStore, SqliteShelf), SqliteError> {
    let store = SqliteStore::open(place)?;
    let prepared = || {
        let closed = store.close_open(now)?;
        let counted = store.rebuild(limiter, now)?;
        Ok((closed, counted, SqliteShelf::open(place)?))
    };
    let (closed, counted, shelf) =
        prepared().map_err(|source| SqliteError::Sqlite { file: place.path().to_owned(), source })?;
    tracing::info!(closed, counted, "the ledger is open: messages left open are unknown now, and the limits remember");
    Ok((store, shelf))
}

/// One process for each file: the limits are in its memory. The lock ends with the process, however it ends.
fn lock(path: &Path) -> Result<File, SqliteError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|source| SqliteError::Folder { folder: folder.to_owned(), source })?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let unusable = |source| SqliteError::Lock { file: path.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SqliteError::InUse { file: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    // A commit is on the disk when it returns; readers see the last one, and hold up no writer.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(())
}

/// `false`: the file is a later version's.
fn migrate(connection: &mut Connection) -> Result<bool, rusqlite::Error> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Ok(false);
    }
    if version < VERSION {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(true)
}

fn country(code: Option<&str>) -> Option<Country> {
    code.and_then(Country::parse)
}

impl Store for SqliteStore {
    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        let transaction = self.connection.transaction()?;
        let mut written = Vec::with_capacity(writes.len());
        for write in writes {
            written.push(match write {
                Write::Open { entry, .. } => {
                    insert(&transaction, entry)?;
                    Written::Opened(None)
                }
                Write::Settle(settlement, _) => {
                    settle(&transaction, settlement)?;
                    Written::Settled(None)
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

    /// There is no other process, and this one has closed them at its start.
    fn close_abandoned(&mut self, _: Timestamp) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn forget(&mut self, oldest: MessageId, _: Timestamp, most: usize) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2)",
        )?;
        Ok(statement.execute([Cell::Id(oldest), Cell::Integer(Some(most as i64))])?)
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

/// Nearly every row is as it was opened; the others are looked at first.
fn settle(transaction: &Transaction<'_>, settlement: &Settlement) -> Result<(), rusqlite::Error> {
    static SQL: LazyLock<String> =
        LazyLock::new(|| format!("{} AND outcome IS NULL AND delivery_status IS NULL", update()));
    let mut progress = Progress::default();
    progress.settle(settlement);
    let cells = progress.cells().into_iter().chain([Cell::Id(settlement.id)]);
    if transaction.prepare_cached(&SQL)?.execute(params_from_iter(cells))? == 0 {
        change(transaction, settlement.id, |row| row.progress.settle(settlement))?;
    }
    Ok(())
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
