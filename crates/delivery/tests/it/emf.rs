//! The log lines, held against the specification.

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_delivery::emf::Stamp;
use stagegate_delivery::{Dimension, Measurement, Metric, Subject, emf, measure};

use crate::world::{End, PIPELINE, picture, rule, tell};

/// What the specification asks of a line.
fn check(line: &str) {
    let value: Value = serde_json::from_str(line).unwrap();
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let schema = json!({
        "type": "object", "required": ["_aws"],
        "properties": {"_aws": {
            "type": "object", "required": ["Timestamp", "CloudWatchMetrics"], "additionalProperties": false,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {"type": "array", "items": {
                    "type": "object", "required": ["Namespace", "Dimensions", "Metrics"], "additionalProperties": false,
                    "properties": {
                        "Namespace": {"type": "string", "pattern": "^[0-9A-Za-z._/#:-]{1,255}$"},
                        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 30, "items": name}},
                        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": {
                            "type": "object", "required": ["Name"], "additionalProperties": false,
                            "properties": {"Name": name, "Unit": {"enum": ["Seconds", "Count"]}},
                        }},
                    },
                }},
            },
        }},
    });
    assert!(jsonschema::is_valid(&schema, &value), "{line}");
    assert!(!line.contains('\n') && line.len() < 256 * 1024);
    for directive in value["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        for metric in directive["Metrics"].as_array().unwrap() {
            let target = &value[metric["Name"].as_str().unwrap()];
            let is_list = target
                .as_array()
                .is_some_and(|list| (1..=emf::MAX_VALUES).contains(&list.len()) && list.iter().all(Value::is_number));
            assert!(target.is_number() || is_list, "{metric} {line}");
        }
        for dimension in directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap()) {
            let target = value[dimension.as_str().unwrap()].as_str().unwrap();
            let is_taken = target.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && !target.trim().is_empty();
            assert!(is_taken && target.len() <= emf::MAX_DIMENSION_VALUE, "{dimension} {line}");
        }
    }
}

fn stamp() -> Stamp {
    Stamp::new(Some("INFO"), "2026-01-05T10:00:00Z".parse().unwrap())
}

/// Whatever the log level of the function: Lambda lets the line through.
#[test]
fn no_log_level_drops_a_line() {
    let told = tell(&[End::Deployed], 10);
    let measured = measure(PIPELINE, "e1", &picture(&told[0].events, Some(&told[0].answers)), Some(&rule()));
    for (given, expected) in [
        (None, "INFO"),
        (Some("DEBUG"), "INFO"),
        (Some("INFO"), "INFO"),
        (Some("warn"), "WARN"),
        (Some("ERROR"), "ERROR"),
        (Some("FATAL"), "FATAL"),
        (Some("LOUD"), "INFO"),
    ] {
        let lines = emf::lines(&measured, Stamp::new(given, Timestamp::UNIX_EPOCH));
        for line in &lines {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&value["level"], &value["timestamp"]), (&json!(expected), &json!("1970-01-01T00:00:00Z")));
        }
        assert!(!lines.is_empty());
    }
}

#[test]
fn the_lines_of_an_execution_are_what_the_specification_asks_for() {
    let told = tell(&[End::Deployed], 10);
    let measured = measure(PIPELINE, "e1", &picture(&told[0].events, Some(&told[0].answers)), Some(&rule()));
    let lines = emf::lines(&measured, stamp());
    lines.iter().for_each(|line| check(line));
    let deployment = lines.iter().find(|line| line.contains("\"Deployments\"")).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(deployment).unwrap(),
        json!({
            "_aws": {"Timestamp": 1_767_603_770_000_i64, "CloudWatchMetrics": [{
                "Namespace": "Stagegate", "Dimensions": [["Pipeline"]],
                "Metrics": [
                    {"Name": "Deployments", "Unit": "Count"}, {"Name": "LeadTime", "Unit": "Seconds"},
                    {"Name": "Changes", "Unit": "Count"},
                ],
            }]},
            "timestamp": "2026-01-05T10:00:00Z", "level": "INFO", "Pipeline": "web", "Execution": "e1",
            "Deployments": 1, "LeadTime": 170, "LeadTimeSince": "execution", "Changes": 1,
        })
    );
    // Every measurement is in the lines once.
    let values: usize = lines.iter().map(|line| line.matches("\"Name\"").count()).sum();
    assert_eq!(values, measured.len());
}

/// Names from anywhere, and more values than a line takes.
#[test]
fn hostile_names_and_many_values_stay_within_the_limits() {
    let names = ["grün\u{202e}\n", " ", "", &"x".repeat(5000), "\"}{\"", "_aws", ":colon"];
    let mut measurements = Vec::new();
    for gate in names {
        for number in 0..250 {
            measurements.push(Measurement {
                key: format!("verdict/{gate}/{number}"),
                metric: Metric::GateFailed,
                value: 1.0,
                at: "2026-01-05T09:00:00Z".parse().unwrap(),
                subject: Subject { pipeline: PIPELINE.into(), gate: Some(gate.into()), ..Subject::default() },
                origin: None,
            });
        }
    }
    let lines = emf::lines(&measurements, stamp());
    lines.iter().for_each(|line| check(line));
    assert_eq!(lines.len(), names.len() * 3);
    let values = |line: &String| {
        let value: Value = serde_json::from_str(line).unwrap();
        value["GateFailed"].as_array().unwrap().len()
    };
    assert_eq!(lines.iter().map(values).sum::<usize>(), measurements.len());
    assert_eq!(emf::lines(&[], stamp()), Vec::<String>::new());
}

/// Every metric has a name and dimensions that a line can carry.
#[test]
fn every_metric_can_be_written() {
    for metric in Metric::ALL {
        let name = |text: &str| Some(text.to_owned());
        let subject = Subject {
            pipeline: "web".into(),
            execution: "e1".into(),
            stage: name("Production"),
            action: name("Deploy"),
            gate: name("web-tests"),
        };
        let measurement = Measurement {
            key: "k".into(),
            metric: *metric,
            value: 1.25,
            at: "2026-01-05T09:00:00Z".parse().unwrap(),
            subject,
            origin: None,
        };
        let lines = emf::lines(&[measurement], stamp());
        check(&lines[0]);
        let value: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(value[metric.name()], json!(1.25));
        assert!(metric.dimensions().contains(&Dimension::Pipeline));
    }
}
