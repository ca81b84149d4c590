//! The values of metrics.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as SdkMetric, MetricDataQuery, MetricStat, ScanBy, StatusCode};
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
    let (mut values, mut status) = (Vec::new(), None);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused("CloudWatch", "GetMetricData", &error))?;
        for series in page.metric_data_results().iter().filter(|series| series.id() == Some(&result)) {
            values.extend_from_slice(series.values());
            status = series.status_code().cloned();
            let messages = series.messages().iter().filter_map(|message| message.value());
            if let (Some(StatusCode::InternalError | StatusCode::Forbidden), messages) = (&status, messages) {
                let messages: Vec<_> = messages.collect();
                return Err(incomplete(status.as_ref(), &messages.join("; ")));
            }
        }
    }
    match status {
        // No series at all has no value either; the policy says what that means.
        None | Some(StatusCode::Complete) => Ok(values),
        Some(_) => Err(incomplete(status.as_ref(), "not all values were returned")),
    }
}

fn incomplete(status: Option<&StatusCode>, reason: &str) -> Unmeasured {
    let status = status.map_or("none", StatusCode::as_str);
    Unmeasured::new(format!("CloudWatch gave the values with the status {status}: {reason}"))
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
