//! `GET /` and `/page/…`: the operators' page. Its files are in the binary, hold no secret, and need no token; what
//! they show comes from `/api`, which does.

use std::borrow::Cow;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EntityTag, HeaderValue, IfNoneMatch,
            REFERRER_POLICY,
        },
    },
    web::{self, Bytes},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::routes::{nothing, readable};

/// A debug build reads them from the folder, so that an edit shows without a build.
#[derive(RustEmbed)]
#[folder = "page/"]
struct Files;

const INDEX: &str = "index.html";

/// Scripts and styles are the page's own files, nothing is loaded from or sent to elsewhere, and no site may frame it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
);
/// A browser asks each time whether a file has changed: after an update, old and new files must not meet.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

pub(super) fn configure(services: &mut web::ServiceConfig) {
    services.service(readable("/", index)).service(readable("/page/{file:.*}", file));
}

#[utoipa::path(
    get,
    path = "/",
    operation_id = "openPage",
    tag = "Interface",
    summary = "The operators' page",
    description = "Only there with `operator.token`, which the page asks for.",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub(super) async fn index(request: HttpRequest) -> HttpResponse {
    answer(&request, INDEX, POLICY)
}

async fn file(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    // The frame's own address is `/`, from which its links go out, and the viewer's is `/docs`, with a policy of its own.
    if *file == INDEX || file.starts_with("docs/") { nothing() } else { answer(&request, &file, POLICY) }
}

/// A file of the page's folder, with the policy that a browser is to keep to in it.
pub(in crate::routes) fn answer(request: &HttpRequest, name: &str, policy: HeaderValue) -> HttpResponse {
    let (Some(kind), Some(EmbeddedFile { data, metadata })) = (media_type(name), Files::get(name)) else {
        return nothing();
    };
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(metadata.sha256_hash()));
    if is_known(request, &tag) {
        return head(StatusCode::NOT_MODIFIED, tag, policy).finish();
    }
    head(StatusCode::OK, tag, policy).insert_header((CONTENT_TYPE, HeaderValue::from_static(kind))).body(match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    })
}

fn head(status: StatusCode, tag: EntityTag, policy: HeaderValue) -> HttpResponseBuilder {
    let mut head = HttpResponse::build(status);
    head.insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, ASK_EACH_TIME))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((REFERRER_POLICY, NO_REFERRER));
    head
}

/// Whether the browser has this very file.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        None => false,
    }
}

/// `None`: the page has no such files, and what has strayed into its folder is not served.
fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_the_page_can_be_served() {
        let names: Vec<_> = Files::iter().collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(media_type(&name).is_some(), "page/{name} has no media type");
        }
    }
}
