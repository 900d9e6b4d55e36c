//! Logto's own template syntax, to the byte.
//!
//! What Logto's connectors do is `template.replaceAll(/{{\s*([\w.]+)\s*}}/g, …)` with `String(value)`
//! (`replaceSendMessageHandlebars` in `@logto/connector-kit` 5.1.1), so this module follows JavaScript where it
//! differs from Rust: its white space, its numbers, its array indexes. Names that JavaScript objects inherit
//! (`constructor`) are absent here.

use std::borrow::Cow;

use serde_json::Value;

use super::LONGEST_TEXT;

/// A template, cut where values go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlaceholderTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder {
        /// As it stands in the template, for when the payload does not know it.
        written: String,
        root: String,
        steps: Vec<String>,
    },
}

impl PlaceholderTemplate {
    pub(super) fn parse(template: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = template;
        while let Some(open) = rest.find("{{") {
            let (before, at) = rest.split_at(open);
            text.push_str(before);
            match placeholder(at) {
                Some((path, length)) => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    let mut steps = path.split('.').map(ToOwned::to_owned);
                    let root = steps.next().expect("split gives at least one item");
                    parts.push(Part::Placeholder { written: at[..length].to_owned(), root, steps: steps.collect() });
                    rest = &at[length..];
                }
                None => {
                    text.push('{');
                    rest = &at[1..];
                }
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Self { parts }
    }

    /// The text with each placeholder replaced; `value_of` knows the payload's values by their name. `None`: it gets too
    /// long, as a long value does that stands in many places.
    pub(super) fn render<'a>(&self, value_of: impl Fn(&str) -> Option<&'a Value>) -> Option<String> {
        let mut text = String::with_capacity(160);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Placeholder { written, root, steps } => match value_of(root).filter(|_| !root.is_empty()) {
                    Some(value) => push_text(&mut text, resolve(value, steps).as_deref()),
                    None => text.push_str(written),
                },
            }
            if text.len() > LONGEST_TEXT {
                return None;
            }
        }
        Some(text)
    }

    /// The names that the payload is asked for.
    pub(super) fn roots(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder { root, .. } => Some(root.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Braces that look like a placeholder and are none, so that they would be sent as they are.
    pub(super) fn stray_braces(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            Part::Text(text) => text.find("{{").map(|at| &text[at..]),
            Part::Placeholder { .. } => None,
        })
    }
}

/// The path of the placeholder that the text begins with, and the length of all of it.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("{{")?.trim_start_matches(is_javascript_space);
    let end = inner.find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '_' | '.')))?;
    let (path, after) = inner.split_at(end);
    let after = after.trim_start_matches(is_javascript_space).strip_prefix("}}")?;
    (!path.is_empty()).then(|| (path, text.len() - after.len()))
}

/// JavaScript's `\s` (ECMA-262, `WhiteSpace` and `LineTerminator`): Unicode's white space with the byte order mark and
/// without NEL.
fn is_javascript_space(character: char) -> bool {
    (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
}

/// Where a path leads: through an object's own keys, an array's indexes, at last to an array's length.
fn resolve<'a>(root: &'a Value, steps: &[String]) -> Option<Cow<'a, Value>> {
    let mut value = root;
    for (index, step) in steps.iter().enumerate() {
        value = match value {
            Value::Object(object) => object.get(step)?,
            Value::Array(items) if step == "length" => {
                return (index + 1 == steps.len()).then(|| Cow::Owned(items.len().into()));
            }
            Value::Array(items) => items.get(array_index(step)?)?,
            _ => return None,
        };
    }
    Some(Cow::Borrowed(value))
}

/// An index as JavaScript writes it: `1`, but not `01`.
fn array_index(step: &str) -> Option<usize> {
    step.parse().ok().filter(|index: &usize| index.to_string() == step)
}

/// JavaScript's `String(value ?? "")`.
fn push_text(text: &mut String, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Bool(flag)) => text.push_str(if *flag { "true" } else { "false" }),
        Some(Value::Number(number)) => push_number(text, number.as_f64().unwrap_or(f64::NAN)),
        Some(Value::String(string)) => text.push_str(string),
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                push_text(text, Some(item));
            }
        }
        Some(Value::Object(_)) => text.push_str("[object Object]"),
    }
}

fn push_number(text: &mut String, number: f64) {
    text.push_str(ryu_js::Buffer::new().format(number));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(template: &str, payload: &Value) -> String {
        PlaceholderTemplate::parse(template).render(|name| payload.get(name)).unwrap()
    }

    #[test]
    fn a_long_value_in_many_places_does_not_fill_the_memory() {
        let template = |times| PlaceholderTemplate::parse(&"{{x}}".repeat(times));
        let payload = json!({"x": "a".repeat(1024)});
        let length = |times| template(times).render(|name| payload.get(name)).map(|text| text.len());
        assert_eq!((length(64), length(65)), (Some(LONGEST_TEXT), None));
    }

    #[test]
    fn inherited_names_are_absent() {
        assert_eq!(render("{{constructor}} {{o.toString}}|", &json!({"o": {}})), "{{constructor}} |");
    }

    #[test]
    fn white_space_is_javascripts() {
        let payload = json!({"a": 1});
        assert_eq!(render("{{\u{feff}a\u{b}\u{2029}}}", &payload), "1");
        assert_eq!(render("{{a\u{85}}}", &payload), "{{a\u{85}}}");
        assert_eq!(render("{{a\u{200b}}}", &payload), "{{a\u{200b}}}");
    }

    #[test]
    fn a_failed_match_moves_on_by_one_character() {
        let payload = json!({"x": 1});
        assert_eq!(render("{{ {{x}} }}", &payload), "{{ 1 }}");
        assert_eq!(render("{{x {{x}}", &payload), "{{x 1");
        assert_eq!(render("{{{{x}}}}", &payload), "{{1}}");
    }

    #[test]
    fn stray_braces_are_told() {
        assert_eq!(PlaceholderTemplate::parse("Hi {{na me}}").stray_braces(), Some("{{na me}}"));
        assert_eq!(PlaceholderTemplate::parse("Hi {{name}}").stray_braces(), None);
    }
}
