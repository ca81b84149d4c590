//! Messages in words of one's own: templates of `stagegate.yaml`, or of files beside it.
//!
//! A template is rendered by minijinja without a loader, with a bound on the work that it may cause, and strictly: a
//! variable that is not there is an error. What it writes itself is markup of its form; every value is escaped for that
//! form, whatever the template says. A template that fails is not the end of a message: it is told in the words of
//! Stagegate, and the failure is logged.

mod check;
mod engine;
mod escape;
mod samples;
mod variables;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use stagegate_config::{Config, TemplateEntry, TemplateForm, TemplateSource, TemplateSubject, template_subject_name};
use stagegate_notice::Bulletin;
use stagegate_slack::Text;
use stagegate_slack::blocks::Message;

use crate::bulletin::{color, title};
use crate::{Card, Mail, Say, Unsayable};
use engine::Engine;

pub use check::TemplateError;
pub use samples::samples;
pub use variables::{MEMBERS, Variable, variables};

/// The largest template file that is read, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;

/// The templates of a configuration.
#[derive(Default)]
pub struct Templates {
    engines: BTreeMap<TemplateForm, Engine>,
    entries: Vec<TemplateEntry>,
}

impl Templates {
    /// The templates of a configuration; files are those below `folder`, which is where `stagegate.yaml` lies.
    ///
    /// # Errors
    ///
    /// Every template that cannot be read or is none.
    pub fn load(config: &Config, folder: &Path) -> Result<Self, Vec<TemplateError>> {
        let (templates, errors) = Self::read(config, folder);
        if errors.is_empty() { Ok(templates) } else { Err(errors) }
    }

    /// The templates of a configuration that can be used; why another one cannot be, is logged, and what it would tell is
    /// told in the words of Stagegate.
    pub fn usable(config: &Config, folder: &Path) -> Self {
        let (templates, errors) = Self::read(config, folder);
        for error in errors {
            let why = error.to_string();
            tracing::error!(why, "a template cannot be used; Stagegate's own words are sent");
        }
        templates
    }

    /// What is wrong with the templates of a configuration: those that cannot be read, and those that cannot say
    /// everything that they may have to.
    pub fn faults(config: &Config, folder: &Path) -> Vec<TemplateError> {
        let (templates, mut errors) = Self::read(config, folder);
        errors.extend(templates.check());
        errors
    }

    /// The templates that can be read, and what is wrong with the others.
    fn read(config: &Config, folder: &Path) -> (Self, Vec<TemplateError>) {
        let mut templates = Self::default();
        let mut errors = Vec::new();
        for entry in config.templates() {
            match text_of(entry, folder) {
                Ok(text) => {
                    let engine = templates.engines.entry(entry.form).or_insert_with(|| Engine::new(entry.form));
                    match engine.add(name(entry.subject), text) {
                        Ok(()) => templates.entries.push(entry.clone()),
                        Err(error) => errors.push(TemplateError::new(entry, &error)),
                    }
                }
                Err(why) => errors.push(TemplateError::unreadable(entry, why)),
            }
        }
        (templates, errors)
    }

    /// Whether there is a template for a bulletin in this form.
    pub fn has(&self, bulletin: &Bulletin, form: TemplateForm) -> bool {
        self.engines.get(&form).is_some_and(|engine| engine.has(name(bulletin.kind)))
    }

    /// A bulletin in the words of these templates, and of Stagegate where there is none.
    pub fn say<'a>(&'a self, bulletin: &'a Bulletin) -> Templated<'a> {
        Templated { templates: self, bulletin }
    }

    /// What a template makes of a bulletin; `None` where there is no template.
    ///
    /// # Errors
    ///
    /// Why it fails.
    fn render(&self, bulletin: &Bulletin, form: TemplateForm) -> Option<Result<String, minijinja::Error>> {
        self.engines.get(&form)?.render(name(bulletin.kind), bulletin)
    }
}

fn name(subject: TemplateSubject) -> &'static str {
    template_subject_name(subject)
}

fn text_of(entry: &TemplateEntry, folder: &Path) -> Result<String, String> {
    match &entry.source {
        TemplateSource::Text(text) => Ok(text.clone()),
        TemplateSource::File(file) => {
            let path = folder.join(file);
            let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
            if size > LARGEST_FILE {
                return Err(format!("it has {size} bytes; at most {LARGEST_FILE} are read"));
            }
            std::fs::read_to_string(&path).map_err(|error| error.to_string())
        }
    }
}

/// What a template for programs has written.
fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str::<Value>(text) {
        Ok(json) if json.is_object() => Ok(json),
        Ok(_) => Err("it is not an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A bulletin in the words of templates.
pub struct Templated<'a> {
    templates: &'a Templates,
    bulletin: &'a Bulletin,
}

impl Templated<'_> {
    /// What a template makes of it; `None` where there is none, or where it fails.
    fn text(&self, form: TemplateForm) -> Option<String> {
        match self.templates.render(self.bulletin, form)? {
            Ok(text) => Some(text),
            Err(error) => {
                let (template, why) = (name(self.bulletin.kind), error.to_string());
                tracing::error!(
                    template,
                    form = form.name(),
                    why,
                    "the template fails; Stagegate's own words are sent"
                );
                None
            }
        }
    }
}

impl Say for Templated<'_> {
    fn slack(&self, is_interactive: bool) -> Result<Message, Unsayable> {
        match self.text(TemplateForm::Slack) {
            Some(text) => Ok(Message::new(Text::line(&title(self.bulletin))).section(Text::markup(text.trim()))),
            None => self.bulletin.slack(is_interactive),
        }
    }

    fn mail(&self) -> Result<Mail, Unsayable> {
        match self.text(TemplateForm::Mail) {
            Some(text) => Ok(Mail::new(&title(self.bulletin), text)),
            None => self.bulletin.mail(),
        }
    }

    fn card(&self) -> Result<Card, Unsayable> {
        match self.text(TemplateForm::Teams) {
            Some(text) => Ok(Card::new(&title(self.bulletin), Some(color(self.bulletin.status))).markdown(text.trim())),
            None => self.bulletin.card(),
        }
    }

    fn data(&self) -> Value {
        // Programs that subscribe to a topic get the JSON as it is; a webhook may have another form.
        self.bulletin.data()
    }

    fn webhook_data(&self) -> Value {
        let Some(text) = self.text(TemplateForm::Json) else { return self.bulletin.data() };
        object(&text).unwrap_or_else(|why| {
            let template = name(self.bulletin.kind);
            tracing::error!(template, why, "the template writes no JSON object; Stagegate's own words are sent");
            self.bulletin.data()
        })
    }
}
