//! The handlebars engine, within bounds: a template must neither fill the memory nor run away.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use handlebars::{
    Context, Handlebars, RenderContext, RenderError, RenderErrorReason, Renderable, Template, WriteOutput, no_escape,
};
use serde_json::{Map, Value};

use super::{
    LONGEST_TEXT,
    meter::{self, Meter, TooMuch},
    too_long,
};

/// Of a template, in bytes: reading it takes its time, too.
const LONGEST_TEMPLATE: usize = 16 * 1024;

/// Tags, parentheses and backslashes of a template: the parser goes deeper for each tag inside another, and too deep would end
/// the process; and it looks at all backslashes of a row again from each of them.
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
        if content.len() > LONGEST_TEMPLATE {
            return Err(format!("longer than {LONGEST_TEMPLATE} bytes"));
        }
        if content.matches("{{").count() + content.matches(['(', '\\']).count() > MOST_TAGS {
            return Err(format!("more than {MOST_TAGS} tags, parentheses and backslashes"));
        }
        if includes(content) {
            return Err("partials (`{{> name}}`) are not known here: a message is one text".to_owned());
        }
        let mut template = Template::compile_with_name(content, name.to_owned()).map_err(|error| {
            let place = error.pos().map(|(line, column)| format!("line {line}, column {column}: "));
            format!("{}{}", place.unwrap_or_default(), error.reason())
        })?;
        meter::prepare(&mut template)?;
        self.0.register_template(name, template);
        Ok(())
    }

    /// The error shows no value.
    pub(super) fn render(&self, name: &str, values: Map<String, Value>) -> Result<String, String> {
        let template = self.0.get_template(name).ok_or("there is no such template")?;
        let mut text = Bounded(Vec::new());
        self.render_to(template, values, &mut text).map_err(|error| problem(&error))?;
        String::from_utf8(text.0).map_err(|_| "can't be rendered".to_owned())
    }

    fn render_to(
        &self,
        template: &Template,
        values: Map<String, Value>,
        text: &mut Bounded,
    ) -> Result<(), RenderError> {
        let meter = Meter::default();
        let context = Context::from(Value::Object(values));
        let mut rendering = RenderContext::new(None);
        meter.counts(&mut rendering);
        template.render(&self.0, &context, &mut rendering, &mut WriteOutput::new(text))
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
        RenderErrorReason::NestedError(error) if error.is::<TooMuch>() => Cow::Owned(error.to_string()),
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
        engine.render("it", values.as_object().unwrap().clone())
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
        let error =
            render("{{#each list}}{{#each ../list}}some text{{/each}}{{/each}}", json!({ "list": list })).unwrap_err();
        assert!(error.ends_with("the text gets longer than 65536 bytes"), "{error}");
    }

    #[rstest]
    #[case::each("{{#each list}}{{#each ../list}}{{/each}}{{/each}}")]
    #[case::map("{{#each this}}{{#each @root.list}}{{#each @root.list}}{{/each}}{{/each}}{{/each}}")]
    #[case::otherwise("{{#if none}}{{else}}{{#each list}}{{#each ../list}}{{/each}}{{/each}}{{/if}}")]
    #[case::otherwise_of_a_loop("{{#each list}}{{#each @root.nothing}}{{else each @root.list}}{{/each}}{{/each}}")]
    #[case::in_between("{{#each list}}{{#with ../map}}{{#each ../../list}}{{/each}}{{/with}}{{/each}}")]
    #[case::raw("{{#each list}}{{{{raw}}}}{{{{/raw}}}}{{#each ../list}}{{{{raw}}}}{{{{/raw}}}}{{/each}}{{/each}}")]
    #[case::comparison("{{#each list}}{{#if (eq ../list ../list)}}{{/if}}{{/each}}")]
    #[case::comparison_as_a_block("{{#each list}}{{#ne ../list ../list}}{{/ne}}{{/each}}")]
    #[case::chain("{{#each list}}{{#if this}}{{else if (eq ../list ../list)}}{{/if}}{{/each}}")]
    #[case::number("{{#each list}}{{#if (gt 1 ../digits)}}{{/if}}{{/each}}")]
    #[case::looked_up(
        "{{#with (lookup this 'list')}}{{#each this}}{{#each (lookup @root.within 'list')}}{{/each}}{{#each ../this}}{{/each}}{{/each}}{{/with}}"
    )]
    #[case::long_name("{{#each long}}{{#each this}}{{#if a}}{{/if}}{{/each}}{{/each}}")]
    #[case::values(&format!("{{{{#each list}}}}{{{{#if (or {})}}}}{{{{/if}}}}{{{{/each}}}}", "a ".repeat(8_000)))]
    #[case::named_values(&format!("{{{{#each list}}}}{{{{#if a {}}}}}{{{{/if}}}}{{{{/each}}}}", named(1_000)))]
    #[case::long_path(&format!("{{{{#each list}}}}{{{{#if {}}}}}{{{{/if}}}}{{{{/each}}}}", "a.".repeat(8_000) + "a"))]
    #[case::deep(&format!("{{{{#with {}}}}}{{{{#each this}}}}{{{{#if a}}}}{{{{/if}}}}{{{{/each}}}}{{{{/with}}}}", DEEP.join(".")))]
    #[case::deeper_and_deeper(&format!(
        "{{{{#each list}}}}{}{{{{#if (or {})}}}}{{{{/if}}}}{}{{{{/each}}}}",
        "{{#with @root.deep.deep.deep}}".repeat(40), "a ".repeat(300), "{{/with}}".repeat(40)
    ))]
    #[case::key(&format!("{{{{#each long as |v k|}}}}{{{{#each v}}}}{{{{#if (or {})}}}}{{{{/if}}}}{{{{/each}}}}{{{{/each}}}}", "k ".repeat(500)))]
    fn a_rendering_does_not_run_away(#[case] content: &str) {
        let list = vec![0; 20_000];
        let deep = DEEP.iter().skip(1).fold(json!(list), |inner, name| json!({ *name: inner }));
        let values = json!({
            "list": list, "map": {"a": 1}, "none": false, "nothing": [], "digits": "1".repeat(30_000),
            "long": {"k".repeat(256): list}, "deep": deep, "within": {"list": list},
        });
        let error = render(content, values).unwrap_err();
        assert!(error.ends_with(": takes more than 100000 steps"), "{error}");
    }

    #[rstest]
    #[case("{{#each long as |v k|}}{{#each @root.list}}{{#if (or k k k)}}{{/if}}{{/each}}{{/each}}")]
    #[case("{{#each long}}{{#each @root.list}}{{#if @../key}}{{/if}}{{/each}}{{/each}}")]
    fn a_long_name_is_not_copied_again_and_again(#[case] content: &str) {
        let error = render(content, json!({"list": vec![0; 10_000], "long": {"k".repeat(50_000): [0]}})).unwrap_err();
        assert!(error.ends_with(": goes through an object with a name of more than 256 bytes"), "{error}");
    }

    /// Names of one object in another.
    const DEEP: [&str; 100] = ["deep"; 100];

    fn named(values: usize) -> String {
        (0..values).map(|index| format!("a{index}=a ")).collect()
    }

    #[rstest]
    #[case::list("{{#each [0, 1]}}{{/each}}", "line 1, column 1: lists and objects can't be written")]
    #[case::object(r#"{{#if (or a (not b={"a": 0}))}}{{/if}}"#, "lists and objects can't be written")]
    #[case::inside_a_block(
        "{{#if a}}{{else}}{{len []}}{{/if}}",
        "line 1, column 18: lists and objects can't be written"
    )]
    #[case::long(&"a".repeat(LONGEST_TEMPLATE + 1), "longer than 16384 bytes")]
    #[case::text(&format!("{{{{#if (eq a '{}')}}}}{{{{/if}}}}", "a".repeat(257)), "a text in a tag is longer than 256 bytes")]
    #[case::backslashes(&"\\".repeat(10_000), "more than 100 tags, parentheses and backslashes")]
    fn what_would_take_long_is_no_template(#[case] content: &str, #[case] expected: &str) {
        let error = render(content, json!({"a": 1})).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case::a_long_list_once("{{#each list}}{{#if this}}x{{/if}}{{/each}}")]
    #[case::a_long_list_not_at_all(
        r#"{{#each this}}{{#if (eq @key "a")}}a{{/if}}{{#if (eq @key "b")}}a{{/if}}{{#if (eq @key "b")}}a{{/if}}{{/each}}"#
    )]
    #[case::texts_in_a_loop("{{#each map}}{{#if (eq this @root.digits)}}x{{/if}}{{/each}}")]
    fn a_big_profile_is_no_hindrance(#[case] content: &str) {
        let values = json!({"list": vec![0; 20_000], "map": {"c": "1"}, "digits": "1".repeat(10_000)});
        assert_eq!(render(content, values).unwrap(), "");
    }

    #[test]
    fn a_block_that_is_no_helper_is_told_of() {
        let values = json!({"organization": {"name": "x", "customData": {"ids": vec![0; 20_000]}}});
        let error = render("{{#organization}}{{name}}{{/organization}}", values).unwrap_err();
        assert_eq!(error, "line 1, column 1: there is no helper `organization`");
    }

    #[rstest]
    #[case("{{#each list}}{{@index}}/{{@first}}/{{@last}}:{{this}}{{../text}} {{/each}}")]
    #[case("{{#each map}}{{@index}}/{{@key}}/{{@first}}/{{@last}}:{{this}} {{else}}none{{/each}}")]
    #[case("{{#each nothing}}x{{else}}none{{/each}} {{#each none}}x{{else}}none{{/each}}")]
    #[case("{{#each missing}}x{{/each}}")]
    #[case("{{#each missing}}x{{else}}none{{/each}}")]
    #[case("{{#each nothing}}x{{else each list}}{{this}}{{/each}}")]
    #[case(
        "{{#each list as |item index|}}{{#each @root.map as |value key|}}{{index}}{{key}}{{item}}{{value}}{{/each}}{{/each}}"
    )]
    #[case("{{#each people}}{{name}} {{#with address}}{{city}} {{../name}} {{@index}} {{@../index}}{{/with}}{{/each}}")]
    #[case("{{#each people}}\n  {{#if (gt @index 0)}}\n  {{name}}\n  {{/if}}\n{{~/each~}}\n x")]
    #[case("{{#each people}}{{#with (lookup this 'address') as |it|}}{{city}}{{it.city}}{{../name}}{{/with}}{{/each}}")]
    #[case("{{#each (lookup map 'b')}}{{this}}{{/each}}{{#each (lookup people 1)}}{{@key}}{{/each}}")]
    #[case("{{lookup list 1}}{{lookup list @root.one}}{{lookup (lookup people 0) 'name'}}{{len (lookup map 'b')}}")]
    #[case("{{lookup list 7}}")]
    #[case("{{lookup list 'a'}}")]
    #[case("{{lookup text 0}}")]
    #[case("{{lookup list}}")]
    #[case("{{eq list list}}{{eq list text}}{{ne map map}}{{eq one 1}}{{eq text 'some'}}{{eq missing 1}}")]
    #[case("{{eq list list}}{{eq list text}}{{ne map map}}{{eq one 1}}{{eq text 'some'}}{{eq null 1}}{{eq 1}}")]
    #[case(
        "{{#eq one 1}}a{{else}}b{{/eq}}{{#ne one 1}}a{{else}}b{{/ne}}{{gt '2' one}}{{lt 2.5 one}}{{gte text 'a'}}{{lte list 1}}"
    )]
    #[case("{{#if (and (eq one 1) (or none (not (lt one 0))))}}{{list}}{{map}}{{else}}x{{/if}}")]
    #[case(
        "{{#each map}}{{#if (eq @key 'a')}}{{this}}{{else if (eq @key 'b')}}{{#each this}}{{this}}{{/each}}{{/if}}{{/each}}"
    )]
    #[case(
        "{{#unless none includeZero=true}}a{{else}}b{{/unless}}{{{text}}}{{&text}}{{{{raw}}}}{{text}}{{{{/raw}}}}{{!-- a --}}"
    )]
    #[case("{{#with text}}{{this}}{{/with}}{{#with 'text'}}{{this}}{{../text}}{{/with}}{{len text}}{{len map}}")]
    #[case("{{#each list}}{{#if missing}}{{/if}}{{missing}}{{/each}}")]
    fn it_gives_what_the_engine_gives_that_does_not_count(#[case] content: &str) {
        let values = json!({
            "list": [1, "b", null, true], "map": {"a": "x", "b": [1, 2]}, "nothing": [], "none": false, "one": 1,
            "people": [{"name": "A", "address": {"city": "X"}}, {"name": "B", "address": {"city": "Y"}}], "text": "some",
        });
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(no_escape);
        let expected = engine.render_template(content, &values).map_err(|error| problem(&error));
        assert_eq!(render(content, values), expected);
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
