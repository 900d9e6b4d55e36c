//! What only SQLite does.

use super::*;
use crate::ledger::sqlite::SqliteStore;

#[test]
fn a_file_is_one_processs() {
    let place = Place::new(Kind::File);
    let ledger = place.open();
    let file = super::super::Place::File(place.file());
    let refusal = SqliteStore::open(&file).err().unwrap();
    assert!(matches!(refusal, SqliteError::InUse { .. }), "{refusal}");
    drop(ledger);
    assert!(SqliteStore::open(&file).is_ok());
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let place = Place::new(Kind::File);
    drop(place.open());
    rusqlite::Connection::open(place.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refusal = SqliteStore::open(&super::super::Place::File(place.file())).err().unwrap();
    assert!(matches!(refusal, SqliteError::TooNew { .. }), "{refusal}");
}
