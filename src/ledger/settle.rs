//! Closing the rows of messages, and whose acceptance is to be counted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Ledger, OpenMessage, Settlement,
    admission::{PATIENCE, patience},
    store::{Correction, Write, Written},
};
use crate::sms::{Country, MessageId, Outcome, Timestamp};

impl Ledger {
    /// A row that was given up may be written yet, and must not stay open.
    pub(super) fn close_unsent(&self, id: MessageId, correction: Correction) {
        let not_sent = Settlement::of(id, Outcome::NotSent, Timestamp::now());
        self.0.writer.post(Write::Settle(not_sent, correction));
    }

    /// Closes a row, and corrects what the limits counted. When this returns, an acceptance outlives a crash, unless the
    /// database is away. `true`: this acceptance is to be counted, which a delivery report may have told.
    pub async fn settle(&self, open: &OpenMessage, settlement: Settlement, deadline: Instant) -> bool {
        if settlement.outcome != Outcome::Unknown {
            self.0.limiter.undecided.take(open.id());
        }
        self.close(open, settlement, patience(deadline)).await
    }

    /// Closes a row whose outcome became known when nobody waited for it any longer, and which may not be settled as
    /// unknown yet. `true`: as of [`settle`](Self::settle).
    pub async fn settle_late(&self, settlement: Settlement) -> bool {
        match self.0.limiter.undecided.take(settlement.id) {
            Some(open) => self.close(&open, settlement, PATIENCE).await,
            None => self.written(settlement, Correction::None, PATIENCE).await,
        }
    }

    async fn close(&self, open: &OpenMessage, settlement: Settlement, patience: Duration) -> bool {
        let limiter = &self.0.limiter;
        let correction = match (open.charge, settlement.cost) {
            (Some(charge), _) if !settlement.outcome.may_have_left() => Correction::GiveBack(open.touched, charge),
            (charge, Some(cost)) => Correction::Pay(cost, charge),
            _ => Correction::None,
        };
        match correction {
            Correction::GiveBack(touched, charge) => limiter.give_back(&touched, charge),
            Correction::Pay(cost, charge) => {
                let spent = limiter.pay(cost, open.touched.country, charge, settlement.settled_at);
                // Where the database keeps the budgets, it is told when they are written.
                if !self.0.is_shared {
                    limiter.tell(spent);
                }
            }
            Correction::Withdraw(_) | Correction::None => {}
        }
        if settlement.outcome == Outcome::Unknown {
            return self.written_unknown(settlement, correction, patience, open.country()).await;
        }
        self.written(settlement, correction, patience).await
    }

    /// The same of a message that may have been sent, whose deadline leaves no time to wait: a report may have told its
    /// acceptance, which counts once the row is closed.
    async fn written_unknown(
        &self,
        settlement: Settlement,
        correction: Correction,
        patience: Duration,
        country: Option<Country>,
    ) -> bool {
        let ledger = self.clone();
        let mut written = Box::pin(async move { ledger.written(settlement, correction, PATIENCE).await });
        match tokio::time::timeout(patience, &mut written).await {
            Ok(newly_accepted) => newly_accepted,
            Err(_) => {
                let metrics = Arc::clone(&self.0.metrics);
                tokio::spawn(async move {
                    if written.await {
                        metrics.accepted(country);
                    }
                });
                false
            }
        }
    }

    /// Whether the acceptance is to be counted. Where that is not known in time, as the write is kept, a delivery report is
    /// taken for one that has not come. What the person is told does not depend on it.
    async fn written(&self, settlement: Settlement, correction: Correction, patience: Duration) -> bool {
        let is_accepted = settlement.outcome == Outcome::Accepted;
        match self.0.writer.write(Write::Settle(settlement, correction), patience).await {
            Ok(Written::Settled { newly_accepted }) => newly_accepted,
            _ => is_accepted,
        }
    }
}
