//! What a start does with the rows that are there.

use std::time::Duration;

use rusqlite::Connection;

use super::mark::{self, Mark};
use crate::{
    ledger::{limiter::Limiter, row::Cell},
    limits::{Charging, Pseudonym, Touched},
    sms::{Country, MessageId, Outcome, Timestamp},
};

/// The clock may have been set back since the process before has started.
const CLOCK_SET_BACK: Duration = Duration::from_secs(24 * 3600);

/// Closes what the process before left open when it ended: it may have been sent.
pub(super) fn close_open(connection: &Connection, now: Timestamp) -> Result<usize, rusqlite::Error> {
    let oldest = mark::get(connection, Mark::Started)?;
    let closed = connection.execute(
        "UPDATE message SET outcome = ?3, error_kind = 'interrupted', settled_at = ?2 WHERE id >= ?1 AND outcome IS NULL",
        [Cell::Id(oldest), Cell::Integer(Some(now.micros())), Cell::Text(Some(Outcome::Unknown.as_str()))],
    )?;
    mark::set(connection, Mark::Started, MessageId::first_at(now.minus(CLOCK_SET_BACK)))?;
    Ok(closed)
}

/// Has the limits count what the rows tell was sent.
pub(super) fn rebuild(connection: &Connection, limiter: &Limiter, now: Timestamp) -> Result<usize, rusqlite::Error> {
    let oldest = MessageId::first_at(now.minus(limiter.rules.longest_period()));
    let mut statement = connection.prepare(
        "SELECT admitted_at, number_hash, range3_hash, range4_hash, ip_hash, country, counted FROM message \
         WHERE id >= ?1 AND counted & 1 AND (outcome IS NULL OR outcome IN (?2, ?3)) ORDER BY id",
    )?;
    let [one, other] = Outcome::MAY_HAVE_LEFT.map(|outcome| Cell::Text(Some(outcome.as_str())));
    let mut rows = statement.query([Cell::Id(oldest), one, other])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let pseudonym = |index| row.get(index).map(Pseudonym::from_bits);
        let is_ip_counted = row.get::<_, i64>(6)? & 2 != 0;
        let touched = Touched {
            number: pseudonym(1)?,
            ranges: [pseudonym(2)?, pseudonym(3)?],
            ip: row.get::<_, Option<i64>>(4)?.filter(|_| is_ip_counted).map(Pseudonym::from_bits),
            country: country(row.get_ref(5)?.as_str_or_null()?),
        };
        limiter.decide(&touched, Charging::Force, Timestamp::from_micros(row.get(0)?));
        count += 1;
    }
    // What the day's messages cost stands in the rows, too, and what the last one to a country did.
    let midnight = MessageId::first_at(Timestamp::of_day(now.day()));
    let mut statement = connection.prepare(
        "SELECT currency, country, sum(iif(id >= ?2, cost_micros, 0)), cost_micros, max(id) FROM message \
         WHERE id >= ?1 AND currency IS NOT NULL GROUP BY currency, country ORDER BY max(id)",
    )?;
    let mut rows = statement.query([oldest, midnight].map(Cell::Id))?;
    while let Some(row) = rows.next()? {
        let country = country(row.get_ref(1)?.as_str_or_null()?);
        limiter.relearn_costs(&row.get::<_, String>(0)?, country, row.get(2)?, row.get(3)?, now);
    }
    Ok(count)
}

fn country(code: Option<&str>) -> Option<Country> {
    code.and_then(Country::parse)
}
