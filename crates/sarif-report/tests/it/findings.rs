//! What is kept for people.

use sarif_report::{BaselineState, Level, Limits, ProblemKind, SecuritySeverity, Summary, Which, read_sarif};

use crate::read;

const LOG: &str = r#"{"version": "2.1.0", "runs": [{
    "tool": {"driver": {"name": "lint", "rules": [{"id": "A", "defaultConfiguration": {"level": "error"}}]}},
    "invocations": [{"executionSuccessful": true, "endTimeUtc": "2026-01-01T10:00:00Z"}],
    "results": [
        {"ruleId": "N", "level": "note", "message": {"text": "first note"}},
        {"ruleId": "S", "message": {"text": "hidden"}, "suppressions": [{"kind": "inSource"}]},
        {"ruleId": "A", "message": {"text": "by its rule"}, "baselineState": "new", "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": "src/a.c"}, "region": {"startLine": 3}}},
            {"physicalLocation": {"artifactLocation": {"uri": "src/b.c"}}}]},
        {"ruleId": "W", "message": {"id": "default"}, "properties": {"security-severity": "5"},
            "locations": [{"logicalLocations": [{"fullyQualifiedName": "shop::Cart"}]}]},
        {"ruleId": "N", "level": "note", "message": {"markdown": "*second* note"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///w/c.c"}}}]}
    ]}]}"#;

#[test]
fn the_worst_come_first() {
    let (facts, summary) = read(LOG.as_bytes(), Which::All).unwrap();
    assert_eq!((facts.runs, facts.scanned_runs, facts.results), (1, 1, 5));
    assert_eq!((facts.timestamp.as_str(), &facts.tools[..]), ("2026-01-01T10:00:00Z", &["lint".to_owned()][..]));
    let told: Vec<String> = summary.findings().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "error A at src/a.c:3: by its rule",
            "warning W at shop::Cart: default",
            "note N: first note",
            "note N at /w/c.c: *second* note",
        ]
    );
    let first = &summary.findings()[0];
    assert_eq!((first.tool.as_str(), first.source.as_str()), ("lint", "log"));
    assert_eq!((first.level, first.baseline_state), (Level::Error, Some(BaselineState::New)));
    assert_eq!(summary.findings()[1].security_severity, Some(SecuritySeverity::Medium));
}

#[test]
fn few_are_kept_and_all_are_counted() {
    let mut summary = Summary::keeping(Which::All, 2);
    for source in ["one", "two"] {
        read_sarif(source, LOG.as_bytes(), &Limits::default(), &mut summary).unwrap();
    }
    assert_eq!((summary.counts().total(), summary.logs()), (8, 2));
    let kept: Vec<_> =
        summary.findings().iter().map(|finding| (finding.rule.as_str(), finding.source.as_str())).collect();
    assert_eq!(kept, [("A", "one"), ("A", "two")]);
}

#[test]
fn results_without_a_baseline_state_are_told() {
    let (_, summary) = read(LOG.as_bytes(), Which::OnlyNew).unwrap();
    assert_eq!((summary.counts().total(), summary.without_baseline_state()), (4, 3));
    assert_eq!(summary.which(), Which::OnlyNew);
}

#[test]
fn texts_are_cut() {
    let log = LOG.replace("by its rule", &"ä".repeat(1000));
    let limits = Limits { message: 5, file: 4, ..Limits::default() };
    let mut summary = Summary::default();
    read_sarif("log", log.as_bytes(), &limits, &mut summary).unwrap();
    assert_eq!(summary.findings()[0].to_string(), "error A at src/:3: ää");
}

/// A tool that floods a log with its own errors must not crowd out everything else, nor fill the memory.
#[test]
fn problems_are_bounded_and_counted() {
    let notification = r#"{"level": "error", "message": {"text": "again"}}"#;
    let many = vec![notification; 10_000].join(",");
    let log = format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "x"}}}}, "results": [],
        "invocations": [{{"executionSuccessful": false, "toolExecutionNotifications": [{many}]}}]}}]}}"#
    );
    let (_, summary) = read(log.as_bytes(), Which::All).unwrap();
    assert!((1..=10).contains(&summary.problems().len()), "{:?}", summary.problems());
    assert!(summary.problems().iter().all(|problem| problem.kind == ProblemKind::ToolFailed));
}

/// What is told first must not depend on how a process hashes names.
#[test]
fn problems_stand_in_the_order_of_the_log() {
    let results: Vec<String> = (0..20)
        .map(|number| format!(r#"{{"ruleId": "r{number}", "ruleIndex": {number}, "message": {{"text": "m"}}}}"#))
        .collect();
    let log = format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "lint"}}}}, "results": [{}]}}]}}"#,
        results.join(",")
    );
    let (_, summary) = crate::read(log.as_bytes(), sarif_report::Which::All).unwrap();
    let told: Vec<&str> = summary.problems().iter().map(|problem| problem.message.as_str()).collect();
    let expected: Vec<String> = (0..10)
        .map(|number| format!("a result refers to rule number {number}, which the run does not describe"))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn a_result_has_the_security_severity_of_its_rule_unless_it_says_another() {
    use SecuritySeverity::{Critical, Low, Medium};
    for (rule, result, expected) in [
        (r#""9.8""#, None, Some(Critical)),
        (r#""9.8""#, Some(r#""2.0""#), Some(Low)),
        (r#""9.8""#, Some(r#""none""#), None),
        // What is empty says nothing.
        (r#""9.8""#, Some(r#""""#), Some(Critical)),
        (r#""9.8""#, Some(r#"" ""#), Some(Critical)),
        (r#""9.8""#, Some("null"), Some(Critical)),
        (r#""""#, None, None),
        (r#""""#, Some("5"), Some(Medium)),
    ] {
        let result = result.map(|score| format!(r#", "properties": {{"security-severity": {score}}}"#));
        let result = result.unwrap_or_default();
        let log = format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "lint", "rules": [
                {{"id": "A", "properties": {{"security-severity": {rule}}}}}]}}}},
                "results": [{{"ruleId": "A", "message": {{"text": "m"}}{result}}}]}}]}}"#
        );
        let (_, summary) = read(log.as_bytes(), Which::All).unwrap();
        assert_eq!(summary.findings()[0].security_severity, expected, "{rule} {result}");
        assert_eq!(summary.problems(), [], "{rule} {result}");
    }
}
