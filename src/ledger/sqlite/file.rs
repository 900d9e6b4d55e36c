//! The file: who may use it, how it is opened, and its tables.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

const SCHEMA: &str = include_str!("schema.sql");
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
pub(in crate::ledger) enum Place {
    File(PathBuf),
    /// In memory, under a name of its own that several connections can share.
    Memory(String),
}

impl Place {
    pub(in crate::ledger) fn memory() -> Self {
        Self::Memory(format!("file:ledger-{}?mode=memory&cache=shared", uuid::Uuid::now_v7().simple()))
    }

    /// What can't be done with it.
    pub(super) fn unusable(&self, source: rusqlite::Error) -> SqliteError {
        SqliteError::Sqlite { file: self.path().to_owned(), source }
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(name) => Path::new(name),
        }
    }

    pub(super) fn connect(&self, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags & !OpenFlags::SQLITE_OPEN_URI)?,
            Self::Memory(name) => Connection::open_with_flags(name, flags)?,
        };
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}

/// Opens the database, or makes it. The lock is held as long as it is in use.
pub(super) fn open(place: &Place) -> Result<(Connection, Option<File>), SqliteError> {
    let lock = match place {
        Place::File(path) => Some(lock(path)?),
        Place::Memory(_) => None,
    };
    if let Place::File(path) = place {
        keep_private(path).map_err(|source| SqliteError::Lock { file: path.clone(), source })?;
    }
    let opened = || {
        let mut connection = place.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        prepare(&connection)?;
        Ok((migrate(&mut connection)?, connection))
    };
    match opened().map_err(|source| place.unusable(source))? {
        (true, connection) => Ok((connection, lock)),
        (false, _) => Err(SqliteError::TooNew { file: place.path().to_owned() }),
    }
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

/// A new file is its owner's alone, like its key, and SQLite gives those beside it the same mode. One that is there keeps
/// its own: somebody may have let another user's backup in.
fn keep_private(path: &Path) -> io::Result<()> {
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    // A commit is on the disk when it returns; readers see the last one, and hold up no writer.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -2_000)?;
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
