//! Filters on points in time.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use hurl_core::ast::SourceInfo;

use super::{Filtered, as_text};
use crate::fault::Fault;
use crate::value::Value;

fn as_date(value: &Value, at: SourceInfo) -> Result<DateTime<Utc>, Fault> {
    match value {
        Value::Date(date) => Ok(*date),
        other => Err(Fault::filter_type(at, other, "date")),
    }
}

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

fn days(difference: TimeDelta) -> Value {
    Value::from(difference.num_days())
}

pub(super) fn days_after_now(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(days(as_date(value, at)?.signed_duration_since(now()))))
}

pub(super) fn days_before_now(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(days(now().signed_duration_since(as_date(value, at)?))))
}

pub(super) fn format(value: &Value, format: String, at: SourceInfo) -> Filtered {
    let date = as_date(value, at)?;
    let mut text = String::new();
    match write!(text, "{}", date.format(&format)) {
        Ok(()) => Ok(Some(Value::String(text))),
        Err(_) => Err(Fault::new(at, "Filter error", format!("date format <{format}> is not supported"))),
    }
}

/// Reads a date with a time zone, without one (then it is UTC), or without a time (then it is midnight).
pub(super) fn to_date(value: &Value, format: &str, at: SourceInfo) -> Filtered {
    let text = as_text(value, at)?;
    let date = DateTime::parse_from_str(text, format)
        .map(|date| date.with_timezone(&Utc))
        .or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|date| date.and_utc()))
        .or_else(|_| NaiveDate::parse_from_str(text, format).map(|date| date.and_time(NaiveTime::MIN).and_utc()));
    match date {
        Ok(date) => Ok(Some(Value::Date(date))),
        Err(_) => {
            let message = format!("value <{text}> could not be parsed with <{format}> format");
            Err(Fault::new(at, "Filter error", message))
        }
    }
}
