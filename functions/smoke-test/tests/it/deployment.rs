//! The function of the template as the hook of a deployment: the local CodeDeploy calls it before traffic is shifted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::Options;
use stagegate_local_aws::faults::{CallFault, CallPlan, When};
use stagegate_local_lambda::Alias;

use crate::server::Server;
use crate::world::World;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PUT: &str = "PutLifecycleEventHookExecutionStatus";
/// What is deployed: an alias of this function, which every build of these tests has. Nobody calls it.
const FUNCTION: &str = "stagegate-smoke-test";

const HOOK: &str = "CodeDeployHook_stagegate-smoke-test";

const CONFIG: &str = "gates:\n  web-smoke:\n    hurl: [smoke/*.hurl]\n    network: {allow_networks: [127.0.0.1]}\n    secrets: {token: /stagegate/smoke/token}\n";

struct Deployed {
    world: World,
    id: String,
}

impl Deployed {
    /// Begins a deployment with the hook, whose Hurl file in the layer asks `server`.
    async fn begin(server: &Server, speed: f64) -> Self {
        Self::begin_in(World::new(&[], CONFIG, speed).await, server).await
    }

    async fn begin_in(world: World, server: &Server) -> Self {
        let secret = json!({"Name": "/stagegate/smoke/token", "Value": "s3cr3t-value", "Type": "SecureString"});
        world.aws.ssm().call("PutParameter", &secret).unwrap();
        let smoke = world.layer().join("smoke");
        std::fs::create_dir(&smoke).unwrap();
        std::fs::write(smoke.join("a.hurl"), format!("GET {}/\nX-Token: {{{{token}}}}\nHTTP 200\n", server.base))
            .unwrap();
        let lambda = world.aws.lambda();
        let first = lambda.publish_version(FUNCTION).unwrap();
        let alias = Alias { name: "live".to_owned(), function_version: first, additional: None };
        lambda.create_alias(FUNCTION, alias).unwrap();
        let mut changed = lambda.function(FUNCTION).unwrap();
        changed.memory_mb *= 2;
        lambda.update_function(changed).unwrap();
        assert_eq!(lambda.publish_version(FUNCTION).unwrap(), "2");
        let application = json!({"applicationName": "web", "computePlatform": "Lambda"});
        call(&world, "CreateApplication", application).await;
        call(&world, "CreateDeploymentGroup", json!({"applicationName": "web", "deploymentGroupName": "live"})).await;
        let content = format!(
            "version: 0.0\nResources: [{{web: {{Type: AWS::Lambda::Function, Properties: {{Name: {FUNCTION}, Alias: live, \
             CurrentVersion: 1, TargetVersion: 2}}}}}}]\nhooks: [{{BeforeAllowTraffic: {HOOK}}}]\n"
        );
        let revision = json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": content}});
        let deployment = json!({"applicationName": "web", "deploymentGroupName": "live", "revision": revision});
        let begun = call(&world, "CreateDeployment", deployment).await;
        Self { id: begun["deploymentId"].as_str().unwrap().to_owned(), world }
    }

    async fn status(&self) -> Value {
        let found = call(&self.world, "GetDeployment", json!({"deploymentId": self.id})).await;
        found["deploymentInfo"].clone()
    }

    /// Waits until the deployment has ended; `meanwhile` is done over and over.
    async fn end(&self, mut meanwhile: impl FnMut()) -> Value {
        let started = Instant::now();
        loop {
            let deployment = self.status().await;
            if deployment["status"] != "InProgress" {
                return deployment;
            }
            assert!(started.elapsed() < PATIENCE, "the deployment does not end: {deployment}\n{}", self.world.logs());
            meanwhile();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The version that callers of the alias get.
    fn production(&self) -> String {
        let alias = self.world.aws.lambda().alias(FUNCTION, "live").unwrap();
        assert_eq!(alias.additional, None);
        alias.function_version
    }
}

async fn call(world: &World, operation: &str, input: Value) -> Value {
    world.aws.codedeploy().call(operation, input).await.unwrap()
}

#[tokio::test]
async fn traffic_is_shifted_only_where_the_smoke_test_passes() {
    for (answer, status, production) in [(200, "Succeeded", "2"), (500, "Failed", "1")] {
        let server = Server::start(move |_, _| Some(answer)).await;
        let deployed = Deployed::begin(&server, 1.0).await;
        let ended = deployed.end(|| ()).await;
        let logs = deployed.world.logs();
        assert_eq!(ended["status"], status, "{ended}\n{logs}");
        assert_eq!(deployed.production(), production, "{answer}");
        assert_eq!((server.count(), deployed.world.calls(PUT)), (1, 1), "{answer}: one test, one answer\n{logs}");
        if status == "Failed" {
            let error = &ended["errorInformation"];
            assert_eq!(error["code"], "HOOK_EXECUTION_FAILURE");
            assert!(error["message"].as_str().unwrap().contains("has answered Failed"), "{error}");
            assert!(logs.contains("a.hurl"), "the log tells what was wrong: {logs}");
        }
        deployed.world.aws.shutdown().await;
    }
}

/// S3 hangs up on the verdict: the hook looks whether it is there, and writes it again.
#[tokio::test]
async fn a_verdict_is_kept_though_s3_hangs_up() {
    let server = Server::start(|_, _| Some(200)).await;
    let plan = CallPlan::seeded(1).on("s3:PutObject", "*/executions/*", When::First(1), CallFault::CutOff);
    let hang_up = |options: &mut Options| options.call_faults = Some(Arc::new(plan));
    let world = World::with_options(&[], CONFIG, 1.0, str::to_owned, hang_up).await;
    let deployed = Deployed::begin_in(world, &server).await;
    let ended = deployed.end(|| ()).await;
    let logs = deployed.world.logs();
    assert_eq!(ended["status"], "Succeeded", "{ended}\n{logs}");
    assert!(!logs.contains("could not be stored"), "{logs}");
    let kept = deployed.world.object("stagegate-state", &format!("executions/{}/verdicts/web-smoke.json", deployed.id));
    assert!(kept.is_file(), "{} is not there\n{logs}", kept.display());
    deployed.world.aws.shutdown().await;
}

/// The process is killed while it waits for an answer: AWS Lambda tries again, and that answers the hook, once.
#[tokio::test]
async fn a_killed_hook_is_answered_by_its_retry() {
    for (second, status, production) in [(200, "Succeeded", "2"), (500, "Failed", "1")] {
        let server = Server::start(move |number, _| (number > 0).then_some(second)).await;
        let deployed = Deployed::begin(&server, 60.0).await;
        let mut killed = false;
        let ended = deployed
            .end(|| {
                if !killed && server.count() > 0 {
                    killed = kill(&deployed.world.processes());
                }
            })
            .await;
        assert_eq!(ended["status"], status, "{ended}\n{}", deployed.world.logs());
        assert_eq!(deployed.production(), production);
        assert_eq!((server.count(), deployed.world.calls(PUT)), (2, 1), "the retry took the test again");
        deployed.world.aws.shutdown().await;
    }
}

/// Every process is killed, and what Lambda tells of it is lost on its way to the guard: nobody answers, and after an hour
/// of clock time the deployment fails.
#[tokio::test]
async fn a_hook_that_always_dies_fails_the_deployment_after_an_hour() {
    let server = Server::start(|_, _| None).await;
    let deployed = Deployed::begin(&server, 400.0).await;
    let lambda = deployed.world.aws.lambda();
    let mut hook = lambda.function(HOOK).unwrap();
    hook.event_invoke.on_failure = None;
    lambda.update_function(hook).unwrap();
    let ended = deployed
        .end(|| {
            if server.count() > 0 {
                let _ = kill(&deployed.world.processes());
            }
        })
        .await;
    assert_eq!(ended["status"], "Failed", "{ended}\n{}", deployed.world.logs());
    let error = &ended["errorInformation"];
    assert!(error["message"].as_str().unwrap().contains("did not answer within one hour"), "{error}");
    let taken = ended["completeTime"].as_f64().unwrap() - ended["createTime"].as_f64().unwrap();
    assert!(taken >= 3600.0, "{taken} s");
    assert_eq!((deployed.production().as_str(), deployed.world.calls(PUT)), ("1", 0));
    deployed.world.aws.shutdown().await;
}

/// Kills processes of the function; `true` where one was killed.
fn kill(processes: &[u32]) -> bool {
    let kill = |process: &u32| std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status();
    processes.iter().filter(|process| kill(process).is_ok_and(|status| status.success())).count() > 0
}
