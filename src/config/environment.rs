//! The environment as a layer: `SMS_<SECTION>__<KEY>`, and `…_FILE` for a path whose content is the value.

use std::{collections::BTreeMap, ffi::OsString, fs};

use super::ConfigError;

const PREFIX: &str = "SMS_";
const FILE_SUFFIX: &str = "_file";
/// Keys whose own names end like the suffix.
const KEYS_NAMED_FILE: [&str; 3] = ["gatewayapi.extra_ca_file", "ledger.ca_file", "telemetry.extra_ca_file"];
/// Secrets of which there may be several: only here a comma, or a line break, separates them.
const LISTS: [&str; 3] = ["logto.authorization", "operator.token", "delivery_reports.secret"];

/// Maps by a code, which is written in capitals: `SMS_GATEWAYAPI__SENDERS__DK` is `gatewayapi.senders.DK`.
pub(super) const BY_CODE: [&str; 3] = ["gatewayapi.senders", "limits.country.override", "limits.spend.per_day"];

/// One value, and the variable that it came from.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: config::Value,
}

/// The values by the path of their key.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, Variable>, ConfigError> {
    let mut found = BTreeMap::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)).map(ToOwned::to_owned) else { continue };
        let value = value.into_string().map_err(|_| ConfigError::NotUtf8 { variable: name.clone() })?;
        if value.is_empty() {
            continue;
        }
        let written = name[PREFIX.len()..].to_lowercase().replace("__", ".");
        let (path, text) = match written.strip_suffix(FILE_SUFFIX) {
            Some(path) if !KEYS_NAMED_FILE.contains(&written.as_str()) => (path.to_owned(), content(&name, &value)?),
            _ => (written, value),
        };
        let path = with_code(path);
        if !is_path(&path) {
            return Err(ConfigError::Unknown { key: path, origin: name });
        }
        let variable = Variable { value: parse(&path, text), name };
        if let Some(twice) = found.insert(path, variable) {
            return Err(ConfigError::Twice { variable: twice.name });
        }
    }
    Ok(found)
}

fn content(variable: &str, file: &str) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::ValueFile { variable: variable.to_owned(), source };
    // Editors and `echo` end a file with a line break, which no value has.
    Ok(fs::read_to_string(file).map_err(unreadable)?.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse(path: &str, text: String) -> config::Value {
    if LISTS.contains(&path) && text.contains([',', '\n']) {
        let values = text.split([',', '\n']).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        return values.collect::<Vec<_>>().into();
    }
    text.into()
}

fn with_code(path: String) -> String {
    match path.rsplit_once('.') {
        Some((map, code)) if BY_CODE.contains(&map) => format!("{map}.{}", code.to_uppercase()),
        _ => path,
    }
}

/// `section.key`, which the configuration's own path syntax then reads as it is meant.
fn is_path(path: &str) -> bool {
    path.contains('.')
        && path.split('.').all(|step| {
            !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        })
}
