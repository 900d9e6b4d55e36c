//! Messages whose outcome may yet become known: what they were charged is corrected then.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::OpenMessage;
use crate::sms::{MessageId, Timestamp};

/// No outcome comes later.
const LATEST: Duration = Duration::from_secs(600);
/// So many are remembered; the oldest go first.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct UnknownMessages(Mutex<BTreeMap<MessageId, OpenMessage>>);

impl UnknownMessages {
    pub(super) fn remember(&self, open: OpenMessage, now: Timestamp) {
        let oldest = MessageId::first_at(now.minus(LATEST));
        let mut messages = self.lock();
        messages.insert(open.id(), open);
        while messages.len() > MOST || messages.first_key_value().is_some_and(|(id, _)| *id < oldest) {
            messages.pop_first();
        }
    }

    pub(super) fn take(&self, id: MessageId) -> Option<OpenMessage> {
        self.lock().remove(&id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MessageId, OpenMessage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
