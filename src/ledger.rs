//! What became of each message, and what the limits count: kept through crashes, shared by replicas.
//!
//! The line touches it twice. [`Ledger::admit`] asks the limits and opens the row before anything leaves;
//! [`Ledger::settle`] closes it. Delivery reports come later, or in between.

mod admission;
mod database;
mod deliveries;
mod departure;
mod key;
mod limiter;
mod message;
mod postgres;
mod reader;
mod replies;
mod row;
mod search;
mod settle;
mod sqlite;
mod store;
mod turn;
mod undecided;
mod writer;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;

use self::{
    admission::patience,
    database::Database,
    limiter::Limiter,
    reader::Reader,
    store::{Correction, Write, Written},
    writer::Writer,
};
pub use self::{
    admission::{Admission, Applicant, Denial, OpenMessage},
    database::LedgerError,
    deliveries::{CountryTally, Deliveries, Outcomes, Period, Tally, TimeToDelivery},
    departure::Departure,
    key::KeyError,
    message::{DeliveryRecord, Effect, Entry, MessageRecord, Query, Reported, Settlement},
    postgres::PostgresError,
    sqlite::SqliteError,
    writer::Away,
};
use crate::{
    config::{self, LedgerUrl, Settings},
    limits::{Charge, Charging, Decision, LimitSet, Pseudonym, Pseudonyms, Refusal, Rules, Standing, Touched},
    metrics::Metrics,
    sms::{DeliveryReport, Msisdn, Timestamp},
};

/// GatewayAPI waits 5 s for an answer to a report.
const REPORT_PATIENCE: Duration = Duration::from_secs(2);

/// The ledger, shared by all threads.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    limiter: Arc<Limiter>,
    pseudonyms: Pseudonyms,
    writer: Writer,
    reader: Reader,
    /// The limits' states are in the database, which decides.
    is_shared: bool,
    is_required: bool,
    metrics: Arc<Metrics>,
}

impl Ledger {
    /// Opens the database, or makes it, and has the limits remember what was sent.
    ///
    /// # Errors
    ///
    /// One sentence for an operator. A PostgreSQL that can't be reached is no error: it may come up later.
    pub fn open(settings: &Settings, metrics: Arc<Metrics>) -> Result<Self, LedgerError> {
        let limiter = Arc::new(Limiter::new(Rules::of(&settings.limits), Arc::clone(&metrics)));
        let Database { store, shelf, is_up, key } = Database::open(&settings.ledger, &limiter)?;
        let config::Ledger { url, retention, required, .. } = &settings.ledger;
        let writer = Writer::start(store, is_up, retention.get(), Arc::clone(&metrics));
        Ok(Self(Arc::new(Inner {
            limiter,
            pseudonyms: Pseudonyms::new(key.expose_secret().as_bytes()),
            writer,
            reader: Reader::start(shelf),
            is_shared: matches!(url, LedgerUrl::Postgres(_)),
            is_required: *required,
            metrics,
        })))
    }

    /// Whether the database can be written.
    pub fn is_up(&self) -> bool {
        self.0.writer.is_up()
    }

    /// Messages can be sent: the database can be written, or need not be.
    pub fn is_ready(&self) -> bool {
        self.is_up() || !self.0.is_required
    }

    /// Asks the limits, and opens the row, which outlives a crash when this returns.
    ///
    /// # Errors
    ///
    /// When a limit refuses, or the database is away and required.
    pub async fn admit(&self, applicant: Applicant, deadline: Instant) -> Result<Admission, Denial> {
        let Inner { limiter, pseudonyms, metrics, .. } = &*self.0;
        let Applicant { id, usage_type, recipient, ip } = applicant;
        if self.0.is_required && !self.is_up() {
            return Err(Away.into());
        }
        let now = Timestamp::now();
        let standing = limiter.rules.examine(recipient, ip, now).map_err(|refusal| self.refused(refusal))?;
        let counted_ip = match standing {
            Standing::Test => {
                metrics.test_numbers.inc();
                return Ok(Admission::Test);
            }
            Standing::Exempt => None,
            Standing::Limited { ip, monitored } => {
                self.note(monitored);
                ip
            }
        };
        let entry = Entry {
            id,
            admitted_at: now,
            usage_type,
            masked_number: recipient.msisdn.masked(),
            touched: Touched {
                number: pseudonyms.number(recipient.msisdn),
                ip: ip.map(|ip| pseudonyms.address(ip)),
                ranges: pseudonyms.ranges(recipient.msisdn),
                country: recipient.country,
            },
            is_counted: standing != Standing::Exempt,
            is_ip_counted: counted_ip.is_some(),
        };
        let touched = entry.touched;
        let charge = match entry.counted() {
            None => {
                self.write_entry(entry, None, deadline).await?;
                None
            }
            Some(counted) => self.charge(&counted, entry, deadline).await?,
        };
        let open = OpenMessage { id, touched, charge };
        limiter.undecided.remember(open, now);
        Ok(Admission::Open(open))
    }

    /// Asks the limits that count, and opens the row.
    async fn charge(&self, counted: &Touched, entry: Entry, deadline: Instant) -> Result<Option<Charge>, Denial> {
        let Inner { limiter, is_shared, is_required, .. } = &*self.0;
        let (id, now) = (entry.id, entry.admitted_at);
        if *is_shared && self.is_up() {
            // What is known here to be refused does not reach the database.
            if let Some(refused) = limiter.refusal(counted, now) {
                self.charged(refused)?;
            }
            let expected = limiter.expected_cost(counted.country);
            let open = Write::Open { entry: entry.clone(), charging: Charging::Ask, expected };
            if let Ok(Written::Opened(decision)) = self.0.writer.write(open, patience(deadline)).await {
                return decision.map(|decision| self.charged(decision)).transpose();
            }
        }
        if *is_shared && *is_required {
            self.close_unsent(id, Correction::Withdraw(*counted));
            return Err(Away.into());
        }
        let charge = self.charged(limiter.decide(counted, Charging::Ask, now)).inspect_err(|_| {
            if *is_shared {
                // The database may have opened it, and the answer come too late.
                self.close_unsent(id, Correction::Withdraw(*counted));
            }
        })?;
        self.write_entry(entry, Some((counted, charge)), deadline).await?;
        Ok(Some(charge))
    }

    /// Opens a row whose message may leave.
    async fn write_entry(
        &self,
        entry: Entry,
        charged: Option<(&Touched, Charge)>,
        deadline: Instant,
    ) -> Result<(), Away> {
        let id = entry.id;
        let open = Write::Open { entry, charging: Charging::Force, expected: None };
        let written = self.0.writer.write(open, patience(deadline)).await;
        if let (Err(away), true) = (written, self.0.is_required) {
            if let Some((touched, charge)) = charged {
                self.0.limiter.give_back(touched, charge);
            }
            self.close_unsent(id, Correction::None);
            return Err(away);
        }
        Ok(())
    }

    /// Writes what waits to be written, as far as that is possible in time. Nothing is written after it.
    pub async fn end(&self, patience: Duration) {
        self.0.writer.end(patience).await;
    }

    /// Writes what a delivery report says.
    ///
    /// # Errors
    ///
    /// When the database is away: GatewayAPI is to report again.
    pub async fn report(&self, report: DeliveryReport) -> Result<Reported, Away> {
        if !self.is_up() {
            return Err(Away);
        }
        match self.0.writer.write(Write::Report(report), REPORT_PATIENCE).await? {
            Written::Reported(reported) => Ok(reported),
            Written::Opened(_) | Written::Settled { .. } => Err(Away),
        }
    }

    /// What stands for a number in the rows.
    pub fn pseudonym(&self, msisdn: Msisdn) -> Pseudonym {
        self.0.pseudonyms.number(msisdn)
    }

    fn charged(&self, decision: Decision) -> Result<Charge, Denial> {
        self.note(decision.monitored);
        decision.result.map_err(|refusal| self.refused(refusal))
    }

    fn note(&self, monitored: LimitSet) {
        for limit in monitored.iter() {
            self.0.metrics.limits_monitored.with_label_values(&[limit.as_str()]).inc();
        }
    }

    fn refused(&self, refusal: Refusal) -> Denial {
        self.0.metrics.limits_refused.with_label_values(&[refusal.limit.as_str()]).inc();
        Denial::Refused(refusal)
    }
}

#[cfg(test)]
mod tests;
