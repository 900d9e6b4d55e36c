//! `GET /health/live` and `GET /health/ready`: probes.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Serialize;

use super::Public;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The process answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

/// It takes calls: templates are loaded, which the start sees to, and it is not about to stop.
pub(super) async fn ready(state: web::Data<Public>) -> HttpResponse {
    let (code, status) = if state.lifecycle.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        (StatusCode::OK, "ready")
    };
    HttpResponse::build(code).json(Health { status })
}
