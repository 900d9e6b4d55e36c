//! `/api`: what operators see, and what they may try.

mod answers;
mod deliveries;
mod events;
mod messages;
mod page;
mod preview;
mod query;
mod templates;
mod test_delivery;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpRequest, HttpResponse, Resource,
    body::MessageBody,
    dev::{HttpServiceFactory, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderName, HeaderValue, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn},
    web,
};
use arc_swap::ArcSwap;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::sync::Semaphore;

use utoipa::OpenApi;

pub(super) use self::page::answer as page_file;
use super::{Public, body, get, only_with, problem::Problem};
use crate::{
    auth::{OperatorAuthorization, only_authorization},
    config::{Secrets, Settings},
    sms::{Senders, Timestamp, UsageType},
    templates::{TemplateOptions, TemplateSet},
};

/// In each answer of a sandbox, and in no other.
const SANDBOX: HeaderName = HeaderName::from_static("x-sandbox");
/// A body that has not come by then is given up.
const BODY_PATIENCE: Duration = Duration::from_secs(8);

/// What the operators' endpoints share.
pub struct Operators {
    shared: web::Data<Public>,
    authorization: OperatorAuthorization,
    templates: Arc<ArcSwap<TemplateSet>>,
    template_options: TemplateOptions,
    senders: Senders,
    /// One for each stream of events that may be open.
    streams: Arc<Semaphore>,
    counted: deliveries::Newest,
    /// GatewayAPI is simulated, which no answer would show otherwise.
    is_sandbox: bool,
}

impl Operators {
    pub fn new(
        settings: &Settings,
        tokens: &Secrets,
        templates: Arc<ArcSwap<TemplateSet>>,
        shared: web::Data<Public>,
    ) -> Self {
        Self {
            shared,
            authorization: OperatorAuthorization::of(tokens),
            templates,
            template_options: TemplateOptions::of(settings),
            senders: settings.gatewayapi.all_senders(),
            streams: Arc::new(Semaphore::new(events::MOST_STREAMS)),
            counted: deliveries::Newest::default(),
            is_sandbox: settings.is_sandbox,
        }
    }
}

/// The page and the interface behind it.
pub(super) fn services(state: web::Data<Operators>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |services| {
        services.service(api(state)).configure(page::configure);
    }
}

/// As the document has it.
#[derive(OpenApi)]
#[openapi(paths(page::index))]
pub(super) struct PagePaths;

/// As the document has them, below `/api`.
#[derive(OpenApi)]
#[openapi(paths(
    test_delivery::post,
    messages::list,
    messages::get,
    events::get,
    deliveries::get,
    preview::post,
    templates::get
))]
pub(super) struct ApiPaths;

fn api(state: web::Data<Operators>) -> impl HttpServiceFactory {
    let guarding = state.clone();
    web::scope("/api")
        .app_data(state)
        .wrap(from_fn(move |request, next| guard(guarding.clone(), request, next)))
        .service(
            resource("/messages", "GET, HEAD, POST")
                .route(get().to(messages::list))
                .route(web::post().to(test_delivery::post)),
        )
        .service(resource("/messages/{id}", "GET, HEAD").route(get().to(messages::get)))
        .service(resource("/messages/{id}/events", "GET, HEAD").route(get().to(events::get)))
        .service(resource("/deliveries", "GET, HEAD").route(get().to(deliveries::get)))
        .service(resource("/preview", "POST").route(web::post().to(preview::post)))
        .service(resource("/templates", "GET, HEAD").route(get().to(templates::get)))
        .default_service(web::to(async || problem(StatusCode::NOT_FOUND, "unknown_path", "there is nothing here")))
}

fn resource(path: &'static str, methods: &'static str) -> Resource {
    only_with(methods, web::resource(path), || {
        problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this method is not allowed here")
    })
}

/// Lets operators in, and nobody keep what they are told.
async fn guard(
    state: web::Data<Operators>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let is_admitted = |header: &HeaderValue| state.authorization.admits(header.as_bytes());
    let mut response = if only_authorization(request.headers()).is_some_and(is_admitted) {
        next.call(request).await?.map_into_boxed_body()
    } else {
        if state.shared.refusals.takes(Timestamp::now()) {
            tracing::warn!("a request to /api without an operator's token was refused");
        }
        let mut refusal = problem(StatusCode::UNAUTHORIZED, "unauthorized", "an operator's token is needed");
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        request.into_response(refusal)
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if state.is_sandbox {
        response.headers_mut().insert(SANDBOX, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn problem(status: StatusCode, kind: &str, detail: &str) -> HttpResponse {
    Problem::of(kind, status, detail).respond()
}

fn bad_request(detail: &str) -> HttpResponse {
    problem(StatusCode::BAD_REQUEST, "malformed", detail)
}

fn ledger_away() -> HttpResponse {
    problem(StatusCode::SERVICE_UNAVAILABLE, "ledger_away", "the ledger can't be read just now")
}

/// Reads a body, or says what is wrong with it, without any of its values.
async fn read<T: DeserializeOwned>(request: &HttpRequest, body: web::Payload) -> Result<T, HttpResponse> {
    let body = body::read(request, body, Instant::now() + BODY_PATIENCE)
        .await
        .map_err(|unread| problem(unread.status(), "malformed", unread.detail()))?;
    let mut json = serde_json::Deserializer::from_slice(&body);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|fault| bad_request(&wrong_json(&fault.path().to_string(), fault.inner())))?;
    json.end().map_err(|error| bad_request(&wrong_json(".", &error)))?;
    Ok(value)
}

fn wrong_json(path: &str, error: &serde_json::Error) -> String {
    if error.classify() != Category::Data {
        return format!("the body is not JSON: line {}, column {}", error.line(), error.column());
    }
    let message = error.to_string();
    // serde's other messages show the value.
    if ["unknown field", "missing field", "duplicate field"].iter().any(|begin| message.starts_with(begin)) {
        return message;
    }
    if message.starts_with("unknown variant")
        && let Some((_, known)) = message.rsplit_once(", expected ")
    {
        let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        return format!("`{path}` must be one of: {}", known.join(", "));
    }
    if path == "." {
        "the body must be an object".to_owned()
    } else {
        format!("`{path}` has a value of the wrong type")
    }
}

/// An operator's typing error must not turn into another template.
fn usage_type(name: &str) -> Result<UsageType, String> {
    let known = || UsageType::ALL.map(UsageType::as_str).join(", ");
    UsageType::from_name(name).ok_or_else(|| format!("`type` must be one of: {}", known()))
}
