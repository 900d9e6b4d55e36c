//! Brings answers from the ledger's thread to those who wait in others.
//!
//! A batch answers many at once. Each thread gets its answers as one list, and wakes those who wait from within: one
//! wake-up across threads, and they go on together, so that their messages travel together, too.

use std::{cell::RefCell, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{Away, store::Written};

pub(super) type Answer = Result<Written, Away>;

/// The way to one who waits.
pub(super) struct Reply {
    waiting: oneshot::Sender<Answer>,
    home: Arc<Mailbox>,
}

/// The way to all who wait in one thread.
struct Mailbox(mpsc::UnboundedSender<Vec<Delivery>>);

type Delivery = (oneshot::Sender<Answer>, Answer);

thread_local! {
    static MAILBOX: RefCell<Option<Arc<Mailbox>>> = const { RefCell::new(None) };
}

impl Reply {
    /// A reply, and where it arrives. From inside a tokio runtime.
    pub(super) fn channel() -> (Self, oneshot::Receiver<Answer>) {
        let (waiting, answer) = oneshot::channel();
        (Self { waiting, home: Mailbox::of_this_thread() }, answer)
    }

    /// Nobody waits any longer.
    pub(super) fn is_closed(&self) -> bool {
        self.waiting.is_closed()
    }

    /// Answers all of them.
    pub(super) fn send_all(answers: impl IntoIterator<Item = (Self, Answer)>) {
        let mut homes: Vec<(Arc<Mailbox>, Vec<Delivery>)> = Vec::new();
        for (Self { waiting, home }, answer) in answers {
            match homes.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &home)) {
                Some((_, deliveries)) => deliveries.push((waiting, answer)),
                None => homes.push((home, vec![(waiting, answer)])),
            }
        }
        for (home, deliveries) in homes {
            // Its runtime has ended; who waits may have moved to another.
            if let Err(undelivered) = home.0.send(deliveries) {
                hand_over(undelivered.0);
            }
        }
    }
}

impl Mailbox {
    fn of_this_thread() -> Arc<Self> {
        MAILBOX.with_borrow_mut(|mailbox| match mailbox {
            Some(mailbox) if !mailbox.0.is_closed() => Arc::clone(mailbox),
            _ => Arc::clone(mailbox.insert(Self::open())),
        })
    }

    fn open() -> Arc<Self> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(deliveries) = receiver.recv().await {
                hand_over(deliveries);
            }
        });
        Arc::new(Self(sender))
    }
}

fn hand_over(deliveries: Vec<Delivery>) {
    for (waiting, answer) in deliveries {
        // Whoever gave up waiting goes on without the answer.
        let _ = waiting.send(answer);
    }
}
