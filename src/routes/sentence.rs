use std::collections::BTreeMap;

use bytestring::ByteString;

use crate::templates::Locales;

/// What a person may be told. The texts are in `sentences.json`, in the languages of the built-in templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sentence {
    Sent,
    Malformed,
    Unauthorized,
    NumberUnusable,
    RecipientRefused,
    RecipientRefusedForNow,
    DestinationRefused,
    ContentRefused,
    ServiceFault,
    ProviderFault,
    Unavailable,
    OutcomeUnknown,
    LimitCooldown,
    LimitNumber,
    LimitIp,
    LimitRange,
    LimitCountry,
    LimitService,
    LimitSpend,
    LimitCountries,
    LimitLineTypes,
    LimitDeny,
}

impl Sentence {
    const ALL: [Self; 22] = [
        Self::Sent,
        Self::Malformed,
        Self::Unauthorized,
        Self::NumberUnusable,
        Self::RecipientRefused,
        Self::RecipientRefusedForNow,
        Self::DestinationRefused,
        Self::ContentRefused,
        Self::ServiceFault,
        Self::ProviderFault,
        Self::Unavailable,
        Self::OutcomeUnknown,
        Self::LimitCooldown,
        Self::LimitNumber,
        Self::LimitIp,
        Self::LimitRange,
        Self::LimitCountry,
        Self::LimitService,
        Self::LimitSpend,
        Self::LimitCountries,
        Self::LimitLineTypes,
        Self::LimitDeny,
    ];

    /// Its key in `sentences.json`, and its name in RFC 9457's `type`.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::NumberUnusable => "number_unusable",
            Self::RecipientRefused => "recipient_refused",
            Self::RecipientRefusedForNow => "recipient_refused_for_now",
            Self::DestinationRefused => "destination_refused",
            Self::ContentRefused => "content_refused",
            Self::ServiceFault => "service_fault",
            Self::ProviderFault => "provider_fault",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::LimitCooldown => "limit_cooldown",
            Self::LimitNumber => "limit_number",
            Self::LimitIp => "limit_ip",
            Self::LimitRange => "limit_range",
            Self::LimitCountry => "limit_country",
            Self::LimitService => "limit_service",
            Self::LimitSpend => "limit_spend",
            Self::LimitCountries => "limit_countries",
            Self::LimitLineTypes => "limit_line_types",
            Self::LimitDeny => "limit_deny",
        }
    }
}

/// All sentences in all languages.
#[derive(Debug)]
pub struct Sentences {
    locales: Locales,
    default: Language,
    /// By sentence, then by language.
    texts: Vec<Vec<ByteString>>,
}

/// A language that the sentences have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Language(usize);

impl Sentences {
    /// `default_locale` is for people whose language is not known or missing; English, where it is missing itself.
    pub fn new(default_locale: &str) -> Self {
        const FILE: &str = include_str!("sentences.json");
        const PROOF: &str = "sentences.json is compiled in and tested";

        let file: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(FILE).expect(PROOF);
        let locales = Locales::new(file[Sentence::Sent.key()].keys().cloned()).expect(PROOF);
        let texts = Sentence::ALL.map(|sentence| {
            let texts = &file[sentence.key()];
            locales.iter().map(|locale| texts[locale].as_str().into()).collect()
        });
        let default = locales.choose([default_locale, "en"]).expect(PROOF);
        Self { default: Language(default), texts: texts.into(), locales }
    }

    /// The best of a person's languages.
    pub(super) fn language<'a>(&self, preferred: impl IntoIterator<Item = &'a str>) -> Language {
        self.locales.choose(preferred).map_or(self.default, Language)
    }

    pub(super) const fn default_language(&self) -> Language {
        self.default
    }

    pub(super) fn text(&self, sentence: Sentence, language: Language) -> &ByteString {
        &self.texts[sentence as usize][language.0]
    }

    /// The language's tag, for `Content-Language`.
    pub(super) fn tag(&self, language: Language) -> &str {
        self.locales.written(language.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_stands_in_every_language_and_is_short_and_plain() {
        let sentences = Sentences::new("en");
        assert_eq!(sentences.locales.iter().count(), 25);
        for (index, sentence) in Sentence::ALL.into_iter().enumerate() {
            assert_eq!(sentence as usize, index);
            for language in 0..25 {
                let text = sentences.text(sentence, Language(language));
                assert!((5..=160).contains(&text.chars().count()), "{text}");
                assert!(!text.contains(['{', '}', '<', '\n']), "{text}");
                assert!(!text.chars().any(|character| character.is_ascii_digit()), "{text}");
            }
        }
    }

    #[test]
    fn the_language_is_the_persons_or_the_default() {
        let sentences = Sentences::new("de");
        let text =
            |locales: &[&str]| sentences.text(Sentence::Sent, sentences.language(locales.iter().copied())).to_owned();
        assert_eq!(text(&["es-419"]), "El SMS está en camino.");
        assert_eq!(text(&["he"]), "Ihre SMS ist unterwegs.");
        assert_eq!(sentences.tag(Sentences::new("he").default), "en");
    }
}
