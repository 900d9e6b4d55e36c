//! A connection that is made where there is none, and asked with a time limit.

use std::time::Duration;

use tokio::{
    runtime::{self, Runtime},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::Client;

use super::address::Address;
use crate::ledger::store::StoreError;

/// For DNS, TCP, TLS, the login and what a role prepares.
const CONNECT: Duration = Duration::from_secs(2);

/// What a connection is for.
pub(super) trait Role {
    type Prepared;

    /// Makes a new connection ready.
    async fn prepare(&self, client: &mut Client) -> Result<Self::Prepared, StoreError>;
}

/// A connection with a runtime of its own: who calls waits for it.
pub(super) struct Link<R: Role> {
    address: Address,
    role: R,
    /// There until it is dropped.
    runtime: Option<Runtime>,
    session: Option<Session<R::Prepared>>,
}

struct Session<P> {
    client: Client,
    prepared: P,
    /// Moves what is written and read.
    connection: JoinHandle<()>,
}

impl<R: Role> Link<R> {
    pub(super) fn new(address: Address, role: R) -> Self {
        Self { address, role, runtime: None, session: None }
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.session.is_some()
    }

    pub(super) const fn role(&self) -> &R {
        &self.role
    }

    /// Has some work done. An error leaves no connection behind, for nobody knows what state it is in.
    pub(super) fn call<T>(
        &mut self,
        patience: Duration,
        work: impl AsyncFnOnce(&Client, &R::Prepared) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connect()?;
        let (Some(runtime), Some(session)) = (&self.runtime, &self.session) else { return Err(StoreError::TimedOut) };
        let done = runtime.block_on(async { timeout(patience, work(&session.client, &session.prepared)).await });
        let done = done.unwrap_or(Err(StoreError::TimedOut));
        if done.is_err() {
            self.hang_up();
        }
        done
    }

    /// Makes a connection where there is none.
    pub(super) fn connect(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.client.is_closed()) {
            return Ok(());
        }
        self.hang_up();
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => runtime::Builder::new_current_thread().enable_all().build().map_err(StoreError::Runtime)?,
        };
        let runtime = self.runtime.insert(runtime);
        let (address, role) = (&self.address, &self.role);
        self.session = Some(runtime.block_on(async {
            let (mut client, connection) =
                timeout(CONNECT, address.connect()).await.map_err(|_| StoreError::TimedOut)??;
            let connection = tokio::spawn(async move {
                // Whoever asked hears of it.
                let _ = connection.await;
            });
            match timeout(CONNECT, role.prepare(&mut client)).await.unwrap_or(Err(StoreError::TimedOut)) {
                Ok(prepared) => Ok(Session { client, prepared, connection }),
                Err(error) => {
                    end(connection).await;
                    Err(error)
                }
            }
        })?);
        Ok(())
    }

    /// Closes the connection now, so that the server lets go of what it holds for us.
    fn hang_up(&mut self) {
        if let (Some(runtime), Some(session)) = (&self.runtime, self.session.take()) {
            runtime.block_on(end(session.connection));
        }
    }
}

async fn end(connection: JoinHandle<()>) {
    connection.abort();
    // It says that it was ended.
    let _ = connection.await;
}

impl<R: Role> Drop for Link<R> {
    fn drop(&mut self) {
        // Waits for nothing, because it may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
