//! Secrets, as they are written.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

use super::value::Texts;

/// A secret, or several of which each is good while one replaces another.
#[derive(Debug, Clone)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }

    pub(super) fn any_empty(&self) -> bool {
        self.0.is_empty() || self.iter().any(|value| value.trim().is_empty())
    }

    /// A scheme with nothing behind it, as a script writes whose secret came out empty. Anybody may send that.
    pub(super) fn any_scheme_alone(&self) -> bool {
        let is_scheme = |value: &str| ["Bearer", "Basic"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme));
        self.iter().any(|value| is_scheme(value.trim()))
    }

    /// Short enough to be guessed.
    pub(super) fn any_short(&self) -> bool {
        self.iter().any(is_short)
    }

    /// Short enough to be guessed, by who knows the scheme.
    pub(super) fn any_short_behind_scheme(&self) -> bool {
        self.iter().map(|header| header.trim().split_once(' ').map_or(header, |(_, secret)| secret)).any(is_short)
    }
}

/// Short enough to be guessed.
pub(super) fn is_short(secret: &str) -> bool {
    secret.trim().len() < 16
}

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secrets = match Texts::deserialize(deserializer)? {
            Texts::One(text) => vec![as_secret(text)?],
            Texts::List(texts) => texts.into_iter().map(as_secret).collect::<Result<_, _>>()?,
            Texts::Other => return Err(de::Error::custom("must be a text in quotes, or a list of them")),
        };
        Ok(Self(secrets))
    }
}

/// Refuses what a shell would have made a secret of, where none did: the letters of a document are known to everybody.
fn as_secret<E: de::Error>(text: String) -> Result<SecretString, E> {
    if text.contains("$(") || text.trim_start().starts_with(['"', '\'']) {
        return Err(E::custom(
            "must be the secret itself, without quotes around it and $(…) in it, which only a shell reads",
        ));
    }
    Ok(text.into())
}

/// One secret.
pub(super) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    match Texts::deserialize(deserializer)? {
        Texts::One(text) => as_secret(text),
        Texts::List(_) | Texts::Other => Err(de::Error::custom("must be a text in quotes")),
    }
}

/// One, where the key is there.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    one(deserializer).map(Some)
}
