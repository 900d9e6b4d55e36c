//! Rows of messages: read and locked, changed in memory, and written back.

use std::collections::{BTreeSet, HashMap};

use tokio_postgres::{Client, Statement, types::ToSql};
use uuid::Uuid;

use crate::{
    ledger::{
        message::{Effect, Entry, Reported, Settlement},
        row::{Cell, Column, ENTRY, Kind, Progress, Row, entry_cells},
    },
    sms::{DeliveryReport, MessageId},
};

pub(super) struct Statements {
    lock: Statement,
    insert: Statement,
    update: Statement,
}

impl Statements {
    pub(super) async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let lock = format!("SELECT {} FROM message WHERE id = ANY($1) ORDER BY id FOR UPDATE", Row::columns());
        let insert = format!(
            "INSERT INTO message (instance, {}) SELECT $1::bigint, * FROM {} ON CONFLICT DO NOTHING",
            names("", &ENTRY),
            unnest(2, &ENTRY)
        );
        let (known, new) = (names("", &Progress::COLUMNS), names("new.", &Progress::COLUMNS));
        let columns = [&[("id", Kind::Id)][..], &Progress::COLUMNS].concat();
        let update = format!(
            "UPDATE message SET ({known}) = ROW ({new}) FROM {} AS new (id, {known}) WHERE message.id = new.id",
            unnest(1, &columns)
        );
        let (lock, insert, update) =
            tokio::try_join!(client.prepare(&lock), client.prepare(&insert), client.prepare(&update))?;
        Ok(Self { lock, insert, update })
    }

    /// Reads the rows, and keeps others from changing them. All replicas lock in the same order.
    pub(super) async fn lock<'a>(
        &self,
        client: &Client,
        ids: &BTreeSet<MessageId>,
    ) -> Result<Fetched<'a>, tokio_postgres::Error> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let rows = client.query(&self.lock, &[&ids]).await?;
        let rows = rows.iter().map(|row| Row::read(row).map(|row| (row.id, State { row, is_changed: false })));
        Ok(Fetched { rows: rows.collect::<Result<_, _>>()?, opened: Vec::new() })
    }

    pub(super) async fn write(
        &self,
        client: &Client,
        instance: i64,
        messages: &Fetched<'_>,
    ) -> Result<(), tokio_postgres::Error> {
        let opened: Vec<_> = messages.opened.iter().map(|entry| entry_cells(entry).to_vec()).collect();
        let changed: Vec<_> = messages
            .rows
            .values()
            .filter(|state| state.is_changed)
            .map(|State { row, .. }| [&[Cell::Id(row.id)][..], &row.progress.cells()].concat())
            .collect();
        let mut inserted = transposed(&opened);
        inserted.insert(0, Box::new(instance));
        let updated = transposed(&changed);
        let execute = async |statement, parameters: &[Box<Parameter<'_>>], is_asked: bool| {
            let parameters: Vec<_> = parameters.iter().map(|parameter| &**parameter as &Parameter<'_>).collect();
            if is_asked { client.execute(statement, &parameters).await.map(drop) } else { Ok(()) }
        };
        tokio::try_join!(
            biased;
            execute(&self.insert, &inserted, !opened.is_empty()),
            execute(&self.update, &updated, !changed.is_empty())
        )?;
        Ok(())
    }
}

type Parameter<'a> = dyn ToSql + Sync + 'a;

/// Rows as they were read, and as they become.
pub(super) struct Fetched<'a> {
    rows: HashMap<MessageId, State>,
    opened: Vec<&'a Entry>,
}

struct State {
    row: Row,
    is_changed: bool,
}

impl<'a> Fetched<'a> {
    pub(super) fn is_changed(&self) -> bool {
        !self.opened.is_empty() || self.rows.values().any(|state| state.is_changed)
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Row> {
        self.rows.get(&id).map(|state| &state.row)
    }

    pub(super) fn open(&mut self, entry: &'a Entry) {
        self.rows.insert(entry.id, State { row: Row::of(entry), is_changed: false });
        self.opened.push(entry);
    }

    /// Whether the acceptance is to be counted. Where there is no row, it is as if it had been opened.
    pub(super) fn settle(&mut self, settlement: &Settlement) -> bool {
        let Some(state) = self.rows.get_mut(&settlement.id) else { return Progress::default().settle(settlement) };
        state.is_changed = true;
        state.row.progress.settle(settlement)
    }

    pub(super) fn report(&mut self, report: &DeliveryReport) -> Reported {
        let Some(state) = self.rows.get_mut(&report.message) else { return Reported::UNKNOWN };
        let reported = state.row.report(report);
        state.is_changed |= reported.effect == Effect::Applied;
        reported
    }
}

fn names(prefix: &str, columns: &[Column]) -> String {
    columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
}

/// Rows from parameters that hold a column each.
fn unnest(first: usize, columns: &[Column]) -> String {
    let parameter = |(number, (_, kind)): (usize, &Column)| match kind {
        Kind::Id => format!("${number}::uuid[]"),
        Kind::Integer => format!("${number}::bigint[]"),
        Kind::Text => format!("${number}::text[]"),
    };
    format!("unnest({})", (first..).zip(columns).map(parameter).collect::<Vec<_>>().join(", "))
}

/// Columns from rows.
fn transposed<'a>(rows: &[Vec<Cell<'a>>]) -> Vec<Box<Parameter<'a>>> {
    let columns = rows.first().map(Vec::len).unwrap_or_default();
    (0..columns).map(|column| parameter(rows.iter().map(|row| row[column]).collect())).collect()
}

fn parameter(column: Vec<Cell<'_>>) -> Box<Parameter<'_>> {
    let integer = |cell| if let Cell::Integer(integer) = cell { integer } else { None };
    // PostgreSQL's texts hold any character but this one.
    let text = |cell| if let Cell::Text(text) = cell { text.filter(|text: &&str| !text.contains('\0')) } else { None };
    let id = |cell| if let Cell::Id(id) = cell { Some(id.as_uuid()) } else { None };
    match column.first() {
        Some(Cell::Id(_)) => Box::new(column.into_iter().map(id).collect::<Vec<_>>()),
        Some(Cell::Text(_)) => Box::new(column.into_iter().map(text).collect::<Vec<_>>()),
        Some(Cell::Integer(_)) | None => Box::new(column.into_iter().map(integer).collect::<Vec<_>>()),
    }
}
