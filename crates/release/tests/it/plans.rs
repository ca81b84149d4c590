//! Policies that can be read and not applied, and what a plan must know.

use stagegate_release::Plan;
use stagegate_verdict::Execution;

use crate::gate;

#[test]
fn probes_that_cannot_be_asked_are_refused() {
    for (probe, key, part) in [
        ("jsonpath: '$.[', predicate: == 1", "jsonpath", "JSONPath"),
        ("jsonpath: $.ready, predicate: is true", "predicate", "predicate"),
        ("jsonpath: $.ready, predicate: '== '", "predicate", ""),
        ("jsonpath: $.ready, predicate: 'matches \"[\"'", "predicate", "regex"),
    ] {
        let policy = gate(&format!("probes: [{{url: 'https://a.example.com/x', {probe}}}]"));
        let error = Plan::new(&policy).expect_err(probe);
        assert_eq!((error.number, error.key), (1, key), "{error}");
        assert!(error.message.to_lowercase().contains(&part.to_lowercase()), "{error}");
    }
    for probe in [
        "jsonpath: '$[\"a b\"].c', predicate: == \"x\"",
        "jsonpath: $.n, predicate: '< 0.01'",
        "jsonpath: $, predicate: exists",
    ] {
        Plan::new(&gate(&format!("probes: [{{url: 'https://a.example.com/x?y=z', {probe}}}]"))).unwrap();
    }
}

#[test]
fn a_plan_says_what_it_must_know_about_the_execution() {
    let execution = |pipeline: bool, id: bool| Execution {
        pipeline: pipeline.then(|| "web".to_owned()),
        execution: id.then(|| "7cb1f2d4".to_owned()),
        stage: None,
    };
    let freeze =
        |except: &str| format!("freezes: [{{name: f, from: 2026-01-01, to: 2026-01-02, zone: UTC, except: {except}}}]");
    for (keys, pipeline, id, missing) in [
        ("alarms: {names: [a]}", false, false, ""),
        ("verdicts: [a]", false, false, "execution"),
        ("verdicts: [a]", false, true, ""),
        ("soak: {stage: S, for: 1m}", false, true, "pipeline"),
        ("soak: {stage: S, for: 1m}", true, false, "execution"),
        (&freeze("{pipelines: [a]}"), false, true, "pipeline"),
        (&freeze("{pipelines: [a]}"), true, false, ""),
        (&freeze("{variables: {A: b}}"), true, false, "execution"),
    ] {
        let checked = Plan::new(&gate(keys)).unwrap().check(&execution(pipeline, id));
        match checked {
            Ok(()) => assert_eq!(missing, "", "{keys}"),
            Err(error) => assert!(error.to_string().contains(&format!("which {missing} this is")), "{keys}: {error}"),
        }
    }
}
