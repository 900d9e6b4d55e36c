//! `render`: what a message would say.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{CliError, load_leniently};
use crate::{
    config::Source,
    sms::{Measure, Payload, UsageType, measure},
    templates::{Syntax, TemplateOptions, TemplateSet, samples},
};

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the help text shows no markup")]
pub(super) struct RenderArgs {
    /// SignIn, Register, ForgotPassword, OrganizationInvitation, Generic, UserPermissionValidation,
    /// BindNewIdentifier, MfaVerification or BindMfa; any other name means Generic, as in a request.
    usage_type: String,
    /// The person's language, as Logto's payload.locale.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// The values, as in Logto's request. Not given: code 123456.
    #[arg(long, value_name = "JSON", value_parser = object)]
    payload: Option<Map<String, Value>>,
    /// A template to render instead of the usage type's own.
    #[arg(long, value_name = "TEXT")]
    content: Option<String>,
    /// The syntax of --content.
    #[arg(long, value_enum, default_value_t = SyntaxName::Logto, requires = "content")]
    syntax: SyntaxName,
    /// Prints {"text","encoding","segments","units","locale"}. The encoding is GatewayAPI's name: UTF8 is the GSM 03.38
    /// alphabet.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SyntaxName {
    Logto,
    Handlebars,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) fn run(args: RenderArgs, source: Source) -> Result<(), CliError> {
    let settings = load_leniently(source)?;
    let mut options = TemplateOptions::of(&settings);
    let usage_type = UsageType::of_request(&args.usage_type);
    let payload = payload(&args, usage_type, &settings.templates.default_locale);

    let templates = match &args.content {
        Some(content) => {
            let syntax = match args.syntax {
                SyntaxName::Logto => Syntax::Logto,
                SyntaxName::Handlebars => Syntax::Handlebars,
            };
            // To preview a text is to see how long it gets, and with which values.
            options.max_segments = u32::MAX;
            TemplateSet::of_content(content, syntax, &options)?
        }
        None => TemplateSet::load(settings.templates.directory.as_deref(), &options)?,
    };
    let rendered = templates.render(usage_type, &payload).map_err(|error| CliError::Other(error.to_string()))?;
    let text = rendered.text.as_str();
    let measured = measure(text);
    if args.json {
        let Measure { encoding, units, segments, .. } = measured;
        let encoding = encoding.as_str();
        let locale = rendered.locale;
        let line =
            json!({ "text": text, "encoding": encoding, "segments": segments, "units": units, "locale": locale });
        println!("{line}");
    } else {
        println!("{text}\n");
        println!("locale {}, {}", rendered.locale, describe(measured));
        if let Some(name) = rendered.unfilled {
            println!("warning: `{name}` has no value and stands in the text as it is written");
        }
    }
    Ok(())
}

fn payload(args: &RenderArgs, usage_type: UsageType, default_locale: &str) -> Payload {
    let mut values = args.payload.clone().unwrap_or_else(|| {
        let sample = samples(usage_type, default_locale).next().unwrap_or_default();
        sample.values().clone()
    });
    if let Some(locale) = &args.locale {
        values.insert("locale".to_owned(), locale.as_str().into());
    }
    values.into()
}

/// Alphabet, segments, and what made the text as long as it is.
pub(super) fn describe(measured: Measure) -> String {
    let Measure { encoding, units, segments, first_outside_gsm } = measured;
    let plural = if segments == 1 { "" } else { "s" };
    let why = first_outside_gsm
        .map_or_else(String::new, |character| format!(", because of `{character}` (U+{:04X})", u32::from(character)));
    format!("{}{why}, {units} units, {segments} segment{plural}", encoding.alphabet())
}
