//! Calendar files.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::freeze::Exceptions;
use super::zone::Zone;
use crate::tests_policy::filled;

/// A file in iCalendar format (RFC 5545) whose events are freezes or windows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The path of the file: beside `stagegate.yaml`, or in the artifact.
    #[serde(deserialize_with = "path")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::path"))]
    pub file: String,
    /// The input artifact of the action that holds the file. Without it, the file stands beside `stagegate.yaml`.
    #[serde(default, deserialize_with = "artifact")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::artifact"))]
    pub artifact: Option<String>,
    /// What its events are.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "freezes")))]
    pub events: CalendarEvents,
    /// The zone of events that name none.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::zone"))]
    pub zone: Zone,
    /// What may be released in spite of a freeze of this calendar.
    #[serde(default)]
    pub except: Exceptions,
}

/// What the events of a calendar are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CalendarEvents {
    /// Nothing is released during an event.
    #[default]
    Freezes,
    /// Something is released only during an event, or in one of `windows`.
    Windows,
}

impl Calendar {
    /// What is wrong with the calendar as a whole, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let useless = self.events == CalendarEvents::Windows && !self.except.is_empty();
        useless.then(|| format!("has exceptions for the windows of {:?}, and only freezes have some", self.file))
    }
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = filled(deserializer)?;
    let is_inside =
        !text.starts_with('/') && !text.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    if is_inside && !text.contains('\\') {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "{text:?} is no path below stagegate.yaml or in an artifact; write one such as freezes.ics"
    )))
}

fn artifact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    filled(deserializer).map(Some)
}
