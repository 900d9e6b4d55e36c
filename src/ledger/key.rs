//! The key of the pseudonyms, beside the SQLite file where none is configured.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

/// Bytes of a key that we make ourselves.
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key of the ledger's pseudonyms, {file}: {source}", file = .file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("the key of the ledger's pseudonyms, {file}, is damaged: without it no number is recognised; restore it", file = .file.display())]
    Damaged { file: PathBuf },
}

/// Tells when a database is there without its key.
pub(super) fn warn_of_loss(database: &Path) {
    let file = file_beside(database);
    if database.exists() && !file.exists() {
        let file = file.display();
        tracing::warn!(%file, "the key of the ledger's pseudonyms is gone: a new one is made, and no number is recognised");
    }
}

fn file_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// The key beside a database file, made with it.
pub(super) fn beside(database: &Path) -> Result<SecretString, KeyError> {
    let file = file_beside(database);
    let unusable = |source| KeyError::File { file: file.clone(), source };
    match fs::read_to_string(&file) {
        Ok(key) if key.trim().len() >= LENGTH => Ok(key.trim().into()),
        Ok(_) => Err(KeyError::Damaged { file }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = generate().map_err(unusable)?;
            write(&file, &key).map_err(unusable)?;
            Ok(key)
        }
        Err(source) => Err(unusable(source)),
    }
}

/// A key that lasts as long as the process.
pub(super) fn generate() -> io::Result<SecretString> {
    let mut bytes = [0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat().into())
}

/// Whole or not at all: a crash must leave no half of a key.
fn write(file: &Path, key: &SecretString) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut open = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    open.write_all(key.expose_secret().as_bytes())?;
    open.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("ledger.db");
        let key = beside(&database).unwrap();
        assert_eq!(beside(&database).unwrap().expose_secret(), key.expose_secret());
        let file = folder.path().join("ledger.db.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, "").unwrap();
        assert!(matches!(beside(&database), Err(KeyError::Damaged { .. })));
    }
}
