//! Shares few connections among many messages, by natural batching.
//!
//! A message leaves at once when a connection is free. When all are busy, messages gather, and the next free
//! connection takes them as one list. No timer, and no delay while idle.

mod busy;
mod list;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use tokio::{runtime::Handle, sync::oneshot};

pub(super) use self::busy::Busy;
use self::list::{List, Pending, Progress};
use super::{
    breaker::{Breaker, Change},
    connection::{Answer, Connection, Connector},
    error::{Failure, FailureKind, NotSent, Unknown},
    wire::{self, Accepted, Envelope, Message, Receipt},
};
use crate::{
    metrics::Metrics,
    sms::{Country, MessageId, Outcome},
    traces::Span,
};

/// The connections, and the messages that wait for them, first come, first served. Shared by all worker threads, so
/// that no message waits while a connection is idle, and an older one leaves before a newer one.
#[derive(Clone)]
pub struct Dispatcher(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    envelope: Envelope,
    max_batch: usize,
    max_waiting: usize,
    connections: usize,
    /// Where connections live. With a connection's task and its user's in one thread, the connection is back when it is
    /// asked for again; in two threads it may not be, and one too many is opened.
    home: OnceLock<Handle>,
    breaker: Breaker,
    metrics: Arc<Metrics>,
    late: OnceLock<LateHook>,
}

type LateHook = Box<dyn Fn(LateOutcome) + Send + Sync>;

struct Queue {
    waiting: VecDeque<Pending>,
    /// Parts of lists that were refused for one message's sake; they go first.
    parts: VecDeque<List>,
    /// The one used last is used first: it is the one that is surely open.
    idle: Vec<Connection>,
    /// Connections that were put to work and have not taken their first list yet.
    starting: usize,
}

impl Queue {
    /// Lists that wait, in which each of the starting connections finds one.
    fn lists(&self, max_batch: usize) -> usize {
        self.parts.len() + self.waiting.len().div_ceil(max_batch)
    }
}

/// How much may be under way at once.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    pub connections: usize,
    /// Messages in one request.
    pub max_batch: usize,
    /// Messages that may wait.
    pub max_waiting: usize,
}

/// What became of a message whose sender had stopped waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateOutcome {
    pub id: MessageId,
    pub country: Option<Country>,
    pub result: Result<Receipt, Failure>,
}

impl Dispatcher {
    /// # Errors
    ///
    /// When the HTTP client can't be made.
    pub fn new(
        connector: &Connector,
        capacity: Capacity,
        envelope: Envelope,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        // What never happened is zero, and not absent: a first fault is an increase then.
        metrics.gatewayapi_requests.with_label_values(&[Outcome::Accepted.as_str(), ""]);
        for kind in FailureKind::of_a_request() {
            metrics.gatewayapi_requests.with_label_values(&[kind.outcome().as_str(), kind.as_str()]);
        }
        let Capacity { connections, max_batch, max_waiting } = capacity;
        let idle = (0..connections).map(|_| connector.connection()).collect::<Result<_, _>>()?;
        let queue = Mutex::new(Queue { waiting: VecDeque::new(), parts: VecDeque::new(), idle, starting: 0 });
        Ok(Self(Arc::new(Shared {
            queue,
            envelope,
            max_batch,
            max_waiting,
            connections,
            home: OnceLock::new(),
            breaker: Breaker::default(),
            metrics,
            late: OnceLock::new(),
        })))
    }

    /// Has every late outcome told to `hook`, which must not block: a connection waits for it. The first hook stays.
    pub fn on_late_outcome(&self, hook: impl Fn(LateOutcome) + Send + Sync + 'static) {
        let _ = self.0.late.set(Box::new(hook));
    }

    /// Has the connections live in this thread's runtime, unless they live in one already. `true`: it is this one now.
    pub fn settle_here(&self) -> bool {
        self.0.home.set(Handle::current()).is_ok()
    }

    /// Sends one message, once, as a part of that span. Says at the deadline what is known: that nothing was sent, or that
    /// it may have been.
    ///
    /// # Errors
    ///
    /// The reason why GatewayAPI did not accept it.
    pub async fn send(&self, message: Message<'_>, deadline: Instant, span: &Span) -> Result<Receipt, Failure> {
        self.0.breaker.admit(Instant::now())?;
        let (reply, outcome) = oneshot::channel();
        let progress = Arc::new(Progress::default());
        self.enqueue(Pending {
            id: message.id,
            country: message.country,
            msisdn: message.msisdn.digits(),
            json: self.0.envelope.encode(message),
            segments: message.segments,
            deadline,
            progress: Arc::clone(&progress),
            span: span.link(),
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

    /// Lends a connection that no message needs: another one is idle too, unless there is only one at all. Have it
    /// [`drive`](Busy::drive) afterwards, for messages may have come to wait.
    pub(super) fn lend_idle(&self) -> Option<Busy> {
        let mut queue = self.0.lock();
        let is_spare = queue.idle.len() > 1 || (self.0.connections == 1 && !queue.idle.is_empty());
        // The one that was used longest ago: a message wants the other, which is surely open.
        let connection = is_spare.then(|| queue.idle.remove(0))?;
        drop(queue);
        Some(Busy::new(Arc::clone(&self.0), connection))
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
        if queue.lists(self.max_batch) <= queue.starting {
            return;
        }
        if let Some(connection) = queue.idle.pop() {
            queue.starting += 1;
            drop(queue);
            let busy = Busy::starting(Arc::clone(self), connection);
            self.home.get_or_init(Handle::current).spawn(busy.drive());
        }
    }

    fn read(&self, answer: &Answer, messages: usize) -> Result<Accepted, wire::Refused> {
        let accepted = wire::read(answer.status, answer.retry_after, answer.body.as_deref(), messages)?;
        if let Some(cost) = accepted.cost {
            self.metrics.cost.with_label_values(&[cost.currency.as_str()]).inc_by(cost.amount());
        }
        Ok(accepted)
    }

    /// A list that was refused for one message's sake is cut until that message stands alone.
    fn refuse(self: &Arc<Self>, list: List, refused: &wire::Refused) {
        if list.len() == 1 || !refused.failure.blames_one_message() {
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
            let outcome = late.as_ref().map_or_else(|failure| failure.kind.outcome(), |_| Outcome::Accepted).as_str();
            self.metrics.late_outcomes.with_label_values(&[outcome]).inc();
            tracing::warn!(message_id = %pending.id, outcome, "an outcome came after its message had been answered");
            if let Some(hook) = self.late.get() {
                hook(LateOutcome { id: pending.id, country: pending.country, result: late });
            }
        }
    }

    fn count(&self, outcome: Result<(), FailureKind>, now: Instant, mut request: Span) {
        let (label, error_kind) = match outcome {
            Ok(()) => (Outcome::Accepted.as_str(), ""),
            Err(kind) => (kind.outcome().as_str(), kind.as_str()),
        };
        request.set("outcome", label);
        if outcome.is_err() {
            request.fail(error_kind);
        }
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
