//! `GET /metrics`: Prometheus.

use actix_web::{HttpResponse, web};

use crate::metrics::{CONTENT_TYPE, Metrics};

#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "Watch",
    summary = "Metrics for Prometheus",
    description = "In Prometheus' text format. Needs no token. The README lists the metrics.",
    responses((status = 200, description = "All samples.", body = String, content_type = "text/plain",
        example = "# HELP sms_build_info Constant 1, with the version as label.\n# TYPE sms_build_info gauge\nsms_build_info{version=\"0.1.0\"} 1\n"))
)]
pub(super) async fn get(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(metrics.encode())
}
