//! What is wrong, and where.

use std::fmt::Display;

use crate::terminal::Style;

/// A line and a column, both from 1; columns count characters.
pub(crate) type Position = (u64, u64);

/// Whether a problem stops a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// A job would fail, or would not judge what is meant.
    Error,
    /// It works, and is probably not what is meant.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) position: Option<Position>,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

/// Everything that is wrong in one file.
pub(crate) struct Problems {
    file: String,
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn of(file: impl Display) -> Self {
        Self { file: file.to_string(), found: Vec::new() }
    }

    pub(crate) fn error(&mut self, position: Option<Position>, message: impl Into<String>) {
        self.add(Severity::Error, position, message.into());
    }

    pub(crate) fn warning(&mut self, position: Option<Position>, message: impl Into<String>) {
        self.add(Severity::Warning, position, message.into());
    }

    fn add(&mut self, severity: Severity, position: Option<Position>, message: String) {
        self.found.push(Problem { file: self.file.clone(), position, severity, message });
    }

    /// In the order of their places.
    pub(crate) fn sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}

impl Problem {
    /// As compilers print it.
    pub(crate) fn render(&self, style: Style) -> String {
        let severity = match self.severity {
            Severity::Error => style.bad("error"),
            Severity::Warning => style.waiting("warning"),
        };
        let place = match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        };
        format!("{severity}: {}\n  {} {place}\n", style.strong(&self.message), style.faint("-->"))
    }
}

/// `: did you mean "x"?` where one of the known names is near, and what there is.
pub(crate) fn instead<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, what: &str) -> String {
    let known: Vec<_> = known.into_iter().collect();
    let near = stagegate_config::nearest(name, known.iter().copied());
    let known = if known.is_empty() { format!("there is no {what}") } else { format!("{what}: {}", known.join(", ")) };
    match near {
        Some(near) => format!(": did you mean {near:?}? {known}"),
        None => format!("; {known}"),
    }
}
