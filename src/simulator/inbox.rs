use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{broadcast, watch};

use super::{at_least, message::Message, received::Received};

/// Messages that a slow subscriber may fall behind.
const BACKLOG: usize = 4096;

/// Everything that was accepted.
pub(super) struct Inbox {
    kept: Mutex<Kept>,
    /// How many are kept, for those who wait.
    count: watch::Sender<usize>,
    arrivals: broadcast::Sender<Received>,
}

struct Kept {
    /// In the order of acceptance, so by id.
    messages: Vec<Received>,
    /// The last state that a report told of, by id and recipient.
    states: HashMap<(u64, u64), State>,
    next_id: u64,
}

/// The state of delivery to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub status: &'static str,
    pub error: Option<&'static str>,
    pub code: Option<&'static str>,
    /// Unix seconds.
    pub time: u64,
}

impl Inbox {
    pub fn new() -> Self {
        Self {
            kept: Mutex::new(Kept { messages: Vec::new(), states: HashMap::new(), next_id: 1_000_001 }),
            count: watch::Sender::new(0),
            arrivals: broadcast::Sender::new(BACKLOG),
        }
    }

    /// Keeps the messages of one request, and gives what was received: an entry for each recipient of each.
    pub fn accept(&self, messages: Vec<Message>, request: usize) -> Vec<Received> {
        let mut kept = self.lock();
        let mut accepted = Vec::with_capacity(messages.len());
        for message in messages {
            let id = kept.next_id;
            kept.next_id += 1;
            accepted.extend(received(message, id, request));
        }
        kept.messages.extend(accepted.iter().cloned());
        self.count.send_replace(kept.messages.len());
        for message in &accepted {
            // Without subscribers there is nobody to tell.
            let _ = self.arrivals.send(message.clone());
        }
        accepted
    }

    pub fn all(&self) -> Vec<Received> {
        self.lock().messages.clone()
    }

    /// The entries of one message, one for each recipient, with the state of each as far as reports went.
    pub fn find(&self, id: u64) -> Vec<(Received, Option<State>)> {
        let kept = self.lock();
        let start = kept.messages.partition_point(|message| message.id < id);
        let entries = kept.messages[start..].iter().take_while(|message| message.id == id);
        entries.map(|message| (message.clone(), kept.states.get(&(id, message.msisdn)).copied())).collect()
    }

    pub fn set_state(&self, message: &Received, state: State) {
        self.lock().states.insert((message.id, message.msisdn), state);
    }

    pub async fn until(&self, messages: usize) {
        at_least(&self.count, messages).await;
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Received> {
        self.arrivals.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves nothing half done in here.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn received(message: Message, id: u64, request: usize) -> impl Iterator<Item = Received> {
    let parts = message.parts();
    let lossless = message.is_lossless();
    // Checked with the other rules.
    let class = message.class().unwrap_or_default();
    let max_parts = message.max_parts();
    message.recipients.into_iter().map(move |recipient| Received {
        id,
        msisdn: recipient.msisdn,
        sender: message.sender.clone(),
        text: message.text.clone(),
        encoding: message.encoding,
        class,
        priority: message.priority,
        destination: message.destaddr,
        validity_period: message.validity_period,
        label: message.label.clone(),
        userref: message.userref.clone(),
        callback_url: message.callback_url.clone(),
        max_parts,
        parts,
        request,
        lossless,
    })
}
