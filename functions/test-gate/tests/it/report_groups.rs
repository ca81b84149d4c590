//! Report groups of CodeBuild as the evidence, by the API of the local CodeBuild.

use crate::world::World;

const PARAMETERS: Option<&str> = Some(
    r##"{"gate":"web","pipeline":"p","execution":"#{codepipeline.PipelineExecutionId}","build":"#{Build.CODEBUILD_BUILD_ID}"}"##,
);

const BUILDSPEC: &str = "
version: 0.2
env: {exported-variables: [CODEBUILD_BUILD_ID]}
phases: {build: {commands: [mkdir out && cp TEST-web.xml out/]}}
reports: {web: {files: ['*.xml'], base-directory: out, file-format: JUNITXML}}
";

fn report(passing: u32, failing: u32) -> String {
    let passing = (0..passing).map(|n| format!(r#"<testcase classname="web" name="passes_{n:03}"/>"#));
    let failing = (0..failing)
        .map(|n| format!(r#"<testcase classname="web" name="fails_{n:03}"><failure message="boom"/></testcase>"#));
    format!(r#"<testsuite name="web">{}</testsuite>"#, passing.chain(failing).collect::<String>())
}

async fn judged(config: &str, report: &str, parameters: Option<&str>, code: &str, words: &[&str]) {
    let world = World::new(&[("TEST-web.xml", report), ("buildspec.yml", BUILDSPEC)], config, None).await;
    let ended = world.run(parameters, async |_, _| {}).await;
    assert_eq!(ended.code, code, "{ended:?}");
    for word in words {
        assert!(ended.message.contains(word), "lacks {word:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_group_of_501_cases_is_judged_by_its_summary() {
    let config = "gates: {web: {tests: {codebuild: {project: web}, min_total: 501}}}";
    // CodeBuild keeps 500 cases: the listed ones alone would be one short.
    judged(config, &report(501, 0), PARAMETERS, "", &["501 tests: 501 passed"]).await;
    judged(config, &report(500, 0), PARAMETERS, "JobFailed", &["only 500 tests (at least 501 must be there)"]).await;
    let words = ["1 of 502 tests failed (limit 0): web::fails_000", "boom"];
    judged(config, &report(501, 1), PARAMETERS, "JobFailed", &words).await;
}

#[tokio::test]
async fn files_and_group_must_agree() {
    let config = "gates: {web: {tests: {reports: ['TEST-*.xml'], codebuild: {project: web}}}}";
    judged(config, &report(3, 0), PARAMETERS, "", &["3 tests: 3 passed"]).await;
    // The artifact holds a file that the report group does not have.
    let config = "gates: {web: {tests: {reports: ['TEST-*.xml', 'more.xml'], codebuild: {project: web}}}}";
    let files = [("TEST-web.xml", report(3, 0)), ("more.xml", report(1, 0)), ("buildspec.yml", BUILDSPEC.to_owned())];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let ended = World::new(&files, config, None).await.run(PARAMETERS, async |_, _| {}).await;
    assert_eq!(ended.code, "JobFailed", "{ended:?}");
    assert!(ended.message.contains("disagree: 3 tests, 0 failed, 0 skipped there, 4 tests"), "{ended:?}");
}

#[tokio::test]
async fn a_build_that_is_not_the_right_one_is_refused() {
    let other = "gates: {web: {tests: {codebuild: {project: other}}}}";
    let words = ["is of the project \"web\", the policy names \"other\""];
    judged(other, &report(1, 0), PARAMETERS, "ConfigurationError", &words).await;
    let web = "gates: {web: {tests: {codebuild: {project: web}}}}";
    judged(web, &report(1, 0), Some(r#"{"gate":"web"}"#), "ConfigurationError", &["nothing names the build"]).await;
    let gone = Some(r#"{"gate":"web","build":"web:11111111-2222-4333-8444-555555555555"}"#);
    judged(web, &report(1, 0), gone, "ConfigurationError", &["failed to find the build web:1111"]).await;
    let broken = "<testsuite><testcase";
    judged(web, broken, PARAMETERS, "JobFailed", &["cannot be used: web"]).await;
}
