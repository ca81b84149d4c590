//! Why an action has failed, as its provider says it, or the gate that it is.

use serde_json::json;
use stagegate_local_aws::Options;

use super::world::{Notices, action, pipeline};
use crate::approvals::world::{World, commit};

/// One thread for each execution that fails.
const ROUTES: &str = "
channels: {releases: {slack: C0001}}
gates: {web-tests: {tests: {reports: ['reports/TEST-*.xml']}}}
notifications: [{pipeline: web, on: [failed], channel: releases}]
";

const APPSPEC: &str = "version: 0.0
os: linux
files: [{source: README, destination: /var/www/html}]
hooks: {AfterInstall: [{location: migrate.sh}]}
";

const REPORT: &str = r#"<testsuite name="web">
<testcase classname="web.Login" name="accepts"/>
<testcase classname="web.Login" name="rejects_a_wrong_password"><failure message="expected 401"/></testcase>
<testcase classname="web.Cart" name="adds_up"><failure message="expected 3"/></testcase>
</testsuite>"#;

/// A world whose source has these files. What is told of a failure is looked at when nothing is open any more: while
/// CodePipeline does not show it yet, it is told with less, and renewed.
async fn with_source(files: &[(&str, &str)]) -> Notices {
    let change = |options: Options| {
        commit(options.source.as_deref().unwrap(), files);
        Options { log_pages: Some("https://logs.example.com".to_owned()), ..options }
    };
    Notices { world: World::configured(ROUTES, change).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_and_a_failed_deployment_say_why() {
    let buildspec = "version: 0.2\nphases:\n  build:\n    commands: ['./build.sh']\n";
    let files = [
        ("buildspec.yml", buildspec),
        ("build.sh", "echo no compiler\nexit 4\n"),
        ("appspec.yml", APPSPEC),
        ("migrate.sh", "#!/bin/sh\necho no database\nexit 7\n"),
    ];
    let notices = with_source(&files).await;
    let mut build = action("Compile", "Build", "CodeBuild");
    build["configuration"] = json!({"ProjectName": "web-build"});
    let mut deploy = action("Install", "Deploy", "CodeDeploy");
    deploy["configuration"] = json!({"ApplicationName": "site", "DeploymentGroupName": "Production"});
    let definition = pipeline(&[("Build", build.clone()), ("Production", deploy.clone())]);
    let execution = notices.world.start_pipeline(&definition).await;
    let head = notices.head(&execution, "web: failed").await;
    notices.is_over().await;
    let failure = notices.reply(&head, "Compile has failed in Build").await;
    let reason =
        "*Reason* BUILD: COMMAND_EXECUTION_ERROR: Error while executing command: ./build.sh. Reason: exit status";
    assert!(failure.says(reason), "{failure:?}");
    assert!(failure.says("*Logs* <https://logs.example.com/web-build/"), "{failure:?}");
    assert!(notices.world.has_used("DeployNotify", "codebuild:BatchGetBuilds"));

    let execution = notices.world.start_pipeline(&pipeline(&[("Production", deploy)])).await;
    let head = notices.head(&execution, "web: failed").await;
    notices.is_over().await;
    let failure = notices.reply(&head, "Install has failed in Production").await;
    let reason = "*Reason* \n```AfterInstall: ScriptFailed: migrate.sh ended with exit status 7";
    assert!(failure.says(reason) && failure.says("(HEALTH_CONSTRAINTS)"), "{failure:?}");
    assert!(notices.world.has_used("DeployNotify", "codedeploy:GetDeployment"));
    assert_eq!(notices.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_test_gate_names_the_tests() {
    let notices = with_source(&[("reports/TEST-web.xml", REPORT)]).await;
    let mut gate = action("TestGate", "Invoke", "Lambda");
    let parameters = json!({
        "gate": "web-tests", "pipeline": "web", "stage": "Test", "execution": "#{codepipeline.PipelineExecutionId}",
    });
    gate["configuration"] = json!({"FunctionName": "stagegate-test-gate", "UserParameters": parameters.to_string()});
    let execution = notices.world.start_pipeline(&pipeline(&[("Test", gate)])).await;
    let head = notices.head(&execution, "web: failed").await;
    notices.is_over().await;
    let failure = notices.reply(&head, "TestGate has failed in Test").await;
    let said = ["web.Login::rejects_a_wrong_password: expected 401", "web.Cart::adds_up: expected 3"];
    assert!(failure.says("*Gate* web-tests: 2 of 3 tests failed (limit 0)"), "{failure:?}");
    assert!(failure.says(&format!("*Did not pass* \n```{}```", said.join("\n"))), "{failure:?}");
    // The answer of the job and the summary of the verdict name them as well.
    let shown: String = failure.blocks.iter().map(ToString::to_string).collect();
    for once in ["web.Login::rejects_a_wrong_password", "web.Cart::adds_up", "2 of 3 tests failed"] {
        assert_eq!(shown.matches(once).count(), 1, "{once}: {shown}");
    }
    assert_eq!(notices.count(), 2);
}
