//! Recurrence rules (RFC 5545, section 3.3.10), expanded by the `rrule` crate.
//!
//! The crate gets the clock's times as if they were UTC, and its occurrences are read as times of the event's zone: an
//! event at 18:00 stays at 18:00 when the clocks change, and there is one database of time zones.

use chrono::{Datelike, TimeZone, Timelike};
use jiff::civil::DateTime;
use rrule::{RRule, RRuleSet, Tz, Unvalidated};
use stagegate_config::release::Zone;

use super::error::{CalendarError, Problem};
use super::lines::Property;
use super::value::{Form, shown, wall};

/// The most occurrences of one event in the time that is looked at.
const MAX_OCCURRENCES: u16 = 5000;

/// The parts of a rule that are understood.
const PARTS: [&str; 11] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYDAY",
    "BYMONTH",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYSETPOS",
    "WKST",
];

/// How often an event may recur. What recurs within a day is no freeze.
const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

/// A rule of an event, checked.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    text: String,
    set: RRuleSet,
}

impl Rule {
    /// Reads a rule of an event that begins at `start` by the clock of `zone`.
    pub(super) fn read(property: &Property<'_>, start: DateTime, zone: &Zone) -> Result<Self, CalendarError> {
        let text = property.value.trim();
        let bad = |reason: String| property.fault(Problem::BadRule { rule: shown(text), reason });
        let mut parts = Vec::new();
        for part in text.split(';') {
            let (key, value) = part.split_once('=').ok_or_else(|| bad(format!("{part:?} has no value")))?;
            let key = key.to_ascii_uppercase();
            if !PARTS.contains(&key.as_str()) {
                return Err(property.fault(Problem::Unsupported(format!("{key} in the rule {}", shown(text)))));
            }
            match key.as_str() {
                "FREQ" if !FREQUENCIES.contains(&value.to_ascii_uppercase().as_str()) => {
                    return Err(property.fault(Problem::Unsupported(format!("FREQ={value}"))));
                }
                "INTERVAL" if value.parse::<u16>().is_ok_and(|interval| interval == 0) => {
                    return Err(bad("an interval is 1 or more".to_owned()));
                }
                "UNTIL" => {
                    let end = until(value, zone).ok_or_else(|| bad(format!("{value:?} is no date and no time")))?;
                    parts.push(format!("UNTIL={end}"));
                }
                _ => parts.push(part.to_owned()),
            }
        }
        let rule: RRule<Unvalidated> =
            parts.join(";").parse().map_err(|error: rrule::RRuleError| bad(error.to_string()))?;
        let begin = to_chrono(start).ok_or_else(|| property.fault(Problem::OutOfRange))?;
        let set = rule.build(begin).map_err(|error| bad(error.to_string()))?;
        Ok(Self { text: shown(text), set })
    }

    /// The occurrences between two times of the clock.
    pub(super) fn occurrences(&self, from: DateTime, to: DateTime) -> Result<Vec<DateTime>, CalendarError> {
        let out_of_range = || CalendarError::whole(Problem::OutOfRange);
        let (from, to) = (to_chrono(from).ok_or_else(out_of_range)?, to_chrono(to).ok_or_else(out_of_range)?);
        let result = self.set.clone().after(from).before(to).all(MAX_OCCURRENCES);
        if result.limited {
            return Err(CalendarError::whole(Problem::TooManyOccurrences(self.text.clone())));
        }
        result.dates.iter().map(|date| from_chrono(date).ok_or_else(out_of_range)).collect()
    }
}

/// The end of a rule, as a time of the event's clock.
fn until(value: &str, zone: &Zone) -> Option<String> {
    let (time, form) = wall(value.trim())?;
    let local = match form {
        // The last day of the rule is a whole one.
        Form::Date => time.date().at(23, 59, 59, 0),
        Form::Local => time,
        Form::Utc => zone.rules().to_datetime(Zone::utc().rules().to_timestamp(time).ok()?),
    };
    Some(local.strftime("%Y%m%dT%H%M%SZ").to_string())
}

fn to_chrono(time: DateTime) -> Option<chrono::DateTime<Tz>> {
    let part = |number: i8| u32::try_from(number).ok();
    let date = chrono::NaiveDate::from_ymd_opt(time.year().into(), part(time.month())?, part(time.day())?)?;
    let time = date.and_hms_opt(part(time.hour())?, part(time.minute())?, part(time.second())?)?;
    Some(Tz::UTC.from_utc_datetime(&time))
}

fn from_chrono(time: &chrono::DateTime<Tz>) -> Option<DateTime> {
    let part = |number: u32| i8::try_from(number).ok();
    let (year, month, day) = (i16::try_from(time.year()).ok()?, part(time.month())?, part(time.day())?);
    DateTime::new(year, month, day, part(time.hour())?, part(time.minute())?, part(time.second())?, 0).ok()
}
