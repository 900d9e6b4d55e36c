//! Where ended spans wait for the collector, and what is told of those that are lost.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

/// Spans that may wait, a thousand bytes each or less. A call has about eight.
const MOST_WAITING: usize = 8192;
const MOST_AT_ONCE: usize = 512;
/// How old a span may become before it leaves.
const DELAY: Duration = Duration::from_secs(2);
/// Between two lines about lost spans.
const SILENCE: Duration = Duration::from_secs(60);

/// OpenTelemetry's queue, which a thread of its own empties. It would lose what finds no room without a word, so it is
/// given no more than it has room for.
#[derive(Debug)]
pub(super) struct Queue {
    batches: BatchSpanProcessor,
    room: Arc<Room>,
}

/// The places in the queue.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: AtomicUsize,
    /// Spans that found none.
    lost: Losses,
}

impl Queue {
    /// The exporter says which spans have [left](Room::leave).
    pub(super) fn new(exporter: impl SpanExporter + 'static, room: Arc<Room>) -> Self {
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(MOST_AT_ONCE)
            .with_scheduled_delay(DELAY)
            .build();
        Self { batches: BatchSpanProcessor::builder(exporter).with_batch_config(batches).build(), room }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.room.enter() {
            self.batches.on_end(span);
        } else {
            self.room.lost.count(1, Instant::now(), no_room);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let ended = self.batches.shutdown_with_timeout(timeout);
        self.room.lost.tell_rest(no_room);
        ended
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

impl Room {
    fn enter(&self) -> bool {
        let one_more = |taken| (taken < MOST_WAITING).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// So many spans wait no longer.
    pub(super) fn leave(&self, spans: usize) {
        self.taken.fetch_sub(spans, Ordering::AcqRel);
    }
}

fn no_room(spans: usize) {
    tracing::warn!(spans, "spans found no room to wait for the collector: they are lost");
}

/// Lost spans of which nothing was told yet.
#[derive(Debug, Default)]
pub(super) struct Losses(Mutex<Untold>);

#[derive(Debug, Default)]
struct Untold {
    spans: usize,
    told: Option<Instant>,
}

impl Losses {
    /// Counts what was lost, and tells it now and then: a collector that is away makes no flood of lines.
    pub(super) fn count(&self, spans: usize, now: Instant, tell: impl FnOnce(usize)) {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.spans += spans;
        if untold.told.is_none_or(|told| now - told >= SILENCE) {
            let spans = std::mem::replace(&mut *untold, Untold { spans: 0, told: Some(now) }).spans;
            // No other call waits for the line to be written.
            drop(untold);
            tell(spans);
        }
    }

    /// Tells what would have been told later.
    pub(super) fn tell_rest(&self, tell: impl FnOnce(usize)) {
        let spans = std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).spans);
        if spans > 0 {
            tell(spans);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_at_once_and_those_of_the_next_minute_together() {
        let (losses, start) = (Losses::default(), Instant::now());
        let told_at = |spans, seconds| {
            let mut told = None;
            losses.count(spans, start + Duration::from_secs(seconds), |spans| told = Some(spans));
            told
        };
        assert_eq!(told_at(1, 0), Some(1));
        assert_eq!((told_at(2, 1), told_at(3, 59)), (None, None));
        assert_eq!(told_at(4, 60), Some(9));
        assert_eq!(told_at(5, 61), None);
        let mut rest = Vec::new();
        losses.tell_rest(|spans| rest.push(spans));
        losses.tell_rest(|spans| rest.push(spans));
        assert_eq!(rest, [5]);
    }

    #[test]
    fn there_is_room_for_as_many_as_may_wait() {
        let room = Room::default();
        assert_eq!((0..2 * MOST_WAITING).filter(|_| room.enter()).count(), MOST_WAITING);
        room.leave(MOST_AT_ONCE);
        assert_eq!((0..2 * MOST_WAITING).filter(|_| room.enter()).count(), MOST_AT_ONCE);
    }
}
