//! The templates of one form.

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use stagegate_config::TemplateForm;
use stagegate_notice::Bulletin;

use super::escape::{escape, linked};
use super::variables::context;

/// How much a template may do: an instruction costs one, and so do a few bytes of what it writes.
const FUEL: u64 = 200_000;
/// How deep a template may nest.
const DEPTH: usize = 50;
/// The most bytes that a template may write.
const LONGEST: usize = 64 * 1024;

/// The templates of one form.
pub(super) struct Engine {
    environment: Environment<'static>,
}

/// Markup that stands for itself.
#[derive(Debug)]
pub(super) struct Markup {
    pub(super) markup: String,
    /// What is left of it where it becomes a part of another text.
    pub(super) text: String,
}

impl Object for Markup {
    fn render(self: &std::sync::Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Engine {
    pub(super) fn new(form: TemplateForm) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        // Nothing that a template says takes the escaping away: not these filters, not a block without escaping.
        for filter in ["safe", "escape", "e"] {
            environment.remove_filter(filter);
        }
        environment.remove_global("debug");
        environment.set_formatter(move |output, _, value| {
            if let Some(markup) = value.downcast_object_ref::<Markup>() {
                return output.write_str(&markup.markup).map_err(Error::from);
            }
            output.write_str(&escape(form, value)?).map_err(Error::from)
        });
        if form != TemplateForm::Json {
            environment.add_function("link", move |url: Option<String>, label: Option<String>| {
                let url = url.unwrap_or_default();
                Value::from_object(linked(form, &url, label.as_deref().unwrap_or(&url)))
            });
        }
        Self { environment }
    }

    pub(super) fn add(&mut self, name: &'static str, text: String) -> Result<(), Error> {
        self.environment.add_template_owned(name, text)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.environment.get_template(name).is_ok()
    }

    /// What the template of this name makes of a bulletin; `None` where there is none.
    pub(super) fn render(&self, name: &str, bulletin: &Bulletin) -> Option<Result<String, Error>> {
        let template = self.environment.get_template(name).ok()?;
        let rendered = template.render(context(bulletin)).and_then(|text| match text.len() <= LONGEST {
            true => Ok(text),
            false => Err(Error::new(ErrorKind::InvalidOperation, format!("it writes more than {LONGEST} bytes"))),
        });
        Some(rendered)
    }

    /// The names that a template uses and does not set, and that are none of the functions.
    pub(super) fn foreign_names(&self, name: &str) -> Vec<String> {
        let Ok(template) = self.environment.get_template(name) else { return Vec::new() };
        let functions: Vec<_> = self.environment.globals().map(|(name, _)| name.to_owned()).collect();
        let names = template.undeclared_variables(false).into_iter();
        let mut names: Vec<_> = names.filter(|name| !functions.contains(name)).collect();
        names.sort();
        names
    }
}
