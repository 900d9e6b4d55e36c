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
    sms::{Country, MessageId},
    traces::{Link, Span},
};

/// A message on its way, and who waits for its outcome.
pub(super) struct Pending {
    pub(super) id: MessageId,
    pub(super) country: Option<Country>,
    pub(super) msisdn: u64,
    pub(super) json: Bytes,
    pub(super) segments: u32,
    pub(super) deadline: Instant,
    pub(super) progress: Arc<Progress>,
    pub(super) span: Link,
    pub(super) reply: oneshot::Sender<Result<Receipt, Failure>>,
}

/// How far one message came. Whoever waits and whoever writes agree by it on whether it was sent.
#[derive(Default)]
pub(super) struct Progress(AtomicU8);

const WAITING: u8 = 0;
const WRITTEN: u8 = 1;
/// Nobody waits any longer, and it was not written.
const GIVEN_UP: u8 = 2;
/// Nobody waits any longer, but it was written.
const LEFT: u8 = 3;

impl Progress {
    /// Nobody waits any longer. `true`: it was not written and never will be.
    pub(super) fn give_up(&self) -> bool {
        let end = |progress| Some(if matches!(progress, WAITING | GIVEN_UP) { GIVEN_UP } else { LEFT });
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, end).expect("it always ends");
        matches!(before, WAITING | GIVEN_UP)
    }

    /// `false`: it was given up, and must not be written.
    fn write(&self) -> bool {
        self.move_on(WAITING, WRITTEN)
    }

    /// What was written was refused.
    fn unwrite(&self) {
        self.move_on(WRITTEN, WAITING);
    }

    fn was_written(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), WRITTEN | LEFT)
    }

    fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Acquire) == WAITING
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
            if !pending.progress.is_waiting() {
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

    /// What is to be written, decided when it can be.
    pub(super) fn gate(&self) -> ListGate {
        let member = |pending: &Pending| (Arc::clone(&pending.progress), pending.json.clone());
        ListGate(self.0.iter().map(member).collect())
    }

    /// The span of a request for all of them.
    pub(super) fn request(&self) -> Span {
        let mut request = Span::request(self.0.iter().map(|pending| &pending.span));
        request.set("messages", self.0.len() as u32);
        request
    }

    /// When the last of those who wait will have given up.
    pub(super) fn last_deadline(&self) -> Option<Instant> {
        self.0.iter().map(|pending| pending.deadline).max()
    }

    /// Leaves out those that had been given up before the list was written.
    pub(super) fn only_written(mut self) -> Self {
        self.0.retain(|pending| pending.progress.was_written());
        self
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

/// Writes those of a list that are still waited for.
pub(super) struct ListGate(Vec<(Arc<Progress>, Bytes)>);

impl Gate for ListGate {
    fn length(&self) -> u64 {
        wire::length(self.0.iter().map(|(_, json)| json)) as u64
    }

    fn open(&self) -> Option<Bytes> {
        let body = wire::body(self.0.iter().map(|(progress, json)| progress.write().then_some(json)), self.length());
        self.0.iter().any(|(progress, _)| progress.was_written()).then_some(body)
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

    fn gate(messages: usize) -> (ListGate, Vec<Arc<Progress>>) {
        let members: Vec<_> = (0..messages).map(|_| Arc::new(Progress::default())).collect();
        let json = |index| Bytes::from(format!(r#"{{"n":{index}}}"#));
        (
            ListGate(members.iter().enumerate().map(|(index, member)| (Arc::clone(member), json(index))).collect()),
            members,
        )
    }

    #[test]
    fn a_message_that_was_given_up_is_left_out_of_its_list_and_the_others_are_written() {
        let (gate, members) = gate(4);
        members[0].give_up();
        members[2].give_up();
        let body = gate.open().unwrap();
        assert_eq!(body.len() as u64, gate.length(), "the length was promised");
        let written: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(written, serde_json::json!([{"n": 1}, {"n": 3}]));
        assert!(members[0].give_up(), "not written");
        assert!(!members[1].give_up(), "written");
    }

    #[test]
    fn a_list_that_nobody_waits_for_is_not_written() {
        for messages in [1, 3] {
            let (gate, members) = gate(messages);
            assert!(members.iter().all(|member| member.give_up()));
            assert_eq!(gate.open(), None);
        }
    }
}
