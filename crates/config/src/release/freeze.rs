//! Freezes: times in which nothing is released, but for named exceptions.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::zone::Zone;
use crate::NamePattern;
use crate::tests_policy::filled;

/// A time in which nothing is released.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// What it is called in messages.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub name: String,
    /// When it begins, by the clock on the wall: a day, or a day and a time such as `2026-12-18 18:00`.
    #[serde(deserialize_with = "begin")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::moment"))]
    pub from: DateTime,
    /// When it ends: a day, which still belongs to it, or a day and a time, which does not.
    #[serde(deserialize_with = "end")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::moment"))]
    pub to: DateTime,
    /// The zone of the clock, by its name in the IANA database.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::zone"))]
    pub zone: Zone,
    /// What may be released all the same.
    #[serde(default)]
    pub except: Exceptions,
}

/// What is released in spite of a freeze: whatever one of these names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// Pipelines: names in which `*` stands for any characters and `?` for one.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::pipelines"))]
    pub pipelines: Vec<NamePattern>,
    /// Labels of the execution: pipeline variables and the values that they must have. One is enough.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl Exceptions {
    /// Whether nothing is excepted.
    pub fn is_empty(&self) -> bool {
        self.pipelines.is_empty() && self.variables.is_empty()
    }
}

impl Freeze {
    /// What is wrong with the freeze as a whole, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { name, from, to, .. } = self;
        (from >= to).then(|| format!("has a freeze {name:?} that ends before it begins"))
    }
}

fn begin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    moment(&text).map(|moment| moment.begin()).ok_or_else(|| D::Error::custom(no_moment(&text)))
}

fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    moment(&text).and_then(Moment::end).ok_or_else(|| D::Error::custom(no_moment(&text)))
}

fn no_moment(text: &str) -> String {
    format!("{text:?} is no day and no time; write 2026-12-18 or 2026-12-18 18:00")
}

#[derive(Clone, Copy)]
enum Moment {
    Day(Date),
    Time(DateTime),
}

impl Moment {
    fn begin(self) -> DateTime {
        match self {
            Self::Day(day) => day.at(0, 0, 0, 0),
            Self::Time(time) => time,
        }
    }

    /// A day belongs to the freeze until its end.
    fn end(self) -> Option<DateTime> {
        match self {
            Self::Day(day) => Some(day.checked_add(1.day()).ok()?.at(0, 0, 0, 0)),
            Self::Time(time) => Some(time),
        }
    }
}

/// `YYYY-MM-DD`, or the same and `HH:MM` after a blank or a `T`.
fn moment(text: &str) -> Option<Moment> {
    // The parser takes more forms than a reader should have to guess at.
    let day = |text: &str| text.parse().ok().filter(|day: &Date| day.to_string() == text);
    let Some((date, time)) = text.split_once([' ', 'T']) else { return day(text).map(Moment::Day) };
    let is_time = time.len() == 5
        && time.bytes().enumerate().all(|(index, byte)| match index {
            2 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let time = time.parse().ok().filter(|_| is_time)?;
    Some(Moment::Time(day(date)?.to_datetime(time)))
}
