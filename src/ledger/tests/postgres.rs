//! What only PostgreSQL does: it may be away, refuse, or be shared.

use super::*;
use crate::{ledger::store::StoreError, limits::Limit};
use rstest::rstest;
use std::{collections::BTreeSet, net::TcpListener, sync::mpsc, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn open_url(url: &str, toml: &str) -> Result<PostgresStore, PostgresError> {
    let settings = settings(toml);
    let limiter = Arc::new(Limiter::new(Rules::of(&settings.limits), Arc::new(Metrics::new())));
    PostgresStore::open(&url.into(), &settings.ledger, limiter)
}

/// The server's address with another user, database or parameter.
fn changed(from: &str, to: &str) -> String {
    let server = server();
    assert!(server.contains(from), "{server}");
    server.replacen(from, to, 1)
}

#[test]
fn replicas_that_start_at_once_make_the_tables_once() {
    let place = Place::new(Kind::Postgres);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| place.open());
        }
    });
    assert_eq!(sql(place.url(), "SELECT version FROM ledger_version"), ["1"]);
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let place = Place::new(Kind::Postgres);
    drop(place.open());
    sql(place.url(), "UPDATE ledger_version SET version = 99");
    let refusal = open_url(place.url(), "").err().unwrap();
    assert!(matches!(refusal, PostgresError::TooNew), "{refusal}");
}

#[test]
fn a_server_that_is_away_at_the_start_may_come_later() {
    // Nobody listens there.
    let mut store = open_url("postgres://sms@127.0.0.1:9/sms", "").unwrap();
    assert!(!store.is_connected());
    assert!(store.write(&[]).is_err());
}

#[rstest]
#[case("postgres://sms:TOPSECRET@127.0.0.1:99999/sms", "no address")]
#[case("postgres://sms:TOP@SECRET:1@127.0.0.1/sms", "no address")]
#[case("postgres://sms:TOPSECRET@127.0.0.1/sms?TOPSECRET=1", "no address")]
#[case("postgres://sms:TOPSECRET@127.0.0.1/sms?sslmode=verify-full", "no address")]
#[case("postgres:///sms?user=TOPSECRET", "no address")]
#[case("{nobody}", "role \"nobody_here\" does not exist")]
#[case("{nowhere}", "database \"nowhere\" does not exist")]
#[case("{tls}", "server does not support TLS")]
fn what_stays_wrong_stops_the_start_and_shows_no_secret(#[case] url: &str, #[case] sentence: &str) {
    let url = match url {
        "{nobody}" => changed("//sms@", "//nobody_here:TOPSECRET@"),
        "{nowhere}" => changed("//sms@", "//sms:TOPSECRET@").replace("/sms", "/nowhere").replace("//nowhere", "//sms"),
        "{tls}" => format!("{}?sslmode=require", server()),
        url => url.to_owned(),
    };
    let refusal = open_url(&url, "").err().unwrap_or_else(|| panic!("{url} is fine")).to_string();
    assert!(refusal.contains(sentence), "{refusal}");
    assert!(!refusal.contains("SECRET") && refusal.lines().count() == 1, "{refusal}");
}

#[test]
fn authorities_that_cant_be_read_stop_the_start() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    for (file, sentence) in [("/nowhere.pem", "No such file"), (empty.path().to_str().unwrap(), "no certificate in it")]
    {
        let refusal = open_url(&server(), &format!("ledger.ca_file = '{file}'")).err().unwrap().to_string();
        assert!(refusal.contains(file) && refusal.contains(sentence), "{refusal}");
    }
}

/// A server with TLS before one without. Gives its address and the file with its authority.
fn with_tls(url: &str) -> (String, tempfile::NamedTempFile) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), certified.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = url.split(['@', '/']).nth(3).unwrap().to_owned();
    let url = url.replace(&address, &format!("127.0.0.1:{port}"));
    let pass_on = async move |mut client: TcpStream| {
        client.read_exact(&mut [0; 8]).await?;
        client.write_all(b"S").await?;
        let mut client = acceptor.accept(client).await?;
        tokio::io::copy_bidirectional(&mut client, &mut TcpStream::connect(&address).await?).await
    };
    std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                // Whoever does not trust it hangs up.
                let _ = pass_on(listener.accept().await.unwrap().0).await;
            }
        });
    });
    (url, authority)
}

#[test]
fn a_server_is_trusted_by_its_authority() {
    let place = Place::new(Kind::Postgres);
    let (url, authority) = with_tls(place.url());
    let url = format!("{url}&sslmode=require");
    let refusal = open_url(&url, "").err().unwrap();
    assert!(matches!(refusal, PostgresError::Certificate(_)), "{refusal}");
    assert!(refusal.to_string().contains("UnknownIssuer"), "{refusal}");
    let trusting = format!("ledger.ca_file = '{}'", authority.path().display());
    assert!(open_url(&url, &trusting).unwrap().is_connected());
}

/// Whoever stands between could say that there is no TLS, and read the password.
#[test]
fn who_names_an_authority_never_gets_less_than_tls() {
    let place = Place::new(Kind::Postgres);
    let (url, authority) = with_tls(place.url());
    let trusting = format!("ledger.ca_file = '{}'", authority.path().display());
    assert!(open_url(&url, &trusting).unwrap().is_connected());
    let refusal = open_url(place.url(), &trusting).err().unwrap().to_string();
    assert!(refusal.contains("server does not support TLS"), "{refusal}");
}

#[test]
fn a_connection_that_broke_is_made_anew() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open();
    let ours = "application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
    sql(place.url(), &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"));
    let entry = entry();
    assert!(ledger.store.write(&[open(&entry, Charging::Force)]).is_err());
    ledger.force(&entry);
    assert_eq!(ledger.find(entry.id).status, "open");
}

#[test]
fn a_batch_that_others_hold_up_ends_in_time_and_changes_nothing() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open();
    let [first, second] = [entry(), entry_to("+4526091046", None, NOW)];
    ledger.force(&first);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let held = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(place.url(), NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute("BEGIN; SELECT * FROM message FOR UPDATE").await.unwrap();
        (client, connection)
    });
    let begun = Instant::now();
    let settled = Write::Settle(Settlement::of(first.id, Outcome::Accepted, NOW), Correction::None);
    let writes = [open(&second, Charging::Force), settled];
    assert!(matches!(ledger.store.write(&writes), Err(StoreError::TimedOut)));
    assert!(begun.elapsed() < seconds(10), "{:?}", begun.elapsed());
    drop(held);
    drop(runtime);
    ledger.write(&writes);
    assert_eq!((ledger.find(first.id).status, ledger.find(second.id).status), ("accepted".into(), "open".into()));
}

/// The message's row is sent together with the states, and can't be written either once they can't.
#[test]
fn a_replica_that_is_held_up_by_another_with_new_subjects_tries_again() {
    let place = Place::new(Kind::Postgres);
    let mut ledger = place.open();
    ledger.ask(Kind::Postgres, &entry());
    sql(place.url(), "CREATE TABLE others AS SELECT * FROM limit_state; DELETE FROM limit_state");
    let url = place.url().to_owned();
    let (holding, holds) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("BEGIN; INSERT INTO limit_state SELECT * FROM others").await.unwrap();
            holding.send(()).unwrap();
            // Seen from outside of the transaction, which would always see the same.
            let (observer, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let held_up = "SELECT xact_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND application_name = current_setting('application_name')";
            let mut tries = BTreeSet::new();
            while tries.len() < 2 {
                tries.extend(rows(&observer, held_up).await);
            }
            client.batch_execute("COMMIT").await.unwrap();
        });
    });
    holds.recv().unwrap();
    let decision = ledger.ask(Kind::Postgres, &entry());
    assert_eq!(decision.unwrap().result.unwrap_err().limit, Limit::Number);
    other.join().unwrap();
}

#[test]
fn a_replica_closes_what_an_ended_one_left_open_and_nothing_else() {
    let place = Place::new(Kind::Postgres);
    let [mut ended, mut living, mut replica] = [(); 3].map(|()| place.open());
    let [abandoned, awaited, own] = [entry(), entry(), entry()];
    ended.force(&abandoned);
    living.force(&awaited);
    replica.force(&own);
    assert_eq!(replica.store.close_abandoned(NOW).unwrap(), 0);

    drop(ended);
    while replica.store.close_abandoned(NOW).unwrap() == 0 {
        std::thread::yield_now();
    }
    let statuses = [&abandoned, &awaited, &own].map(|entry| replica.find(entry.id).status);
    assert_eq!(statuses, ["unknown", "open", "open"]);

    // A message is given up long before: these rows are nobody's.
    assert_eq!(replica.store.close_abandoned(NOW.plus(seconds(301))).unwrap(), 2);
    living.settle(Settlement::of(awaited.id, Outcome::Accepted, NOW.plus(seconds(302))));
    assert_eq!(replica.find(awaited.id).status, "accepted");
}

/// Logto's process may call us from where nobody may wait, and a start may fail there.
#[tokio::test]
async fn it_can_be_opened_and_dropped_inside_a_runtime() {
    let place = tokio::task::spawn_blocking(|| Place::new(Kind::Postgres)).await.unwrap();
    let store = open_url(place.url(), "").unwrap();
    assert!(store.is_connected());
    drop(store);
}
