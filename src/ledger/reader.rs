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

type Question = Box<dyn FnOnce(&mut Desk) + Send>;

/// What the thread has.
struct Desk {
    shelf: Box<dyn Shelf>,
    fault: Fault,
}

/// A ledger that can't be read is told once, however many ask until it can be read again.
#[derive(Default)]
struct Fault {
    is_told: bool,
}

impl Fault {
    fn is_news(&mut self, is_read: bool) -> bool {
        let was_told = std::mem::replace(&mut self.is_told, !is_read);
        !is_read && !was_told
    }
}

impl Desk {
    fn look<T>(&mut self, read: impl FnOnce(&mut dyn Shelf) -> Result<T, StoreError>) -> Result<T, Away> {
        let found = read(&mut *self.shelf);
        let is_news = self.fault.is_news(found.is_ok());
        found.map_err(|error| {
            if is_news {
                tracing::error!(%error, "the ledger can't be read");
            }
            Away
        })
    }
}

pub(super) struct Reader(Sender<Question>);

impl Reader {
    pub(super) fn start(shelf: Box<dyn Shelf>) -> Self {
        let (questions, asked) = mpsc::channel::<Question>();
        let mut desk = Desk { shelf, fault: Fault::default() };
        let read = move || asked.into_iter().for_each(|question| question(&mut desk));
        thread::Builder::new().name("ledger-reader".to_owned()).spawn(read).expect("the process can start a thread");
        Self(questions)
    }

    async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Shelf) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Away> {
        let (reply, answer) = oneshot::channel();
        let question = move |desk: &mut Desk| {
            if reply.is_closed() {
                return;
            }
            // Whoever asked may have gone.
            let _ = reply.send(desk.look(read));
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

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_ledger_that_can_not_be_read_is_told_once_until_it_can() {
        let mut fault = Fault::default();
        let news = [true, false, false, false, true, false].map(|is_read| fault.is_news(is_read));
        assert_eq!(news, [false, true, false, false, false, true]);
    }
}
