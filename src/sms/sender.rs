use std::{collections::BTreeMap, fmt};

use super::Country;

/// Who a message says it is from: at most 11 characters of text, or at most 15 digits (GatewayAPI's `sender`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(String);

/// Why a text can't be a sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    #[error("a sender can't be empty")]
    Empty,
    #[error("a sender of digits has at most 15 of them")]
    TooManyDigits,
    #[error("a sender of text has at most 11 characters")]
    TooLong,
    #[error("a sender can't hold line breaks or other control characters")]
    Control,
}

impl Sender {
    const MAX_CHARACTERS: usize = 11;
    const MAX_DIGITS: usize = 15;

    /// # Errors
    ///
    /// When the text is empty, too long, or holds control characters.
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SenderError::Empty);
        }
        let number = text.strip_prefix('+').unwrap_or(text);
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return match number.len() {
                1..=Self::MAX_DIGITS => Ok(Self(number.to_owned())),
                _ => Err(SenderError::TooManyDigits),
            };
        }
        if text.chars().any(char::is_control) {
            return Err(SenderError::Control);
        }
        if text.chars().count() > Self::MAX_CHARACTERS {
            return Err(SenderError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number, rather than a name.
    pub fn is_numeric(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Has a character that some networks replace or refuse: only a–z, A–Z, 0–9 pass everywhere.
    pub fn may_be_altered(&self) -> bool {
        !self.0.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who messages are from: one sender, and others where a country wants them.
#[derive(Debug, Clone)]
pub struct Senders {
    general: Sender,
    by_country: BTreeMap<Country, Sender>,
}

impl Senders {
    pub const fn new(general: Sender, by_country: BTreeMap<Country, Sender>) -> Self {
        Self { general, by_country }
    }

    /// The sender of a message to this country.
    pub fn for_country(&self, country: Option<Country>) -> &Sender {
        country.and_then(|country| self.by_country.get(&country)).unwrap_or(&self.general)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ExampleShop", Ok("ExampleShop"))]
    #[case("  Acme  ", Ok("Acme"))]
    #[case("+4526091045", Ok("4526091045"))]
    #[case("123456789012345", Ok("123456789012345"))]
    #[case("1234567890123456", Err(SenderError::TooManyDigits))]
    #[case("ExampleShops", Err(SenderError::TooLong))]
    #[case("", Err(SenderError::Empty))]
    #[case(" ", Err(SenderError::Empty))]
    #[case("Ac\nme", Err(SenderError::Control))]
    fn a_sender_is_short_text_or_digits(#[case] text: &str, #[case] expected: Result<&str, SenderError>) {
        assert_eq!(Sender::parse(text).as_ref().map(Sender::as_str), expected.as_ref().map(|s| *s));
    }

    #[test]
    fn a_sender_beyond_ascii_letters_and_digits_may_be_altered() {
        assert!(Sender::parse("Café").unwrap().may_be_altered());
        assert!(!Sender::parse("Acme24").unwrap().may_be_altered());
    }
}
