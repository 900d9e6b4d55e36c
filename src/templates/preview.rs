//! What a message would say, and how it would travel, without sending it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{RenderError, Syntax, TemplateSet, samples};
use crate::sms::{Encoding, Measure, Payload, UsageType, measure};

/// A rendered message with its measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    #[schema(examples("Example: 123456 is your sign-in code."))]
    pub text: String,
    /// GatewayAPI's name for it: `UTF8` is the GSM 03.38 alphabet.
    #[schema(value_type = Encoding)]
    pub encoding: &'static str,
    /// How many messages it travels as, and is paid for as.
    pub segments: u32,
    /// Septets of GSM 03.38, or UTF-16 code units.
    pub units: u32,
    /// The language of the template.
    #[schema(examples("en"))]
    pub locale: String,
    #[serde(skip)]
    pub measured: Measure,
    /// A name in the template that has no value.
    #[serde(skip)]
    pub unfilled: Option<String>,
}

/// A template as it was loaded.
#[derive(Debug, Clone, Copy)]
pub struct LoadedTemplate<'a> {
    pub locale: &'a str,
    pub syntax: Syntax,
    pub content: &'a str,
    pub variant: &'a str,
}

impl TemplateSet {
    /// Renders with these values; without any, with those of a usual request in the given language.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn preview(
        &self,
        usage_type: UsageType,
        values: Option<Map<String, Value>>,
        locale: Option<&str>,
    ) -> Result<Preview, RenderError> {
        let mut values = values.unwrap_or_else(|| {
            let mut values = samples(usage_type, "").next().unwrap_or_default().values().clone();
            values.remove("locale");
            values
        });
        if let Some(locale) = locale {
            values.insert("locale".to_owned(), locale.into());
        }
        self.preview_of(usage_type, &values.into())
    }

    /// As [`preview`](Self::preview), with what the payload says of the language.
    ///
    /// # Errors
    ///
    /// As [`render`](Self::render).
    pub fn preview_of(&self, usage_type: UsageType, payload: &Payload) -> Result<Preview, RenderError> {
        let rendered = self.render(usage_type, payload)?;
        let text = rendered.text.as_str().to_owned();
        let measured = measure(&text);
        let Measure { encoding, units, segments, .. } = measured;
        let encoding = encoding.as_str();
        Ok(Preview { text, encoding, segments, units, locale: rendered.locale, measured, unfilled: rendered.unfilled })
    }

    /// The templates of a usage type's own; none where `Generic` stands in.
    pub fn templates(&self, usage_type: UsageType) -> impl Iterator<Item = LoadedTemplate<'_>> {
        let own = self.by_usage[usage_type.index()].iter();
        own.flat_map(|usage| {
            usage.locales.iter().zip(&usage.templates).map(|(locale, template)| LoadedTemplate {
                locale,
                syntax: usage.syntax,
                content: &template.content,
                variant: &template.variant,
            })
        })
    }
}
