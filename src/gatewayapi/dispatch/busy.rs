//! A connection at work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Shared, list::List};
use crate::gatewayapi::{
    account,
    connection::{Connection, NoAnswer},
    error::{Failure, NotSent, Unknown},
};

/// How long an answer is waited for after nobody waits for its messages: to know what became of them, without keeping
/// the connection from others for long.
const LATE: Duration = Duration::from_millis(500);

/// For a connection that is made before it is needed.
const WARMING: Duration = Duration::from_secs(3);

/// A connection at work. It is idle again when this is dropped, whatever happened to the work.
pub(in crate::gatewayapi) struct Busy {
    shared: Arc<Shared>,
    /// `None` only when it is idle again.
    connection: Option<Connection>,
    /// It was put to work for messages that it has not taken yet.
    is_starting: bool,
}

impl Busy {
    pub(super) fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        shared.metrics.connections_in_use.inc();
        Self { shared, connection: Some(connection), is_starting: false }
    }

    /// A connection that is put to work, and counts as [`starting`](super::Queue::starting) until it looks for messages.
    pub(super) fn starting(shared: Arc<Shared>, connection: Connection) -> Self {
        let mut busy = Self::new(shared, connection);
        busy.is_starting = true;
        busy
    }

    pub(in crate::gatewayapi) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("taken only at the end")
    }

    /// Works until nothing waits.
    pub(in crate::gatewayapi) async fn drive(mut self) {
        // What is ready at the same moment comes along.
        tokio::task::yield_now().await;
        while let Some(list) = self.next_list() {
            self.deliver(list).await;
        }
    }

    /// What goes next. With `None` the connection is idle, under the same lock as a new message looks for one.
    fn next_list(&mut self) -> Option<List> {
        let shared = &self.shared;
        let mut queue = shared.lock();
        queue.starting -= usize::from(std::mem::take(&mut self.is_starting));
        loop {
            let candidates = match queue.parts.pop_front() {
                Some(part) => part.into_messages(),
                None => {
                    let count = queue.waiting.len().min(shared.max_batch);
                    shared.metrics.messages_waiting.sub(count as i64);
                    queue.waiting.drain(..count).collect()
                }
            };
            if candidates.is_empty() {
                queue.idle.extend(self.connection.take());
                return None;
            }
            let list = List::of_those_in_time(candidates, Instant::now());
            if !list.is_empty() {
                return Some(list);
            }
        }
    }

    async fn deliver(&self, list: List) {
        let shared = &self.shared;
        let now = Instant::now();
        let patience = list.last_deadline().map_or(LATE, |deadline| deadline.saturating_duration_since(now) + LATE);
        let request = list.request();
        let outcome = self.connection().post(list.gate(), patience).await;
        let now = Instant::now();
        if outcome.as_ref().err() == Some(&NoAnswer::NotWritten) {
            let failure = Failure::not_sent(NotSent::Unreachable);
            shared.count(Err(failure.kind), now, request);
            return shared.fail(list, &failure);
        }
        let list = list.only_written();
        if list.is_empty() {
            request.end();
            // All were given up while the connection was made, which is lost with them. Where making one takes so long,
            // the next list needs one that stands already.
            let _ = self.connection().get(account::RESOURCE, WARMING).await;
            return;
        }
        shared.metrics.gatewayapi_batch_size.observe(list.len() as f64);
        match outcome.map(|answer| shared.read(&answer, list.len())) {
            Ok(Ok(accepted)) => {
                shared.count(Ok(()), now, request);
                let messages = list.into_messages();
                let segments: Vec<_> = messages.iter().map(|pending| pending.segments).collect();
                for (pending, receipt) in messages.into_iter().zip(accepted.receipts(&segments)) {
                    shared.reply(pending, Ok(receipt));
                }
            }
            Ok(Err(refused)) => {
                shared.count(Err(refused.failure.kind), now, request);
                shared.refuse(list, &refused);
            }
            Err(fault) => {
                let reason = match fault {
                    NoAnswer::TimedOut => Unknown::TimedOut,
                    NoAnswer::Broken | NoAnswer::NotWritten | NoAnswer::Withheld => Unknown::Broken,
                };
                let failure = Failure::unknown(reason);
                shared.count(Err(failure.kind), now, request);
                shared.fail(list, &failure);
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.shared.metrics.connections_in_use.dec();
        // Nothing is started here: the runtime may be about to end.
        if let Some(connection) = self.connection.take() {
            let mut queue = self.shared.lock();
            queue.starting -= usize::from(self.is_starting);
            queue.idle.push(connection);
        }
    }
}
