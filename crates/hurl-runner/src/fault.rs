//! Why an entry failed, in Hurl's words.

use hurl_core::ast::SourceInfo;

use crate::files::FileFault;
use crate::value::Value;

/// One failed assert, or what kept an entry from being run or judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: SourceInfo,
    /// The headline: `Assert failure`, `HTTP connection`.
    pub(crate) title: &'static str,
    pub(crate) message: String,
    pub(crate) actual: Option<String>,
    pub(crate) expected: Option<String>,
}

impl Fault {
    pub(crate) fn new(at: SourceInfo, title: &'static str, message: impl Into<String>) -> Self {
        Self { at, title, message: message.into(), actual: None, expected: None }
    }

    /// A predicate that does not hold.
    pub(crate) fn assert(at: SourceInfo, actual: String, expected: String, type_mismatch: bool) -> Self {
        let hint = if type_mismatch { "\n>>> types between actual and expected are not consistent" } else { "" };
        let message = format!("actual:   {actual}\nexpected: {expected}{hint}");
        Self { actual: Some(actual), expected: Some(expected), ..Self::new(at, "Assert failure", message) }
    }

    /// An implicit assert, of which Hurl shows the actual value only.
    pub(crate) fn implicit(at: SourceInfo, title: &'static str, actual: String, expected: String) -> Self {
        let message = format!("actual value is <{actual}>");
        Self { actual: Some(actual), expected: Some(expected), ..Self::new(at, title, message) }
    }

    pub(crate) fn undefined_variable(at: SourceInfo, name: &str) -> Self {
        Self::new(at, "Undefined variable", format!("you must set the variable {name}"))
    }

    pub(crate) fn unrenderable(at: SourceInfo, value: &Value) -> Self {
        Self::new(at, "Unrenderable expression", format!("expression with value {value} can not be rendered"))
    }

    pub(crate) fn expecting(at: SourceInfo, expecting: &str, value: &Value) -> Self {
        let message = format!("expecting {expecting}, actual value is {}", value.described());
        Self::new(at, "Invalid expression type", message)
    }

    pub(crate) fn file(at: SourceInfo, name: &str, fault: &FileFault) -> Self {
        match fault {
            FileFault::Outside => {
                let message = format!("unauthorized access to file {name}, which is not below the file root");
                Self::new(at, "Unauthorized file access", message)
            }
            FileFault::Unreadable => Self::new(at, "File read access", format!("file {name} can not be read")),
            FileFault::TooLong(limit) => {
                Self::new(at, "File read access", format!("file {name} is longer than {limit} bytes"))
            }
            FileFault::Folder => Self::new(at, "File write access", format!("{name} is a folder")),
            FileFault::Full(limit) => {
                let message = format!("with {name}, the outputs would be longer than {limit} bytes together");
                Self::new(at, "File write access", message)
            }
        }
    }

    pub(crate) fn invalid_regex(at: SourceInfo) -> Self {
        Self::new(at, "Invalid regex", "regex expression is not valid")
    }

    pub(crate) fn filter_input(at: SourceInfo, reason: impl std::fmt::Display) -> Self {
        Self::new(at, "Filter error", format!("invalid filter input: {reason}"))
    }

    pub(crate) fn filter_type(at: SourceInfo, actual: &Value, expected: &str) -> Self {
        let message = format!("invalid filter input type\n   actual:   {}\n   expected: {expected}", actual.kind());
        Self {
            actual: Some(actual.kind().to_owned()),
            expected: Some(expected.to_owned()),
            ..Self::new(at, "Filter error", message)
        }
    }

    pub(crate) fn filter_missing_input(at: SourceInfo) -> Self {
        Self::new(at, "Filter error", "missing value to apply filter")
    }

    pub(crate) fn invalid_url(at: SourceInfo, url: &str, reason: &str) -> Self {
        Self::new(at, "Invalid URL", format!("invalid URL <{url}> ({reason})"))
    }

    pub(crate) fn option(at: SourceInfo, name: &str, value: &str, reason: &str) -> Self {
        Self::new(at, "Invalid option value", format!("invalid {name} option value <{value}>: {reason}"))
    }
}
