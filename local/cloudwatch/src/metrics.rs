//! Metrics: what was put, and statistics of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::epoch_seconds;

use crate::math::{Quantity, Series, evaluate};
use crate::text;

/// The most data points of one answer (AWS API reference, GetMetricData).
const MAX_DATAPOINTS: usize = 100_800;

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    series: BTreeMap<Name, Vec<Datum>>,
}

/// A metric: its namespace, its name and its dimensions, sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    namespace: String,
    metric: String,
    dimensions: Vec<(String, String)>,
}

/// What was put at one time.
#[derive(Clone, Debug)]
struct Datum {
    /// Seconds since 1970.
    at: i64,
    count: f64,
    sum: f64,
    least: f64,
    most: f64,
    /// The single values and how often each was there; none of a statistic set.
    values: Vec<(f64, f64)>,
}

impl Metrics {
    pub(crate) fn put(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let namespace = text(input, "Namespace");
        for datum in input["MetricData"].as_array().into_iter().flatten() {
            let name = name(namespace, datum);
            let at = datum["Timestamp"].as_f64().map_or(now.as_second(), whole);
            let datum = read(datum, at)?;
            self.series.entry(name).or_default().push(datum);
        }
        Ok(Value::Null)
    }

    pub(crate) fn get(&self, input: &Value) -> Result<Value, ApiError> {
        let (start, end) = (input["StartTime"].as_f64().map_or(0, whole), input["EndTime"].as_f64().map_or(0, whole));
        if end <= start {
            return Err(invalid("the parameter StartTime must be less than the parameter EndTime"));
        }
        let queries: Vec<&Value> = input["MetricDataQueries"].as_array().into_iter().flatten().collect();
        let mut known: BTreeMap<String, Quantity> = BTreeMap::new();
        for query in queries.iter().filter(|query| query["MetricStat"].is_object()) {
            known.insert(
                text(query, "Id").to_owned(),
                Quantity::Series(self.statistic(&query["MetricStat"], start, end)?),
            );
        }
        let mut results = Vec::new();
        for query in &queries {
            let id = text(query, "Id");
            if !id.starts_with(|c: char| c.is_ascii_lowercase())
                || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            {
                return Err(invalid(format!(
                    "the id {id} does not begin with a lower-case letter and go on with letters, digits and _"
                )));
            }
            if let Some(expression) = query["Expression"].as_str() {
                let made = evaluate(expression, &known)
                    .map_err(|reason| invalid(format!("the expression {expression:?}: {reason}")))?;
                known.insert(id.to_owned(), made);
            }
            if query["ReturnData"].as_bool().unwrap_or(true) {
                let Some(Quantity::Series(series)) = known.get(id) else {
                    return Err(invalid(format!("the query {id} gives no time series")));
                };
                results.push(result(query, series, input["ScanBy"] == "TimestampAscending"));
            }
        }
        Ok(json!({"MetricDataResults": results, "Messages": []}))
    }

    /// One statistic of a metric, for each period that has data.
    fn statistic(&self, stat: &Value, start: i64, end: i64) -> Result<Series, ApiError> {
        let name = name(text(&stat["Metric"], "Namespace"), &stat["Metric"]);
        let period = stat["Period"].as_i64().unwrap_or(60).max(1);
        let mut periods: BTreeMap<i64, Vec<&Datum>> = BTreeMap::new();
        for datum in self.series.get(&name).into_iter().flatten().filter(|datum| (start..end).contains(&datum.at)) {
            periods.entry(datum.at.div_euclid(period) * period).or_default().push(datum);
        }
        if periods.len() > MAX_DATAPOINTS {
            return Err(invalid("there are more data points than one answer may have; ask for a longer period"));
        }
        let kind = text(stat, "Stat");
        let values = periods.into_iter().map(|(at, data)| Ok((at, summarised(kind, &data)?)));
        values.collect()
    }
}

fn summarised(kind: &str, data: &[&Datum]) -> Result<f64, ApiError> {
    let total = |member: fn(&Datum) -> f64| data.iter().map(|datum| member(datum)).sum::<f64>();
    let (count, sum) = (total(|datum| datum.count), total(|datum| datum.sum));
    match kind {
        "SampleCount" => Ok(count),
        "Sum" => Ok(sum),
        "Average" => Ok(sum / count),
        "Minimum" => Ok(data.iter().map(|datum| datum.least).fold(f64::INFINITY, f64::min)),
        "Maximum" => Ok(data.iter().map(|datum| datum.most).fold(f64::NEG_INFINITY, f64::max)),
        other => percentile(other, data),
    }
}

/// `p99`: the nearest-rank percentile of the single values.
fn percentile(kind: &str, data: &[&Datum]) -> Result<f64, ApiError> {
    let percent = kind.strip_prefix('p').and_then(|number| number.parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| {
        invalid(format!("the statistic {kind} is none of SampleCount, Sum, Average, Minimum, Maximum and p0 to p100"))
    })?;
    let mut values: Vec<(f64, f64)> = data.iter().flat_map(|datum| datum.values.iter().copied()).collect();
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let rank = values.iter().map(|(_, count)| count).sum::<f64>() * percent / 100.0;
    let mut seen = 0.0;
    let found = values.iter().find(|(_, count)| {
        seen += count;
        seen >= rank
    });
    found.map(|(value, _)| *value).ok_or_else(|| invalid("a statistic set has no percentiles"))
}

fn result(query: &Value, series: &Series, is_ascending: bool) -> Value {
    let mut points: Vec<(i64, f64)> = series.iter().map(|(at, value)| (*at, *value)).collect();
    if !is_ascending {
        points.reverse();
    }
    let times: Vec<_> =
        points.iter().filter_map(|(at, _)| Timestamp::from_second(*at).ok()).map(epoch_seconds).collect();
    let values: Vec<_> = points.iter().map(|(_, value)| *value).collect();
    let id = text(query, "Id");
    let label = query["Label"].as_str().or(query["MetricStat"]["Metric"]["MetricName"].as_str()).unwrap_or(id);
    json!({"Id": id, "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"})
}

fn name(namespace: &str, metric: &Value) -> Name {
    let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
    let pair = |dimension: &Value| (text(dimension, "Name").to_owned(), text(dimension, "Value").to_owned());
    let mut dimensions: Vec<_> = dimensions.map(pair).collect();
    dimensions.sort();
    Name { namespace: namespace.to_owned(), metric: text(metric, "MetricName").to_owned(), dimensions }
}

fn read(datum: &Value, at: i64) -> Result<Datum, ApiError> {
    if let Value::Object(set) = &datum["StatisticValues"] {
        let number = |name: &str| set.get(name).and_then(Value::as_f64).unwrap_or_default();
        let (least, most) = (number("Minimum"), number("Maximum"));
        return Ok(Datum { at, count: number("SampleCount"), sum: number("Sum"), least, most, values: Vec::new() });
    }
    let numbers = |name: &str| -> Option<Vec<f64>> {
        datum[name].as_array().map(|list| list.iter().filter_map(Value::as_f64).collect())
    };
    let single = datum["Value"].as_f64().map(|value| vec![value]);
    let values = single.or_else(|| numbers("Values")).filter(|values| !values.is_empty());
    let values = values.ok_or_else(|| invalid("a datum needs Value, Values or StatisticValues"))?;
    let counts = numbers("Counts").unwrap_or_else(|| vec![1.0; values.len()]);
    if counts.len() != values.len() {
        return Err(invalid("Values and Counts must have the same length"));
    }
    let values: Vec<(f64, f64)> = values.into_iter().zip(counts).collect();
    Ok(Datum {
        at,
        count: values.iter().map(|(_, count)| count).sum(),
        sum: values.iter().map(|(value, count)| value * count).sum(),
        least: values.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min),
        most: values.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max),
        values,
    })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of any year that a clock shows fit")]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}
