//! `render`: what a message would say.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{
    CliError, load_leniently,
    visible::{visible, visible_lines},
};
use crate::{
    config::Source,
    sms::{Measure, UsageType},
    templates::{Preview, Syntax, TemplateOptions, TemplateSet},
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

/// For the command line: a JSON object.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) fn run(args: RenderArgs, source: Source) -> Result<(), CliError> {
    let settings = load_leniently(source)?;
    let options = TemplateOptions::of(&settings);
    let templates = match &args.content {
        Some(content) => {
            let syntax = match args.syntax {
                SyntaxName::Logto => Syntax::Logto,
                SyntaxName::Handlebars => Syntax::Handlebars,
            };
            TemplateSet::of_content(content, syntax, &options)?
        }
        None => TemplateSet::load(settings.templates.directory.as_deref(), &options)?,
    };
    let usage_type = UsageType::of_request(&args.usage_type);
    let preview = templates
        .preview(usage_type, args.payload, args.locale.as_deref())
        .map_err(|error| CliError::Other(error.to_string()))?;
    if args.json {
        println!("{}", serde_json::to_string(&preview).map_err(|error| CliError::Other(error.to_string()))?);
        return Ok(());
    }
    let Preview { text, locale, measured, unfilled, .. } = preview;
    println!("{}\n", visible_lines(&text));
    println!("locale {locale}, {}", describe(measured));
    if let Some(name) = unfilled.as_deref().map(visible) {
        println!("warning: `{name}` has no value and stands in the text as it is written");
    }
    Ok(())
}

/// Alphabet, segments, and what made the text as long as it is.
pub(super) fn describe(measured: Measure) -> String {
    let Measure { encoding, units, segments, first_outside_gsm } = measured;
    let plural = if segments == 1 { "" } else { "s" };
    let because = |character: char| {
        format!(", because of `{}` (U+{:04X})", visible(character.encode_utf8(&mut [0; 4])), u32::from(character))
    };
    let why = first_outside_gsm.map(because).unwrap_or_default();
    format!("{}{why}, {units} units, {segments} segment{plural}", encoding.alphabet())
}
