//! The endpoints. One endpoint is one file; the one `match` from an error to HTTP is in `answer`.

mod answer;
mod body;
mod delivery_reports;
mod described;
mod docs;
mod health;
mod lifecycle;
mod metrics;
mod openapi;
mod operator;
mod problem;
mod send;
mod sentence;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    FromRequest, Handler, HttpResponse, Resource, Responder, Route, guard,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::DefaultHeaders,
    mime,
    web::{self, ServiceConfig},
};
use utoipa::OpenApi;

pub use self::{
    lifecycle::{Lifecycle, UnderWay},
    openapi::openapi,
    operator::Operators,
    sentence::Sentences,
};
use crate::{
    auth::{LogtoAuthorization, ReportVerifier},
    ledger::Ledger,
    metrics::Metrics,
    send::{FrugalLog, Line},
};

/// What the endpoints share.
pub struct Public {
    pub authorization: LogtoAuthorization,
    pub line: Arc<Line>,
    pub ledger: Ledger,
    /// `None`: nobody can sign a delivery report, so there is nothing at their address.
    pub report_verifier: Option<Arc<ReportVerifier>>,
    pub lifecycle: Arc<Lifecycle>,
    pub metrics: Arc<Metrics>,
    pub sentences: Sentences,
    /// For calls and reports that are not let in.
    pub refusals: FrugalLog,
    /// From a call's arrival to its answer.
    pub deadline: Duration,
}

/// The answer leaves so long before the deadline, because it has a way to go; less where the deadline is short.
const ANSWER_EARLY: Duration = Duration::from_millis(200);

impl Public {
    /// When the answer leaves to a call that came at `begun`.
    fn deadline_from(&self, begun: Instant) -> Instant {
        begun + self.deadline.saturating_sub(ANSWER_EARLY.min(self.deadline / 20))
    }
}

/// As the document has them.
#[derive(OpenApi)]
#[openapi(paths(send::post, delivery_reports::post, health::live, health::ready))]
struct PublicPaths;

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
            .service(readable("/health/live", health::live))
            .service(readable("/health/ready", health::ready))
            .default_service(web::to(async || nothing()));
    }
}

/// Has browsers take each answer for what it says it is, and show it to no other site.
pub fn own_site_only() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
}

/// What Prometheus and operators reach; operators only with a token.
pub fn operator(metrics: Arc<Metrics>, operators: Option<web::Data<Operators>>) -> impl FnOnce(&mut ServiceConfig) {
    move |services| {
        if let Some(operators) = operators {
            services.configure(operator::services(operators));
        }
        services
            .app_data(web::Data::from(metrics))
            .service(readable("/metrics", metrics::get))
            .service(readable("/openapi.json", openapi::get))
            .service(readable("/docs", docs::index))
            .service(readable("/docs/", docs::with_slash))
            .service(readable("/docs/{file}", docs::file))
            .default_service(web::to(async || nothing()));
    }
}

/// A resource that is only read.
fn readable<A: FromRequest + 'static>(
    path: &'static str,
    handler: impl Handler<A, Output: Responder + 'static>,
) -> Resource {
    resource(path, "GET, HEAD").route(get().to(handler))
}

/// A resource that tells any other method which it has.
fn resource(path: &'static str, methods: &'static str) -> Resource {
    let not_allowed = || plain(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.\n");
    only_with(methods, web::resource(path), not_allowed)
}

fn only_with(methods: &'static str, resource: Resource, not_allowed: fn() -> HttpResponse) -> Resource {
    resource.default_service(web::to(move || async move {
        let mut response = not_allowed();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        response
    }))
}

/// HEAD is GET without the body, which actix-web leaves out.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn nothing() -> HttpResponse {
    plain(StatusCode::NOT_FOUND, "There is nothing here.\n")
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status).content_type(mime::TEXT_PLAIN_UTF_8).body(text)
}
