//! A lifecycle hook of CodeDeploy whose function always dies: the guard fails it, and no traffic is shifted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::faults::{InvokeFault, InvokePlan, Signal, When};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::Alias;

use crate::world::{GATE, GUARD, LIMIT, World};

const HOOK: &str = "CodeDeployHook_stagegate-smoke-test";
const PUT: &str = "PutLifecycleEventHookExecutionStatus";

async fn call(world: &World, operation: &str, input: Value) -> Value {
    world.aws.codedeploy().call(operation, input).await.unwrap()
}

/// Begins a deployment of an alias, whose traffic the hook guards.
async fn deploy(world: &World) -> String {
    let lambda = world.aws.lambda();
    let first = lambda.publish_version(GATE).unwrap();
    lambda.create_alias(GATE, Alias { name: "live".to_owned(), function_version: first, additional: None }).unwrap();
    world.change(GATE, |gate| gate.memory_mb *= 2);
    assert_eq!(lambda.publish_version(GATE).unwrap(), "2");
    call(world, "CreateApplication", json!({"applicationName": "web", "computePlatform": "Lambda"})).await;
    call(world, "CreateDeploymentGroup", json!({"applicationName": "web", "deploymentGroupName": "live"})).await;
    let content = format!(
        "version: 0.0\nResources: [{{web: {{Type: AWS::Lambda::Function, Properties: {{Name: {GATE}, Alias: live, \
         CurrentVersion: 1, TargetVersion: 2}}}}}}]\nhooks: [{{BeforeAllowTraffic: {HOOK}}}]\n"
    );
    let revision = json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": content}});
    let deployment = json!({"applicationName": "web", "deploymentGroupName": "live", "revision": revision});
    call(world, "CreateDeployment", deployment).await["deploymentId"].as_str().unwrap().to_owned()
}

async fn ended(world: &World, deployment: &str) -> Value {
    let started = Instant::now();
    loop {
        let found = call(world, "GetDeployment", json!({"deploymentId": deployment})).await;
        if found["deploymentInfo"]["status"] != "InProgress" {
            return found["deploymentInfo"].clone();
        }
        assert!(started.elapsed() < LIMIT, "the deployment does not end: {found}\n{}", world.logs());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_function_always_dies_is_failed_by_the_guard() {
    let kill = InvokeFault::Signal(Signal::Kill, Duration::ZERO);
    for (fault, words) in [
        (InvokeFault::CrashAtStart, "CodeDeployHook_stagegate-smoke-test was killed"),
        (kill, "CodeDeployHook_stagegate-smoke-test was killed"),
        (InvokeFault::OutOfMemory(Duration::ZERO), "CodeDeployHook_stagegate-smoke-test ran out of memory"),
    ] {
        let plan = Arc::new(InvokePlan::seeded(1).on(HOOK, When::Always, fault));
        let faults = Arc::clone(&plan);
        // Lambda tries again after a minute and after two more, which are three seconds here.
        let world = World::changed(Clock::scaled(60.0), move |options| options.invoke_faults = Some(faults)).await;
        let deployment = deploy(&world).await;
        let ended = ended(&world, &deployment).await;
        let logs = world.logs();
        assert_eq!(ended["status"], "Failed", "{fault:?}: {ended}\n{logs}");
        assert_eq!(ended["errorInformation"]["code"], "HOOK_EXECUTION_FAILURE", "{fault:?}: {ended}");
        assert!(ended["errorInformation"]["message"].as_str().unwrap().contains("has answered Failed"), "{ended}");
        // CodeDeploy would have waited for an hour.
        let taken = ended["completeTime"].as_f64().unwrap() - ended["createTime"].as_f64().unwrap();
        assert!(taken < 3000.0, "{fault:?}: {taken} s");
        let alias = world.aws.lambda().alias(GATE, "live").unwrap();
        assert_eq!((alias.function_version.as_str(), alias.additional), ("1", None), "{fault:?}: traffic is shifted");
        assert_eq!((world.calls(GUARD, PUT), world.calls(HOOK, PUT)), (1, 0), "{fault:?}: answers of guard and hook");
        assert_eq!(plan.met().len(), 3, "{fault:?}: Lambda tries twice more");
        world.until("the log of the guard", |world| world.logs().contains(words)).await;

        // The same record again changes nothing.
        let hook = json!({"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution_id(&world)});
        let record = json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": hook});
        let again = world.guard(&record).await;
        assert_eq!(again, json!({"answered": 0, "already_answered": 1, "in_progress": 0}), "{fault:?}");
        world.aws.shutdown().await;
    }
}

/// The id that the answer named, as it reached the endpoint.
fn execution_id(world: &World) -> String {
    world.hook_executions.lock().unwrap().last().unwrap().clone()
}
