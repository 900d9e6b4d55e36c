//! Puts the layers over each other, and says of a wrong value where it came from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use config::{Config, ConfigBuilder, File, FileFormat, ValueKind, builder::DefaultState};

use super::{
    DEFAULTS, Settings,
    environment::{self, BY_CODE, Variable},
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

impl Source {
    /// Whether the environment has a say on a key, and not only a file or a default.
    pub fn is_in_environment(&self, key: &str) -> bool {
        environment::read(self.environment.iter().cloned()).is_ok_and(|variables| variables.contains_key(key))
    }
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
    let file = source.file.as_deref().map(read).transpose()?;
    check_each(&variables)?;

    let whole = build("configuration", |mut builder| {
        builder = builder.add_source(toml(DEFAULTS));
        builder = builder.add_source(toml(source.preset.as_deref().unwrap_or_default()));
        if let Some(file) = file {
            builder = builder.add_source(file);
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
    let settings = deserialize(whole, "configuration")?;
    settings.check()?;
    let warnings = settings.warnings().collect();
    Ok(Loaded { settings, warnings })
}

/// The file, checked alone, so that a fault can be told with its origin.
fn read(path: &Path) -> Result<Config, ConfigError> {
    let origin = path.display().to_string();
    let file = build(&origin, |builder| Ok(builder.add_source(File::from(path).format(FileFormat::Toml))))?;
    deserialize(build(&origin, |builder| Ok(alone(builder).add_source(file.clone())))?, &origin)?;
    Ok(with_codes(file))
}

/// Each variable alone, for the same reason.
fn check_each(variables: &BTreeMap<String, Variable>) -> Result<(), ConfigError> {
    let base = build("configuration", |builder| Ok(alone(builder)))?;
    for (path, Variable { name, value }) in variables {
        let layer = build(name, |builder| builder.add_source(base.clone()).set_override(path, value.clone()))?;
        deserialize(layer, name)?;
    }
    Ok(())
}

/// `dk` in a file is what `DK` is in the environment.
fn with_codes(mut layer: Config) -> Config {
    for path in BY_CODE {
        let below = path.split('.').try_fold(&mut layer.cache, |value, step| table(value)?.get_mut(step));
        if let Some(map) = below.and_then(table) {
            *map = std::mem::take(map).into_iter().map(|(code, value)| (code.to_uppercase(), value)).collect();
        }
    }
    layer
}

fn table(value: &mut config::Value) -> Option<&mut config::Map<String, config::Value>> {
    match &mut value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

fn alone(builder: ConfigBuilder<DefaultState>) -> ConfigBuilder<DefaultState> {
    builder.add_source(toml(PLACEHOLDERS)).add_source(toml(DEFAULTS))
}

fn toml(text: &str) -> File<config::FileSourceString, FileFormat> {
    File::from_str(text, FileFormat::Toml)
}

fn build(
    origin: &str,
    layers: impl FnOnce(ConfigBuilder<DefaultState>) -> Result<ConfigBuilder<DefaultState>, config::ConfigError>,
) -> Result<Config, ConfigError> {
    layers(Config::builder())
        .and_then(ConfigBuilder::<DefaultState>::build)
        .map_err(|error| ConfigError::Layer { origin: origin.to_owned(), problem: without_excerpt(&error.to_string()) })
}

fn deserialize(layer: Config, origin: &str) -> Result<Settings, ConfigError> {
    let mut ignored = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| ignored.push(path.to_string());
    let deserializer = serde_ignored::Deserializer::new(layer, &mut note);
    let settings: Settings = serde_path_to_error::deserialize(deserializer).map_err(|fault| {
        let key = fault.path().to_string();
        ConfigError::Type { origin: origin.to_owned(), key, problem: problem(fault.into_inner()) }
    })?;
    match ignored.into_iter().next() {
        Some(key) => Err(ConfigError::Unknown { key, origin: origin.to_owned() }),
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
