//! The messages that operators ask for, in SQL that both databases take.

use super::{
    message::Query,
    row::{Cell, Row},
};
use crate::sms::MessageId;

/// The rows that somebody asks for, newest first, with the values of `$1` and so on. `of_number` is how the messages of a
/// number, `?`, are found.
pub(super) fn statement<'a>(query: &'a Query, of_number: &str) -> (String, Vec<Cell<'a>>) {
    let conditions = [
        (of_number, query.number.map(|number| Cell::Integer(Some(number.bits())))),
        (
            "coalesce(lower(delivery_status), outcome, 'open') = ?",
            query.status.as_deref().map(|status| Cell::Text(Some(status))),
        ),
        ("usage_type = ?", query.usage_type.map(|usage_type| Cell::Text(Some(usage_type.as_str())))),
        ("country = ?", query.country.as_ref().map(|country| Cell::Text(Some(country.as_str())))),
        ("id >= ?", query.since.map(|since| Cell::Id(MessageId::first_at(since)))),
        ("id < ?", query.before.map(Cell::Id)),
    ];
    let asked = conditions.into_iter().filter_map(|(condition, cell)| Some((condition, cell?)));
    let (conditions, cells): (Vec<_>, Vec<_>) = asked.unzip();
    let conditions = conditions.iter().zip(1..).map(|(condition, at)| condition.replace('?', &format!("${at}")));
    let conditions = ["TRUE".to_owned()].into_iter().chain(conditions).collect::<Vec<_>>().join(" AND ");
    let (columns, limit) = (Row::columns(), query.limit);
    (format!("SELECT {columns} FROM message WHERE {conditions} ORDER BY id DESC LIMIT {limit}"), cells)
}
