use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The values that a template may name: what Logto sent, of any shape.
///
/// Holds the code, so its `Debug` shows the names of the values only.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Payload(Map<String, Value>);

impl Payload {
    /// Logto's Console sends this one as a test, again and again on purpose.
    pub const TEST_CODE: &str = "000000";

    /// The code, where Logto sent one as text.
    pub fn code(&self) -> Option<&str> {
        self.text("code")
    }

    /// The languages that the person reads, best first: `locale`, then each of the space-separated `uiLocales`.
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        /// A longer list is a mistake or an attack; nobody reads more languages.
        const MOST: usize = 16;
        self.text("locale").into_iter().chain(self.text("uiLocales").unwrap_or_default().split_whitespace()).take(MOST)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn values(&self) -> &Map<String, Value> {
        &self.0
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}

impl From<Map<String, Value>> for Payload {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &str) -> Payload {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_locale_comes_before_the_locales_of_the_authentication_request() {
        let payload = payload(r#"{"locale":"en","uiLocales":" es-MX  es "}"#);
        assert_eq!(payload.locales().collect::<Vec<_>>(), ["en", "es-MX", "es"]);
    }

    #[test]
    fn locales_of_another_json_type_are_no_locales() {
        assert_eq!(payload(r#"{"locale":7,"uiLocales":["es"]}"#).locales().count(), 0);
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", payload(r#"{"code":"123456","link":"x"}"#)), r#"{"code", "link"}"#);
    }
}
