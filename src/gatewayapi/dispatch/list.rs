//! Messages that travel in one request, and what is known of each while it travels.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{
    gatewayapi::{
        connection::Gate,
        error::{Failure, NotSent},
        wire::{self, Receipt},
    },
    sms::MessageId,
};

/// A message on its way, and who waits for its outcome.
pub(super) struct Pending {
    pub(super) id: MessageId,
    pub(super) msisdn: u64,
    pub(super) json: Bytes,
    pub(super) deadline: Instant,
    pub(super) progress: Arc<Progress>,
    pub(super) reply: oneshot::Sender<Result<Receipt, Failure>>,
}

/// How far one message came. Whoever waits and whoever writes agree by it on whether it was sent.
#[derive(Default)]
pub(super) struct Progress(AtomicU8);

const WAITING: u8 = 0;
const WRITTEN: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Progress {
    /// Nobody waits any longer. `true`: it was not written and never will be.
    pub(super) fn give_up(&self) -> bool {
        self.0.swap(GIVEN_UP, Ordering::AcqRel) != WRITTEN
    }

    /// `false`: it was given up, and must not be written.
    fn write(&self) -> bool {
        self.move_on(WAITING, WRITTEN)
    }

    /// What was written was refused, or did not leave.
    fn unwrite(&self) {
        self.move_on(WRITTEN, WAITING);
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Acquire) == GIVEN_UP
    }

    fn move_on(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// What goes out as one request.
pub(super) struct List(Vec<Pending>);

impl List {
    /// Leaves out those that nobody waits for, and answers those whose time is over.
    pub(super) fn of_those_in_time(candidates: Vec<Pending>, now: Instant) -> Self {
        let mut list = Vec::with_capacity(candidates.len());
        for pending in candidates {
            if pending.progress.is_given_up() {
                continue;
            }
            if pending.deadline <= now {
                pending.progress.give_up();
                // Whoever waits may have noticed it at the same moment.
                let _ = pending.reply.send(Err(Failure::not_sent(NotSent::DeadlinePassed)));
                continue;
            }
            list.push(pending);
        }
        Self(list)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn body(&self) -> Bytes {
        wire::body(self.0.iter().map(|pending| &pending.json))
    }

    pub(super) fn gate(&self) -> Arc<ListGate> {
        Arc::new(ListGate(self.0.iter().map(|pending| Arc::clone(&pending.progress)).collect()))
    }

    pub(super) fn into_messages(self) -> Vec<Pending> {
        self.0
    }

    /// Marks them as not sent after all.
    pub(super) fn unwrite(&self) {
        for pending in &self.0 {
            pending.progress.unwrite();
        }
    }

    pub(super) fn split_by(self, belongs_first: impl Fn(&Pending) -> bool) -> (Self, Self) {
        let (first, second) = self.0.into_iter().partition(belongs_first);
        (Self(first), Self(second))
    }

    pub(super) fn halve(mut self) -> (Self, Self) {
        let second = self.0.split_off(self.0.len() / 2);
        (self, Self(second))
    }
}

/// Lets a list through when every message of it may still be sent.
pub(super) struct ListGate(Vec<Arc<Progress>>);

impl Gate for ListGate {
    fn open(&self) -> bool {
        for (index, progress) in self.0.iter().enumerate() {
            if !progress.write() {
                self.0[..index].iter().for_each(|written| written.unwrite());
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_given_up_while_waiting_is_never_written() {
        let progress = Progress::default();
        assert!(progress.give_up());
        assert!(!progress.write());
    }

    #[test]
    fn a_message_given_up_after_it_was_written_may_have_been_sent_and_is_not_sent_again() {
        let progress = Progress::default();
        assert!(progress.write());
        assert!(!progress.give_up());
        progress.unwrite();
        assert!(!progress.write());
    }

    #[test]
    fn one_message_that_was_given_up_withholds_the_list_and_leaves_the_others_unsent() {
        let members: Vec<_> = (0..3).map(|_| Arc::new(Progress::default())).collect();
        members[1].give_up();
        assert!(!ListGate(members.clone()).open());
        assert!(members[0].give_up(), "not written");
        assert!(members[2].give_up(), "not written");
    }
}
