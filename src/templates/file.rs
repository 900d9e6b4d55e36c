//! Template files: JSON in the shape that Logto's editor uses.

use std::{fmt, fs, path::Path, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};

use super::fault::{TemplateFault, TemplateFaults, TemplateWarning};
use crate::sms::UsageType;

/// In which syntax a template is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Syntax {
    /// `{{ path.to.value }}`, exactly as Logto's own connectors render it.
    #[default]
    Logto,
    /// The handlebars engine: conditions and loops; a value that is missing is an error; nothing is escaped.
    Handlebars,
}

/// The templates of one usage type, as a file defines them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    file: String,
    pub(super) usage_type: UsageType,
    pub(super) syntax: Syntax,
    content: Content,
}

/// What all files together define: each usage type at most once, the four that Logto demands among them.
#[derive(Debug)]
pub(super) struct Definitions {
    pub(super) definitions: Vec<Definition>,
    pub(super) warnings: Vec<TemplateWarning>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// One text for everybody.
    One(String),
    /// A text for each locale, in the file's order.
    ByLocale(Vec<(String, String)>),
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    usage_type: String,
    #[serde(default)]
    syntax: Syntax,
    content: Content,
}

/// Logto's connectors refuse a configuration without these.
const REQUIRED: [UsageType; 4] =
    [UsageType::Register, UsageType::SignIn, UsageType::ForgotPassword, UsageType::Generic];

impl Definition {
    /// Each text with its locale; a single text is the default locale's.
    pub(super) fn contents<'a>(&'a self, default_locale: &'a str) -> Vec<(&'a str, &'a str)> {
        match &self.content {
            Content::One(text) => vec![(default_locale, text)],
            Content::ByLocale(texts) => texts.iter().map(|(locale, text)| (locale.as_str(), text.as_str())).collect(),
        }
    }

    /// Names one of its texts, and changes with it: `SignIn/de#1a2b3c`.
    pub(super) fn variant(&self, locale: &str, content: &str) -> Arc<str> {
        let digest = Sha256::digest(content);
        let version: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        format!("{}/{locale}#{version}", self.usage_type).into()
    }

    pub(super) fn fault(&self, locale: Option<&str>, problem: String) -> TemplateFault {
        TemplateFault {
            file: self.file.clone(),
            usage_type: Some(self.usage_type),
            locale: locale.map(ToOwned::to_owned),
            problem,
        }
    }

    pub(super) fn warning(&self, locale: &str, problem: String) -> TemplateWarning {
        TemplateWarning(self.fault(Some(locale), problem))
    }
}

impl Definitions {
    /// One text as the only template.
    pub(super) fn single(content: &str, syntax: Syntax) -> Self {
        let definition = Definition {
            file: "the given text".to_owned(),
            usage_type: UsageType::Generic,
            syntax,
            content: Content::One(content.to_owned()),
        };
        Self { definitions: vec![definition], warnings: Vec::new() }
    }

    /// # Errors
    ///
    /// All faults of all files.
    pub(super) fn parse<'a>(
        origin: &str,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TemplateFaults> {
        let mut read = Self { definitions: Vec::new(), warnings: Vec::new() };
        let mut faults = Vec::new();
        for (file, json) in files {
            match entries(json) {
                Ok(entries) => {
                    for entry in entries {
                        read.add(file, entry).unwrap_or_else(|fault| faults.push(fault));
                    }
                }
                Err(error) => faults.push(file_fault(file, error.to_string())),
            }
        }
        if faults.is_empty() {
            let missing = REQUIRED.into_iter().filter(|usage_type| read.of(*usage_type).is_none());
            faults.extend(missing.map(|usage_type| {
                let problem = format!("no file defines {usage_type}, which Logto demands");
                TemplateFault { usage_type: Some(usage_type), ..file_fault(origin, problem) }
            }));
        }
        if faults.is_empty() { Ok(read) } else { Err(TemplateFaults(faults)) }
    }

    fn add(&mut self, file: &str, entry: Entry) -> Result<(), TemplateFault> {
        if entry.usage_type == "Test" {
            let problem = "usage type Test is deprecated and stands for Generic; left out".to_owned();
            self.warnings.push(TemplateWarning(file_fault(file, problem)));
            return Ok(());
        }
        let Some(usage_type) = UsageType::from_name(&entry.usage_type) else {
            let known = UsageType::ALL.map(UsageType::as_str).join(", ");
            return Err(file_fault(file, format!("there is no usage type `{}`; there are {known}", entry.usage_type)));
        };
        if let Some(other) = self.of(usage_type) {
            let problem = format!("{usage_type} is defined already, in {}", other.file);
            return Err(TemplateFault { usage_type: Some(usage_type), ..file_fault(file, problem) });
        }
        let file = file.to_owned();
        self.definitions.push(Definition { file, usage_type, syntax: entry.syntax, content: entry.content });
        Ok(())
    }

    fn of(&self, usage_type: UsageType) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.usage_type == usage_type)
    }
}

/// Reads each `*.json` of a directory, in the order of their names.
pub(super) fn read_directory(directory: &Path) -> Result<Definitions, TemplateFaults> {
    let fault = |path: &Path, error: std::io::Error| {
        TemplateFaults(vec![file_fault(&path.display().to_string(), error.to_string())])
    };
    let mut paths = Vec::new();
    let no_directory = |error: std::io::Error| {
        TemplateFaults(vec![file_fault("templates.directory", format!("{}: {error}", directory.display()))])
    };
    for entry in fs::read_dir(directory).map_err(no_directory)? {
        let path = entry.map_err(|error| fault(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let json = fs::read_to_string(&path).map_err(|error| fault(&path, error))?;
        files.push((path.display().to_string(), json));
    }
    Definitions::parse(
        &directory.display().to_string(),
        files.iter().map(|(name, json)| (name.as_str(), json.as_str())),
    )
}

/// One object, or Logto's whole list of them.
fn entries(json: &str) -> Result<Vec<Entry>, serde_json::Error> {
    // Some editors begin a file with a byte order mark, which JSON does not know.
    let json = json.trim_start_matches('\u{feff}');
    if json.trim_start().starts_with('[') {
        serde_json::from_str(json)
    } else {
        serde_json::from_str(json).map(|entry| vec![entry])
    }
}

fn file_fault(file: &str, problem: String) -> TemplateFault {
    TemplateFault { file: file.to_owned(), usage_type: None, locale: None, problem }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object from locale to text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::One(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
                let mut texts: Vec<(String, String)> = Vec::new();
                while let Some((locale, text)) = map.next_entry::<String, String>()? {
                    if texts.iter().any(|(other, _)| *other == locale) {
                        return Err(de::Error::custom(format!("locale `{locale}` stands twice")));
                    }
                    texts.push((locale, text));
                }
                Ok(Content::ByLocale(texts))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
