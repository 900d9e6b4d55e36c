//! Puts the layers over each other, and says of a wrong value where it came from.

use std::{collections::BTreeMap, ffi::OsString, io, path::PathBuf};

use config::{Config, ConfigBuilder, File, FileFormat, builder::DefaultState};

use super::{
    DEFAULTS, Settings,
    environment::{self, Variable},
};

/// Stand in for the required keys while a single layer is checked.
const PLACEHOLDERS: &str = r#"
    logto.authorization = "-"
    gatewayapi.api_token = "-"
    gatewayapi.sender = "-"
"#;

/// What must be set, and how to say so.
const REQUIRED: [(&str, &str); 3] = [
    ("logto.authorization", "the Authorization header that Logto's HTTP SMS connector sends"),
    ("gatewayapi.api_token", "the API token of your GatewayAPI account"),
    ("gatewayapi.sender", "who your messages are from"),
];

/// Where values come from.
#[derive(Debug, Default)]
pub struct Source {
    /// A TOML file, over the defaults.
    pub file: Option<PathBuf>,
    /// The process's environment, over the file. Only `SMS_…` variables count.
    pub environment: Vec<(OsString, OsString)>,
    /// TOML between the defaults and the file.
    pub preset: Option<String>,
    /// TOML over everything else.
    pub forced: Option<String>,
}

/// Settings that are fit to run with.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    /// Sentences for the operator.
    pub warnings: Vec<String>,
}

/// Why there are no settings. Never shows a value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{key} is not set ({meaning}): set {variable}, or {key} in the configuration file", variable = variable_of(key))]
    Missing { key: &'static str, meaning: &'static str },
    #[error("{key} {problem}")]
    Value { key: &'static str, problem: &'static str },
    #[error("unknown key {key} in {origin}; config/default.toml lists all keys")]
    Unknown { key: String, origin: String },
    #[error("{origin}: {problem}")]
    Layer { origin: String, problem: String },
    #[error("{origin}: {key}: {problem}")]
    Type { origin: String, key: String, problem: String },
    #[error("{variable} and its twin with or without _FILE are both set: keep one")]
    Twice { variable: String },
    #[error("{variable} is not UTF-8")]
    NotUtf8 { variable: String },
    #[error("{variable}: can't read the file that it names: {source}")]
    ValueFile { variable: String, source: io::Error },
}

/// How a key is called in the environment.
fn variable_of(key: &str) -> String {
    format!("SMS_{}", key.replace('.', "__").to_uppercase())
}

pub(super) fn load(source: &Source) -> Result<Loaded, ConfigError> {
    let variables = environment::read(source.environment.iter().cloned())?;
    check_layers(source, &variables)?;

    let whole = build("configuration", |mut builder| {
        builder = builder.add_source(toml(DEFAULTS));
        builder = builder.add_source(toml(source.preset.as_deref().unwrap_or_default()));
        if let Some(path) = &source.file {
            builder = builder.add_source(file(path));
        }
        for (path, variable) in &variables {
            builder = builder.set_override(path, variable.value.clone())?;
        }
        Ok(builder)
    })?;
    let whole = build("configuration", |builder| {
        Ok(builder.add_source(whole).add_source(toml(source.forced.as_deref().unwrap_or_default())))
    })?;
    if let Some((key, meaning)) = REQUIRED.into_iter().find(|(key, _)| whole.get::<config::Value>(key).is_err()) {
        return Err(ConfigError::Missing { key, meaning });
    }
    let settings = deserialize(whole, &|_| "configuration".to_owned())?;
    settings.check()?;
    let warnings = settings.warnings().collect();
    Ok(Loaded { settings, warnings })
}

/// Each layer alone, so that a fault can be told with its origin.
fn check_layers(source: &Source, variables: &BTreeMap<String, Variable>) -> Result<(), ConfigError> {
    if let Some(path) = &source.file {
        let origin = path.display().to_string();
        let layer = build(&origin, |builder| Ok(alone(builder).add_source(file(path))))?;
        deserialize(layer, &|_| origin.clone())?;
    }
    let layer = build("environment", |builder| {
        variables
            .iter()
            .try_fold(alone(builder), |builder, (path, variable)| builder.set_override(path, variable.value.clone()))
    })?;
    let variable = |key: &str| {
        let exact = variables.get(key);
        let below = || variables.range(format!("{key}.")..).next().map(|(_, variable)| variable);
        exact.or_else(below).map_or_else(|| "environment".to_owned(), |variable| variable.name.clone())
    };
    deserialize(layer, &variable)?;
    Ok(())
}

fn alone(builder: ConfigBuilder<DefaultState>) -> ConfigBuilder<DefaultState> {
    builder.add_source(toml(PLACEHOLDERS)).add_source(toml(DEFAULTS))
}

fn toml(text: &str) -> File<config::FileSourceString, FileFormat> {
    File::from_str(text, FileFormat::Toml)
}

fn file(path: &std::path::Path) -> File<config::FileSourceFile, FileFormat> {
    File::from(path).format(FileFormat::Toml)
}

fn build(
    origin: &str,
    layers: impl FnOnce(ConfigBuilder<DefaultState>) -> Result<ConfigBuilder<DefaultState>, config::ConfigError>,
) -> Result<Config, ConfigError> {
    layers(Config::builder())
        .and_then(ConfigBuilder::<DefaultState>::build)
        .map_err(|error| ConfigError::Layer { origin: origin.to_owned(), problem: without_excerpt(&error.to_string()) })
}

fn deserialize(layer: Config, origin_of: &dyn Fn(&str) -> String) -> Result<Settings, ConfigError> {
    let mut ignored = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| ignored.push(path.to_string());
    let deserializer = serde_ignored::Deserializer::new(layer, &mut note);
    let settings: Settings = serde_path_to_error::deserialize(deserializer).map_err(|fault| {
        let key = fault.path().to_string();
        ConfigError::Type { origin: origin_of(&key), problem: problem(fault.into_inner()), key }
    })?;
    match ignored.into_iter().next() {
        Some(key) => Err(ConfigError::Unknown { origin: origin_of(&key), key }),
        None => Ok(settings),
    }
}

/// The parser's message without the lines of the file that it shows, which may hold a secret.
fn without_excerpt(message: &str) -> String {
    let lines = message.lines().filter(|line| !line.contains(" |")).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(": ")
}

/// What is wrong, without the layers of context that we tell ourselves.
fn problem(error: config::ConfigError) -> String {
    match error {
        config::ConfigError::At { error, .. } => problem(*error),
        config::ConfigError::Type { unexpected, expected, .. } => format!("expected {expected}, found {unexpected}"),
        other => other.to_string(),
    }
}
