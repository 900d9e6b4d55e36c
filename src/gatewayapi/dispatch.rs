//! Shares few connections among many messages, by natural batching.
//!
//! A message leaves at once when a connection is free. When all are busy, messages gather, and the next free
//! connection takes them as one list. No timer, and no delay while idle.

mod list;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use self::list::{List, Pending, Progress};
use super::{
    breaker::{Breaker, Change},
    connection::{Answer, Connection, Connector, NoAnswer},
    error::{Failure, FailureKind, NotSent, Unknown},
    wire::{self, Accepted, Envelope, Message, Receipt},
};
use crate::metrics::Metrics;

/// Some of the connections, and the messages that wait for them. Each worker thread has its own.
#[derive(Clone)]
pub struct Dispatcher(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    envelope: Envelope,
    max_batch: usize,
    max_waiting: usize,
    breaker: Arc<Breaker>,
    metrics: Arc<Metrics>,
}

struct Queue {
    waiting: VecDeque<Pending>,
    /// Parts of lists that were refused for one message's sake; they go first.
    parts: VecDeque<List>,
    /// The one used last is used first: it is the one that is surely open.
    idle: Vec<Connection>,
}

/// How the messages of a dispatcher travel.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections of this dispatcher.
    pub connections: usize,
    /// Messages in one request.
    pub max_batch: usize,
    /// Messages that may wait.
    pub max_waiting: usize,
}

impl Dispatcher {
    /// # Errors
    ///
    /// When the HTTP client can't be made.
    pub fn new(
        connector: &Connector,
        limits: &Limits,
        envelope: Envelope,
        breaker: Arc<Breaker>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let idle = (0..limits.connections).map(|_| connector.connection()).collect::<Result<_, _>>()?;
        let queue = Mutex::new(Queue { waiting: VecDeque::new(), parts: VecDeque::new(), idle });
        let Limits { max_batch, max_waiting, .. } = *limits;
        Ok(Self(Arc::new(Shared { queue, envelope, max_batch, max_waiting, breaker, metrics })))
    }

    /// Sends one message, once. Says at the deadline what is known: that nothing was sent, or that it may have been.
    ///
    /// # Errors
    ///
    /// The reason why GatewayAPI did not accept it.
    pub async fn send(&self, message: Message<'_>, deadline: Instant) -> Result<Receipt, Failure> {
        self.0.breaker.admit(Instant::now())?;
        let (reply, outcome) = oneshot::channel();
        let progress = Arc::new(Progress::default());
        self.enqueue(Pending {
            id: message.id,
            msisdn: message.msisdn.digits(),
            json: self.0.envelope.encode(message),
            deadline,
            progress: Arc::clone(&progress),
            reply,
        })?;
        match tokio::time::timeout_at(deadline.into(), outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(if progress.give_up() {
                Failure::not_sent(NotSent::DeadlinePassed)
            } else {
                Failure::unknown(Unknown::TimedOut)
            }),
        }
    }

    fn enqueue(&self, pending: Pending) -> Result<(), Failure> {
        let mut queue = self.0.lock();
        if queue.waiting.len() >= self.0.max_waiting {
            return Err(Failure::not_sent(NotSent::Overloaded));
        }
        queue.waiting.push_back(pending);
        self.0.metrics.messages_waiting.inc();
        self.0.start_idle(queue);
        Ok(())
    }

    /// Lends a connection that nobody needs just now. Bring it back with [`give_back`](Self::give_back).
    pub(super) fn borrow_idle(&self) -> Option<Connection> {
        self.0.lock().idle.pop()
    }

    pub(super) fn give_back(&self, connection: Connection) {
        let mut queue = self.0.lock();
        queue.idle.push(connection);
        self.0.start_idle(queue);
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an idle connection to work, where there are both work and one.
    fn start_idle(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        if queue.waiting.is_empty() && queue.parts.is_empty() {
            return;
        }
        if let Some(connection) = queue.idle.pop() {
            drop(queue);
            tokio::spawn(Arc::clone(self).drive(connection));
        }
    }

    /// Works with a connection until nothing waits.
    async fn drive(self: Arc<Self>, connection: Connection) {
        self.metrics.connections_in_use.inc();
        let mut connection = connection;
        while let Some((list, same)) = self.next_list(connection) {
            connection = same;
            self.deliver(&connection, list).await;
        }
        self.metrics.connections_in_use.dec();
    }

    /// What goes next. `None` parks the connection, under the same lock as a new message looks for one.
    fn next_list(&self, connection: Connection) -> Option<(List, Connection)> {
        let mut queue = self.lock();
        loop {
            let candidates = match queue.parts.pop_front() {
                Some(part) => part.into_messages(),
                None => {
                    let count = queue.waiting.len().min(self.max_batch);
                    self.metrics.messages_waiting.sub(count as i64);
                    queue.waiting.drain(..count).collect()
                }
            };
            if candidates.is_empty() {
                queue.idle.push(connection);
                return None;
            }
            let list = List::of_those_in_time(candidates, Instant::now());
            if !list.is_empty() {
                return Some((list, connection));
            }
        }
    }

    async fn deliver(self: &Arc<Self>, connection: &Connection, list: List) {
        self.metrics.gatewayapi_batch_size.observe(list.len() as f64);
        let outcome = connection.post(list.body(), list.gate()).await;
        let now = Instant::now();
        match outcome.map(|answer| self.read(&answer, list.len())) {
            Ok(Ok(accepted)) => {
                self.count(Ok(()), now);
                for (pending, id) in list.into_messages().into_iter().zip(accepted.ids) {
                    self.reply(pending, Ok(Receipt { id }));
                }
            }
            Ok(Err(refused)) => {
                self.count(Err(refused.failure.kind), now);
                self.refuse(list, &refused);
            }
            // Nothing of it was written, and those that are still in time go again at once.
            Err(NoAnswer::Withheld) => self.requeue([list]),
            Err(fault) => {
                let failure = match fault {
                    NoAnswer::TimedOut => Failure::unknown(Unknown::TimedOut),
                    NoAnswer::Broken => Failure::unknown(Unknown::Broken),
                    NoAnswer::NotWritten | NoAnswer::Withheld => Failure::not_sent(NotSent::Unreachable),
                };
                self.count(Err(failure.kind), now);
                self.fail(list, &failure);
            }
        }
    }

    fn read(&self, answer: &Answer, messages: usize) -> Result<Accepted, wire::Refused> {
        let accepted = wire::read(answer.status, answer.retry_after, answer.body.as_deref(), messages)?;
        if let Some(cost) = &accepted.cost {
            self.metrics.cost.with_label_values(&[&cost.currency]).inc_by(cost.amount);
        }
        Ok(accepted)
    }

    /// A list that was refused for one message's sake is cut until that message stands alone.
    fn refuse(self: &Arc<Self>, list: List, refused: &wire::Refused) {
        if list.len() == 1 || !refused.failure.kind.blames_one_message() {
            return self.fail(list, &refused.failure);
        }
        let (named, others) = list.split_by(|pending| refused.named.contains(&pending.msisdn));
        if named.is_empty() || others.is_empty() {
            let (first, second) = if named.is_empty() { others } else { named }.halve();
            self.requeue([first, second]);
        } else {
            self.fail(named, &refused.failure);
            self.requeue([others]);
        }
    }

    fn requeue<const N: usize>(self: &Arc<Self>, parts: [List; N]) {
        let mut queue = self.lock();
        for part in parts.into_iter().rev() {
            part.unwrite();
            queue.parts.push_front(part);
        }
        // This task's own connection takes one part, another connection may take the next.
        if N > 1 {
            self.start_idle(queue);
        }
    }

    fn fail(&self, list: List, failure: &Failure) {
        for pending in list.into_messages() {
            self.reply(pending, Err(failure.clone()));
        }
    }

    fn reply(&self, pending: Pending, outcome: Result<Receipt, Failure>) {
        if let Err(late) = pending.reply.send(outcome) {
            let outcome = late.map_or_else(|failure| failure.kind.outcome(), |_| "accepted");
            self.metrics.late_outcomes.with_label_values(&[outcome]).inc();
            tracing::warn!(message_id = %pending.id, outcome, "an outcome came after its message had been answered");
        }
    }

    fn count(&self, outcome: Result<(), FailureKind>, now: Instant) {
        let (label, error_kind) = match outcome {
            Ok(()) => ("accepted", ""),
            Err(kind) => (kind.outcome(), kind.as_str()),
        };
        self.metrics.gatewayapi_requests.with_label_values(&[label, error_kind]).inc();
        match self.breaker.record(outcome, now) {
            Some(Change::Opened) => {
                self.metrics.breaker_state.set(1);
                tracing::error!(
                    error_kind,
                    "GatewayAPI fails again and again: calls are refused at once, but for probes"
                );
            }
            Some(Change::Closed) => {
                self.metrics.breaker_state.set(0);
                tracing::info!("GatewayAPI works again");
            }
            None => {}
        }
    }
}
