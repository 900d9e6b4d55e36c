//! The handlebars engine, within bounds: a template must neither fill the memory nor run away.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use handlebars::{Handlebars, RenderError, RenderErrorReason, no_escape};
use serde_json::{Map, Value};

use super::{
    LONGEST_TEXT,
    steps::{self, MOST_STEPS},
    too_long,
};

/// Tags and brackets of a template: the parser goes deeper for each inside another, and too deep would end the process.
const MOST_TAGS: usize = 100;

pub(super) struct Engine(Handlebars<'static>);

impl Engine {
    pub(super) fn new() -> Self {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(no_escape);
        Self(engine)
    }

    /// Compiles a template, to be known by this name. The error begins with line and column where they are known.
    pub(super) fn add(&mut self, name: &str, content: &str) -> Result<(), String> {
        if content.matches("{{").count() + content.matches('(').count() > MOST_TAGS {
            return Err(format!("more than {MOST_TAGS} tags and brackets"));
        }
        if includes(content) {
            return Err("partials (`{{> name}}`) are not known here: a message is one text".to_owned());
        }
        self.0.register_template_string(name, content).map_err(|error| {
            let place = error.pos().map(|(line, column)| format!("line {line}, column {column}: "));
            format!("{}{}", place.unwrap_or_default(), error.reason())
        })
    }

    /// The error shows no value.
    pub(super) fn render(&self, name: &str, values: &Map<String, Value>) -> Result<String, String> {
        if self.0.get_template(name).is_some_and(|template| steps::at_most(template, values) > MOST_STEPS) {
            return Err(format!("its loops take more than {MOST_STEPS} steps"));
        }
        let mut text = Bounded(Vec::new());
        self.0.render_to_write(name, values, &mut text).map_err(|error| problem(&error))?;
        String::from_utf8(text.0).map_err(|_| "can't be rendered".to_owned())
    }
}

/// Whether a template includes another, or defines one to include: two that include each other would never end.
fn includes(content: &str) -> bool {
    content.split("{{").skip(1).any(|tag| {
        let name =
            tag.trim_start_matches(|character: char| matches!(character, '~' | '#') || character.is_whitespace());
        name.starts_with(['>', '*'])
    })
}

/// The engine's error without anything that could hold a value.
fn problem(error: &RenderError) -> String {
    let place = match (error.line_no, error.column_no) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        _ => String::new(),
    };
    let problem = match error.reason() {
        RenderErrorReason::MissingVariable(name) => {
            let name = name.as_deref().unwrap_or("a variable");
            Cow::Owned(format!("`{name}` has no value; use {{{{#if {name}}}}} where it may be missing"))
        }
        RenderErrorReason::HelperNotFound(name) => Cow::Owned(format!("there is no helper `{name}`")),
        RenderErrorReason::IOError(_) => Cow::Owned(too_long()),
        _ => Cow::Borrowed("can't be rendered"),
    };
    format!("{place}{problem}")
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn render(content: &str, values: Value) -> Result<String, String> {
        let mut engine = Engine::new();
        engine.add("it", content)?;
        engine.render("it", values.as_object().unwrap())
    }

    #[rstest]
    #[case("{{> it}}")]
    #[case("{{~ > it}}")]
    #[case("{{#> it}}{{/it}}")]
    #[case(r#"{{#*inline "a"}}{{> b}}{{/inline}}{{#*inline "b"}}{{> a}}{{/inline}}{{> a}}"#)]
    fn a_template_includes_no_other(#[case] content: &str) {
        assert!(render(content, json!({})).unwrap_err().contains("partials"));
    }

    #[test]
    fn a_loop_does_not_fill_the_memory() {
        let list = vec![0; 500];
        let error = render("{{#each list}}{{#each ../list}}x{{/each}}{{/each}}", json!({ "list": list })).unwrap_err();
        assert!(error.ends_with("the text gets longer than 65536 bytes"), "{error}");
    }

    #[rstest]
    #[case::each("{{#each list}}{{#each ../list}}{{/each}}{{/each}}")]
    #[case::section("{{#list}}{{#each ../list}}{{/each}}{{/list}}")]
    #[case::otherwise("{{#if none}}{{else}}{{#each list}}{{#each ../list}}{{/each}}{{/each}}{{/if}}")]
    #[case::in_between("{{#each list}}{{#with ../map}}{{#each ../../list}}{{/each}}{{/with}}{{/each}}")]
    #[case::comparison("{{#each list}}{{#if (eq ../list ../list)}}{{/if}}{{/each}}")]
    #[case::chain("{{#each list}}{{#if this}}{{else if (eq ../list ../list)}}{{/if}}{{/each}}")]
    fn a_loop_does_not_run_away(#[case] content: &str) {
        let values = json!({"list": vec![0; 20_000], "map": {"a": 1}, "none": false});
        assert_eq!(render(content, values).unwrap_err(), "its loops take more than 1000000 steps");
    }

    #[test]
    fn a_long_list_may_be_looked_through_once() {
        assert_eq!(
            render("{{#each list}}{{#if this}}x{{/if}}{{/each}}", json!({"list": vec![0; 20_000]})).unwrap(),
            ""
        );
    }

    #[rstest]
    #[case("{{#if a}}", "", "{{/if}}")]
    #[case("{{#a}}{{^}}", "", "{{/a}}")]
    #[case("(a ", "b", ")")]
    fn deep_nesting_ends_well(#[case] open: &str, #[case] inner: &str, #[case] close: &str) {
        for steps in [MOST_TAGS / 3, MOST_TAGS - 1, 10_000] {
            for closes in [0, steps] {
                let nested = format!("{}{inner}{}", open.repeat(steps), close.repeat(closes));
                for content in [nested.clone(), format!("{{{{a {nested}}}}}")] {
                    // Text or error: it comes back.
                    let _ = render(&content, json!({"a": true, "b": 1}));
                }
            }
        }
    }
}
