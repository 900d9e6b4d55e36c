//! When the ledger's thread has its turn.
//!
//! Where it shares a core with a thread that serves, it would wait until that one has nothing left to do, several
//! milliseconds under load, and with it everybody who waits for a write. On a core of its own this costs next to nothing.

use std::{cell::Cell, thread, time::Duration};

/// For how long writes gather when more are about to come: each transaction costs as much as many writes. Where one takes
/// longer, they have gathered meanwhile.
pub(super) const GATHER: Duration = Duration::from_micros(500);

thread_local! {
    static IS_COMING: Cell<bool> = const { Cell::new(false) };
}

/// Lets other threads run once the tasks that are ready now have run, which may hand over writes of their own. From
/// inside a runtime of this thread's own, as those that serve are: what it spawns must run here.
pub(super) fn comes_soon() {
    if !IS_COMING.replace(true) {
        tokio::spawn(async {
            IS_COMING.set(false);
            thread::yield_now();
        });
    }
}

/// Lets writes gather. In the ledger's thread.
#[expect(clippy::disallowed_methods, reason = "this thread serves nobody else")]
pub(super) fn gather() {
    thread::sleep(GATHER);
}
