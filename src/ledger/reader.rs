//! The thread that reads, for operators.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Away, Ledger,
    deliveries::Deliveries,
    message::{MessageRecord, Query},
    store::{Shelf, StoreError},
};
use crate::sms::{MessageId, Timestamp};

const PATIENCE: Duration = Duration::from_secs(10);

type Question = Box<dyn FnOnce(&mut dyn Shelf) + Send>;

pub(super) struct Reader(Sender<Question>);

impl Reader {
    pub(super) fn start(mut shelf: Box<dyn Shelf>) -> Self {
        let (questions, asked) = mpsc::channel::<Question>();
        let read = move || asked.into_iter().for_each(|question| question(&mut *shelf));
        thread::Builder::new().name("ledger-reader".to_owned()).spawn(read).expect("the process can start a thread");
        Self(questions)
    }

    async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Shelf) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Away> {
        let (reply, answer) = oneshot::channel();
        let question = move |shelf: &mut dyn Shelf| {
            if reply.is_closed() {
                return;
            }
            let found = read(shelf).map_err(|error| {
                tracing::error!(%error, "the ledger can't be read");
                Away
            });
            // Whoever asked may have gone.
            let _ = reply.send(found);
        };
        self.0.send(Box::new(question)).map_err(|_| Away)?;
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Away)?.map_err(|_| Away)?
    }
}

impl Ledger {
    /// One message.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, Away> {
        self.0.reader.ask(move |shelf| shelf.find(id)).await
    }

    /// Messages, newest first.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub async fn messages(&self, query: Query) -> Result<Vec<MessageRecord>, Away> {
        self.0.reader.ask(move |shelf| shelf.list(&query)).await
    }

    /// What became of the messages that were admitted since then, or of the newest of each period where they are
    /// many.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub async fn deliveries(&self, since: Timestamp, now: Timestamp) -> Result<Deliveries, Away> {
        self.0.reader.ask(move |shelf| Deliveries::read(shelf, since, now)).await
    }
}
