//! The tables, made by whichever process comes first.

use tokio_postgres::Client;

use crate::ledger::store::StoreError;

/// What leads from each version to the next.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// Of the advisory lock: the letters of `sms-conn`.
const LOCK: i64 = 0x736d_732d_636f_6e6e;

pub(super) async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    // Most of the time there is nothing to do, and then no right to make tables is needed.
    let row = client.query_one("SELECT to_regclass('ledger_version') IS NOT NULL", &[]).await?;
    if row.try_get(0)? && version(client).await? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS ledger_version (version bigint NOT NULL)").await?;
    let version = version(transaction.client()).await?;
    for migration in MIGRATIONS.get(version..).ok_or(StoreError::TooNew)? {
        transaction.batch_execute(migration).await?;
    }
    transaction.batch_execute("DELETE FROM ledger_version").await?;
    transaction.execute("INSERT INTO ledger_version VALUES ($1)", &[&(MIGRATIONS.len() as i64)]).await?;
    Ok(transaction.commit().await?)
}

async fn version(client: &Client) -> Result<usize, tokio_postgres::Error> {
    let row = client.query_one("SELECT coalesce(max(version), 0) FROM ledger_version", &[]).await?;
    Ok(usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}
