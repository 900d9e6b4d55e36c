//! `GET /docs`: `/openapi.json` for people, in a viewer that is in the binary. Holds no secret and needs no token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web,
};

use super::{nothing, operator::page_file};

/// As the page's. The viewer's style sheet has its icons in itself, as `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
     object-src 'none'",
);

#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "browseInterface",
    tag = "Interface",
    summary = "This document, to be browsed",
    description = "Needs no token.",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub(super) async fn index(request: HttpRequest) -> HttpResponse {
    answer(&request, "index.html")
}

/// From where the viewer would not find its files. Relative, as a proxy may serve it under a path.
pub(super) async fn with_slash() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, HeaderValue::from_static("../docs"))).finish()
}

pub(super) async fn file(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    // An encoded slash leads nowhere.
    if file.contains(['/', '\\']) { nothing() } else { answer(&request, &file) }
}

fn answer(request: &HttpRequest, file: &str) -> HttpResponse {
    page_file(request, &format!("docs/{file}"), POLICY)
}
