//! What only SQLite does.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path};

use super::*;
use crate::ledger::sqlite::{SqliteShelf, SqliteStore};

#[test]
fn a_file_is_one_processs() {
    let place = Place::new(Kind::File);
    let ledger = place.open();
    let file = crate::ledger::sqlite::Place::File(place.file());
    let refusal = open_file(&file).err().unwrap();
    assert!(matches!(refusal, SqliteError::InUse { .. }), "{refusal}");
    drop(ledger);
    assert!(open_file(&file).is_ok());
}

#[test]
fn a_new_file_and_what_sqlite_puts_beside_it_are_for_nobody_else() {
    let place = Place::new(Kind::File);
    let mut ledger = place.open();
    ledger.force(&entry());
    let file = place.file();
    for name in ["", "-wal", "-shm"] {
        let name = format!("{}{name}", file.display());
        assert_eq!(mode(name.as_ref()), 0o600, "{name}");
    }
    drop(ledger);
    // Somebody may have given another user's backup a way in.
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    drop(place.open());
    assert_eq!(mode(&file), 0o640);
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// Whoever ended a ledger may open its file at once.
#[tokio::test]
async fn a_ledger_that_has_ended_has_let_its_file_go() {
    let place = Place::new(Kind::File);
    let settings = settings(&format!("ledger.url = 'sqlite://{}'", place.file().display()));
    for round in 0..100 {
        let ledger =
            Ledger::open(&settings, Arc::new(Metrics::new())).unwrap_or_else(|error| panic!("{round}: {error}"));
        ledger.end(seconds(10)).await;
    }
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let place = Place::new(Kind::File);
    drop(place.open());
    rusqlite::Connection::open(place.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refusal = open_file(&crate::ledger::sqlite::Place::File(place.file())).err().unwrap();
    assert!(matches!(refusal, SqliteError::TooNew { .. }), "{refusal}");
}

fn open_file(place: &crate::ledger::sqlite::Place) -> Result<(SqliteStore, SqliteShelf), SqliteError> {
    let limiter = Limiter::new(Rules::of(&settings("").limits), Arc::new(Metrics::new()));
    crate::ledger::sqlite::open(place, &limiter, NOW)
}

/// Each message of the number is found once, whether the index has it already or not.
#[test]
fn a_number_is_found_before_and_after_it_is_indexed() {
    let place = Place::new(Kind::File);
    let mut ledger = place.open();
    let entries: Vec<_> =
        (0..5).map(|minute| entry_to(NUMBER, None, NOW.plus(Duration::from_secs(60 * minute)))).collect();
    let late = entry_to(NUMBER, None, NOW.plus(Duration::from_secs(30)));
    let other = entry_to("+4526091046", None, NOW);
    for entry in entries.iter().chain([&other]) {
        ledger.force(entry);
    }
    let number = Some(entries[0].touched.number);
    let found = |ledger: &mut Opened| {
        let query = Query { number, limit: 100, ..Query::default() };
        ledger.shelf.list(&query).unwrap().into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    let newest_first: Vec<_> = entries.iter().rev().map(|entry| entry.id).collect();
    assert_eq!(found(&mut ledger), newest_first);

    // Those that are older than a minute are indexed, two at a time.
    let (nothing, now) = (MessageId::first_at(Timestamp::default()), NOW.plus(Duration::from_secs(240)));
    assert_eq!(ledger.store.forget(nothing, now, 2).unwrap(), 2);
    assert_eq!(found(&mut ledger), newest_first);
    assert_eq!(ledger.store.forget(nothing, now, 100).unwrap(), 2);
    assert_eq!(found(&mut ledger), newest_first);
    assert_eq!(indexed(&place), 4);

    // What was kept while the file could not be written comes late.
    ledger.force(&late);
    assert_eq!(found(&mut ledger).len(), 6);

    assert_eq!(ledger.store.forget(entries[2].id, now, 100).unwrap(), 4);
    assert_eq!(found(&mut ledger), newest_first[..3]);
    assert_eq!(indexed(&place), 1, "the index forgets with the rows");
}

fn indexed(place: &Place) -> i64 {
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    connection.query_row("SELECT count(*) FROM message_of_number", [], |row| row.get(0)).unwrap()
}
