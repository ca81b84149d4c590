use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_config::{Config, TestGate};
use stagegate_verdict::{Outcome, Verdict};
use test_gate::{Circumstances, Evidence, Kind, judge};

const PASSING: &str = r#"<testsuite name="s"><testcase classname="web.login" name="accepts"/>
    <testcase classname="web.login" name="rejects"/></testsuite>"#;
const FAILING: &str = r#"<testsuite name="s"><testcase classname="web.login" name="accepts" time="61.5"/>
    <testcase classname="web.login" name="rejects_empty_password"><failure message="expected 401&#10;got 200"/></testcase>
    <testcase classname="web.cart" name="adds"><skipped/></testcase></testsuite>"#;
const FLAKY: &str =
    r#"<testsuite name="s"><testcase classname="a" name="b"><flakyFailure message="once"/></testcase></testsuite>"#;

fn policy(rules: &str) -> TestGate {
    gate(&format!("tests: {{reports: ['*.xml'], {rules}}}"))
}

fn gate(rules: &str) -> TestGate {
    let text = format!("gates: {{g: {{{rules}}}}}");
    let config = Config::parse("stagegate.yaml", &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    config.gate("g").unwrap().test().unwrap().clone()
}

fn verdict(policy: &TestGate, reports: &[&str]) -> Verdict {
    let mut evidence = Evidence::new(policy, "2026-11-23".parse().unwrap()).unwrap();
    evidence.places.push("the artifact Reports".to_owned());
    for (number, report) in reports.iter().enumerate() {
        evidence.matched(Kind::Tests, 0);
        evidence.read(Kind::Tests, Some(0), format!("Reports:{number}.xml"), None, report.as_bytes());
    }
    judge("web-tests", policy, evidence, Circumstances::default(), Timestamp::UNIX_EPOCH).verdict
}

#[test]
fn rules_and_what_they_say() {
    use Outcome::{Failed, Passed};
    for (rules, reports, outcome, message) in [
        ("", vec![PASSING], Passed, "2 tests: 2 passed"),
        (
            "",
            vec![],
            Failed,
            "no file matches \"*.xml\" in the artifact Reports; check the pattern and that the build keeps",
        ),
        ("min_files: 2", vec![PASSING], Failed, "1 file matches \"*.xml\" in the artifact Reports, at least 2 must"),
        ("", vec![FAILING], Failed, "1 of 3 tests failed (limit 0): web.login::rejects_empty_password"),
        ("max_failed: 1", vec![FAILING], Passed, "3 tests: 1 passed, 1 failed, 1 skipped"),
        ("max_failed: {limit: 0, shadow: true}", vec![FAILING], Passed, "3 tests: 1 passed, 1 failed, 1 skipped"),
        ("max_failed: 1, max_skipped: 0", vec![FAILING], Failed, "1 of 3 tests skipped (limit 0)"),
        ("min_total: 3", vec![PASSING], Failed, "only 2 tests (at least 3 must be there)"),
        ("min_pass_rate: 50", vec![FAILING], Passed, "3 tests: 1 passed, 1 failed, 1 skipped"),
        ("min_pass_rate: 50.01", vec![FAILING], Failed, "only 50 % of 2 tests that ran passed (at least 50.01 % must)"),
        ("max_flaky: 0", vec![FLAKY], Failed, "1 of 1 test passed only on a rerun (limit 0)"),
        ("max_flaky: 1", vec![FLAKY], Passed, "1 test: 1 passed, 1 flaky"),
        ("max_failed: 1, max_duration: 1m", vec![FAILING], Failed, "the tests took 1 min 1 s (limit 1 min 0 s)"),
        ("required: [web.login]", vec![PASSING], Passed, "2 tests: 2 passed"),
        ("required: ['web.login::acc*', 's']", vec![PASSING], Passed, "2 tests: 2 passed"),
        (
            "required: [web.pay]",
            vec![PASSING],
            Failed,
            "1 of 1 required entry did not pass: web.pay (not found among the tests that ran)",
        ),
        ("max_failed: 1, required: [web.login]", vec![FAILING], Failed, "web.login (failed)"),
        ("max_failed: 1, required: ['web.cart::adds']", vec![FAILING], Failed, "web.cart::adds (skipped)"),
        ("", vec!["<testsuite/>"], Failed, "no test in 1 report file; set allow_empty where that is meant"),
        (
            "",
            vec![r#"<testsuite><testcase name="a"><skipped/></testcase></testsuite>"#],
            Failed,
            "none of 1 test passed, 1 skipped",
        ),
        ("max_failed: 1, min_total: 2", vec![FAILING], Passed, "3 tests"),
        (
            "max_failed: 1, min_total: 3",
            vec![FAILING],
            Failed,
            "only 2 tests that did not fail (at least 3 must be there)",
        ),
        ("allow_empty: true", vec!["<testsuite/>"], Passed, "0 tests: 0 passed"),
        ("allow_empty: true", vec![""], Failed, "the report cannot be used: failed to read"),
        ("", vec!["not xml"], Failed, "the report cannot be used: failed to read"),
        ("", vec![PASSING, "<testsuite><testcase"], Failed, "1 of 2 report files cannot be used"),
        (
            "",
            vec![r#"<testsuite tests="3" failures="1"><testcase name="a"/></testsuite>"#],
            Failed,
            "contradicts itself",
        ),
    ] {
        let found = verdict(&policy(rules), &reports);
        let context = format!("{rules:?} on {reports:?}: {}", found.to_text());
        assert_eq!(found.outcome(), outcome, "{context}");
        assert!(found.summary().contains(message), "{context}\nlacks {message:?}");
    }
}

#[test]
fn a_failure_names_its_tests_and_their_reasons() {
    let many: String = (0..1204)
        .map(|n| match n < 30 {
            true => format!(r#"<testcase classname="c" name="t{n}"><failure message="m{n}"/></testcase>"#),
            false => format!(r#"<testcase classname="c" name="t{n}"/>"#),
        })
        .collect();
    let found = verdict(&policy(""), &[&format!("<testsuite>{many}</testsuite>")]);
    assert_eq!(found.summary(), "30 of 1,204 tests failed (limit 0): c::t0, c::t1, c::t2 and 27 more");
    let finding = found.findings().iter().find(|finding| finding.rule == "tests.max_failed").unwrap();
    assert_eq!(finding.subjects.len(), 20);
    assert_eq!(finding.subjects[19], "c::t19: m19");
    assert!(found.failure_message().contains("\n- c::t0: m0\n"), "{}", found.failure_message());
}

/// A report of tests that passed, failed, errored or were skipped.
fn report() -> impl Strategy<Value = String> {
    let case = prop_oneof![4 => Just(""), 1 => Just("<failure/>"), 1 => Just("<error/>"), 1 => Just("<skipped/>")];
    proptest::collection::vec(case, 0..12).prop_map(|cases| {
        let cases: String =
            cases.iter().enumerate().map(|(n, inner)| format!(r#"<testcase name="t{n}">{inner}</testcase>"#)).collect();
        format!(r#"<testsuite name="s">{cases}</testsuite>"#)
    })
}

fn rules() -> impl Strategy<Value = TestGate> {
    let number = proptest::option::of(0u64..6);
    (number.clone(), number.clone(), number.clone(), number, proptest::option::of(0u64..=100)).prop_map(
        |(min_total, max_failed, max_skipped, min_files, min_pass_rate)| {
            let rule = |name: &str, value: Option<u64>| value.map(|v| format!("{name}: {v}, ")).unwrap_or_default();
            policy(
                &[
                    rule("min_total", min_total),
                    rule("max_failed", max_failed),
                    rule("max_skipped", max_skipped),
                    rule("min_files", min_files),
                    rule("min_pass_rate", min_pass_rate),
                ]
                .concat(),
            )
        },
    )
}

proptest! {
    /// Invariant: a verdict is never greener than its evidence.
    #[test]
    fn worse_evidence_never_gives_a_better_verdict(
        reports in proptest::collection::vec(report(), 1..4),
        policy in rules(),
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let texts: Vec<&str> = reports.iter().map(String::as_str).collect();
        let before = verdict(&policy, &texts).outcome();
        let at = at.index(texts.len());

        let failing = texts[at].replace("</testsuite>", r#"<testcase name="new"><failure/></testcase></testsuite>"#);
        let mut worse = texts.clone();
        worse[at] = &failing;
        prop_assert!(verdict(&policy, &worse).outcome() >= before);

        let mut truncated = texts.clone();
        truncated[at] = &texts[at][..cut.index(texts[at].len())];
        prop_assert_eq!(verdict(&policy, &truncated).outcome(), Outcome::Failed);

        let broken = texts[at].replacen("</testsuite>", "</testsuit>", 1);
        let mut corrupt = texts.clone();
        corrupt[at] = &broken;
        prop_assert_eq!(verdict(&policy, &corrupt).outcome(), Outcome::Failed);
    }
}
