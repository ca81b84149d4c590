//! Measurements as log lines in CloudWatch's embedded metric format (CloudWatch guide, "Specification: Embedded metric
//! format"): JSON that a Lambda function writes to its standard output, and of which CloudWatch Logs makes metrics.
//!
//! The execution stands in the line as a plain member: it can be searched for, and is no dimension. CloudWatch takes
//! metrics that are up to two weeks old; what is repaired later than that is in the log only.
//!
//! Lambda drops lines below the function's log level, and takes a line without a level or a time for INFO (Lambda guide,
//! "Log-level filtering"). Metrics are no matter of taste, so that a line has the level that is let through: [`Stamp`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::measurement::{Measurement, Metric, Subject};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Stagegate";

/// The most values of one metric in a line (specification, "Target members").
pub const MAX_VALUES: usize = 100;

/// The most characters of the value of a dimension (CloudWatch API reference, Dimension).
pub const MAX_DIMENSION_VALUE: usize = 1024;

/// What Lambda looks at in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    level: &'static str,
    at: Timestamp,
}

impl Stamp {
    /// That of lines that are written at this time by a function whose log level is `AWS_LAMBDA_LOG_LEVEL`: INFO, or the
    /// lowest level that Lambda lets through where that is above it.
    pub fn new(log_level: Option<&str>, at: Timestamp) -> Self {
        let levels = ["WARN", "ERROR", "FATAL"];
        let above = levels.into_iter().find(|level| log_level.is_some_and(|given| given.eq_ignore_ascii_case(level)));
        Self { level: above.unwrap_or("INFO"), at }
    }
}

/// One line for each moment and subject, without a line end. Two measurements of one metric in it are two values.
pub fn lines(measurements: &[Measurement], stamp: Stamp) -> Vec<String> {
    let mut groups: BTreeMap<(Timestamp, &Subject), BTreeMap<Metric, Vec<&Measurement>>> = BTreeMap::new();
    for measurement in measurements {
        let group = groups.entry((measurement.at, &measurement.subject)).or_default();
        group.entry(measurement.metric).or_default().push(measurement);
    }
    groups.into_iter().flat_map(|((at, subject), metrics)| group(at, subject, &metrics, stamp)).collect()
}

/// The metrics of one moment and subject; those with other dimensions go on a line of their own.
fn group(at: Timestamp, subject: &Subject, metrics: &BTreeMap<Metric, Vec<&Measurement>>, stamp: Stamp) -> Vec<String> {
    let mut by_dimensions: BTreeMap<_, Vec<(Metric, &Vec<&Measurement>)>> = BTreeMap::new();
    for (metric, measurements) in metrics {
        by_dimensions.entry(metric.dimensions()).or_default().push((*metric, measurements));
    }
    let mut lines = Vec::new();
    for metrics in by_dimensions.into_values() {
        let most = metrics.iter().map(|(_, measurements)| measurements.len()).max().unwrap_or_default();
        for from in (0..most).step_by(MAX_VALUES) {
            lines.push(line(at, subject, &metrics, from, stamp));
        }
    }
    lines
}

fn line(
    at: Timestamp,
    subject: &Subject,
    metrics: &[(Metric, &Vec<&Measurement>)],
    from: usize,
    stamp: Stamp,
) -> String {
    let mut line = Map::new();
    let (mut definitions, mut values) = (Vec::new(), Map::new());
    let dimensions = metrics.first().map(|(metric, _)| metric.dimensions()).unwrap_or_default();
    for (metric, measurements) in metrics {
        let these: Vec<_> = measurements.iter().skip(from).take(MAX_VALUES).collect();
        let numbers: Vec<_> = these.iter().map(|measurement| number(measurement.value)).collect();
        let value = match numbers.as_slice() {
            [] => continue,
            [one] => one.clone(),
            several => Value::Array(several.to_vec()),
        };
        definitions.push(json!({"Name": metric.name(), "Unit": metric.unit()}));
        values.insert(metric.name().to_owned(), value);
        if let Some(origin) = these.first().and_then(|measurement| measurement.origin) {
            values.insert("LeadTimeSince".to_owned(), json!(origin));
        }
    }
    let names: Vec<_> = dimensions.iter().map(|dimension| dimension.name()).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions});
    line.insert("_aws".to_owned(), json!({"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive]}));
    line.insert("timestamp".to_owned(), json!(stamp.at.to_string()));
    line.insert("level".to_owned(), json!(stamp.level));
    for dimension in dimensions {
        line.insert(dimension.name().to_owned(), json!(dimension_value(subject.value(*dimension))));
    }
    line.insert("Execution".to_owned(), json!(subject.execution));
    if let Some(action) = &subject.action {
        line.insert("Action".to_owned(), json!(action));
    }
    line.extend(values);
    Value::Object(line).to_string()
}

/// Seconds to the millisecond.
fn number(value: f64) -> Value {
    let rounded = (value * 1000.0).round() / 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of seconds of any length of time fits")]
    let whole = rounded as i64;
    #[expect(clippy::cast_precision_loss, reason = "where it is lost, the number is not taken for a whole one")]
    let is_whole = whole as f64 == rounded;
    if is_whole { json!(whole) } else { json!(rounded) }
}

/// What CloudWatch takes: ASCII without controls, something to be seen, not too long (CloudWatch API reference,
/// Dimension). Names of pipelines and stages are so in any case; those of gates are free.
fn dimension_value(text: &str) -> String {
    let is_taken = |c: char| c == ' ' || c.is_ascii_graphic();
    let text: String = text.chars().take(MAX_DIMENSION_VALUE).map(|c| if is_taken(c) { c } else { '?' }).collect();
    if text.trim().is_empty() { "?".to_owned() } else { text }
}
