//! Alarms, metrics and probes: what is measured from outside.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::Length;
use crate::smoke::NetworkRules;
use crate::tests_policy::filled;

/// The most alarms that one call asks for (AWS model: AlarmNames).
const MAX_ALARMS: usize = 100;
/// The most characters of an alarm's name (AWS model: AlarmName).
const MAX_ALARM_NAME: usize = 255;

/// The longest time for a probe. The function has a minute for everything, and may ask CodePipeline for 20 seconds before.
const LONGEST_PROBE: Length = Length::seconds(20);

/// CloudWatch alarms, composite ones too, that must be in the state OK.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    /// The names of the alarms, in the function's account and Region.
    #[serde(deserialize_with = "alarm_names")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::alarm_names"))]
    pub names: Vec<String>,
    /// How long each must have been OK.
    #[serde(default)]
    pub ok_for: Option<Length>,
    /// What the state INSUFFICIENT_DATA means.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "missing")))]
    pub missing_data: MissingData,
}

/// What it means that there are no data. The words are those of CloudWatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MissingData {
    /// As if the limit were broken: a failed measurement.
    Breaching,
    /// As if the limit were kept.
    NotBreaching,
    /// Nothing is known yet: not green, and no failed measurement.
    #[default]
    Missing,
}

/// A metric, or an expression over metrics, of CloudWatch, whose values must keep to a limit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = super::schema::limits))]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// What it is called in messages.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub name: String,
    /// The metrics by the ids that the expression uses.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::queries"))]
    pub queries: BTreeMap<String, MetricQuery>,
    /// A metric math expression, such as `100 * FILL(errors, 0) / requests`. It can be left out where there is one metric.
    #[serde(default)]
    pub expression: Option<String>,
    /// The time that one value stands for: whole seconds.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1m")))]
    pub period: Option<Length>,
    /// The time up to now whose values are looked at; a period if absent. Every value must keep to the limit.
    #[serde(default)]
    pub over: Option<Length>,
    /// The greatest value that is allowed.
    #[serde(default, deserialize_with = "finite")]
    pub max: Option<f64>,
    /// The least value that is allowed.
    #[serde(default, deserialize_with = "finite")]
    pub min: Option<f64>,
    /// What it means that there is no value.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "missing")))]
    pub missing_data: MissingData,
}

/// One metric of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// The metric's namespace, such as `AWS/ApplicationELB`.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub namespace: String,
    /// The metric's name.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub metric: String,
    /// The statistic, such as `Sum`, `Average` or `p99`.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub stat: String,
    /// The dimensions and their values, all that the metric has.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
}

/// A URL that answers with JSON in which a value must be as asked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The URL, asked with GET; redirects are not followed.
    #[serde(deserialize_with = "url")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::url"))]
    pub url: String,
    /// The value in the answer, as a JSONPath expression (RFC 9535).
    #[serde(deserialize_with = "one_line")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::one_line"))]
    pub jsonpath: String,
    /// What the value must be, as a predicate of a Hurl file: `== "ready"`, `< 0.01`, `exists`.
    #[serde(deserialize_with = "one_line")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::one_line"))]
    pub predicate: String,
    /// How long the request may take; 20s at the most.
    #[serde(default, deserialize_with = "probe_time")]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "10s")))]
    pub timeout: Option<Length>,
    /// What may be reached.
    #[serde(default)]
    pub network: NetworkRules,
}

impl Metric {
    /// The time that one value stands for.
    pub fn period(&self) -> Length {
        self.period.unwrap_or(Length::seconds(60))
    }

    /// The time up to now whose values are looked at.
    pub fn over(&self) -> Length {
        self.over.unwrap_or(self.period())
    }

    /// What is wrong with the metric as a whole, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { name, queries, expression, .. } = self;
        if expression.is_none() && queries.len() != 1 {
            return Some(format!(
                "has a metric {name:?} with {} queries; write one, or an `expression` that makes one value of them",
                queries.len()
            ));
        }
        if let Some(id) = queries.keys().find(|id| !is_query_id(id)) {
            return Some(format!(
                "has a metric {name:?} with the id {id:?}, which no expression can name: begin with a lower-case letter, go on with letters, digits and _"
            ));
        }
        match (self.min, self.max) {
            (None, None) => return Some(format!("has a metric {name:?} without a limit; add `max` or `min`")),
            (Some(min), Some(max)) if min > max => {
                return Some(format!("has a metric {name:?} whose `min` is above its `max`"));
            }
            _ => {}
        }
        for (key, length) in [("period", self.period()), ("over", self.over())] {
            if length.as_duration().subsec_nanos() > 0 {
                return Some(format!(
                    "has a metric {name:?} whose `{key}` is {length}; CloudWatch counts in whole seconds"
                ));
            }
        }
        let (period, over) = (self.period().as_duration().as_secs(), self.over().as_duration().as_secs());
        if ![1, 5, 10, 20, 30].contains(&period) && !period.is_multiple_of(60) {
            return Some(format!(
                "has a metric {name:?} with a period of {period}s; CloudWatch has 1s, 5s, 10s, 20s, 30s and whole minutes"
            ));
        }
        if over < period || over / period > 1440 {
            return Some(format!("has a metric {name:?} that looks at {} values; 1 to 1440 are read", over / period));
        }
        None
    }
}

/// The form of the ids of queries (AWS API reference, MetricDataQuery).
fn is_query_id(id: &str) -> bool {
    id.len() <= 255
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn alarm_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if names.is_empty() || names.len() > MAX_ALARMS {
        return Err(D::Error::custom(format!("a gate looks at 1 to {MAX_ALARMS} alarms, not {}", names.len())));
    }
    if let Some(name) = names.iter().find(|name| name.is_empty() || name.chars().count() > MAX_ALARM_NAME) {
        return Err(D::Error::custom(format!(
            "{name:?} is no name of an alarm: it has 1 to {MAX_ALARM_NAME} characters"
        )));
    }
    if let Some(name) = names.iter().find(|name| name.starts_with("arn:")) {
        return Err(D::Error::custom(format!(
            "{name:?} is an ARN; write the name of the alarm, which is its last part"
        )));
    }
    Ok(names)
}

fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?;
    match number {
        Some(number) if !number.is_finite() => Err(D::Error::custom("a limit is a finite number")),
        number => Ok(number),
    }
}

fn probe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Length>, D::Error> {
    let length = Option::<Length>::deserialize(deserializer)?;
    match length {
        Some(length) if length > LONGEST_PROBE => Err(D::Error::custom(format!(
            "a probe may take {LONGEST_PROBE} at the most, not {length}: the function has a minute for the whole look"
        ))),
        length => Ok(length),
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = one_line(deserializer)?;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) && !text.contains([' ', '{', '}']) {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{text:?} is no URL; write one such as https://status.example.com/ready")))
}

fn one_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = filled(deserializer)?;
    if text.chars().any(char::is_control) || text.contains("{{") {
        return Err(D::Error::custom("a text on one line, without line breaks and without {{variables}}"));
    }
    Ok(text)
}
