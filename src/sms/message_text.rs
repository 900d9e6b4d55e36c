use std::fmt;

/// The text of a message, as the person will read it. Holds the code, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for MessageText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageText(…)")
    }
}
