//! `GET /openapi.json`: the interface of both listeners, as OpenAPI 3.1 describes it. It is made from the handlers and
//! the very types that they read and answer.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::header::ContentType, web::Bytes};
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi as Document, Server, ServerBuilder, ServerVariableBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    PublicPaths,
    answer::Acceptance,
    operator::{ApiPaths, PagePaths},
    problem::Problem,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "gatewayapi-sms-connector",
        description = "Sends Logto's verification codes as SMS through GatewayAPI.\n\n\
            There are two listeners. The **public** one is what Logto, GatewayAPI and probes reach. The **operator's** \
            has the rest, and belongs on a trusted network; `/api` and `/` are there only with `operator.token`.\n\n\
            Any other path is answered 404, any other method 405 with `Allow`. Where there is `GET`, there is `HEAD`. \
            Under `/api` whoever has no token is answered 401 before anything else. Where the service simulates \
            GatewayAPI itself, each answer there has the header `X-Sandbox`."
    ),
    components(schemas(Acceptance, Problem)),
    tags(
        (name = "Logto", description = "What Logto's HTTP SMS connector calls."),
        (name = "GatewayAPI", description = "What GatewayAPI calls."),
        (name = "Probes", description = "For a container's or a load balancer's probes."),
        (name = "Messages", description = "What was sent, and what became of it."),
        (name = "Templates", description = "What messages say."),
        (name = "Watch", description = "Metrics."),
        (name = "Interface", description = "This document."),
    )
)]
struct Frame;

#[derive(utoipa::OpenApi)]
#[openapi(paths(get, super::docs::index, super::metrics::get), nest((path = "/api", api = ApiPaths)))]
struct OperatorPaths;

static JSON: LazyLock<String> = LazyLock::new(|| {
    let json = document().to_pretty_json().expect("strings and numbers are JSON");
    format!("{json}\n")
});

/// The document, as JSON.
pub fn openapi() -> &'static str {
    &JSON
}

#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "Interface",
    summary = "This document",
    description = "OpenAPI 3.1. Needs no token. `/docs` shows it.",
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json"))
)]
pub(super) async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(Bytes::from_static(openapi().as_bytes()))
}

fn document() -> Document {
    let mut document = Frame::openapi();
    document.merge(on(&public(), PublicPaths::openapi()));
    document.merge(on(&operators(), OperatorPaths::openapi()));
    document.merge(on(&operators(), PagePaths::openapi()));
    let schemes = &mut document.components.get_or_insert_default().security_schemes;
    schemes.extend(security_schemes().map(|(name, scheme)| (name.to_owned(), scheme.into())));
    document
}

/// Each path stands on one listener.
fn on(server: &Server, mut paths: Document) -> Document {
    for path in paths.paths.paths.values_mut() {
        path.servers = Some(vec![server.clone()]);
    }
    paths
}

fn public() -> Server {
    let address = ServerVariableBuilder::new()
        .default_value("127.0.0.1:8080")
        .description(Some("The public listener (`server.listen`), or the proxy before it."));
    let scheme = ServerVariableBuilder::new().default_value("http").enum_values(Some(["http", "https"]));
    ServerBuilder::new()
        .url("{scheme}://{address}")
        .parameter("scheme", scheme)
        .parameter("address", address)
        .description(Some("The public listener"))
        .build()
}

fn operators() -> Server {
    ServerBuilder::new().url("/").description(Some("The operator's listener, which has this document")).build()
}

fn security_schemes() -> [(&'static str, SecurityScheme); 3] {
    let logto = "The whole value of Logto's field \"Authorization Header\", which is `logto.authorization` here.";
    let operator = "`operator.token`.";
    let report = "A JWT (HS256, HS384 or HS512) signed with `delivery_reports.secret`. Its claims are the report.";
    [
        ("logto", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", logto)))),
        (
            "operator",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(operator)).build()),
        ),
        ("report", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-Gwapi-Signature", report)))),
    ]
}
