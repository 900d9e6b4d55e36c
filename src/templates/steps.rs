//! How much work a handlebars template is. A loop that writes nothing would go on for hours, and no bound on the text
//! would end it.

use handlebars::{
    Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};
use serde_json::{Map, Value};

/// A message that is worth sending takes some dozens; so many take a tenth of a second.
pub(super) const MOST_STEPS: u64 = 1_000_000;

/// The steps of a template with these values, at the most.
pub(super) fn at_most(template: &Template, values: &Map<String, Value>) -> u64 {
    Sizes::of(values).steps(template)
}

/// Of the values that a template may go through.
struct Sizes {
    /// Items of the longest list.
    longest: u64,
    /// All values, with those inside others.
    all: u64,
}

impl Sizes {
    fn of(values: &Map<String, Value>) -> Self {
        let mut sizes = Self { longest: 1, all: 1 };
        sizes.take(values.len(), values.values());
        sizes
    }

    fn take<'a>(&mut self, length: usize, items: impl Iterator<Item = &'a Value>) {
        self.longest = self.longest.max(length as u64);
        self.all += length as u64;
        for item in items {
            match item {
                Value::Array(list) => self.take(list.len(), list.iter()),
                Value::Object(map) => self.take(map.len(), map.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    fn steps(&self, template: &Template) -> u64 {
        template.elements.iter().fold(0, |steps, element| steps.saturating_add(self.of_element(element)))
    }

    fn of_element(&self, element: &TemplateElement) -> u64 {
        let (TemplateElement::Expression(tag)
        | TemplateElement::HtmlExpression(tag)
        | TemplateElement::HelperBlock(tag)) = element
        else {
            return 1;
        };
        // A turn through nothing is a step, too.
        let steps = |inner: &Option<Template>| inner.as_ref().map_or(0, |inner| self.steps(inner).saturating_add(1));
        self.of_tag(tag)
            .saturating_add(self.turns(tag).saturating_mul(steps(&tag.template)))
            .saturating_add(steps(&tag.inverse))
    }

    /// Helpers of two values may compare them to the last item.
    fn of_tag(&self, tag: &HelperTemplate) -> u64 {
        let is_nested = |parameter: &Parameter| matches!(parameter, Parameter::Subexpression(_));
        let compares =
            tag.params.len() > 1 || tag.params.iter().chain(tag.hash.values()).chain([&tag.name]).any(is_nested);
        if compares { self.all } else { 1 }
    }

    /// How often what a block holds is done: a block of another name may be a loop.
    fn turns(&self, tag: &HelperTemplate) -> u64 {
        match tag.name.as_name() {
            Some("if" | "unless" | "with") => 1,
            _ => self.longest,
        }
    }
}
