//! Whether templates can say everything that they may have to.

use std::fmt;

use stagegate_config::{TemplateEntry, TemplateForm, TemplateSource, TemplateSubject, nearest, template_subject_name};

use super::samples::samples;
use super::variables::variables;
use super::{Templates, name, object};

/// A template that cannot be used. Reads as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What the template tells.
    pub subject: TemplateSubject,
    /// In what it is written.
    pub form: TemplateForm,
    /// The file of the template, where it does not stand in `stagegate.yaml` itself.
    pub file: Option<String>,
    /// The line in the template, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, form) = (template_subject_name(self.subject), self.form.name());
        write!(f, "the template of `{subject}` for `{form}`")?;
        if let Some(file) = &self.file {
            write!(f, " ({file})")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl TemplateError {
    fn of(entry: &TemplateEntry, line: Option<usize>, what: String) -> Self {
        let file = match &entry.source {
            TemplateSource::File(file) => Some(file.clone()),
            TemplateSource::Text(_) => None,
        };
        Self { subject: entry.subject, form: entry.form, file, line, what }
    }

    pub(super) fn new(entry: &TemplateEntry, error: &minijinja::Error) -> Self {
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        Self::of(entry, error.line(), format!("{}{detail}", error.kind()))
    }

    pub(super) fn unreadable(entry: &TemplateEntry, why: String) -> Self {
        Self::of(entry, None, format!("it cannot be read: {why}"))
    }
}

impl Templates {
    /// What is wrong with the templates, by rendering each of them for one of everything that it may have to tell.
    pub fn check(&self) -> Vec<TemplateError> {
        self.entries.iter().filter_map(|entry| self.fault(entry)).collect()
    }

    fn fault(&self, entry: &TemplateEntry) -> Option<TemplateError> {
        let engine = self.engines.get(&entry.form)?;
        let known: Vec<_> = variables().map(|variable| variable.name).collect();
        for used in engine.foreign_names(name(entry.subject)) {
            if !known.contains(&used.as_str()) {
                let near = nearest(&used, known.iter().copied());
                let meant = near.map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default();
                let what = format!("there is no variable {used:?}{meant}; known here: {}", known.join(", "));
                return Some(TemplateError::of(entry, None, what));
            }
        }
        for bulletin in samples().iter().filter(|bulletin| bulletin.kind == entry.subject) {
            let of = bulletin.subject.title(&bulletin.name);
            match engine.render(name(entry.subject), bulletin)? {
                Err(error) => {
                    let mut fault = TemplateError::new(entry, &error);
                    fault.what = format!("it fails for {of:?}: {}", fault.what);
                    return Some(fault);
                }
                Ok(text) if text.trim().is_empty() => {
                    return Some(TemplateError::of(entry, None, format!("it says nothing for {of:?}")));
                }
                Ok(text) if entry.form == TemplateForm::Json => {
                    let Err(why) = object(&text) else { continue };
                    let what = format!("what it writes for {of:?} is not JSON ({why}); values bring their own quotes");
                    return Some(TemplateError::of(entry, None, what));
                }
                Ok(_) => {}
            }
        }
        None
    }
}
