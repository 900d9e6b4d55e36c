//! The thread that reads, for operators.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Away,
    message::{MessageRecord, Query},
    store::Shelf,
};
use crate::sms::MessageId;

const PATIENCE: Duration = Duration::from_secs(10);

enum Question {
    Find(MessageId),
    List(Query),
}

type Answer = Result<Vec<MessageRecord>, Away>;

pub(super) struct Reader(Sender<(Question, oneshot::Sender<Answer>)>);

impl Reader {
    pub(super) fn start(mut shelf: Box<dyn Shelf>) -> Self {
        let (questions, asked) = mpsc::channel::<(Question, oneshot::Sender<Answer>)>();
        let read = move || {
            for (question, reply) in asked {
                if reply.is_closed() {
                    continue;
                }
                let found = match question {
                    Question::Find(id) => shelf.find(id).map(|record| record.into_iter().collect()),
                    Question::List(query) => shelf.list(&query),
                };
                let answer = found.map_err(|error| {
                    tracing::error!(%error, "the ledger can't be read");
                    Away
                });
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            }
        };
        thread::Builder::new().name("ledger-reader".to_owned()).spawn(read).expect("the process can start a thread");
        Self(questions)
    }

    pub(super) async fn find(&self, id: MessageId) -> Result<Option<MessageRecord>, Away> {
        self.ask(Question::Find(id)).await.map(|mut records| records.pop())
    }

    pub(super) async fn list(&self, query: Query) -> Answer {
        self.ask(Question::List(query)).await
    }

    async fn ask(&self, question: Question) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.0.send((question, reply)).map_err(|_| Away)?;
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Away)?.map_err(|_| Away)?
    }
}
