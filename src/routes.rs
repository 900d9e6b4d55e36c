//! The endpoints. One endpoint is one file; the one `match` from an error to HTTP is in `answer`.

mod answer;
mod delivery_reports;
mod health;
mod lifecycle;
mod metrics;
mod send;
mod sentence;

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, Resource,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    mime,
    web::{self, ServiceConfig},
};

pub use self::{
    lifecycle::{Accepted, Lifecycle},
    sentence::Sentences,
};
use crate::{
    auth::{LogtoAuthorization, ReportVerifier},
    ledger::Ledger,
    metrics::Metrics,
    send::Line,
};

/// What the endpoints of the public listener share.
pub struct Public {
    pub authorization: LogtoAuthorization,
    pub line: Arc<Line>,
    pub ledger: Ledger,
    /// `None`: nobody can sign a delivery report, so there is nothing at their address.
    pub report_verifier: Option<Arc<ReportVerifier>>,
    pub lifecycle: Arc<Lifecycle>,
    pub metrics: Arc<Metrics>,
    pub sentences: Sentences,
    /// From a call's arrival to its answer.
    pub deadline: Duration,
}

/// What faces the world.
pub fn public(state: web::Data<Public>) -> impl FnOnce(&mut ServiceConfig) {
    move |services| {
        if let Some(verifier) = &state.report_verifier {
            services.service(
                resource("/delivery-reports", "POST")
                    .app_data(web::Data::from(Arc::clone(verifier)))
                    .route(web::post().to(delivery_reports::post)),
            );
        }
        services
            .app_data(state)
            .service(resource("/send", "POST").route(web::post().to(send::post)))
            .service(resource("/health/live", "GET").route(web::get().to(health::live)))
            .service(resource("/health/ready", "GET").route(web::get().to(health::ready)))
            .default_service(web::to(async || plain(StatusCode::NOT_FOUND, "There is nothing here.\n")));
    }
}

/// What Prometheus and operators reach.
pub fn operator(metrics: Arc<Metrics>) -> impl FnOnce(&mut ServiceConfig) {
    move |services| {
        services
            .app_data(web::Data::from(metrics))
            .service(resource("/metrics", "GET").route(web::get().to(metrics::get)))
            .default_service(web::to(async || plain(StatusCode::NOT_FOUND, "There is nothing here.\n")));
    }
}

/// A resource that tells any other method which one it has.
fn resource(path: &'static str, method: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(method));
        response
    }))
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type(mime::TEXT_PLAIN_UTF_8).body(text)
}
