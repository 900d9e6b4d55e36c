//! `GET /health/live` and `GET /health/ready`: probes.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Serialize;

use super::Public;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<&'static str>,
}

/// The process answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live", ledger: None })
}

/// It takes calls: templates are loaded, which the start sees to, and it is not about to stop. A ledger that is away
/// is told; it stands in the way only where it is required.
pub(super) async fn ready(state: web::Data<Public>) -> HttpResponse {
    let ledger = Some(if state.ledger.is_up() { "up" } else { "away" });
    let (code, status) = if state.lifecycle.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if state.ledger.is_ready() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "ledger_away")
    };
    HttpResponse::build(code).json(Health { status, ledger })
}
