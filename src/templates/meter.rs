//! How much work a rendering is, counted while it goes on. A loop that writes nothing would go on for hours, and no bound on
//! the text would end it.

use std::{
    collections::HashMap,
    mem,
    sync::atomic::{AtomicU64, Ordering},
};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, Template,
    template::{HelperTemplate, Parameter, Subexpression, TemplateElement},
};
use serde_json::Value;

/// A message that is worth sending takes some dozens; so many take a tenth of a second at the most.
pub(super) const MOST_STEPS: u64 = 100_000;

/// So many bytes of a name or a compared text are a step.
const BYTES_A_STEP: usize = 16;

/// So many blocks around a name are a step: each may be what defines it.
const BLOCKS_A_STEP: u64 = 8;

/// In bytes, of what is copied each time that it is looked at: the names in an object, and texts in a tag.
const LONGEST_COPY: usize = 256;

/// Helpers that a template can't name itself: a space is in no name.
const COUNT: &str = "count steps";
const WEIGH: &str = "weigh value";

/// The steps that one rendering has taken.
#[derive(Default)]
pub(super) struct Meter(AtomicU64);

/// Why a rendering was ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum TooMuch {
    #[error("takes more than {MOST_STEPS} steps")]
    Steps,
    #[error("goes through an object with a name of more than {LONGEST_COPY} bytes")]
    Name,
}

/// Makes a template count: each part of it that is rendered says first how many steps it is, and comparisons, how long
/// their values are. The error begins with line and column where they are known.
pub(super) fn prepare(template: &mut Template) -> Result<(), String> {
    prepare_within(template, 0)
}

fn prepare_within(template: &mut Template, blocks: u64) -> Result<(), String> {
    let mut steps = 1;
    for (index, element) in template.elements.iter_mut().enumerate() {
        steps += 1;
        if let TemplateElement::Expression(tag)
        | TemplateElement::HtmlExpression(tag)
        | TemplateElement::HelperBlock(tag) = element
        {
            steps += prepare_tag(tag, blocks).map_err(|problem| match template.mapping.get(index) {
                Some(place) => format!("line {}, column {}: {problem}", place.0, place.1),
                None => problem,
            })?;
            for inner in [&mut tag.template, &mut tag.inverse].into_iter().flatten() {
                prepare_within(inner, blocks + 1)?;
            }
        }
    }
    template.elements.insert(0, *call(COUNT, Parameter::Literal(steps.into())).element);
    // The places of the elements, from which a place in an error comes.
    if let Some(first) = template.mapping.first().cloned() {
        template.mapping.insert(0, first);
    }
    Ok(())
}

fn prepare_tag(tag: &mut HelperTemplate, blocks: u64) -> Result<u64, String> {
    let compares = matches!(tag.name.as_name(), Some("eq" | "ne" | "gt" | "gte" | "lt" | "lte"));
    let mut steps = prepare_value(&mut tag.name, blocks)?;
    for value in tag.params.iter_mut().chain(tag.hash.values_mut()) {
        steps += prepare_value(value, blocks)?;
        if compares {
            let compared = mem::replace(value, Parameter::Literal(Value::Null));
            *value = Parameter::Subexpression(call(WEIGH, compared));
            steps += 1;
        }
    }
    Ok(steps)
}

fn prepare_value(value: &mut Parameter, blocks: u64) -> Result<u64, String> {
    match value {
        Parameter::Literal(Value::Array(_) | Value::Object(_)) => {
            Err("lists and objects can't be written in a template".to_owned())
        }
        Parameter::Literal(Value::String(text)) if text.len() > LONGEST_COPY => {
            Err(format!("a text in a tag is longer than {LONGEST_COPY} bytes"))
        }
        Parameter::Subexpression(Subexpression { element, .. }) => match element.as_mut() {
            TemplateElement::Expression(tag) => Ok(1 + prepare_tag(tag, blocks)?),
            _ => Ok(1),
        },
        _ => Ok(1 + value.as_name().map_or(0, |path| in_steps(path.len()) + blocks / BLOCKS_A_STEP)),
    }
}

fn call(helper: &str, value: Parameter) -> Subexpression {
    Subexpression::new(Parameter::Name(helper.to_owned()), vec![value], HashMap::new())
}

fn in_steps(bytes: usize) -> u64 {
    (bytes / BYTES_A_STEP) as u64
}

impl Meter {
    pub(super) fn counts<'reg: 'rc, 'rc>(&'rc self, rendering: &mut RenderContext<'reg, 'rc>) {
        rendering.register_local_helper(COUNT, Box::new(Count(self)));
        rendering.register_local_helper(WEIGH, Box::new(Weigh(self)));
        rendering.register_local_helper("lookup", Box::new(Lookup(self)));
    }

    fn take(&self, steps: u64) -> Result<(), RenderError> {
        let taken = self.0.fetch_add(steps, Ordering::Relaxed).saturating_add(steps);
        if taken > MOST_STEPS {
            return Err(too_much(TooMuch::Steps));
        }
        Ok(())
    }

    /// For a comparison, which may go to the last item.
    fn take_size(&self, value: &Value) -> Result<(), RenderError> {
        match value {
            Value::String(text) => self.take(in_steps(text.len())),
            Value::Array(list) => list.iter().try_for_each(|item| self.take(1).and_then(|()| self.take_size(item))),
            Value::Object(map) => map
                .iter()
                .try_for_each(|(name, item)| self.take(1 + in_steps(name.len())).and_then(|()| self.take_size(item))),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

fn too_much(error: TooMuch) -> RenderError {
    RenderErrorReason::NestedError(Box::new(error)).into()
}

struct Count<'a>(&'a Meter);

impl HelperDef for Count<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        rendering: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let steps = helper.param(0).and_then(|steps| steps.value().as_u64()).unwrap_or(1);
        let Some(block) = rendering.block() else { return self.0.take(steps) };
        if block.get_local_var("key").and_then(Value::as_str).is_some_and(|key| key.len() > LONGEST_COPY) {
            return Err(too_much(TooMuch::Name));
        }
        // Each value is looked for from the root.
        let base = block.base_path().iter().map(String::len).sum();
        self.0.take(steps.saturating_mul(1 + in_steps(base)))
    }
}

struct Weigh<'a>(&'a Meter);

impl HelperDef for Weigh<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let Some(value) = helper.param(0).filter(|value| !value.is_value_missing()) else {
            return Ok(ScopedJson::Missing);
        };
        self.0.take_size(value.value())?;
        Ok(match (value.try_get_constant_value(), value.context_path()) {
            (Some(constant), _) => ScopedJson::Constant(constant),
            (None, Some(path)) => at(context, path.clone()),
            (None, None) => ScopedJson::Derived(value.value().clone()),
        })
    }
}

/// As the engine's own, which copies what it finds.
struct Lookup<'a>(&'a Meter);

impl HelperDef for Lookup<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param = |index: usize| helper.param(index).ok_or(RenderErrorReason::ParamNotFoundForIndex("lookup", index));
        let (whole, name) = (param(0)?, param(1)?);
        let missing = || RenderErrorReason::MissingVariable(None);
        let path = path_within(whole, name.value()).ok_or_else(missing)?;
        self.0.take(path.len() as u64)?;
        match at(context, path) {
            ScopedJson::Missing => Err(missing().into()),
            found => Ok(found),
        }
    }
}

fn path_within(whole: &PathAndJson<'_>, name: &Value) -> Option<Vec<String>> {
    let name = match whole.value() {
        Value::Array(_) => name.as_u64()?.to_string(),
        Value::Object(_) => name.as_str()?.to_owned(),
        _ => return None,
    };
    let mut path = whole.context_path()?.clone();
    path.push(name);
    Some(path)
}

/// A reference, where a copy of a long list would take its time.
fn at(context: &Context, path: Vec<String>) -> ScopedJson<'_> {
    let found = path.iter().try_fold(context.data(), |value, name| within(value, name));
    found.map_or(ScopedJson::Missing, |value| ScopedJson::Context(value, path))
}

fn within<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        Value::Object(map) => map.get(name),
        _ => None,
    }
}
