//! `GET /api/templates`: the loaded templates, each with what it makes of a usual request.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::Operators;
use crate::{
    sms::UsageType,
    templates::{LoadedTemplate, Preview, Syntax, TemplateSet, samples},
};

#[derive(Serialize)]
struct Loaded<'a> {
    default_locale: &'a str,
    /// All of Logto's, in its order.
    usage_types: Vec<Usage<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Usage<'a> {
    #[serde(rename = "type")]
    name: &'static str,
    /// It has no templates of its own, and these stand in.
    falls_back_to: Option<&'static str>,
    templates: Vec<Template<'a>>,
}

#[derive(Serialize)]
struct Template<'a> {
    locale: &'a str,
    syntax: Syntax,
    /// As it is written.
    content: &'a str,
    variant: &'a str,
    /// With a code, and where requests may come without one, without.
    samples: Vec<Preview>,
}

pub(super) async fn get(state: web::Data<Operators>) -> HttpResponse {
    let set = state.templates.load();
    HttpResponse::Ok().json(Loaded {
        default_locale: &state.template_options.default_locale,
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
