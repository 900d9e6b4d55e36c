//! What a message says: loaded, checked, chosen by language, rendered.

mod builtin;
mod engine;
mod fault;
mod file;
mod locale;
mod meter;
mod placeholder;
mod preview;

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value};

use self::{engine::Engine, file::Definition, placeholder::PlaceholderTemplate};
pub use self::{
    fault::{TemplateFault, TemplateFaults, TemplateWarning},
    file::Syntax,
    locale::{LocaleError, Locales},
    preview::{LoadedTemplate, Preview},
};
use crate::{
    config,
    sms::{MessageText, Payload, UsageType, measure},
};

/// In bytes: far more than anybody would send. A loop over a long list stops here, and a long value in many places.
const LONGEST_TEXT: usize = 64 * 1024;

fn too_long() -> String {
    format!("the text gets longer than {LONGEST_TEXT} bytes")
}

/// The templates of all usage types in all languages, each of which has been rendered once.
pub struct TemplateSet {
    by_usage: [Option<UsageTemplates>; UsageType::COUNT],
    engine: Engine,
    constants: Map<String, Value>,
    warnings: Vec<TemplateWarning>,
}

struct UsageTemplates {
    locales: Locales,
    syntax: Syntax,
    /// Where to go for a person whose languages are all missing.
    default: usize,
    /// One for each of `locales`.
    templates: Vec<Template>,
}

struct Template {
    variant: Arc<str>,
    /// As it is written.
    content: Box<str>,
    form: Form,
}

enum Form {
    Logto(PlaceholderTemplate),
    /// The name under which the engine knows it.
    Handlebars(String),
}

/// A message as the person will read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: MessageText,
    /// The language of the template.
    pub locale: String,
    /// Names the template and its content, such as `SignIn/de#1a2b3c`.
    pub variant: Arc<str>,
    /// The template named it, nobody gave it a value, and so it stands in the text as it was written.
    pub unfilled: Option<String>,
}

/// Why a template gave no text. Shows no value of the payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {usage_type}, locale {locale}: {problem}")]
pub struct RenderError {
    pub usage_type: UsageType,
    pub locale: String,
    pub problem: String,
}

/// What a set of templates is made from, besides its files.
#[derive(Debug, Clone)]
pub struct TemplateOptions {
    pub default_locale: String,
    /// Known to every template; the payload wins.
    pub constants: Map<String, Value>,
    /// A sample that takes more is a fault.
    pub max_segments: u32,
}

impl TemplateOptions {
    /// `brand`, `ttl_minutes` and the configured variables.
    pub fn of(settings: &config::Settings) -> Self {
        let whole_minutes = (settings.gatewayapi.validity_period.get().as_secs() / 60).max(1);
        let mut constants = Map::new();
        constants.insert("brand".to_owned(), settings.gatewayapi.sender.as_str().into());
        constants.insert("ttl_minutes".to_owned(), whole_minutes.into());
        for (name, value) in &settings.templates.variables {
            constants.insert(name.clone(), value.as_str().into());
        }
        Self {
            default_locale: settings.templates.default_locale.clone(),
            constants,
            max_segments: settings.delivery.max_segments,
        }
    }
}

impl TemplateSet {
    /// Reads a directory of templates, or the built-in set, and renders each template once.
    ///
    /// # Errors
    ///
    /// All faults, each with its file, usage type, locale and place.
    pub fn load(directory: Option<&Path>, options: &TemplateOptions) -> Result<Self, TemplateFaults> {
        let definitions = match directory {
            Some(directory) => file::read_directory(directory),
            None => builtin::read(),
        };
        let definitions = definitions?;
        let mut set = Self::compile_all(&definitions, options)?;
        let faults = set.render_samples(&definitions.definitions, options);
        if faults.is_empty() { Ok(set) } else { Err(TemplateFaults(faults)) }
    }

    /// A set whose every usage type is this one text, to preview it; not rendered yet, for only the caller has the values.
    ///
    /// # Errors
    ///
    /// When the text is no template.
    pub fn of_content(content: &str, syntax: Syntax, options: &TemplateOptions) -> Result<Self, TemplateFaults> {
        Self::compile_all(&file::Definitions::single(content, syntax), options)
    }

    fn compile_all(read: &file::Definitions, options: &TemplateOptions) -> Result<Self, TemplateFaults> {
        let mut set = Self {
            by_usage: [const { None }; UsageType::COUNT],
            engine: Engine::new(),
            constants: options.constants.clone(),
            warnings: read.warnings.clone(),
        };
        let mut faults = Vec::new();
        for definition in &read.definitions {
            match set.add(definition, options) {
                Ok(templates) => set.by_usage[definition.usage_type.index()] = Some(templates),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(set) } else { Err(TemplateFaults(faults)) }
    }

    fn add(
        &mut self,
        definition: &Definition,
        options: &TemplateOptions,
    ) -> Result<UsageTemplates, Vec<TemplateFault>> {
        let contents = definition.contents(&options.default_locale);
        let locales = Locales::new(contents.iter().map(|(locale, _)| *locale))
            .map_err(|error| vec![definition.fault(None, error.to_string())])?;
        let default =
            locales.find(&options.default_locale).ok_or_else(|| {
                vec![definition.fault(
                    Some(&options.default_locale),
                    "has no text, though it is templates.default_locale".to_owned(),
                )]
            })?;
        let mut faults = Vec::new();
        let mut templates = Vec::new();
        for (locale, content) in contents {
            match self.compile(definition, locale, content) {
                Ok(template) => templates.push(template),
                Err(fault) => faults.push(fault),
            }
        }
        let syntax = definition.syntax;
        if faults.is_empty() { Ok(UsageTemplates { locales, syntax, default, templates }) } else { Err(faults) }
    }

    fn compile(&mut self, definition: &Definition, locale: &str, content: &str) -> Result<Template, TemplateFault> {
        if content.trim().is_empty() {
            return Err(definition.fault(Some(locale), "the text is empty".to_owned()));
        }
        let form = match definition.syntax {
            Syntax::Logto => {
                let template = PlaceholderTemplate::parse(content);
                if let Some(stray) = template.stray_braces() {
                    let problem = format!("`{}` is no placeholder and would be sent as it is", shorten(stray));
                    self.warnings.push(definition.warning(locale, problem));
                }
                Form::Logto(template)
            }
            Syntax::Handlebars => {
                let name = format!("{}/{locale}", definition.usage_type);
                self.engine.add(&name, content).map_err(|problem| definition.fault(Some(locale), problem))?;
                Form::Handlebars(name)
            }
        };
        Ok(Template { variant: definition.variant(locale, content), content: content.into(), form })
    }

    fn render_samples(&mut self, definitions: &[Definition], options: &TemplateOptions) -> Vec<TemplateFault> {
        let mut faults = Vec::new();
        let mut warnings = Vec::new();
        for definition in definitions {
            for (locale, _) in definition.contents(&options.default_locale) {
                for sample in samples(definition.usage_type, locale) {
                    match self.render(definition.usage_type, &sample) {
                        Err(error) => faults.push(definition.fault(Some(locale), error.problem)),
                        Ok(rendered) => {
                            let segments = measure(rendered.text.as_str()).segments;
                            if segments > options.max_segments {
                                let problem = format!("takes {segments} segments, more than delivery.max_segments");
                                faults.push(definition.fault(Some(locale), problem));
                            }
                            let told = oddities(&rendered, &sample);
                            warnings.extend(told.map(|problem| definition.warning(locale, problem)));
                        }
                    }
                }
            }
        }
        self.warnings.append(&mut warnings);
        faults
    }

    /// The text for a person, in the best of their languages.
    ///
    /// # Errors
    ///
    /// When a handlebars template names a value that the payload does not have or takes too long, or the text comes out empty.
    pub fn render(&self, usage_type: UsageType, payload: &Payload) -> Result<Rendered, RenderError> {
        let usage = self.templates_of(usage_type);
        let index = usage.locales.choose(payload.locales()).unwrap_or(usage.default);
        let locale = usage.locales.written(index);
        let fault = |problem: String| RenderError { usage_type, locale: locale.to_owned(), problem };

        let value_of = |name: &str| payload.get(name).or_else(|| self.constants.get(name));
        let template = &usage.templates[index];
        let (text, unfilled) = match &template.form {
            Form::Logto(template) => {
                let unfilled = template.roots().find(|root| value_of(root).is_none()).map(ToOwned::to_owned);
                (template.render(value_of).ok_or_else(|| fault(too_long()))?, unfilled)
            }
            Form::Handlebars(name) => {
                let mut values = self.constants.clone();
                values.extend(payload.values().clone());
                (self.engine.render(name, values).map_err(fault)?, None)
            }
        };
        if text.trim().is_empty() {
            return Err(fault("the text comes out empty".to_owned()));
        }
        let variant = Arc::clone(&template.variant);
        Ok(Rendered { text: text.into(), locale: locale.to_owned(), variant, unfilled })
    }

    /// Each usage type that has templates of its own, with its languages.
    pub fn iter(&self) -> impl Iterator<Item = (UsageType, &Locales)> {
        let own = |usage_type: UsageType| self.by_usage[usage_type.index()].as_ref();
        UsageType::ALL.into_iter().filter_map(move |usage_type| Some((usage_type, &own(usage_type)?.locales)))
    }

    /// What an operator should look at, though it stops nothing.
    pub fn warnings(&self) -> &[TemplateWarning] {
        &self.warnings
    }

    fn templates_of(&self, usage_type: UsageType) -> &UsageTemplates {
        let own = self.by_usage[usage_type.index()].as_ref();
        own.or(self.by_usage[UsageType::Generic.index()].as_ref()).expect("a set without Generic is refused at load")
    }
}

/// What requests of this usage type usually carry.
pub fn samples(usage_type: UsageType, locale: &str) -> impl Iterator<Item = Payload> {
    let sample = |name: &str, value: &str| {
        let entries = [("locale", locale), (name, value)];
        Payload::from(entries.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect::<Map<_, _>>())
    };
    let invitation = (usage_type == UsageType::OrganizationInvitation).then(|| sample("link", "example.com"));
    [sample("code", "123456")].into_iter().chain(invitation)
}

/// What a person would wonder about in a rendered sample.
fn oddities(rendered: &Rendered, sample: &Payload) -> impl Iterator<Item = String> {
    let unfilled = rendered.unfilled.as_ref();
    let unfilled = unfilled.map(|name| format!("`{name}` has no value in a usual request and would be sent as it is"));
    let lacks_code = sample.code().is_some_and(|code| !rendered.text.as_str().contains(code));
    unfilled.into_iter().chain(lacks_code.then(|| "the text does not show the code".to_owned()))
}

fn shorten(text: &str) -> String {
    const MOST: usize = 20;
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests;
