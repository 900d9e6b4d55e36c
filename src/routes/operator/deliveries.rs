//! `GET /api/deliveries`: what became of the messages of the last minutes, country by country.

mod minutes;

use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse, web};
use tokio::sync::Mutex;

use super::{
    Operators,
    answers::{LedgerAway, Unauthorized},
    ledger_away,
    query::WrongParameter,
};
use crate::{
    ledger::{Away, Deliveries},
    sms::Timestamp,
};

/// An answer serves everybody who asks for the same so soon after.
const FRESH: Duration = Duration::from_secs(1);

/// The newest answer. Whoever asks waits for it, so that the ledger counts for one at a time.
#[derive(Default)]
pub(super) struct Newest(Mutex<Option<Counted>>);

struct Counted {
    minutes: u64,
    at: Instant,
    found: Result<Deliveries, Away>,
}

#[utoipa::path(
    get,
    path = "/deliveries",
    operation_id = "getDeliveries",
    tag = "Watch",
    summary = "What became of the last messages",
    description = "Those that all replicas admitted in the last minutes, from the ledger, in all and by country: their \
        outcomes, how many were delivered and how many were not, how many should have had a report by now, and how \
        long delivery took. The last five minutes are counted by themselves, as `young`: only of those before, which \
        are `due`, the reports should be there. Messages that a limit refused are not among them. At most the newest \
        10 000 of either are looked at; `complete` says whether these are all, and `since` from when on they are.",
    security(("operator" = [])),
    params(minutes::Parameters),
    responses(Unauthorized, WrongParameter, LedgerAway,
        (status = 200, description = "Their numbers.", body = Deliveries))
)]
pub(super) async fn get(request: HttpRequest, state: web::Data<Operators>) -> HttpResponse {
    let minutes = match minutes::parse(request.query_string()) {
        Ok(minutes) => minutes,
        Err(wrong) => return wrong.respond(),
    };
    let mut newest = state.counted.0.lock().await;
    let is_fresh = |counted: &Counted| counted.minutes == minutes && counted.at.elapsed() < FRESH;
    let counted = match newest.take().filter(is_fresh) {
        Some(counted) => counted,
        None => {
            let now = Timestamp::now();
            let found = state.shared.ledger.deliveries(now.minus(Duration::from_secs(minutes * 60)), now).await;
            Counted { minutes, at: Instant::now(), found }
        }
    };
    match &newest.insert(counted).found {
        Ok(deliveries) => HttpResponse::Ok().json(deliveries),
        Err(Away) => ledger_away(),
    }
}
