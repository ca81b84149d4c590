//! The values of metrics.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, MessageData, Metric as SdkMetric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use jiff::Timestamp;
use stagegate_config::release::{Metric, MetricQuery};

use super::refused;
use crate::facts::{Known, Unmeasured};

/// The values of a metric up to now, the newest first.
pub(super) async fn values(client: &Client, metric: &Metric, now: Timestamp) -> Known<Vec<f64>> {
    let period = i64::try_from(metric.period().as_duration().as_secs()).unwrap_or(60).max(1);
    let over = i64::try_from(metric.over().as_duration().as_secs()).unwrap_or(period);
    // A period that has not ended has only a part of its data.
    let end = now.as_second().div_euclid(period) * period;
    let (queries, result) = queries(metric, i32::try_from(period).unwrap_or(i32::MAX));
    let request = client.get_metric_data().set_metric_data_queries(Some(queries)).scan_by(ScanBy::TimestampDescending);
    let request = request.start_time(DateTime::from_secs(end - over)).end_time(DateTime::from_secs(end));
    let mut pages = request.into_paginator().send();
    let mut answers = Answers::default();
    while let Some(page) = pages.next().await {
        answers.take(&page.map_err(|error| refused("CloudWatch", "GetMetricData", &error))?, &result);
    }
    answers.values()
}

/// What the pages of an answer have said so far.
#[derive(Default)]
struct Answers {
    values: Vec<f64>,
    /// What is missing of each series, as the last page with it tells. An expression may give many series of one id, which
    /// differ by their labels.
    missing: BTreeMap<String, Option<Unmeasured>>,
    /// What CloudWatch says about the call as a whole: then something that was asked for was not looked at.
    messages: Vec<String>,
}

impl Answers {
    fn take(&mut self, page: &GetMetricDataOutput, result: &str) {
        self.messages.extend(texts(page.messages()));
        let mut missing = BTreeMap::new();
        for series in page.metric_data_results().iter().filter(|series| series.id() == Some(result)) {
            self.values.extend_from_slice(series.values());
            let of_label = missing.entry(series.label().unwrap_or_default().to_owned()).or_insert(None);
            *of_label = of_label.take().or_else(|| incomplete(series));
        }
        self.missing.extend(missing);
    }

    fn values(self) -> Known<Vec<f64>> {
        if !self.messages.is_empty() {
            return Err(Unmeasured::new(format!("CloudWatch says of the values: {}", self.messages.join("; "))));
        }
        match self.missing.into_values().flatten().next() {
            // No series at all has no value either; the policy says what that means.
            None => Ok(self.values),
            Some(missing) => Err(missing),
        }
    }
}

/// What is missing of a series by its status.
fn incomplete(series: &MetricDataResult) -> Option<Unmeasured> {
    let status = series.status_code().filter(|status| **status != StatusCode::Complete)?;
    let reason = match texts(series.messages()).collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => "not all values were returned".to_owned(),
        messages => messages,
    };
    Some(Unmeasured::new(format!("CloudWatch gave the values with the status {}: {reason}", status.as_str())))
}

fn texts(messages: &[MessageData]) -> impl Iterator<Item = String> {
    messages.iter().filter_map(|message| message.value().or(message.code()).map(str::to_owned))
}

/// The queries of a metric, and the id of the one whose values count.
fn queries(metric: &Metric, period: i32) -> (Vec<MetricDataQuery>, String) {
    let is_intermediate = metric.expression.is_some();
    let mut queries: Vec<MetricDataQuery> = metric
        .queries
        .iter()
        .map(|(id, query)| {
            let stat = MetricStat::builder().metric(sdk_metric(query)).period(period).stat(&query.stat).build();
            MetricDataQuery::builder().id(id).metric_stat(stat).return_data(!is_intermediate).build()
        })
        .collect();
    let Some(expression) = &metric.expression else {
        return (queries, metric.queries.keys().next().cloned().unwrap_or_default());
    };
    let mut id = "result".to_owned();
    while metric.queries.contains_key(&id) {
        id.push('_');
    }
    // A query of Metrics Insights has no metrics to take its period from.
    let own_period = metric.queries.is_empty().then_some(period);
    let query = MetricDataQuery::builder().id(&id).expression(expression).set_period(own_period).return_data(true);
    queries.push(query.build());
    (queries, id)
}

fn sdk_metric(query: &MetricQuery) -> SdkMetric {
    let dimension = |(name, value): (&String, &String)| Dimension::builder().name(name).value(value).build();
    let dimensions = query.dimensions.iter().map(dimension).collect();
    SdkMetric::builder().namespace(&query.namespace).metric_name(&query.metric).set_dimensions(Some(dimensions)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(series: &[(&str, &str, f64)], message: Option<&str>) -> GetMetricDataOutput {
        let results = series.iter().map(|(label, status, value)| {
            let result = MetricDataResult::builder().id("result").label(*label).values(*value);
            result.status_code(StatusCode::from(*status)).build()
        });
        let messages = message.map(|text| vec![MessageData::builder().code("M").value(text).build()]);
        GetMetricDataOutput::builder().set_metric_data_results(Some(results.collect())).set_messages(messages).build()
    }

    /// A page by the labels, statuses and values of its series, and what CloudWatch says of the call.
    type Page<'a> = (&'a [(&'a str, &'a str, f64)], Option<&'a str>);
    /// Pages, and their values or a part of what is missing.
    type Case<'a> = (&'a [Page<'a>], Result<&'a [f64], &'a str>);

    #[test]
    fn values_count_where_every_series_is_complete_in_the_end() {
        let cases: [Case<'_>; 8] = [
            (&[], Ok(&[])),
            (&[(&[("a", "Complete", 1.0)], None)], Ok(&[1.0])),
            (&[(&[("a", "PartialData", 1.0), ("b", "Complete", 2.0)], None)], Err("PartialData")),
            (&[(&[("b", "Complete", 2.0), ("a", "PartialData", 1.0)], None)], Err("PartialData")),
            (&[(&[("a", "PartialData", 1.0)], None), (&[("b", "Complete", 2.0)], None)], Err("PartialData")),
            (
                &[(&[("a", "PartialData", 1.0), ("b", "Complete", 2.0)], None), (&[("a", "Complete", 3.0)], None)],
                Ok(&[1.0, 2.0, 3.0]),
            ),
            // Two series of one label cannot be told apart.
            (&[(&[("a", "Forbidden", 1.0), ("a", "Complete", 2.0)], None)], Err("Forbidden")),
            (
                &[(&[("a", "Complete", 1.0)], Some("Maximum number of allowed metrics exceeded"))],
                Err("Maximum number of allowed metrics exceeded"),
            ),
        ];
        for (pages, expected) in cases {
            let mut answers = Answers::default();
            for (series, message) in pages {
                answers.take(&page(series, *message), "result");
            }
            match (answers.values(), expected) {
                (Ok(values), Ok(expected)) => assert_eq!(values, expected, "{pages:?}"),
                (Err(why), Err(part)) => assert!(why.to_string().contains(part), "{pages:?}: {why}"),
                (found, _) => panic!("{pages:?}: {found:?}"),
            }
        }
    }
}
