//! Messages whose outcome is not known yet: what they were charged is corrected when it is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::OpenMessage;
use crate::{
    limits::Charge,
    sms::{MessageId, Timestamp},
};

/// No outcome comes later.
const LATEST: Duration = Duration::from_secs(600);
/// So many are remembered, some 8 MiB; the oldest go first.
const MOST: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct UndecidedMessages(Mutex<BTreeMap<MessageId, OpenMessage>>);

impl UndecidedMessages {
    /// From before it may leave: its outcome may come at once.
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

    pub(super) fn charge_of(&self, id: MessageId) -> Option<Charge> {
        self.lock().get(&id).and_then(|open| open.charge)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MessageId, OpenMessage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
