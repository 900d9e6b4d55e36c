//! `POST /api/preview`: what a message would say.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{Object, OneOf, RefOr, Schema, schema::Type},
};

use super::{
    Operators,
    answers::{Unauthorized, UnreadBody},
    bad_request, problem, read, usage_type, wrong_json,
};
use crate::{
    routes::problem::Problem,
    sms::{Costly, Recipient, UsageType, costly, segment_starts},
    templates::{Preview, Syntax, TemplateSet},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "type")]
    #[schema(value_type = Option<UsageType>)]
    usage_type: Option<String>,
    /// A template in place of a usage type's own.
    content: Option<String>,
    // serde_json takes a name that is no text for a fault of the JSON.
    #[schema(value_type = Option<Syntax>)]
    syntax: Option<String>,
    /// The language, as a BCP 47 tag.
    #[schema(examples("de"))]
    locale: Option<String>,
    /// The template's values; without any, those of a usual request.
    #[schema(value_type = Option<Object>)]
    payload: Option<Map<String, Value>>,
    /// The number whose country may have a sender of its own.
    #[schema(examples("+4526091045"))]
    to: Option<String>,
}

/// A rendered message, how it would travel, and who it would come from.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewAsShown)]
struct Shown<'a> {
    #[serde(flatten)]
    preview: &'a Preview,
    #[schema(examples("ExampleShop"))]
    sender: &'a str,
    costly: Vec<Costly>,
    /// Where each segment after the first begins, in characters (Unicode scalar values).
    segment_starts: Vec<usize>,
}

/// What is wanted, as the document has it: a usage type's own template, or one that is given in the call.
struct EitherOr;
impl ToSchema for EitherOr {
    fn name() -> Cow<'static, str> {
        "WantedPreview".into()
    }
}
impl utoipa::PartialSchema for EitherOr {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(wanted)) = Wanted::schema() else { unreachable!("a struct is an object") };
        let variant = |title: &str, needed: &str, schema: RefOr<Schema>, without: &[&str]| {
            let mut variant = wanted.clone();
            variant.title = Some(title.to_owned());
            variant.required.push(needed.to_owned());
            variant.properties.insert(needed.to_owned(), schema);
            for name in without {
                variant.properties.insert((*name).to_owned(), Object::with_type(Type::Null).into());
            }
            variant
        };
        let content = Object::builder().schema_type(Type::String).examples(["{{brand}}: {{code}}"]).into();
        OneOf::builder()
            .item(variant("A usage type's template", "type", UsageType::schema(), &["content", "syntax"]))
            .item(variant("A template of your own", "content", content, &["type"]))
            .into()
    }
}

#[utoipa::path(
    post,
    path = "/preview",
    operation_id = "preview",
    tag = "Templates",
    summary = "What a message would say",
    description = "Renders a usage type's template, or one that is given in the call. Nothing is sent.",
    security(("operator" = [])),
    request_body(content = EitherOr, examples(
        ("Type" = (summary = "A usage type's template", value = json!({"type": "SignIn", "locale": "de"}))),
        ("Content" = (summary = "A template of your own",
            value = json!({"content": "Code: {{code}}", "payload": {"code": "042"}})))
    )),
    responses(Unauthorized, UnreadBody,
        (status = 200, description = "The text, and how it would travel.", body = Shown),
        (status = 422, description = "The template is faulty, or a value that it needs is missing.", body = Problem,
            content_type = "application/problem+json")
    )
)]
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
            let syntax = match syntax.map(|name| serde_json::from_value::<Syntax>(name.into())).transpose() {
                Ok(syntax) => syntax,
                Err(error) => return bad_request(&wrong_json("syntax", &error)),
            };
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
                sender: state.senders.for_country(country).as_str(),
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
