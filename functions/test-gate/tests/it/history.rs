//! What one execution leaves for the next.

use std::time::Duration;

use crate::world::World;

const PARAMETERS: Option<&str> =
    Some(r##"{"gate":"web","pipeline":"p","stage":"Gate","execution":"#{codepipeline.PipelineExecutionId}"}"##);
const LCOV: &str = "SF:src/a.c\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,0\nend_of_record\n";

#[tokio::test]
async fn a_drop_of_coverage_fails_the_second_execution() {
    let config = "gates: {web: {coverage: {reports: ['*.info'], max_drop: 0.5}}}";
    let world = World::new(&[("lcov.info", LCOV)], config, None).await;
    for (report, code, word) in [
        (LCOV.to_owned(), "", "web passed: 75 % of 4 lines covered"),
        (LCOV.replace("DA:3,1", "DA:3,0"), "JobFailed", "50 % of lines covered, 75 % before (may drop by 0.5 points)"),
        // What has failed is no baseline.
        (LCOV.replace("DA:3,1", "DA:3,0"), "JobFailed", "50 % of lines covered, 75 % before"),
        (LCOV.replace("DA:4,0", "DA:4,1"), "", "web passed: 100 % of 4 lines covered"),
        (LCOV.to_owned(), "JobFailed", "75 % of lines covered, 100 % before"),
    ] {
        world.write("lcov.info", &report);
        let ended = world.run(PARAMETERS, async |_, _| {}).await;
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.message.contains(word), "lacks {word:?}: {ended:?}");
    }
    let state = world.state();
    assert_eq!(state.iter().filter(|key| key.contains("/verdicts/web.json")).count(), 5, "{state:?}");
    assert_eq!(state.iter().filter(|key| key.contains("baselines/p/web.json")).count(), 1, "{state:?}");
}

#[tokio::test]
async fn a_quarantine_ends_with_its_day() {
    // Tomorrow: today may end before the gate looks.
    let day = Duration::from_secs(24 * 3600);
    let until = (jiff::Timestamp::now() + day).strftime("%Y-%m-%d").to_string();
    let config = format!(
        "gates: {{web: {{tests: {{reports: ['*.xml'], quarantine: [{{test: 'a::b', owner: ana, reason: slow, until: {until}}}]}}}}}}"
    );
    let report = r#"<testsuite><testcase classname="a" name="b"><failure/></testcase><testcase name="c"/></testsuite>"#;
    let world = World::new(&[("TEST-a.xml", report)], &config, None).await;
    let before = world.run(PARAMETERS, async |_, _| {}).await;
    assert_eq!(before.code, "", "{before:?}");
    world.clock.advance(2 * day);
    let after = world.run(PARAMETERS, async |_, _| {}).await;
    assert_eq!(after.code, "JobFailed", "{after:?}");
    assert!(after.message.contains("1 of 2 tests failed (limit 0): a::b"), "{after:?}");
}

#[tokio::test]
async fn a_report_from_before_the_execution_is_found_out() {
    let config = "gates: {web: {tests: {reports: ['*.xml']}, provenance: {since_execution: true}}}";
    let report =
        |at: jiff::Timestamp| format!(r#"<testsuite timestamp="{at}"><testcase classname="a" name="b"/></testsuite>"#);
    let world = World::new(&[], config, None).await;
    // Seconds from now, which the gate tolerates as it tolerates what is seconds old: so the start may take longer.
    world.write("TEST-a.xml", &report(world.clock.now() + Duration::from_secs(4)));
    let fresh = world.run(PARAMETERS, async |_, _| {}).await;
    assert_eq!(fresh.code, "", "{fresh:?}");
    world.clock.advance(Duration::from_secs(3600));
    let stale = world.run(PARAMETERS, async |_, _| {}).await;
    assert_eq!(stale.code, "JobFailed", "{stale:?}");
    assert!(stale.message.contains("may be left over from an earlier run (the execution began at"), "{stale:?}");
}

#[tokio::test]
async fn what_a_comparison_needs_is_asked_for() {
    let config = "gates: {web: {coverage: {reports: ['*.info'], max_drop: 0.5}}}";
    let world = World::new(&[("lcov.info", LCOV)], config, None).await;
    let ended = world.run(Some(r#"{"gate":"web"}"#), async |_, _| {}).await;
    assert_eq!(ended.code, "ConfigurationError", "{ended:?}");
    assert!(ended.message.contains("add \"pipeline\" to UserParameters"), "{ended:?}");
}
