//! A row: its columns, what they learn, and how it is shown. The same in every database.

use super::{
    departure::Departure,
    message::{DeliveryRecord, Effect, Entry, MessageRecord, Reported, Settlement, error_group},
};
use crate::{
    limits::{Pseudonym, Touched},
    sms::{Country, DeliveryReport, DeliveryStatus, Encoding, MessageId, Outcome, Timestamp},
};

/// A column's name and type.
pub(super) type Column = (&'static str, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Integer,
    Text,
}

/// A value on its way into a database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Id(MessageId),
    Integer(Option<i64>),
    Text(Option<&'a str>),
}

/// A row on its way out of a database.
pub(super) trait Cells {
    type Error;

    fn id(&self, index: usize) -> Result<MessageId, Self::Error>;
    fn integer(&self, index: usize) -> Result<Option<i64>, Self::Error>;
    fn text(&self, index: usize) -> Result<Option<String>, Self::Error>;
}

/// What is known when a row is opened, and does not change.
pub(super) const ENTRY: [Column; 10] = [
    ("id", Kind::Id),
    ("admitted_at", Kind::Integer),
    ("usage_type", Kind::Text),
    ("country", Kind::Text),
    ("number_masked", Kind::Text),
    ("number_hash", Kind::Integer),
    ("range3_hash", Kind::Integer),
    ("range4_hash", Kind::Integer),
    ("ip_hash", Kind::Integer),
    ("counted", Kind::Integer),
];

/// In the order of [`ENTRY`].
pub(super) fn entry_cells(entry: &Entry) -> [Cell<'_>; ENTRY.len()] {
    let Touched { number, ip, ranges: [range3, range4], country } = &entry.touched;
    let hash = |pseudonym: &Pseudonym| Cell::Integer(Some(pseudonym.bits()));
    [
        Cell::Id(entry.id),
        Cell::Integer(Some(entry.admitted_at.micros())),
        Cell::Text(Some(entry.usage_type.as_str())),
        Cell::Text(country.as_ref().map(Country::as_str)),
        Cell::Text(Some(&entry.masked_number)),
        hash(number),
        hash(range3),
        hash(range4),
        Cell::Integer(ip.map(Pseudonym::bits)),
        Cell::Integer(Some(i64::from(entry.is_counted) | i64::from(entry.is_ip_counted) << 1)),
    ]
}

/// A type that a column of [`Progress`] can have.
trait Value: Sized {
    const KIND: Kind;

    fn read<C: Cells>(cells: &C, index: usize) -> Result<Option<Self>, C::Error>;
    fn cell(value: Option<&Self>) -> Cell<'_>;
}

impl Value for i64 {
    const KIND: Kind = Kind::Integer;

    fn read<C: Cells>(cells: &C, index: usize) -> Result<Option<Self>, C::Error> {
        cells.integer(index)
    }

    fn cell(value: Option<&Self>) -> Cell<'_> {
        Cell::Integer(value.copied())
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn read<C: Cells>(cells: &C, index: usize) -> Result<Option<Self>, C::Error> {
        cells.text(index)
    }

    fn cell(value: Option<&Self>) -> Cell<'_> {
        Cell::Text(value.map(Self::as_str))
    }
}

/// Declares the columns, so that the name and the type of each stand in one place.
macro_rules! progress {
    ($($column:ident: $type:ty,)+) => {
        /// What a row learns after it was opened.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(super) struct Progress {
            $($column: Option<$type>,)+
        }

        impl Progress {
            pub(super) const COLUMNS: [Column; [$(stringify!($column)),+].len()] =
                [$((stringify!($column), <$type as Value>::KIND)),+];

            /// Reads the columns, the first of which is at `first`.
            fn read<C: Cells>(cells: &C, first: usize) -> Result<Self, C::Error> {
                let mut index = first..;
                let mut next = || index.next().unwrap_or_default();
                Ok(Self { $($column: Value::read(cells, next())?,)+ })
            }

            /// In the order of [`COLUMNS`](Self::COLUMNS).
            pub(super) fn cells(&self) -> [Cell<'_>; Self::COLUMNS.len()] {
                [$(Value::cell(self.$column.as_ref())),+]
            }
        }
    };
}

progress! {
    sent_at: i64,
    settled_at: i64,
    locale: String,
    template_variant: String,
    encoding: String,
    segments: i64,
    outcome: String,
    error_kind: String,
    error_code: i64,
    gatewayapi_id: i64,
    cost_micros: i64,
    currency: String,
    delivery_status: String,
    delivery_time: i64,
    delivery_error_group: String,
    delivery_error_code: i64,
}

impl Progress {
    /// Nothing is known for sure of what became of the message.
    pub(super) fn is_undecided(&self) -> bool {
        self.outcome.as_deref().is_none_or(|outcome| outcome == Outcome::Unknown.as_str())
    }

    fn is_accepted(&self) -> bool {
        self.outcome.as_deref() == Some(Outcome::Accepted.as_str())
    }

    /// What was known stays: "unknown" changes no acceptance, in whatever order they come. `true`: the acceptance is to be
    /// counted. One that a delivery report told before anything was settled is counted by the first settlement, whatever
    /// that says.
    pub(super) fn settle(&mut self, settlement: &Settlement) -> bool {
        let is_undecided = self.is_undecided();
        let was_counted = self.is_accepted() && self.settled_at.is_some();
        let row = self;
        let settled_at = settlement.settled_at.micros();
        if is_undecided {
            row.settled_at = Some(settled_at);
            row.outcome = Some(settlement.outcome.as_str().to_owned());
            row.error_kind = settlement.error_kind.map(ToOwned::to_owned);
            row.error_code = settlement.error_code.map(|code| i64::from(code.0));
        }
        // A report may have come before.
        row.settled_at.get_or_insert(settled_at);
        learn(&mut row.sent_at, settlement.sent_at.map(Timestamp::micros));
        learn(&mut row.locale, settlement.locale.clone());
        learn(&mut row.encoding, settlement.encoding.map(|encoding| Encoding::as_str(encoding).to_owned()));
        learn(&mut row.segments, settlement.segments.map(i64::from));
        learn(&mut row.template_variant, settlement.template_variant.as_deref().map(ToOwned::to_owned));
        learn(&mut row.gatewayapi_id, settlement.gatewayapi_id.map(|id| id as i64));
        learn(&mut row.cost_micros, settlement.cost.map(|cost| cost.micros));
        learn(&mut row.currency, settlement.cost.map(|cost| cost.currency.as_str().to_owned()));
        row.is_accepted() && !was_counted
    }
}

/// A row as far as anybody asks for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) id: MessageId,
    admitted_at: Timestamp,
    usage_type: String,
    country: Option<String>,
    masked_number: String,
    pub(super) progress: Progress,
}

impl Row {
    const FIXED: [&str; 5] = ["id", "admitted_at", "usage_type", "country", "number_masked"];

    /// What to select.
    pub(super) fn columns() -> String {
        let progress = Progress::COLUMNS.map(|(name, _)| name);
        Self::FIXED.into_iter().chain(progress).collect::<Vec<_>>().join(", ")
    }

    /// Reads what [`columns`](Self::columns) selects.
    pub(super) fn read<C: Cells>(cells: &C) -> Result<Self, C::Error> {
        Ok(Self {
            id: cells.id(0)?,
            admitted_at: Timestamp::from_micros(cells.integer(1)?.unwrap_or_default()),
            usage_type: cells.text(2)?.unwrap_or_default(),
            country: cells.text(3)?,
            masked_number: cells.text(4)?.unwrap_or_default(),
            progress: Progress::read(cells, Self::FIXED.len())?,
        })
    }

    /// An open one.
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            id: entry.id,
            admitted_at: entry.admitted_at,
            usage_type: entry.usage_type.as_str().to_owned(),
            country: entry.touched.country.map(|country| country.as_str().to_owned()),
            masked_number: entry.masked_number.clone(),
            progress: Progress::default(),
        }
    }

    pub(super) const fn is_paid(&self) -> bool {
        self.progress.cost_micros.is_some()
    }

    /// Takes note of a delivery report, unless the row knows better.
    pub(super) fn report(&mut self, report: &DeliveryReport) -> Reported {
        let is_undecided = self.progress.is_undecided();
        let was_unknown = is_undecided && self.progress.outcome.is_some();
        let row = &mut self.progress;
        let status = row.delivery_status.as_deref().map(DeliveryStatus::of_report);
        let time = row.delivery_time.map(Timestamp::from_micros);
        let effect = Effect::of(report.status, report.time, status.zip(time));
        if effect == Effect::Applied {
            row.delivery_status = Some(report.status.as_str().to_owned());
            row.delivery_time = Some(report.time.micros());
            row.delivery_error_group = error_group(report.error_code).map(ToOwned::to_owned);
            row.delivery_error_code = report.error_code.map(i64::from);
            row.gatewayapi_id.get_or_insert(report.gatewayapi_id as i64);
            // Whoever reports a message has accepted it.
            if is_undecided {
                row.outcome = Some(Outcome::Accepted.as_str().to_owned());
                (row.error_kind, row.error_code) = (None, None);
            }
        }
        let settled_at = row.settled_at.map(Timestamp::from_micros);
        let departure = Some(Departure { admitted_at: self.admitted_at, settled_at });
        let newly_accepted = was_unknown && effect == Effect::Applied;
        let country = self.country.as_deref().and_then(Country::parse);
        Reported { effect, country, departure, newly_accepted }
    }

    /// As operators see it.
    pub(super) fn into_record(self) -> MessageRecord {
        let Progress { outcome, delivery_status, .. } = &self.progress;
        let status = MessageRecord::status_of(outcome.as_deref(), delivery_status.as_deref());
        let is_delivered = delivery_status.as_deref() == Some(DeliveryStatus::Delivered.as_str());
        let row = self.progress;
        let code = |code: Option<i64>| code.and_then(|code| u32::try_from(code).ok());
        let delivery_time = row.delivery_time.map(Timestamp::from_micros);
        MessageRecord {
            id: self.id,
            status,
            usage_type: self.usage_type,
            country: self.country,
            to: self.masked_number,
            admitted_at: self.admitted_at,
            sent_at: row.sent_at.map(Timestamp::from_micros),
            settled_at: row.settled_at.map(Timestamp::from_micros),
            delivered_at: delivery_time.filter(|_| is_delivered),
            outcome: row.outcome,
            error_kind: row.error_kind,
            error_code: code(row.error_code),
            locale: row.locale,
            template_variant: row.template_variant,
            encoding: row.encoding,
            segments: code(row.segments),
            gatewayapi_id: row.gatewayapi_id.map(i64::cast_unsigned),
            cost: row.cost_micros.map(|micros| micros as f64 / 1e6),
            currency: row.currency,
            delivery: row.delivery_status.zip(delivery_time).map(|(status, time)| DeliveryRecord {
                status,
                time,
                error_group: row.delivery_error_group,
                error_code: code(row.delivery_error_code),
            }),
        }
    }
}

/// Where the new is not known, the old stays.
fn learn<T>(known: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *known = new;
    }
}
