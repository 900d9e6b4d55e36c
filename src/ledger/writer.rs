//! The thread that writes. It takes what has gathered and writes it at once, so the busier it is the less each write
//! costs; and it keeps what can't be written until it can.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    replies::Reply,
    store::{Store, StoreError, Write, Written},
    turn,
};
use crate::{
    limits::Charging,
    metrics::Metrics,
    sms::{MessageId, Timestamp},
};

/// A database that takes longer for a write is away.
pub(super) const LONG: Duration = Duration::from_secs(1);
/// Writes in one transaction.
const LARGEST_BATCH: usize = 512;
/// After so many writes in one transaction, more are about to come.
const BUSY: usize = 4;
/// Writes that are kept while the database is away: some 25 MiB.
const MOST_KEPT: usize = 100_000;
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Rows that are deleted at once, and how long to wait before the next ones.
const FORGET_AT_ONCE: usize = 500;
const FORGET_NEXT: Duration = Duration::from_millis(200);
const CHORES_EVERY: Duration = Duration::from_secs(30);
/// Processes that ended may have left rows open: looked for at the start, and again because PostgreSQL may notice their
/// end a little later.
const FIRST_CHORES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The database can't be written just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's database is away")]
pub struct Away;

struct Job {
    write: Write,
    /// `None`: nobody waits.
    reply: Option<Reply>,
}

/// What the thread is told. A job is boxed from its start to its write, for it is large and moved often.
enum Order {
    Write(Box<Job>),
    /// Nothing comes after it; dropped when all is written.
    End(oneshot::Sender<()>),
}

/// Hands writes to the thread.
pub(super) struct Writer {
    orders: Sender<Order>,
    is_up: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

impl Writer {
    pub(super) fn start(store: Box<dyn Store>, is_up: bool, retention: Duration, metrics: Arc<Metrics>) -> Self {
        let (orders, received) = mpsc::channel();
        let up = Arc::new(AtomicBool::new(is_up));
        metrics.ledger_up.set(i64::from(is_up));
        let work = Work {
            store,
            is_up: Arc::clone(&up),
            kept: VecDeque::new(),
            retention,
            next_try: Instant::now(),
            next_chores: Instant::now(),
            chores_done: 0,
            last_took: Duration::ZERO,
            metrics: Arc::clone(&metrics),
        };
        thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || work.run(&received))
            .expect("the process can start a thread");
        Self { orders, is_up: up, metrics }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Writes, and waits until that is done.
    pub(super) async fn write(&self, write: Write, patience: Duration) -> Result<Written, Away> {
        if !self.is_up() {
            // Kept until it can be written.
            self.post(write);
            return Err(Away);
        }
        let (reply, written) = Reply::channel();
        self.orders.send(Order::Write(Box::new(Job { write, reply: Some(reply) }))).map_err(|_| Away)?;
        turn::comes_soon();
        let written = tokio::time::timeout(patience, written).await;
        if written.is_err() && patience >= LONG && self.is_up.swap(false, Ordering::Relaxed) {
            // Nobody else is to wait for it. The thread finds out when it is back.
            self.metrics.ledger_up.set(0);
            tracing::error!("the ledger's database does not answer: what can be written later is kept");
        }
        written.map_err(|_| Away)?.map_err(|_| Away)?
    }

    /// Writes when it can be, without anybody waiting.
    pub(super) fn post(&self, write: Write) {
        // The thread ends with the service.
        let _ = self.orders.send(Order::Write(Box::new(Job { write, reply: None })));
    }

    /// Has the thread write what it has, and end.
    pub(super) async fn end(&self, patience: Duration) {
        let (ending, ended) = oneshot::channel();
        if self.orders.send(Order::End(ending)).is_ok() && tokio::time::timeout(patience, ended).await.is_err() {
            tracing::error!("not everything could be written to the ledger before the end");
        }
    }
}

struct Work {
    store: Box<dyn Store>,
    is_up: Arc<AtomicBool>,
    /// What could not be written, oldest first.
    kept: VecDeque<Write>,
    retention: Duration,
    next_try: Instant,
    next_chores: Instant,
    chores_done: usize,
    /// By the newest transaction.
    last_took: Duration,
    metrics: Arc<Metrics>,
}

/// Also when a defect ends the thread: then messages go on as if the database were away.
impl Drop for Work {
    fn drop(&mut self) {
        self.is_up.store(false, Ordering::Relaxed);
        self.metrics.ledger_up.set(0);
    }
}

impl Work {
    fn run(mut self, orders: &Receiver<Order>) {
        let mut batch = Vec::new();
        let mut last = 0;
        let mut ending = None;
        while ending.is_none() {
            let next = if self.is_up.load(Ordering::Relaxed) { self.next_chores } else { self.next_try };
            let first = match orders.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if first.is_some() && last >= BUSY && self.last_took < turn::GATHER {
                turn::gather();
            }
            for order in first.into_iter().chain(orders.try_iter()) {
                match order {
                    Order::Write(job) => batch.push(job),
                    Order::End(sender) => ending = Some(sender),
                }
                if batch.len() >= LARGEST_BATCH || ending.is_some() {
                    break;
                }
            }
            last = batch.len();
            if !batch.is_empty() {
                self.handle(&mut batch);
            }
            if !self.is_up.load(Ordering::Relaxed) && Instant::now() >= self.next_try {
                self.try_again();
            }
            if Instant::now() >= self.next_chores {
                self.chores();
            }
        }
        // The process is about to end.
        if !self.write_kept() {
            tracing::error!(kept = self.kept.len(), "the ledger's database is away at the end: what was kept is lost");
        }
        // The file is let go before whoever waits for the end is told, and may open it.
        drop(self);
        drop(ending);
    }

    #[expect(clippy::vec_box, reason = "they come in boxes")]
    fn handle(&mut self, batch: &mut Vec<Box<Job>>) {
        // Whoever gave up waiting has decided by itself, and says so in a write of its own, or asked for a repetition.
        batch.retain(|job| job.is_kept() || !job.reply.as_ref().is_some_and(Reply::is_closed));
        if self.is_up.load(Ordering::Relaxed) && self.write_kept() {
            let mut replies = Vec::with_capacity(batch.len());
            let mut writes = Vec::with_capacity(batch.len());
            for job in batch.drain(..) {
                writes.push(job.write);
                replies.push(job.reply);
            }
            match self.write(&writes) {
                Ok(written) => {
                    let answers = replies.into_iter().zip(written);
                    return Reply::send_all(answers.filter_map(|(reply, written)| Some((reply?, Ok(written)))));
                }
                Err(error) => {
                    self.is_away(&error);
                    batch.extend(writes.into_iter().zip(replies).map(|(write, reply)| Box::new(Job { write, reply })));
                }
            }
        }
        let mut replies = Vec::with_capacity(batch.len());
        for job in batch.drain(..) {
            if job.is_kept() {
                self.keep(job.write);
            }
            replies.extend(job.reply.map(|reply| (reply, Err(Away))));
        }
        Reply::send_all(replies);
    }

    fn write(&mut self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let written = self.store.write(writes)?;
        self.last_took = begun.elapsed();
        self.metrics.ledger_write_seconds.observe(self.last_took.as_secs_f64());
        self.metrics.ledger_batch_size.observe(writes.len() as f64);
        Ok(written)
    }

    fn keep(&mut self, write: Write) {
        // A row that is not there is less than one that never closes.
        let most = if matches!(write, Write::Open { .. }) { MOST_KEPT / 2 } else { MOST_KEPT };
        if self.kept.len() >= most {
            self.metrics.ledger_dropped.inc();
            return;
        }
        self.kept.push_back(write);
        self.metrics.ledger_waiting.set(self.kept.len() as i64);
    }

    /// Writes what was kept. `false`: it can't be.
    fn write_kept(&mut self) -> bool {
        while !self.kept.is_empty() {
            let count = self.kept.len().min(LARGEST_BATCH);
            let writes: Vec<_> = self.kept.drain(..count).collect();
            if let Err(error) = self.write(&writes) {
                for write in writes.into_iter().rev() {
                    self.kept.push_front(write);
                }
                self.is_away(&error);
                return false;
            }
            self.metrics.ledger_waiting.set(self.kept.len() as i64);
        }
        true
    }

    fn is_away(&mut self, error: &StoreError) {
        self.next_try = Instant::now() + RETRY_AFTER;
        if self.is_up.swap(false, Ordering::Relaxed) {
            self.metrics.ledger_up.set(0);
            tracing::error!(%error, "the ledger's database is away: what can be written later is kept");
        }
    }

    fn try_again(&mut self) {
        // Closing what others left open also shows whether the database can be written.
        match self.store.close_abandoned(Timestamp::now()) {
            Ok(_) if self.write_kept() => {
                self.is_up.store(true, Ordering::Relaxed);
                self.metrics.ledger_up.set(1);
                tracing::info!("the ledger's database is back, and what was kept is written");
            }
            Ok(_) => {}
            Err(error) => self.is_away(&error),
        }
    }

    fn chores(&mut self) {
        self.next_chores = Instant::now() + FIRST_CHORES.get(self.chores_done).copied().unwrap_or(CHORES_EVERY);
        self.chores_done += 1;
        if !self.is_up.load(Ordering::Relaxed) {
            return;
        }
        let now = Timestamp::now();
        let oldest = MessageId::first_at(now.minus(self.retention));
        let done = self.store.close_abandoned(now).and_then(|_| self.store.forget(oldest, now, FORGET_AT_ONCE));
        match done {
            Ok(FORGET_AT_ONCE) => self.next_chores = Instant::now() + FORGET_NEXT,
            Ok(_) => {}
            Err(error) => self.is_away(&error),
        }
    }
}

impl Job {
    /// The database is to decide whether the message may leave.
    fn asks(&self) -> bool {
        matches!(&self.write, Write::Open { charging: Charging::Ask, .. })
    }

    /// To be written later when it can't be now. A report is sent again by GatewayAPI.
    fn is_kept(&self) -> bool {
        !self.asks() && !matches!(self.write, Write::Report(_))
    }
}
