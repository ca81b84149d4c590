//! `stagegate report`: how a pipeline delivers, from what the functions have kept.

use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use stagegate_config::{Config, NamePattern};
use stagegate_delivery::Report;

use crate::args::ReportOptions;
use crate::commands::check;
use crate::exit::{CommandError, Exit};
use crate::report::{State, table};
use crate::terminal::{Style, put, say};

pub(crate) fn run(options: &ReportOptions) -> Result<Exit, CommandError> {
    let config = config(options.config.as_deref())?;
    let mut observed = state(options)?.observed()?;
    if let Some(pipeline) = &options.pipeline {
        let pattern = NamePattern::new(pipeline);
        observed.retain(|one| pattern.matches(&one.pipeline));
    }
    // The clock of a local AWS may be ahead of this one.
    let last = observed.iter().filter_map(|one| one.picture.state.map(|moment| moment.at)).max();
    let now = last.into_iter().fold(Timestamp::now(), Timestamp::max);
    let until = options.until.as_deref().map_or(Ok(now), |text| time("--until", text, now))?;
    let since = options.since.as_deref().map(|text| time("--since", text, until)).transpose()?;
    let report = Report::new(&observed, |pipeline| config.delivery(pipeline), since, until);
    if let Some(file) = &options.html {
        write(file, &stagegate_delivery_page::page(&report).into_string())?;
    }
    if options.json {
        let json = serde_json::to_string_pretty(&report);
        say(json.map_err(|error| CommandError::unavailable(format!("write the report: {error}")))?);
        return Ok(Exit::Passed);
    }
    put(table(&report, Style::of_stdout()));
    if let Some(file) = &options.html {
        say(format_args!("wrote {}", file.display()));
    }
    Ok(Exit::Passed)
}

/// What is production is said by the project's configuration, where there is one.
fn config(named: Option<&Path>) -> Result<Config, CommandError> {
    match check::config(named) {
        Ok(file) => {
            Config::load(&file).map_err(|error| CommandError::broken_input(format!("use the configuration: {error}")))
        }
        Err(_) => Ok(Config::default()),
    }
}

fn state(options: &ReportOptions) -> Result<State, CommandError> {
    match (&options.state, &options.state_bucket) {
        (Some(folder), _) => State::in_folder(folder),
        (None, Some(bucket)) => Ok(State::Bucket(bucket.clone())),
        (None, None) => Err(CommandError::wrong_call(
            "find the state: name a copy of the state bucket, or the folder of `stagegate up --data`, with --state, or \
             the bucket itself with --state-bucket",
        )),
    }
}

/// Reads a time, a day, or how long ago it was.
fn time(option: &str, text: &str, until: Timestamp) -> Result<Timestamp, CommandError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day = text.parse::<Date>().ok();
    if let Some(midnight) = day.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()) {
        return Ok(midnight);
    }
    let length: Option<stagegate_config::Length> =
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok();
    let length = length.and_then(|length| SignedDuration::try_from(length.as_duration()).ok());
    length.and_then(|length| until.checked_sub(length).ok()).ok_or_else(|| {
        CommandError::wrong_call(format!(
            "read {option} {text:?}: a day such as 2026-01-31, a time such as 2026-01-31T09:00:00Z, or a length of time \
             such as 30d is wanted"
        ))
    })
}

fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    let written = std::fs::write(file, text);
    written.map_err(|error| CommandError::unavailable(format!("write the report {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_day_a_time_or_a_length() {
        let until: Timestamp = "2026-01-31T12:00:00Z".parse().expect("a time");
        for (text, expected) in [
            ("2026-01-05", "2026-01-05T00:00:00Z"),
            ("2026-01-05T09:00:00+01:00", "2026-01-05T08:00:00Z"),
            ("30d", "2026-01-01T12:00:00Z"),
            ("1h30m", "2026-01-31T10:30:00Z"),
        ] {
            assert_eq!(time("--since", text, until).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "yesterday", "30", "-1d", "2026-13-01", "99999999999d"] {
            assert!(time("--since", text, until).is_err(), "{text}");
        }
    }
}
