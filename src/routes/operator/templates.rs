//! `GET /api/templates`: the loaded templates, each with what it makes of a usual request.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Operators, answers::Unauthorized};
use crate::{
    sms::UsageType,
    templates::{LoadedTemplate, Preview, Syntax, TemplateSet, samples},
};

/// The loaded templates.
#[derive(Serialize, ToSchema)]
#[schema(as = Templates)]
struct Loaded<'a> {
    #[schema(examples("en"))]
    default_locale: &'a str,
    /// `delivery.max_segments`: a text that takes more is refused, when it is loaded and when it is sent.
    #[schema(examples(3))]
    max_segments: u32,
    /// All of Logto's, in its order.
    usage_types: Vec<Usage<'a>>,
    /// What should be looked at.
    warnings: Vec<String>,
}

/// A usage type's templates.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplatesOfUsageType)]
struct Usage<'a> {
    #[serde(rename = "type")]
    #[schema(value_type = UsageType)]
    name: &'static str,
    /// It has no templates of its own, and these stand in.
    #[schema(value_type = Option<UsageType>)]
    falls_back_to: Option<&'static str>,
    templates: Vec<Template<'a>>,
}

/// A template in one language.
#[derive(Serialize, ToSchema)]
struct Template<'a> {
    #[schema(examples("en"))]
    locale: &'a str,
    syntax: Syntax,
    /// As it is written.
    #[schema(examples("{{brand}}: {{code}} is your sign-in code."))]
    content: &'a str,
    /// Changes with the text.
    variant: &'a str,
    /// With a code, and where requests may come without one, without.
    samples: Vec<Preview>,
}

#[utoipa::path(
    get,
    path = "/templates",
    operation_id = "listTemplates",
    tag = "Templates",
    summary = "The loaded templates",
    description = "With what each makes of a usual request, its encoding and segments, and the warnings.",
    security(("operator" = [])),
    responses(Unauthorized, (status = 200, description = "All of them.", body = Loaded))
)]
pub(super) async fn get(state: web::Data<Operators>) -> HttpResponse {
    let set = state.templates.load();
    HttpResponse::Ok().json(Loaded {
        default_locale: &state.template_options.default_locale,
        max_segments: state.template_options.max_segments,
        usage_types: UsageType::ALL.into_iter().map(|usage_type| usage(&set, usage_type)).collect(),
        warnings: set.warnings().iter().map(ToString::to_string).collect(),
    })
}

fn usage(set: &TemplateSet, usage_type: UsageType) -> Usage<'_> {
    let templates: Vec<_> = set.templates(usage_type).map(|template| shown(set, usage_type, template)).collect();
    let falls_back_to = templates.is_empty().then_some(UsageType::Generic.as_str());
    Usage { name: usage_type.as_str(), falls_back_to, templates }
}

fn shown<'a>(set: &TemplateSet, usage_type: UsageType, template: LoadedTemplate<'a>) -> Template<'a> {
    let LoadedTemplate { locale, syntax, content, variant } = template;
    // Each was rendered when it was loaded, so none fails.
    let samples = samples(usage_type, locale).filter_map(|sample| set.preview_of(usage_type, &sample).ok()).collect();
    Template { locale, syntax, content, variant, samples }
}
