use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

/// Whether new calls are taken, and how many are under way. Shared by all worker threads.
#[derive(Debug, Default)]
pub struct Lifecycle {
    draining: AtomicBool,
    under_way: AtomicUsize,
    last_finished: Notify,
}

/// A call that was let in and will be finished; dropping it says that it is.
#[derive(Debug)]
pub struct UnderWay(Arc<Lifecycle>);

impl Lifecycle {
    /// Lets a call in, unless the service is about to stop.
    pub fn enter(self: &Arc<Self>) -> Option<UnderWay> {
        // Counted before the look, so that a drain that begins in between waits for this call.
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let call = UnderWay(Arc::clone(self));
        (!self.is_draining()).then_some(call)
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Takes no more calls, and waits until those under way are finished, but no longer than `grace`.
    /// Returns how many are left.
    pub async fn drain(&self, grace: Duration) -> usize {
        self.draining.store(true, Ordering::SeqCst);
        let all_finished = async {
            loop {
                let notified = self.last_finished.notified();
                if self.under_way.load(Ordering::SeqCst) == 0 {
                    return;
                }
                notified.await;
            }
        };
        // Whether in time or not, what is left is what counts.
        let _ = timeout(grace, all_finished).await;
        self.under_way.load(Ordering::SeqCst)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.last_finished.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_what_was_let_in_and_takes_no_more() {
        let lifecycle = Arc::new(Lifecycle::default());
        let call = lifecycle.enter().unwrap();
        let draining = tokio::spawn({
            let lifecycle = Arc::clone(&lifecycle);
            async move { lifecycle.drain(Duration::from_secs(60)).await }
        });
        while !lifecycle.is_draining() {
            tokio::task::yield_now().await;
        }
        assert!(lifecycle.enter().is_none());
        assert!(!draining.is_finished());
        drop(call);
        assert_eq!(draining.await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_ends_with_the_grace() {
        let lifecycle = Arc::new(Lifecycle::default());
        let _call = lifecycle.enter().unwrap();
        assert_eq!(lifecycle.drain(Duration::from_secs(1)).await, 1);
    }
}
