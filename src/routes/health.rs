//! `GET /health/live` and `GET /health/ready`: probes.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Public;

/// Whether the service lives, or takes calls.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `live`; or `ready`, `draining`, `ledger_away`.
    #[schema(examples("ready"))]
    status: &'static str,
    /// `up` or `away`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("up"))]
    ledger: Option<&'static str>,
}

/// The process answers.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "getLiveness",
    tag = "Probes",
    summary = "Does the process live?",
    description = "For a container's liveness probe.",
    responses((status = 200, description = "It does.", body = Health, example = json!({"status": "live"})))
)]
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live", ledger: None })
}

/// It takes calls: templates are loaded, which the start sees to, and it is not about to stop. A ledger that is away
/// is told; it stands in the way only where it is required.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "getReadiness",
    tag = "Probes",
    summary = "Does the service take calls?",
    description = "For a load balancer. The ledger's database may be `away` and the service ready all the same: calls \
        are refused only with `ledger.required`.",
    responses(
        (status = 200, description = "It does.", body = Health, example = json!({"status": "ready", "ledger": "up"})),
        (status = 503, description = "It is stopping, or its database is away and required.", body = Health,
            example = json!({"status": "draining", "ledger": "up"}))
    )
)]
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
