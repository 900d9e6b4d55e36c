//! All templates in all languages, as people read them, with encoding and segments.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::fmt::Write;

use gatewayapi_sms_connector::{
    sms::measure,
    templates::{TemplateOptions, TemplateSet, samples},
};
use serde_json::json;

#[test]
fn the_builtin_templates_are_one_segment_each() {
    let constants = json!({"brand": "ExampleShop", "ttl_minutes": 10});
    let options = TemplateOptions {
        default_locale: "en".to_owned(),
        constants: constants.as_object().unwrap().clone(),
        max_segments: 1,
    };
    let set = TemplateSet::load(None, &options).unwrap();
    let mut shown = String::new();
    for (usage_type, locales) in set.iter() {
        writeln!(shown, "{usage_type}").unwrap();
        for locale in locales.iter() {
            for sample in samples(usage_type, locale) {
                let rendered = set.render(usage_type, &sample).unwrap();
                let text = rendered.text.as_str();
                let measured = measure(text);
                assert_eq!(measured.segments, 1, "{usage_type}, {locale}: {text}");
                assert_eq!(rendered.locale, locale);
                assert!(text.starts_with("ExampleShop"), "{text}");
                assert_eq!(text.contains("123456"), sample.code().is_some(), "{text}");
                writeln!(shown, "  {locale:6} {} {:3}  {text}", measured.encoding.as_str(), measured.units).unwrap();
            }
        }
    }
    insta::assert_snapshot!(shown);
}
