//! The CloudWatch of the local AWS, asked by the official client over HTTP.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod expressions;

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, StateValue, Statistic,
};
use stagegate_local_clock::Clock;
use stagegate_local_cloudwatch::{CloudWatch, router};
use tokio::net::TcpListener;

struct Local {
    clock: Clock,
    cloudwatch: CloudWatch,
    client: Client,
}

impl Local {
    async fn start() -> Self {
        let clock = Clock::starting_at("2026-11-25T12:00:00Z".parse().unwrap(), 1.0);
        let cloudwatch = CloudWatch::new(clock.clone(), "eu-west-1", "111122223333");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router(cloudwatch.clone());
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
            .endpoint_url(format!("http://{address}"))
            .build();
        Self { clock, cloudwatch, client: Client::from_conf(config) }
    }

    async fn put_alarm(&self, name: &str) {
        let request = self.client.put_metric_alarm().alarm_name(name).namespace("Web").metric_name("5xx");
        let request = request.statistic(Statistic::Sum).period(60).evaluation_periods(1).threshold(5.0);
        request.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await.unwrap();
    }

    async fn set(&self, name: &str, state: StateValue) {
        let request = self.client.set_alarm_state().alarm_name(name).state_value(state).state_reason("a test");
        request.send().await.unwrap();
    }
}

#[tokio::test]
async fn an_alarm_has_the_state_that_it_was_given() {
    let local = Local::start().await;
    let client = &local.client;
    local.put_alarm("web-5xx").await;
    let describe = async || {
        let alarms = client.describe_alarms().alarm_names("web-5xx").send().await.unwrap();
        alarms.metric_alarms()[0].clone()
    };
    let new = describe().await;
    assert_eq!(new.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(new.alarm_arn(), Some("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:web-5xx"));
    assert_eq!((new.threshold(), new.period(), new.namespace()), (Some(5.0), Some(60), Some("Web")));
    local.clock.advance(Duration::from_secs(600));
    local.set("web-5xx", StateValue::Ok).await;
    let ok = describe().await;
    let transitioned = ok.state_transitioned_timestamp().unwrap().secs();
    assert!(transitioned >= new.state_transitioned_timestamp().unwrap().secs() + 600);
    local.clock.advance(Duration::from_secs(600));
    // The same state again is an update and no transition.
    local.set("web-5xx", StateValue::Ok).await;
    let again = describe().await;
    assert_eq!(again.state_transitioned_timestamp().unwrap().secs(), transitioned);
    assert!(again.state_updated_timestamp().unwrap().secs() >= transitioned + 600);
    assert_eq!(again.state_reason(), Some("a test"));
    client.delete_alarms().alarm_names("web-5xx").send().await.unwrap();
    assert!(client.describe_alarms().send().await.unwrap().metric_alarms().is_empty());
}

#[tokio::test]
async fn alarms_are_chosen_by_name_prefix_type_and_state_and_come_in_pages() {
    let local = Local::start().await;
    let client = &local.client;
    for number in 0..7 {
        local.put_alarm(&format!("web-{number}")).await;
    }
    client.put_composite_alarm().alarm_name("web-all").alarm_rule("ALARM(web-1)").send().await.unwrap();
    local.set("web-3", StateValue::Alarm).await;
    local.set("web-all", StateValue::Alarm).await;
    let mut pages = client.describe_alarms().max_records(3).into_paginator().send();
    let mut names = 0;
    let plain = client.describe_alarms().max_records(3).send().await.unwrap();
    assert_eq!((plain.metric_alarms().len(), plain.next_token().is_some()), (3, true));
    while let Some(page) = pages.next().await {
        names += page.unwrap().metric_alarms().len();
    }
    assert_eq!(names, 7);
    let both = client.describe_alarms().alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    let red = both.state_value(StateValue::Alarm).send().await.unwrap();
    assert_eq!(red.metric_alarms()[0].alarm_name(), Some("web-3"));
    assert_eq!(red.composite_alarms()[0].alarm_rule(), Some("ALARM(web-1)"));
    let prefixed = client.describe_alarms().alarm_name_prefix("web-5").send().await.unwrap();
    assert_eq!(prefixed.metric_alarms().len(), 1);
    let none = client.describe_alarms().alarm_names("nobody").send().await.unwrap();
    assert!(none.metric_alarms().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_said_with_the_code_of_the_model() {
    let local = Local::start().await;
    let client = &local.client;
    let unknown =
        client.set_alarm_state().alarm_name("none").state_value(StateValue::Ok).state_reason("x").send().await;
    assert!(unknown.unwrap_err().into_service_error().is_resource_not_found());
    let token = client.describe_alarms().next_token("made up").send().await;
    assert!(token.unwrap_err().into_service_error().is_invalid_next_token());
    let both = client.describe_alarms().alarm_names("a").alarm_name_prefix("a").send().await.unwrap_err();
    assert_eq!(both.code(), Some("InvalidParameterCombination"));
    let state = client.set_alarm_state().alarm_name("none").state_value("GREEN".into()).state_reason("x").send().await;
    assert_eq!(state.unwrap_err().code(), Some("InvalidParameterValue"));
    let dashboards = client.list_dashboards().send().await.unwrap_err();
    assert_eq!(dashboards.code(), Some("UnknownOperationException"));
}

fn query(id: &str, stat: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("Service").value("web").build();
    let metric = Metric::builder().namespace("Web").metric_name(id).dimensions(dimension).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

#[tokio::test]
async fn metrics_are_summed_up_by_period_and_joined_by_expressions() {
    let local = Local::start().await;
    let client = &local.client;
    let begin = local.clock.now().as_second() - 600;
    let dimension = || Dimension::builder().name("Service").value("web").build();
    let datum = |name: &str, minute: i64, value: f64| {
        let at = DateTime::from_secs(begin + minute * 60 + 7);
        MetricDatum::builder().metric_name(name).dimensions(dimension()).timestamp(at).value(value).build()
    };
    let data = [
        datum("requests", 0, 100.0),
        datum("requests", 0, 300.0),
        datum("requests", 1, 200.0),
        datum("errors", 0, 4.0),
        datum("errors", 1, 1.0),
        datum("errors", 2, 9.0),
    ];
    client.put_metric_data().namespace("Web").set_metric_data(Some(data.to_vec())).send().await.unwrap();
    let rate = MetricDataQuery::builder().id("rate").expression("100 * errors / requests").build();
    let request = client.get_metric_data().metric_data_queries(query("errors", "Sum"));
    let request = request.metric_data_queries(query("requests", "Sum")).metric_data_queries(rate);
    let request = request.start_time(DateTime::from_secs(begin)).end_time(DateTime::from_secs(begin + 600));
    let answer = request.send().await.unwrap();
    let values = |id: &str| {
        let result = answer.metric_data_results().iter().find(|result| result.id() == Some(id)).unwrap();
        assert_eq!(result.timestamps().len(), result.values().len());
        result.values().to_vec()
    };
    // The newest first; a minute without requests has no rate.
    assert_eq!(values("errors"), [9.0, 1.0, 4.0]);
    assert_eq!(values("requests"), [200.0, 400.0]);
    assert_eq!(values("rate"), [0.5, 1.0]);
    for (stat, expected) in
        [("Average", 200.0), ("Maximum", 300.0), ("SampleCount", 2.0), ("p50", 100.0), ("p99", 300.0)]
    {
        let request = client.get_metric_data().metric_data_queries(query("requests", stat));
        let request = request.start_time(DateTime::from_secs(begin)).end_time(DateTime::from_secs(begin + 60));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.metric_data_results()[0].values(), [expected], "{stat}");
    }
    let bad = MetricDataQuery::builder().id("rate").expression("100 * nothing").build();
    let request = client.get_metric_data().metric_data_queries(bad).start_time(DateTime::from_secs(begin));
    let error = request.end_time(DateTime::from_secs(begin + 60)).send().await.unwrap_err();
    assert!(error.message().unwrap().contains("nothing"), "{error:?}");
}

#[tokio::test]
async fn a_large_request_is_inflated() {
    let local = Local::start().await;
    let data = (0..400_i32).map(|value| MetricDatum::builder().metric_name("latency").value(value.into()).build());
    let data: Vec<_> = data.collect();
    // The client compresses requests from 10 KB on.
    local.client.put_metric_data().namespace("Web").set_metric_data(Some(data)).send().await.unwrap();
    let now = local.clock.now().as_second();
    let input = serde_json::json!({
        "MetricDataQueries": [{"Id": "n", "MetricStat": {"Metric": {"Namespace": "Web", "MetricName": "latency"}, "Period": 3600, "Stat": "SampleCount"}}],
        "StartTime": now - 3600, "EndTime": now + 3600,
    });
    let answer = local.cloudwatch.call("GetMetricData", &input).unwrap();
    let values = answer["MetricDataResults"][0]["Values"].as_array().unwrap();
    assert_eq!(values.iter().filter_map(|value| value.as_f64()).sum::<f64>(), 400.0);
}
