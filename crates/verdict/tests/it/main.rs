//! A verdict is never greener than its findings, and every rendering keeps to its limits.

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_verdict::{
    Coverage, Execution, Finding, MAX_MESSAGE_CHARS, MAX_SUMMARY_CHARS, Outcome, SarifCounts, Share, TestCounts,
    Verdict, VerdictBuilder,
};

fn verdict(findings: impl IntoIterator<Item = Finding>, tests: Option<TestCounts>) -> Verdict {
    let mut builder = VerdictBuilder::new("web-tests", Execution::default());
    findings.into_iter().for_each(|finding| builder.finding(finding));
    tests.into_iter().for_each(|tests| builder.tests(tests));
    builder.build(Timestamp::UNIX_EPOCH)
}

fn finding(outcome: Outcome, shadow: bool) -> Finding {
    Finding::new("rule", outcome, format!("it {outcome}")).shadowed(shadow)
}

#[test]
fn the_outcome_is_the_worst_finding_that_decides() {
    use Outcome::{Failed, Inconclusive, Passed};
    for (findings, expected) in [
        (vec![], Failed),
        (vec![(Passed, true)], Failed),
        (vec![(Passed, false)], Passed),
        (vec![(Passed, false), (Failed, true)], Passed),
        (vec![(Passed, false), (Inconclusive, false)], Inconclusive),
        (vec![(Failed, false), (Inconclusive, false), (Passed, false)], Failed),
    ] {
        let found = verdict(findings.iter().map(|(outcome, shadow)| finding(*outcome, *shadow)), None);
        assert_eq!(found.outcome(), expected, "{findings:?}");
        assert_eq!(found.output_variables()["outcome"], expected.as_str());
    }
}

#[test]
fn a_stored_document_that_claims_more_than_its_findings_is_not_believed() {
    let failed = serde_json::to_value(verdict([finding(Outcome::Failed, false)], None)).unwrap();
    for (key, value, expected) in [
        ("outcome", serde_json::json!("passed"), Some(Outcome::Failed)),
        ("findings", serde_json::json!([]), Some(Outcome::Failed)),
        ("version", serde_json::json!(2), None),
        ("colour", serde_json::json!("green"), None),
    ] {
        let mut forged = failed.clone();
        forged[key] = value;
        let read = serde_json::from_value::<Verdict>(forged.clone()).ok().map(|verdict| verdict.outcome());
        assert_eq!(read, expected, "{forged}");
    }
}

#[test]
fn the_message_names_what_failed() {
    let tests = TestCounts { total: 1204, passed: 1201, failed: 3, ..TestCounts::default() };
    let message = "3 of 1,204 tests failed (limit 0): a, b, c";
    let found = verdict([Finding::new("tests.max_failed", Outcome::Failed, message).about(["a", "b\nc"])], Some(tests));
    assert_eq!(found.summary(), message);
    assert_eq!(found.failure_message(), format!("{message}\n- a\n- b c"));
    assert_eq!(found.output_variables()["tests_failed"], "3");
    let passed = verdict([finding(Outcome::Passed, false)], Some(TestCounts { failed: 0, passed: 1204, ..tests }));
    assert_eq!(passed.summary_line(), "web-tests passed: 1,204 tests: 1,204 passed");
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let hostile = Finding::new("rule", Outcome::Failed, "a | b\n# heading @everyone").about(["<script>", "[x](y)"]);
    let text = verdict([hostile], None).to_markdown();
    assert!(text.contains("a \\| b \\# heading @\u{200b}everyone"), "{text}");
    assert!(text.contains("\\<script\\>") && text.contains("\\[x\\](y)"), "{text}");
}

#[test]
fn figures_of_all_kinds_are_summed_up() {
    let mut builder = VerdictBuilder::new("web", Execution::default());
    builder.finding(finding(Outcome::Passed, false));
    builder.coverage(Coverage { line: Share::new(8_333, 10_000), branch: Share::new(1, 3) });
    builder.sarif(SarifCounts { error: 0, warning: 1, note: 2 });
    let found = builder.build(Timestamp::UNIX_EPOCH);
    assert_eq!(found.summary(), "83.33 % of 10,000 lines and 33.33 % of 3 branches covered; 1 warning, 2 notes");
    let variables = found.output_variables();
    assert_eq!((variables["coverage_line"].as_str(), variables["sarif_warning"].as_str()), ("83.33", "1"));
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Passed), Just(Outcome::Inconclusive), Just(Outcome::Failed)]
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (outcome(), any::<bool>(), ".{0,3000}", proptest::collection::vec(".{0,400}", 0..8));
    let one = one.prop_map(|(outcome, shadow, message, subjects)| {
        Finding::new("rule", outcome, message).shadowed(shadow).about(subjects)
    });
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #[test]
    fn adding_a_finding_never_turns_a_judged_verdict_green(before in findings(), added in outcome()) {
        let mut judged = before;
        judged.push(finding(Outcome::Passed, false));
        let first = verdict(judged.clone(), None).outcome();
        judged.push(finding(added, false));
        prop_assert!(verdict(judged, None).outcome() >= first);
    }

    #[test]
    fn renderings_keep_to_their_limits_and_documents_come_back(findings in findings()) {
        let found = verdict(findings, None);
        prop_assert!((1..=MAX_SUMMARY_CHARS).contains(&found.summary_line().chars().count()));
        prop_assert!(found.failure_message().chars().count() <= MAX_MESSAGE_CHARS);
        prop_assert!(!found.summary_line().contains('\n'));
        let (mut summary, junit) = (test_report::Summary::default(), found.to_junit());
        let format = Some(test_report::Format::JUnit);
        test_report::read_report("verdict", junit.as_bytes(), format, &test_report::Limits::default(), &mut summary)
            .unwrap();
        prop_assert_eq!(summary.tests().total, found.findings().len() as u64);
        prop_assert_eq!(summary.tests().failed > 0, found.outcome() != Outcome::Passed);
        let stored = serde_json::to_string(&found).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verdict>(&stored).unwrap(), found);
    }
}
