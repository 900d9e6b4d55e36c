//! `GET /metrics`: Prometheus.

use actix_web::{HttpResponse, web};

use crate::metrics::{CONTENT_TYPE, Metrics};

pub(super) async fn get(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(metrics.encode())
}
