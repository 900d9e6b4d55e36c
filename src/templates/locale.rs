//! Which of the languages that we have suits the languages that a person reads.

use std::collections::HashMap;

use icu_locale::{
    LanguageIdentifier, LocaleCanonicalizer, LocaleExpander, LocaleFallbacker,
    fallback::LocaleFallbackConfig,
    subtags::{Language, language},
};

/// A list of languages to choose from, each known by its place in the list.
#[derive(Debug, Clone)]
pub struct Locales {
    tags: Vec<Tag>,
    /// Most requests name a language exactly as we do.
    exact: HashMap<String, usize>,
}

#[derive(Debug, Clone)]
struct Tag {
    written: String,
    /// With script and region filled in, so that tags can be compared.
    full: LanguageIdentifier,
}

/// Why a list of languages is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocaleError {
    #[error("`{0}` is not a language tag such as en, pt-BR or zh-Hant-TW")]
    NotALocale(String),
    #[error("`{0}` and `{1}` are the same language")]
    Twice(String, String),
}

/// Longer texts are no language tags (RFC 5646, section 4.4.1, recommends room for 35).
const MAX_LENGTH: usize = 35;

impl Locales {
    /// # Errors
    ///
    /// When a tag is none, or two are the same language.
    pub fn new(tags: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, LocaleError> {
        let mut locales = Self { tags: Vec::new(), exact: HashMap::new() };
        for written in tags {
            let written = written.into();
            let full = maximized(&written).ok_or_else(|| LocaleError::NotALocale(written.clone()))?;
            if let Some(other) = locales.tags.iter().find(|tag| tag.full == full) {
                return Err(LocaleError::Twice(other.written.clone(), written));
            }
            locales.exact.insert(written.clone(), locales.tags.len());
            locales.tags.push(Tag { written, full });
        }
        Ok(locales)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(|tag| tag.written.as_str())
    }

    /// How a language of the list is written there.
    pub fn written(&self, index: usize) -> &str {
        &self.tags[index].written
    }

    /// The first of the person's languages that we have. `None`: none of them.
    pub fn choose<'a>(&self, preferred: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        preferred.into_iter().find_map(|requested| self.find(requested))
    }

    /// The entry that suits a requested language: the same language in the same script, of the nearest region.
    ///
    /// Scripts and regions that are not written are likely ones (Unicode TS 35, "Likely Subtags"), and nearness of
    /// regions is CLDR's parent locales: `es-419` → `es`, `en-AU` → `en`, `pt-AO` → `pt-PT`.
    pub fn find(&self, requested: &str) -> Option<usize> {
        if let Some(&index) = self.exact.get(requested) {
            return Some(index);
        }
        let full = maximized(requested)?;
        let fallback = LocaleFallbacker::new().for_config(LocaleFallbackConfig::default());
        let mut nearest = fallback.fallback_for((&full).into());
        while !nearest.get().is_unknown() {
            let mut region = nearest.get().into_locale().id;
            LocaleExpander::new_extended().maximize(&mut region);
            if let Some(index) = self.tags.iter().position(|tag| tag.full == region) {
                return Some(index);
            }
            nearest.step();
        }
        self.tags.iter().position(|tag| tag.full.language == full.language && tag.full.script == full.script)
    }
}

/// The tag with its likely script and region. `None` for what names no language, `und` and `mul` among it.
fn maximized(tag: &str) -> Option<LanguageIdentifier> {
    const NO_LANGUAGE: [Language; 2] = [Language::UNKNOWN, language!("mul")];

    if tag.len() > MAX_LENGTH {
        return None;
    }
    let mut locale = tag.trim().replace('_', "-").parse::<icu_locale::Locale>().ok()?;
    LocaleCanonicalizer::new_common().canonicalize(&mut locale);
    let mut id = locale.id;
    if NO_LANGUAGE.contains(&id.language) {
        return None;
    }
    // Bokmål, Nynorsk and plain Norwegian are read by the same people.
    if id.language == language!("no") || id.language == language!("nn") {
        id.language = language!("nb");
    }
    id.variants.clear();
    LocaleExpander::new_extended().maximize(&mut id);
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const OURS: [&str; 25] = [
        "ar", "cs", "da", "de", "en", "es", "fa-IR", "fi", "fr", "it", "ja", "ko", "nb", "nl", "pl-PL", "pt-BR",
        "pt-PT", "ru", "sv", "th", "tr-TR", "uk-UA", "zh-CN", "zh-HK", "zh-TW",
    ];

    #[rstest]
    #[case("en", Some("en"))]
    #[case("EN-us", Some("en"))]
    #[case("en_GB", Some("en"))]
    #[case("es-419", Some("es"))]
    #[case("es-MX", Some("es"))]
    #[case("nn", Some("nb"))]
    #[case("no", Some("nb"))]
    #[case("nn-NO", Some("nb"))]
    #[case("pt", Some("pt-BR"))]
    #[case("pt-AO", Some("pt-PT"))]
    #[case("pt-PT", Some("pt-PT"))]
    #[case("zh", Some("zh-CN"))]
    #[case("zh-Hans", Some("zh-CN"))]
    #[case("zh-SG", Some("zh-CN"))]
    #[case("zh-Hant", Some("zh-TW"))]
    #[case("zh-Hant-TW", Some("zh-TW"))]
    #[case("zh-Hant-HK", Some("zh-HK"))]
    #[case("zh-Hant-MO", Some("zh-TW"))]
    #[case("fa", Some("fa-IR"))]
    #[case("fa-AF", Some("fa-IR"))]
    #[case("ar-EG", Some("ar"))]
    #[case("de-AT-1996", Some("de"))]
    #[case("de-DE-u-co-phonebk", Some("de"))]
    #[case("pl", Some("pl-PL"))]
    #[case("tr", Some("tr-TR"))]
    #[case("uk", Some("uk-UA"))]
    #[case("fr-CA", Some("fr"))]
    #[case("ru-Latn", None)]
    #[case("he", None)]
    #[case("und", None)]
    #[case("mul", None)]
    #[case("", None)]
    #[case("*", None)]
    #[case("x-klingon", None)]
    #[case("en-US-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", None)]
    fn a_language_finds_its_nearest(#[case] requested: &str, #[case] expected: Option<&str>) {
        let locales = Locales::new(OURS).unwrap();
        assert_eq!(locales.find(requested).map(|index| locales.written(index)), expected);
    }

    #[test]
    fn the_first_language_that_we_have_is_chosen() {
        let locales = Locales::new(OURS).unwrap();
        let chosen = locales.choose(["he", "xx-bogus", "sv-FI", "en"]);
        assert_eq!(chosen.map(|index| locales.written(index)), Some("sv"));
        assert_eq!(locales.choose(["he"]), None);
    }

    #[test]
    fn one_language_stands_once() {
        assert_eq!(Locales::new(["en", "EN"]).unwrap_err(), LocaleError::Twice("en".into(), "EN".into()));
        assert_eq!(Locales::new(["nb", "no"]).unwrap_err(), LocaleError::Twice("nb".into(), "no".into()));
        assert_eq!(Locales::new(["english!"]).unwrap_err(), LocaleError::NotALocale("english!".into()));
    }
}
