//! `POST /api/preview`: what a message would say.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Operators, bad_request, problem, read, usage_type};
use crate::{
    sms::{Costly, Recipient, UsageType, costly, segment_starts},
    templates::{Preview, Syntax, TemplateSet},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "type")]
    usage_type: Option<String>,
    /// A template in place of a usage type's own.
    content: Option<String>,
    syntax: Option<Syntax>,
    locale: Option<String>,
    payload: Option<Map<String, Value>>,
    /// The number whose country may have a sender of its own.
    to: Option<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    preview: &'a Preview,
    sender: &'a str,
    costly: Vec<Costly>,
    segment_starts: Vec<usize>,
}

pub(super) async fn post(request: HttpRequest, body: web::Payload, state: web::Data<Operators>) -> HttpResponse {
    let Wanted { usage_type: name, content, syntax, locale, payload, to } = match read(&request, body).await {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let previewed = match (name, content) {
        (Some(_), None) if syntax.is_some() => return bad_request("`syntax` goes with `content` only"),
        (Some(name), None) => match usage_type(&name) {
            Ok(usage_type) => state.templates.load().preview(usage_type, payload, locale.as_deref()),
            Err(problem) => return bad_request(&problem),
        },
        (None, Some(content)) => {
            match TemplateSet::of_content(&content, syntax.unwrap_or_default(), &state.template_options) {
                Ok(templates) => templates.preview(UsageType::Generic, payload, locale.as_deref()),
                Err(faults) => return faulty(&faults.to_string()),
            }
        }
        (Some(_), Some(_)) | (None, None) => return bad_request("either `type` or `content` is needed"),
    };
    match previewed {
        Ok(preview) => {
            let country = to.and_then(|to| Recipient::parse(&to).ok()).and_then(|recipient| recipient.country);
            HttpResponse::Ok().json(Shown {
                sender: state.senders.sender_for(country).as_str(),
                costly: costly(&preview.text),
                segment_starts: segment_starts(&preview.text),
                preview: &preview,
            })
        }
        Err(error) => faulty(&error.to_string()),
    }
}

fn faulty(sentence: &str) -> HttpResponse {
    problem(StatusCode::UNPROCESSABLE_ENTITY, "faulty_template", sentence)
}
