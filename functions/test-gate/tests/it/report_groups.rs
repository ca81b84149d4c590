//! Report groups of CodeBuild as the evidence, by the API of the local CodeBuild.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::world::{Ended, World};

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
    let world = World::new(&files, config, None).await;
    let ended = world.run(PARAMETERS, async |_, _| {}).await;
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

/// A CodeBuild that answers as it is told, for what the local one never says.
async fn told(reports: Vec<Value>) -> String {
    const BUILD: &str = "arn:aws:codebuild:us-east-1:111122223333:build/web:1";
    let asked = Arc::new(AtomicUsize::new(0));
    let reports = Arc::new(Mutex::new(reports));
    let answer = async move |headers: HeaderMap| {
        let target = headers["x-amz-target"].to_str().unwrap().to_owned();
        let body = match target.rsplit('.').next().unwrap() {
            "BatchGetBuilds" => json!({"builds": [
                {"id": "web:1", "arn": BUILD, "projectName": "web", "reportArns": ["arn:report"]},
            ]}),
            "BatchGetReports" => {
                let reports = reports.lock().unwrap();
                let at = asked.fetch_add(1, Ordering::SeqCst).min(reports.len() - 1);
                let mut report =
                    json!({"arn": "arn:report", "name": "web-tests", "type": "TEST", "executionId": BUILD});
                report.as_object_mut().unwrap().extend(reports[at].as_object().unwrap().clone());
                json!({"reports": [report]})
            }
            "DescribeTestCases" => json!({"testCases": []}),
            other => panic!("{other} is not asked for"),
        };
        ([("content-type", "application/x-amz-json-1.1")], body.to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("http://{address}")
}

async fn judged_as_told(reports: Vec<Value>) -> Ended {
    let config = "gates: {web: {tests: {codebuild: {project: web}}}}";
    let world = World::new(&[], config, None).await;
    let mut function = world.aws.lambda().function("stagegate-test-gate").unwrap();
    function.environment.insert("AWS_ENDPOINT_URL_CODEBUILD".to_owned(), told(reports).await);
    world.aws.lambda().update_function(function).unwrap();
    let clock = world.clock.clone();
    let hurry = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(Duration::from_secs(10));
        }
    });
    let ended = world.run(Some(r#"{"gate":"web","build":"web:1"}"#), async |_, _| {}).await;
    hurry.abort();
    ended
}

fn summary(total: u32, succeeded: u32, failed: u32) -> Value {
    json!({"total": total, "statusCounts": {"SUCCEEDED": succeeded, "FAILED": failed}, "durationInNanoSeconds": 5})
}

#[tokio::test]
async fn a_report_that_is_being_made_is_waited_for() {
    let generating = json!({"status": "GENERATING"});
    let ready = json!({"status": "SUCCEEDED", "testSummary": summary(3, 3, 0)});
    let ended = judged_as_told(vec![generating.clone(), generating.clone(), ready]).await;
    assert_eq!((ended.code.as_str(), ended.answers), ("", 3), "{ended:?}");
    assert!(ended.message.contains("3 tests: 3 passed"), "{ended:?}");
    let ended = judged_as_told(vec![generating]).await;
    assert_eq!(ended.code, "SystemUnavailable", "{ended:?}");
    assert!(ended.message.contains("still GENERATING after 15 minutes"), "{ended:?}");
}

#[tokio::test]
async fn a_report_that_is_not_whole_never_passes() {
    for (report, words) in [
        (json!({"status": "INCOMPLETE", "testSummary": summary(3, 3, 0)}), "web-tests is INCOMPLETE"),
        (json!({"status": "DELETING", "testSummary": summary(3, 3, 0)}), "web-tests is being deleted"),
        (json!({"status": "PURPLE", "testSummary": summary(3, 3, 0)}), "has a status that is not known"),
        (json!({"status": "SUCCEEDED"}), "has no test summary"),
        (
            json!({"status": "SUCCEEDED", "testSummary": summary(3, 2, 0)}),
            "counts other tests than it gives states for",
        ),
        (json!({"status": "SUCCEEDED", "testSummary": summary(3, 2, 1)}), "1 of 3 tests failed (limit 0)"),
        (json!({"status": "SUCCEEDED", "testSummary": summary(0, 0, 0)}), "no test in 1 report"),
        (
            json!({"status": "SUCCEEDED", "testSummary": summary(3, 3, 0), "executionId": "arn:another"}),
            "web-tests is of another build",
        ),
    ] {
        let ended = judged_as_told(vec![report.clone()]).await;
        assert_eq!(ended.code, "JobFailed", "{report}: {ended:?}");
        assert!(ended.message.contains(words), "{report}: {ended:?}");
    }
}
