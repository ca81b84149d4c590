//! Coverage, static analysis, quarantine, baseline and provenance.

use jiff::Timestamp;
use stagegate_config::{Config, TestGate};
use stagegate_verdict::{Execution, Outcome, TestCounts, Verdict};
use test_gate::{Baseline, BuildReport, BuildReports, Circumstances, Evidence, Judged, Kind, ReportState, judge};

use Outcome::{Failed, Inconclusive, Passed};

const NOW: &str = "2026-11-23T12:00:00Z";

fn gate(rules: &str) -> TestGate {
    let text = format!("gates: {{g: {{{rules}}}}}");
    let config = Config::parse("stagegate.yaml", &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    config.gate("g").unwrap().test().unwrap().clone()
}

/// Judges reports, each read as the kind that it stands for.
fn judged(policy: &TestGate, reports: &[(Kind, &str)], around: Circumstances<'_>) -> Judged {
    let now: Timestamp = NOW.parse().unwrap();
    let mut evidence = Evidence::new(policy, "2026-11-23".parse().unwrap()).unwrap();
    for (number, (kind, report)) in reports.iter().enumerate() {
        evidence.matched(*kind, 0);
        evidence.read(*kind, Some(0), format!("{number}"), None, report.as_bytes());
    }
    judge("web", policy, evidence, around, now)
}

fn check(verdict: &Verdict, outcome: Outcome, words: &[&str]) {
    let text = verdict.to_text();
    assert_eq!(verdict.outcome(), outcome, "{text}");
    for word in words {
        assert!(text.contains(word), "lacks {word:?}: {text}");
    }
}

const LCOV: &str = "SF:src/a.c\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,0\nBRDA:1,0,0,1\nBRDA:1,0,1,0\nend_of_record\n";

#[test]
fn coverage() {
    let sum_of_lines = "SF:src/a.c\nDA:1,1\nDA:2,0\nLF:1\nLH:1\nend_of_record\n";
    for (rules, report, outcome, word) in [
        ("min_line: 75", LCOV, Passed, "75 % of 4 lines covered (at least 75 %)"),
        ("min_line: 75.01", LCOV, Failed, "only 75 % of 4 lines covered (at least 75.01 % must be)"),
        ("min_line: {limit: 80, shadow: true}", LCOV, Passed, "(shadow: reported, not judged)"),
        ("min_branch: 51", LCOV, Failed, "only 50 % of 2 branches covered"),
        ("min_branch: 1", "SF:a\nDA:1,1\nend_of_record\n", Failed, "the reports count no branches"),
        ("min_line: 0", "", Failed, "the report cannot be used"),
        ("min_line: 0", "SF:a\nDA:1,1\n", Failed, "the report cannot be used"),
        ("min_line: 1", sum_of_lines, Failed, "contradicts itself"),
        ("max_drop: 0", LCOV, Passed, "no earlier passing verdict to compare with: nothing was compared"),
    ] {
        let policy = gate(&format!("coverage: {{reports: ['*.info'], {rules}}}"));
        let verdict = judged(&policy, &[(Kind::Coverage, report)], Circumstances::default()).verdict;
        check(&verdict, outcome, &[word]);
    }
    for rules in ["max_drop: 0", "max_drop: 0, min_files: 0"] {
        let policy = gate(&format!("coverage: {{reports: ['*.info'], {rules}}}"));
        let report = [(Kind::Coverage, "SF:src/a.c\nend_of_record\n")];
        let verdict = judged(&policy, &report, Circumstances::default()).verdict;
        check(&verdict, Failed, &["the reports count no lines"]);
    }
    let policy = gate("coverage: {reports: ['*.info'], min_line: 1}");
    check(&judged(&policy, &[], Circumstances::default()).verdict, Failed, &["no file matches \"*.info\""]);
}

/// A policy that lets its patterns match nothing has not said that nothing is good enough.
#[test]
fn nothing_found_is_not_passed() {
    for (rules, outcome, words) in [
        ("tests: {MAYBE}", Failed, "no test in 0 report files; set allow_empty where that is meant"),
        ("tests: {MAYBE, max_failed: 3}", Failed, "no test in 0 report files"),
        ("tests: {MAYBE, allow_empty: true}", Passed, "no test in 0 report files, as the policy allows"),
        ("coverage: {MAYBE, min_line: 80}", Failed, "the reports count no lines, so none can be 80 % covered"),
        ("coverage: {MAYBE, min_branch: 80}", Failed, "the reports count no branches, so none can be 80 % covered"),
        ("coverage: {MAYBE, max_drop: 1}", Failed, "the reports count no lines"),
        ("coverage: {MAYBE, min_line: {limit: 80, shadow: true}}", Passed, "(shadow: reported, not judged)"),
        ("sarif: {MAYBE}", Failed, "there is no log, so nothing tells whether there are results of level error"),
        ("sarif: {MAYBE, max_note: 3}", Failed, "nothing tells whether there are results of level note"),
        ("sarif: {MAYBE, max_security_severity: high}", Failed, "nothing tells whether there are security findings"),
        ("sarif: {MAYBE, max_error: {limit: 0, shadow: true}}", Passed, "(shadow: reported, not judged)"),
    ] {
        let policy = gate(&rules.replace("MAYBE", "reports: ['*'], min_files: 0"));
        check(&judged(&policy, &[], Circumstances::default()).verdict, outcome, &[words]);
        // Missing files are the finding where they must be there.
        let policy = gate(&rules.replace("MAYBE", "reports: ['*']"));
        let verdict = judged(&policy, &[], Circumstances::default()).verdict;
        check(&verdict, Failed, &["no file matches"]);
        assert_eq!(verdict.findings().iter().filter(|finding| finding.outcome == Failed).count(), 1, "{rules}");
    }
}

#[test]
fn shards_are_a_union_and_not_a_sum() {
    let other = LCOV.replace("DA:4,0", "DA:4,2").replace("DA:1,1", "DA:1,0");
    let policy = gate("coverage: {reports: ['*.info'], min_line: 100}");
    let reports = [(Kind::Coverage, LCOV), (Kind::Coverage, other.as_str())];
    let verdict = judged(&policy, &reports, Circumstances::default()).verdict;
    check(&verdict, Passed, &["100 % of 4 lines"]);
}

fn sarif(results: &str) -> String {
    format!(
        r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "lint", "rules": [
            {{"id": "SEC", "properties": {{"security-severity": "7.5"}}}}]}}}}, "results": [{results}]}}]}}"#
    )
}

#[test]
fn static_analysis() {
    let error = r#"{"ruleId": "E1", "level": "error", "message": {"text": "never"}}"#;
    let old = r#"{"ruleId": "E1", "level": "error", "baselineState": "unchanged", "message": {"text": "never"}}"#;
    let suppressed =
        r#"{"ruleId": "E1", "level": "error", "suppressions": [{"kind": "inSource"}], "message": {"text": "x"}}"#;
    let security = r#"{"ruleId": "SEC", "level": "note", "message": {"text": "injection"}}"#;
    for (rules, results, outcome, word) in [
        ("", error, Failed, "1 result of level error (limit 0), such as error E1: never"),
        ("max_error: 1", error, Passed, "1 result of level error (limit 1)"),
        ("", suppressed, Passed, "0 results of level error"),
        ("", old, Failed, "1 result of level error"),
        ("new_only: true", old, Passed, "0 new results of level error"),
        ("new_only: true", error, Failed, "1 new result of level error"),
        ("max_warning: 0", error, Passed, "0 results of level warning"),
        ("max_security_severity: medium", security, Failed, "1 security finding above medium, the worst is high"),
        ("max_security_severity: high", security, Passed, "no security finding above high"),
        ("max_note: 0", security, Failed, "1 result of level note"),
    ] {
        let policy = gate(&format!("sarif: {{reports: ['*.sarif'], {rules}}}"));
        let log = sarif(results);
        let verdict = judged(&policy, &[(Kind::Sarif, log.as_str())], Circumstances::default()).verdict;
        check(&verdict, outcome, &[word]);
    }
    let policy = gate("sarif: {reports: ['*.sarif']}");
    for broken in [
        "{",
        "[]",
        r#"{"version": "2.0.0", "runs": []}"#,
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]}"#,
    ] {
        let verdict = judged(&policy, &[(Kind::Sarif, broken)], Circumstances::default()).verdict;
        assert_eq!(verdict.outcome(), Failed, "{broken}: {}", verdict.to_text());
    }
}

const PASSING: &str = r#"<testsuite name="s"><testcase classname="a" name="one"/></testsuite>"#;
const THREE: &str = r#"<testsuite name="s"><testcase classname="a" name="one"/><testcase classname="a" name="two"><failure message="boom"/></testcase>
    <testcase classname="a" name="three"/></testsuite>"#;

fn tests(rules: &str) -> TestGate {
    gate(&format!("tests: {{reports: ['*.xml'], {rules}}}"))
}

#[test]
fn a_quarantine_hides_what_it_names_until_its_day() {
    let entry = |test: &str, until: &str| {
        format!("quarantine: [{{test: '{test}', owner: ana, reason: JIRA-1, until: {until}}}]")
    };
    for (rules, outcome, word) in [
        (entry("a::two", "2026-11-23"), Passed, "1 failure quarantined and not counted"),
        (entry("a::t*", "2026-12-01"), Passed, "a::t*: 1 failure until 2026-12-01 (ana: JIRA-1)"),
        (entry("a::two", "2026-11-22"), Failed, "a::two: ended on 2026-11-22, its failures count again"),
        (entry("a::on*", "2026-12-01"), Failed, "1 of 3 tests failed (limit 0): a::two"),
        // It names tests by themselves and never their suite or class.
        (entry("s", "2026-12-01"), Failed, "no failure is quarantined"),
        (entry("a", "2026-12-01"), Failed, "no failure is quarantined"),
        (format!("{}, min_total: 3", entry("a::two", "2026-12-01")), Failed, "only 2 tests that did not fail"),
        (format!("{}, min_pass_rate: 100", entry("a::two", "2026-12-01")), Passed, "100 % of 2 tests that ran passed"),
        (format!("{}, required: ['a::two']", entry("a::two", "2026-12-01")), Failed, "a::two (failed)"),
    ] {
        let found = judged(&tests(&rules), &[(Kind::Tests, THREE)], Circumstances::default()).verdict;
        check(&found, outcome, &[word]);
        assert_eq!(found.tests().map(TestCounts::broken), Some(1), "the figures hide nothing");
    }
    // A test that recovers was not hidden, and one that is quarantined hides no other.
    let recovers = r#"<testsuite><testcase classname="a" name="two"><failure/></testcase><testcase classname="a" name="two"/></testsuite>"#;
    let rules = entry("a::two", "2026-12-01");
    check(
        &judged(&tests(&rules), &[(Kind::Tests, recovers)], Circumstances::default()).verdict,
        Passed,
        &["no failure is"],
    );
    let both = THREE.replace("name=\"three\"/>", "name=\"three\"><error/></testcase>");
    let found = judged(&tests(&rules), &[(Kind::Tests, &both)], Circumstances::default()).verdict;
    check(&found, Failed, &["1 of 3 tests failed or ended in an error (limit 0): a::three"]);
}

#[test]
fn many_failures_at_once_ask_a_person() {
    let all = THREE.replace("name=\"one\"/>", "name=\"one\"><failure/></testcase>");
    for (rules, report, outcome, word) in [
        (
            "infrastructure_failure_above: 50",
            all.as_str(),
            Inconclusive,
            "66.66 % of 3 tests failed, more than the 50 %",
        ),
        ("infrastructure_failure_above: 50", THREE, Failed, "1 of 3 tests failed (limit 0)"),
        ("infrastructure_failure_above: 50, max_failed: 3", all.as_str(), Inconclusive, "look at what they run on"),
        ("infrastructure_failure_above: 50, min_total: 9", all.as_str(), Failed, "only 3 tests"),
        ("infrastructure_failure_above: 50, min_pass_rate: 99", all.as_str(), Inconclusive, "66.66 %"),
    ] {
        check(&judged(&tests(rules), &[(Kind::Tests, report)], Circumstances::default()).verdict, outcome, &[word]);
    }
}

/// The baseline of a passing run, as it comes back from where it is stored.
fn baseline(policy: &TestGate, reports: &[(Kind, &str)]) -> Baseline {
    let execution = Execution { execution: Some("6f0f5d2a-0000".to_owned()), ..Execution::default() };
    let mut kept = judged(policy, reports, Circumstances { execution, ..Circumstances::default() }).baseline;
    kept.at = "2026-11-20T11:00:00Z".parse().unwrap();
    serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap()
}

#[test]
fn what_changed_since_the_baseline() {
    let rules = "max_failed: 9, max_newly_failed: 0, max_vanished: 0, max_skipped_growth: 0";
    let policy = tests(rules);
    let known = baseline(&policy, &[(Kind::Tests, THREE)]);
    let one_more = THREE.replace("name=\"three\"/>", "name=\"three\"><failure/></testcase>");
    let one_less = THREE.replace("<testcase classname=\"a\" name=\"one\"/>", "");
    let skipped = THREE.replace("name=\"three\"/>", "name=\"three\"><skipped/></testcase>");
    for (report, outcome, words) in [
        (
            THREE,
            Passed,
            ["0 tests newly failed (limit 0) (baseline: execution 6f0f5d2a, 3 days old)", "0 tests of the baseline"],
        ),
        (one_more.as_str(), Failed, ["1 test newly failed (limit 0): a::three", "0 tests of the baseline missing"]),
        (one_less.as_str(), Failed, ["1 test of the baseline missing (limit 0): a::one", "0 tests newly failed"]),
        (skipped.as_str(), Failed, ["skipped tests: 1, 0 before (limit 0 more)", "0 tests newly failed"]),
    ] {
        let around = Circumstances { baseline: Some(&known), ..Circumstances::default() };
        let verdict = judged(&policy, &[(Kind::Tests, report)], around).verdict;
        check(&verdict, outcome, &words);
        assert_eq!(verdict.baseline().unwrap().execution.as_deref(), Some("6f0f5d2a-0000"));
    }
    for (otherwise, outcome) in [("pass", Passed), ("fail", Failed), ("inconclusive", Inconclusive)] {
        let policy = gate(&format!("tests: {{reports: ['*.xml'], {rules}}}, without_baseline: {otherwise}"));
        let verdict = judged(&policy, &[(Kind::Tests, THREE)], Circumstances::default()).verdict;
        check(&verdict, outcome, &["there is no earlier passing verdict to compare with"]);
    }
}

#[test]
fn a_drop_of_coverage() {
    let rules = "coverage: {reports: ['*.info'], max_drop: 0.5";
    let policy = gate(&format!("{rules}}}"));
    let known = baseline(&policy, &[(Kind::Coverage, LCOV)]);
    let less = LCOV.replace("DA:3,1", "DA:3,0");
    let more = LCOV.replace("DA:4,0", "DA:4,1");
    for (rules, report, outcome, word) in [
        (format!("{rules}}}"), LCOV, Passed, "75 % of lines covered, 75 % before (may drop by 0.5 points)"),
        (format!("{rules}}}"), less.as_str(), Failed, "50 % of lines covered, 75 % before (may drop by 0.5 points)"),
        (format!("{rules}, ignore_drop_below_lines: 2}}"), less.as_str(), Passed, "only 1 more lines are uncovered"),
        (format!("{rules}, ignore_drop_below_lines: 1}}"), less.as_str(), Failed, "50 % of lines covered"),
        (format!("{rules}}}"), more.as_str(), Passed, "100 % of lines covered"),
    ] {
        let around = Circumstances { baseline: Some(&known), ..Circumstances::default() };
        check(&judged(&gate(&rules), &[(Kind::Coverage, report)], around).verdict, outcome, &[word]);
    }
}

/// A report in which the first of so many lines are covered.
fn lines((covered, total): (u32, u32)) -> String {
    let lines: String = (0..total).map(|line| format!("DA:{line},{}\n", u32::from(line < covered))).collect();
    format!("SF:src/a.c\n{lines}end_of_record\n")
}

#[test]
fn a_drop_counts_in_whole_lines() {
    for (before, now, rules, outcome) in [
        // Floating point makes this drop of a tenth a little larger than a tenth.
        ((500, 1000), (499, 1000), "max_drop: 0.1", Passed),
        ((500, 1000), (498, 1000), "max_drop: 0.1", Failed),
        ((900, 1000), (895, 1000), "max_drop: 0, ignore_drop_below_lines: 6", Passed),
        // None more is uncovered, and nearly all that was covered is gone.
        ((900, 1000), (10, 110), "max_drop: 0, ignore_drop_below_lines: 10", Failed),
        ((900, 1000), (890, 990), "max_drop: 0, ignore_drop_below_lines: 10", Failed),
        ((900, 1000), (891, 991), "max_drop: 0, ignore_drop_below_lines: 10", Passed),
        ((900, 1000), (890, 1000), "max_drop: 0, ignore_drop_below_lines: 10", Failed),
    ] {
        let policy = gate(&format!("coverage: {{reports: ['*.info'], {rules}}}"));
        let known = baseline(&policy, &[(Kind::Coverage, &lines(before))]);
        let around = Circumstances { baseline: Some(&known), ..Circumstances::default() };
        let verdict = judged(&policy, &[(Kind::Coverage, &lines(now))], around).verdict;
        assert_eq!(verdict.outcome(), outcome, "{before:?} to {now:?}, {rules}: {}", verdict.to_text());
    }
}

#[test]
fn a_recovery_hides_no_failure_of_another_report() {
    let suite = |results: &[&str]| {
        let cases = results.iter().map(|inner| format!(r#"<testcase classname="a" name="two">{inner}</testcase>"#));
        format!(r#"<testsuite name="s">{}</testsuite>"#, cases.collect::<String>())
    };
    let policy = tests("max_failed: 1, max_newly_failed: 0");
    let known = baseline(&policy, &[(Kind::Tests, &suite(&[""]))]);
    for (reports, outcome, words) in [
        ([suite(&["<failure/>"]), suite(&["<failure/>", ""])], Failed, "1 test newly failed (limit 0): a::two"),
        ([suite(&[""]), suite(&["<failure/>", ""])], Passed, "0 tests newly failed"),
    ] {
        let reports = reports.each_ref().map(|report| (Kind::Tests, report.as_str()));
        let around = Circumstances { baseline: Some(&known), ..Circumstances::default() };
        check(&judged(&policy, &reports, around).verdict, outcome, &[words]);
    }
}

#[test]
fn old_evidence_is_found_out() {
    let report = |time: &str| format!(r#"<testsuite name="s" timestamp="{time}"><testcase name="a"/></testsuite>"#);
    let started: Timestamp = "2026-11-23T11:50:00Z".parse().unwrap();
    for (rule, time, outcome, word) in [
        ("max_age: 1h", "2026-11-23T11:30:00Z", Passed, "all of 1 report are young enough"),
        ("max_age: 1h", "2026-11-23T10:30:00", Failed, "0 is 90 minutes old"),
        ("max_age: 1h", "", Failed, "0 states no time"),
        ("max_age: 1h", "noon", Failed, "0 states the time \"noon\", which cannot be read"),
        ("max_age: 1h", "2026-11-24T11:30:00Z", Failed, "0 is from the future"),
        ("since_execution: true", "2026-11-23T11:55:00Z", Passed, "the execution began at 2026-11-23T11:50:00Z"),
        ("since_execution: true", "2026-11-23T11:45:00Z", Failed, "left over from an earlier run"),
        ("since_execution: true, max_age: 1m", "2026-11-23T11:55:00Z", Failed, "0 is 5 minutes old"),
    ] {
        let policy = gate(&format!("tests: {{reports: ['*.xml']}}, provenance: {{{rule}}}"));
        let around = Circumstances { started: Some(started), ..Circumstances::default() };
        check(&judged(&policy, &[(Kind::Tests, &report(time))], around).verdict, outcome, &[word]);
    }
    for rule in ["since_execution: true", "since_execution: true, max_age: 1h"] {
        let policy = gate(&format!("tests: {{reports: ['*.xml']}}, provenance: {{{rule}}}"));
        let verdict = judged(&policy, &[(Kind::Tests, &report(NOW))], Circumstances::default()).verdict;
        check(&verdict, Failed, &["the start of the execution is not known"]);
    }
    // Reports are put together from others; a later report does not speak for an earlier one.
    let policy = gate("tests: {reports: ['*.xml']}, provenance: {max_age: 1h}");
    let together = |times: &[&str]| {
        let suites: String = times.iter().map(|time| report(time)).collect();
        format!("<testsuites>{suites}</testsuites>")
    };
    for (times, outcome, word) in [
        ([NOW, "2024-11-23T12:00:00Z"], Failed, "0 is 730 days old"),
        (["2024-11-23T12:00:00Z", NOW], Failed, "0 is 730 days old"),
        ([NOW, "noon"], Failed, "0 states the time \"noon\", which cannot be read"),
        ([NOW, "1970-01-01T01:00:00"], Passed, "all of 2 reports are young enough"),
        ([NOW, ""], Passed, "all of 2 reports are young enough"),
    ] {
        let (first, second) = (together(&times), report(NOW));
        let reports = [(Kind::Tests, first.as_str()), (Kind::Tests, second.as_str())];
        check(&judged(&policy, &reports, Circumstances::default()).verdict, outcome, &[word]);
    }
}

#[test]
fn report_groups_and_files_must_agree() {
    let counts = TestCounts { total: 3, passed: 2, failed: 1, ..TestCounts::default() };
    let complete = BuildReport { name: "web-tests".to_owned(), state: ReportState::Complete };
    let generating = BuildReport { name: "web-tests".to_owned(), state: ReportState::Unusable("is INCOMPLETE") };
    for (reports, counts, outcome, word) in [
        (vec![complete.clone()], counts, Passed, "3 tests, 1 failed, 0 skipped, as the report files say"),
        (
            vec![complete],
            TestCounts { total: 4, passed: 3, ..counts },
            Failed,
            "disagree: 4 tests, 1 failed, 0 skipped there",
        ),
        (vec![generating], counts, Failed, "web-tests is INCOMPLETE"),
        (vec![], counts, Failed, "has no test report"),
    ] {
        let build = BuildReports { build: "web:1".to_owned(), reports, counts, ..BuildReports::default() };
        let around = Circumstances { build: Some(build), ..Circumstances::default() };
        let policy = tests("max_failed: 1, codebuild: {project: web}");
        check(&judged(&policy, &[(Kind::Tests, THREE)], around).verdict, outcome, &[word]);
    }
}

#[test]
fn report_groups_that_nobody_read_do_not_pass() {
    for rules in ["codebuild: {project: web}", "codebuild: {project: web}, reports: ['*.xml']"] {
        let policy = gate(&format!("tests: {{{rules}}}"));
        let reports: &[_] = if rules.contains("reports") { &[(Kind::Tests, PASSING)] } else { &[] };
        let verdict = judged(&policy, reports, Circumstances::default()).verdict;
        check(&verdict, Inconclusive, &["the report groups of the project \"web\" were not read"]);
    }
}
