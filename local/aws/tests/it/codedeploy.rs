//! Deployments whose lifecycle hooks are functions, with the official client.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_codedeploy::Client;
use aws_sdk_codedeploy::types::{
    AppSpecContent, AutoRollbackConfiguration, AutoRollbackEvent, ComputePlatform, DeploymentInfo, DeploymentStatus,
    DeploymentTarget, LifecycleEventStatus, RevisionLocation, RevisionLocationType,
};
use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{Alias, InvocationType};

use crate::world::{Record, World};

pub(crate) const FUNCTIONS: &str = r#"
  Web: {RECORDER {}}
  Before: {RECORDER {}}
  After: {RECORDER {}}
  Dies: {RECORDER {Environment: {Variables: {MODE: abort}}}}
  Watcher: {RECORDER {Events: {All: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.codedeploy]}}}}}}
"#;

/// Runs 1200 times as fast: an hour of a hook takes three seconds.
const FAST: f64 = 1200.0;

/// A local AWS with two versions of a function behind an alias, and a deployment group for it.
struct Deploying {
    world: World,
    client: Client,
}

impl Deploying {
    async fn new(clock: Clock, rolls_back: bool) -> Self {
        let world = World::new(FUNCTIONS, |options| options.clock = clock).await;
        let lambda = world.aws.lambda();
        assert_eq!(lambda.publish_version("stagegate-Web").unwrap(), "1");
        let alias = Alias { name: "live".to_owned(), function_version: "1".to_owned(), additional: None };
        lambda.create_alias("stagegate-Web", alias).unwrap();
        let mut changed = lambda.function("stagegate-Web").unwrap();
        changed.environment.insert("COLOUR".to_owned(), "green".to_owned());
        lambda.update_function(changed).unwrap();
        assert_eq!(lambda.publish_version("stagegate-Web").unwrap(), "2");
        let client = Client::new(&world.sdk());
        let application = client.create_application().application_name("web");
        application.compute_platform(ComputePlatform::Lambda).send().await.unwrap();
        let rollback = AutoRollbackConfiguration::builder().enabled(rolls_back);
        let rollback = rollback.events(AutoRollbackEvent::DeploymentFailure).build();
        let group = client.create_deployment_group().application_name("web").deployment_group_name("live");
        let group =
            group.service_role_arn("arn:aws:iam::111122223333:role/deploy").auto_rollback_configuration(rollback);
        group.send().await.unwrap();
        Self { world, client }
    }

    /// Begins to lead the alias from version 1 to version 2.
    async fn begin(&self, config: &str, hooks: &str) -> String {
        let begun = self.try_begin(config, hooks).await;
        begun.unwrap_or_else(|code| panic!("{code}"))
    }

    /// The id, or the code of the error.
    async fn try_begin(&self, config: &str, hooks: &str) -> Result<String, String> {
        let content = format!(
            "version: 0.0\nResources:\n  - web:\n      Type: AWS::Lambda::Function\n      Properties: {{Name: stagegate-Web, \
             Alias: live, CurrentVersion: 1, TargetVersion: 2}}\nhooks: [{hooks}]\n"
        );
        let content = AppSpecContent::builder().content(content).build();
        let revision = RevisionLocation::builder().revision_type(RevisionLocationType::AppSpecContent);
        let deployment = self.client.create_deployment().application_name("web").deployment_group_name("live");
        let deployment = deployment.deployment_config_name(format!("CodeDeployDefault.Lambda{config}"));
        match deployment.revision(revision.app_spec_content(content).build()).send().await {
            Ok(deployment) => Ok(deployment.deployment_id().unwrap().to_owned()),
            Err(error) => Err(error.into_service_error().meta().code().unwrap_or_default().to_owned()),
        }
    }

    /// The event of the only hook call that a function got for this deployment.
    async fn called(&self, function: &str, id: &str) -> String {
        let event = self.world.events(function, 1).await.remove(0);
        let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["DeploymentId", "LifecycleEventHookExecutionId"]);
        assert_eq!(event["DeploymentId"], id);
        event["LifecycleEventHookExecutionId"].as_str().unwrap().to_owned()
    }

    /// What the service says to the answer of a hook; empty for yes.
    async fn answer(&self, id: &str, hook: &str, status: LifecycleEventStatus) -> String {
        let answer = self.client.put_lifecycle_event_hook_execution_status().deployment_id(id);
        match answer.lifecycle_event_hook_execution_id(hook).status(status).send().await {
            Ok(answered) => {
                assert_eq!(answered.lifecycle_event_hook_execution_id(), Some(hook));
                String::new()
            }
            Err(error) => error.into_service_error().meta().code().unwrap_or_default().to_owned(),
        }
    }

    async fn deployment(&self, id: &str) -> DeploymentInfo {
        let found = self.client.get_deployment().deployment_id(id).send().await.unwrap();
        found.deployment_info().unwrap().clone()
    }

    /// Waits until the deployment has ended.
    async fn ended(&self, id: &str) -> DeploymentInfo {
        for _ in 0..18_000 {
            let deployment = self.deployment(id).await;
            if deployment.status() != Some(&DeploymentStatus::InProgress) {
                return deployment;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the deployment {id} does not end: {:?}", self.target(id).await);
    }

    async fn target(&self, id: &str) -> DeploymentTarget {
        let targets = self.client.list_deployment_targets().deployment_id(id).send().await.unwrap();
        assert_eq!(targets.target_ids(), ["stagegate-Web:live"]);
        let target = self.client.get_deployment_target().deployment_id(id).target_id("stagegate-Web:live");
        target.send().await.unwrap().deployment_target().unwrap().clone()
    }

    /// The lifecycle events with their status, and the weight of the new version.
    async fn lifecycle(&self, id: &str) -> (String, f64) {
        let target = self.target(id).await;
        let target = target.lambda_target().unwrap();
        let events = target.lifecycle_events().iter();
        let events = events.map(|e| format!("{} {}", e.lifecycle_event_name().unwrap(), e.status().unwrap().as_str()));
        let info = target.lambda_function_info().unwrap();
        assert_eq!((info.current_version(), info.target_version()), (Some("1"), Some("2")));
        (events.collect::<Vec<_>>().join(", "), info.target_version_weight())
    }

    /// The versions that callers of the alias get.
    async fn production(&self) -> Vec<String> {
        let mut met = BTreeSet::new();
        for _ in 0..8 {
            let invoked =
                self.world.aws.lambda().invoke("stagegate-Web:live", "{}", InvocationType::RequestResponse).await;
            met.insert(invoked.unwrap().executed_version);
        }
        met.into_iter().collect()
    }

    /// The states that EventBridge was told of, each with its deployment, sorted.
    async fn told(&self, count: usize) -> Vec<String> {
        let state = |event: Value| {
            assert_eq!(event["detail-type"], "CodeDeploy Deployment State-change Notification");
            assert_eq!(event["detail"]["application"], "web");
            format!(
                "{} {}",
                event["detail"]["deploymentId"].as_str().unwrap(),
                event["detail"]["state"].as_str().unwrap()
            )
        };
        let mut told: Vec<String> = self.world.events("Watcher", count).await.into_iter().map(state).collect();
        told.sort_unstable();
        told
    }
}

fn seconds(deployment: &DeploymentInfo) -> f64 {
    let time = |time: Option<&aws_sdk_codedeploy::primitives::DateTime>| time.unwrap().as_secs_f64();
    time(deployment.complete_time()) - time(deployment.create_time())
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_the_old_version_until_the_hook_has_passed() {
    let deploying = Deploying::new(Clock::system(), true).await;
    // One function by its logical id, which works here only, and one by its ARN.
    let after = deploying.world.aws.lambda().function("stagegate-After").unwrap().arn;
    let hooks = format!("{{BeforeAllowTraffic: Before}}, {{AfterAllowTraffic: \"{after}\"}}");
    let id = deploying.begin("AllAtOnce", &hooks).await;
    let before = deploying.called("Before", &id).await;
    let waiting = "BeforeAllowTraffic InProgress, AllowTraffic Pending, AfterAllowTraffic Pending";
    assert_eq!(deploying.lifecycle(&id).await, (waiting.to_owned(), 0.0));
    assert_eq!(deploying.production().await, ["1"]);
    for status in ["Pending", "InProgress", "Skipped", "Unknown", "Green"] {
        let refused = deploying.answer(&id, &before, status.into()).await;
        assert_eq!(refused, "InvalidLifecycleEventHookExecutionStatusException", "{status}");
    }
    let other = deploying.answer(&id, "eyJub25lIjoxfQ==", LifecycleEventStatus::Succeeded).await;
    assert_eq!(other, "InvalidLifecycleEventHookExecutionIdException");
    assert_eq!(deploying.production().await, ["1"], "no refused answer counts");
    let another = deploying.try_begin("AllAtOnce", "").await;
    assert_eq!(another, Err("DeploymentLimitExceededException".to_owned()), "one deployment at a time");

    assert_eq!(deploying.answer(&id, &before, LifecycleEventStatus::Succeeded).await, "");
    let after = deploying.called("After", &id).await;
    assert_eq!(deploying.production().await, ["2"]);
    let second = deploying.answer(&id, &before, LifecycleEventStatus::Failed).await;
    assert_eq!(second, "LifecycleEventAlreadyCompletedException");
    assert_eq!(deploying.answer(&id, &after, LifecycleEventStatus::Succeeded).await, "");
    let ended = deploying.ended(&id).await;
    assert_eq!((ended.status(), ended.error_information()), (Some(&DeploymentStatus::Succeeded), None));
    let all = "BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Succeeded";
    assert_eq!(deploying.lifecycle(&id).await, (all.to_owned(), 100.0));
    assert_eq!(deploying.told(2).await, [format!("{id} START"), format!("{id} SUCCESS")]);
    deploying.world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_stops_the_deployment() {
    for (hook, function, production, events) in [
        (
            "BeforeAllowTraffic",
            "Before",
            "1",
            "BeforeAllowTraffic Failed, AllowTraffic Skipped, AfterAllowTraffic Skipped",
        ),
        (
            "AfterAllowTraffic",
            "After",
            "2",
            "BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Failed",
        ),
    ] {
        let deploying = Deploying::new(Clock::system(), false).await;
        let id = deploying.begin("AllAtOnce", &format!("{{{hook}: stagegate-{function}}}")).await;
        let execution = deploying.called(function, &id).await;
        assert_eq!(deploying.answer(&id, &execution, LifecycleEventStatus::Failed).await, "");
        let ended = deploying.ended(&id).await;
        let error = ended.error_information().unwrap();
        assert_eq!(error.code().unwrap().as_str(), "HOOK_EXECUTION_FAILURE");
        let expected = format!("{hook}: the function stagegate-{function} has answered Failed");
        assert!(error.message().unwrap().starts_with(&expected), "{error:?}");
        assert_eq!(deploying.lifecycle(&id).await.0, events);
        assert_eq!(deploying.production().await, [production]);
        assert_eq!(deploying.told(2).await, [format!("{id} FAILURE"), format!("{id} START")]);
        assert!(ended.rollback_info().is_none());
        let late = deploying.answer(&id, &execution, LifecycleEventStatus::Succeeded).await;
        assert_eq!(late, "LifecycleEventAlreadyCompletedException");
        deploying.world.aws.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_rolls_back_leads_traffic_back() {
    let deploying = Deploying::new(Clock::system(), true).await;
    let id = deploying.begin("AllAtOnce", "{AfterAllowTraffic: stagegate-After}").await;
    let execution = deploying.called("After", &id).await;
    assert_eq!(deploying.production().await, ["2"]);
    assert_eq!(deploying.answer(&id, &execution, LifecycleEventStatus::Failed).await, "");
    let ended = deploying.ended(&id).await;
    assert_eq!(ended.status(), Some(&DeploymentStatus::Failed));
    assert_eq!(deploying.production().await, ["1"]);
    let rollback = ended.rollback_info().unwrap().rollback_deployment_id().unwrap();
    let rollback = deploying.deployment(rollback).await;
    assert_eq!(rollback.creator().unwrap().as_str(), "codeDeployRollback");
    assert_eq!(rollback.rollback_info().unwrap().rollback_triggering_deployment_id(), Some(id.as_str()));
    let rollback = rollback.deployment_id().unwrap();
    let mut expected =
        [format!("{id} FAILURE"), format!("{id} START"), format!("{rollback} START"), format!("{rollback} SUCCESS")];
    expected.sort_unstable();
    assert_eq!(deploying.told(4).await, expected);
    deploying.world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_death_fail_after_an_hour() {
    // A function that dies is tried three times, as Lambda does with events.
    for (function, calls) in [("Before", 1), ("Dies", 3)] {
        let deploying = Deploying::new(Clock::scaled(FAST), true).await;
        let id = deploying.begin("AllAtOnce", &format!("{{BeforeAllowTraffic: stagegate-{function}}}")).await;
        let ended = deploying.ended(&id).await;
        assert_eq!(ended.status(), Some(&DeploymentStatus::Failed), "{function}");
        assert!(seconds(&ended) >= 3600.0, "{function}: {} s", seconds(&ended));
        let error = ended.error_information().unwrap();
        assert!(error.message().unwrap().contains("did not answer within one hour"), "{error:?}");
        assert_eq!(deploying.production().await, ["1"], "{function}");
        let name = format!("stagegate-{function}");
        let records: Vec<Record> =
            deploying.world.records().into_iter().filter(|record| record.function == name).collect();
        assert!(!records.is_empty() && records.len() <= calls, "{records:?}");
        let execution = records[0].event["LifecycleEventHookExecutionId"].as_str().unwrap();
        assert!(records.iter().all(|record| record.event["LifecycleEventHookExecutionId"] == execution));
        let late = deploying.answer(&id, execution, LifecycleEventStatus::Succeeded).await;
        assert_eq!(late, "LifecycleEventAlreadyCompletedException", "{function}");
        assert_eq!(deploying.deployment(&id).await.status(), Some(&DeploymentStatus::Failed), "{function}");
        deploying.world.aws.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_shifted_by_and_by() {
    let deploying = Deploying::new(Clock::scaled(FAST), false).await;
    let id = deploying.begin("Linear10PercentEvery3Minutes", "").await;
    let ended = deploying.ended(&id).await;
    assert_eq!(ended.status(), Some(&DeploymentStatus::Succeeded));
    assert!(seconds(&ended) >= 27.0 * 60.0, "{}", seconds(&ended));
    assert_eq!(deploying.production().await, ["2"]);
    deploying.world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_can_be_stopped_halfway() {
    for (rolls_back, production) in [(true, "1"), (false, "1 2")] {
        let deploying = Deploying::new(Clock::system(), false).await;
        let id = deploying.begin("Canary10Percent30Minutes", "").await;
        while deploying.lifecycle(&id).await.1 < 10.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let stop = deploying.client.stop_deployment().deployment_id(&id).auto_rollback_enabled(rolls_back);
        stop.clone().send().await.unwrap();
        let ended = deploying.ended(&id).await;
        assert_eq!(ended.status(), Some(&DeploymentStatus::Stopped));
        assert_eq!(ended.error_information().unwrap().code().unwrap().as_str(), "MANUAL_STOP");
        let alias = deploying.world.aws.lambda().alias("stagegate-Web", "live").unwrap();
        let versions = match &alias.additional {
            Some((version, _)) => format!("{} {version}", alias.function_version),
            None => alias.function_version,
        };
        assert_eq!(versions, production);
        assert_eq!(ended.rollback_info().is_some(), rolls_back);
        let again = stop.send().await.unwrap_err().into_service_error();
        assert!(again.is_deployment_already_completed_exception(), "{again:?}");
        deploying.world.aws.shutdown().await;
    }
}
