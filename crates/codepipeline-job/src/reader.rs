//! Reads a JSON value strictly, and says where it is not as expected.
//!
//! A message never holds a value: the event carries live credentials, and any of its places may hold any of them when
//! the event is broken.

use serde_json::Value;
use thiserror::Error;

use crate::event::type_name;
use crate::failure::{FailureCause, FailureKind};

/// The job's data are not as AWS describes them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JobDataError {
    /// A field is missing.
    #[error("read the job event: `{path}` is missing")]
    Missing {
        /// The place in the event.
        path: String,
    },
    /// A field has another type or form.
    #[error("read the job event: `{path}` must be {expected}, and is {found}")]
    Unexpected {
        /// The place in the event.
        path: String,
        /// What AWS describes.
        expected: &'static str,
        /// What is there; a type, never a value.
        found: &'static str,
    },
}

impl FailureCause for JobDataError {
    fn failure_kind(&self) -> FailureKind {
        FailureKind::JobFailed
    }

    fn failure_message(&self) -> String {
        format!("failed to {self}")
    }
}

/// A value and its place in the event.
pub(crate) struct Node<'event> {
    value: &'event Value,
    path: String,
}

impl<'event> Node<'event> {
    pub(crate) fn root(value: &'event Value, name: &str) -> Self {
        Self { value, path: name.to_owned() }
    }

    /// A field that must be there; null counts as missing.
    pub(crate) fn field(&self, name: &str) -> Result<Self, JobDataError> {
        let path = format!("{}.{name}", self.path);
        match self.optional(name)? {
            Some(field) => Ok(field),
            None => Err(JobDataError::Missing { path }),
        }
    }

    /// A field that may be absent or null.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<Self>, JobDataError> {
        let Value::Object(fields) = self.value else {
            return Err(self.unexpected("an object"));
        };
        let value = fields.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| Self { value, path: format!("{}.{name}", self.path) }))
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(crate) fn text(&self) -> Result<String, JobDataError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.unexpected("a string")),
        }
    }

    /// A text without which nothing can be done.
    pub(crate) fn filled_text(&self) -> Result<String, JobDataError> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(JobDataError::Unexpected {
                path: self.path.clone(),
                expected: "a text",
                found: "an empty string",
            });
        }
        Ok(text)
    }

    pub(crate) fn number(&self) -> Result<f64, JobDataError> {
        self.value.as_f64().ok_or_else(|| self.unexpected("a number"))
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>, JobDataError> {
        let Value::Array(items) = self.value else {
            return Err(self.unexpected("a list"));
        };
        let nodes = items.iter().enumerate();
        Ok(nodes.map(|(index, value)| Self { value, path: format!("{}[{index}]", self.path) }).collect())
    }

    pub(crate) fn fields(&self) -> Result<Vec<(&'event str, Self)>, JobDataError> {
        let Value::Object(fields) = self.value else {
            return Err(self.unexpected("an object"));
        };
        let nodes = fields.iter();
        Ok(nodes.map(|(name, value)| (name.as_str(), Self { value, path: format!("{}.{name}", self.path) })).collect())
    }

    pub(crate) fn unexpected(&self, expected: &'static str) -> JobDataError {
        JobDataError::Unexpected { path: self.path.clone(), expected, found: type_name(self.value) }
    }

    /// Says that a text is none of those that AWS describes, without repeating it.
    pub(crate) fn another(&self, expected: &'static str) -> JobDataError {
        JobDataError::Unexpected { path: self.path.clone(), expected, found: "another text" }
    }
}
