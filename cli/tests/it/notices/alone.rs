//! Builds and deployments that no pipeline has started.

use serde_json::{Value, json};
use stagegate_local_aws::Options;

use crate::approvals::world::{ONCALL, RELEASES, World};

const ROUTES: &str = "
channels: {releases: {slack: C0001}, oncall: {slack: C0002}}
notifications:
  - {project: nightly, on: [failed, succeeded], channel: releases}
  - {application: shop, on: [failed], channel: oncall}
";

async fn build(world: &World, project: &str, command: &str) {
    let buildspec = format!("version: 0.2\nphases:\n  build:\n    commands: ['{command}']\n");
    let input = json!({"projectName": project, "sourceTypeOverride": "NO_SOURCE", "buildspecOverride": buildspec});
    world.aws.codebuild().call("StartBuild", input).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_by_itself_is_told_with_its_reason() {
    let with_pages = |options| Options { log_pages: Some("https://logs.example.com".to_owned()), ..options };
    let world = World::configured(ROUTES, with_pages).await;
    // No route is about this one.
    build(&world, "weekly", "exit 3").await;
    build(&world, "nightly", "exit 3").await;
    let head = world.message(RELEASES, "build nightly: failed").await;
    let failure = world.message_that(RELEASES, "has failed in BUILD", |it| it.thread.as_ref() == Some(&head.ts)).await;
    let reason = "*Reason* COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3";
    assert!(failure.says(reason), "{failure:?}");
    let logs = "*Logs* <https://logs.example.com/nightly/";
    assert!(failure.says(logs) && head.says("https://logs.example.com/nightly/"), "{failure:?} {head:?}");
    assert!(world.has_used("DeployNotify", "codebuild:BatchGetBuilds"));

    build(&world, "nightly", "true").await;
    world.message(RELEASES, "build nightly: succeeded").await;
    world.until("the end of all threads", || world.documents("watched").is_empty()).await;
    assert_eq!(world.slack.look(|state| state.messages(RELEASES).len()), 3, "{}", world.said(RELEASES));
}

/// A deployment group of ECS whose hook is a function that is not there.
async fn deploy(world: &World) -> String {
    let call = async |operation: &str, input: Value| world.aws.codedeploy().call(operation, input).await.unwrap();
    call("CreateApplication", json!({"applicationName": "shop", "computePlatform": "ECS"})).await;
    let mut group = json!({"applicationName": "shop", "deploymentGroupName": "blue"});
    let mut input = group.clone();
    input["serviceRoleArn"] = json!("arn:aws:iam::111122223333:role/deploy");
    call("CreateDeploymentGroup", input).await;
    let appspec = json!({
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
            "TaskDefinition": "arn:aws:ecs:us-east-1:111122223333:task-definition/shop:1",
            "LoadBalancerInfo": {"ContainerName": "shop", "ContainerPort": 80},
        }}}],
        "Hooks": [{"BeforeInstall": "shop-migrate"}],
    });
    let content = json!({"content": appspec.to_string()});
    group["revision"] = json!({"revisionType": "AppSpecContent", "appSpecContent": content});
    call("CreateDeployment", group).await["deploymentId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_by_itself_is_told_with_its_reason() {
    let world = World::configured(ROUTES, |options| options).await;
    let id = deploy(&world).await;
    let head = world.message(ONCALL, "deployment shop/blue: failed").await;
    assert!(head.says(&id), "{head:?}");
    let failure = world.message_that(ONCALL, "has failed", |it| it.thread.as_ref() == Some(&head.ts)).await;
    assert!(failure.says("*Reason* BeforeInstall: there is no function shop-migrate to be called"), "{failure:?}");
    assert!(world.has_used("DeployNotify", "codedeploy:GetDeployment"));
    world.until("the end of all threads", || world.documents("watched").is_empty()).await;
    assert_eq!(world.slack.look(|state| state.messages(ONCALL).len()), 2, "{}", world.said(ONCALL));
}
