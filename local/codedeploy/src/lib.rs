//! The CodeDeploy API of the local AWS, and deployments that ask functions in their lifecycle hooks.
//!
//! [`CodeDeploy`] runs deployments of the compute platforms Lambda and ECS, and tells of those that a pipeline's
//! CodeDeploy actions make to instances ([`Deployments`]).
//!
//! | operation | notes |
//! |---|---|
//! | CreateApplication, CreateDeploymentGroup | platforms Lambda and ECS; the predefined deployment configurations |
//! | GetApplication, ListApplications, GetDeploymentGroup, ListDeploymentGroups | an application of instances is known once it has a deployment |
//! | CreateDeployment | an AppSpec as text, or as a YAML or JSON object in S3 |
//! | GetDeployment, BatchGetDeployments, ListDeployments | all platforms |
//! | ListDeploymentTargets, GetDeploymentTarget, BatchGetDeploymentTargets | all platforms |
//! | StopDeployment | Lambda and ECS |
//! | PutLifecycleEventHookExecutionStatus | |
//!
//! # A deployment
//!
//! It goes through the lifecycle events of its platform in their order. For a hook, the function that the AppSpec names
//! is invoked with `DeploymentId` and `LifecycleEventHookExecutionId`, and the deployment waits until
//! PutLifecycleEventHookExecutionStatus says `Succeeded` or `Failed`, for one hour of clock time at the most. `Failed`,
//! silence and a function that cannot be invoked fail the deployment, and nothing after it happens.
//!
//! Traffic of a Lambda deployment is an alias of the local Lambda: callers of the alias get the old version until
//! BeforeAllowTraffic has succeeded, then what the deployment configuration says. Of an ECS deployment there are the
//! hooks, the events and the record of who gets which share: **no container runs here**. A folder of the artifact can stand in
//! for the containers ([`CodeDeploy::serve`]): it is served by the service's listeners, by the one for tests from
//! AllowTestTraffic on, by the one for production once all traffic is shifted.
//!
//! # What is assumed
//!
//! AWS does not document these, so they may differ there:
//!
//! * the function of a hook is invoked asynchronously, so Lambda tries it again when it fails;
//! * a lifecycle event without a hook is `Succeeded`, and one that is not reached is `Skipped`;
//! * an answer after the hour, or after the deployment has ended, is refused as one to a completed event;
//! * without an automatic rollback in the deployment group, traffic stays where it is when a deployment ends early; with
//!   one, a deployment of the creator `codeDeployRollback` leads all of it back at once, without asking any function, and
//!   only if there is something to lead back: traffic, or a replacement task set (a rollback is not possible before
//!   Install, which AWS does document);
//! * an alias must stand for the AppSpec's `CurrentVersion` alone when the deployment begins.

mod applications;
mod appspec;
mod create;
mod deployments;
mod ecs_action;
mod hooks;
mod platform;
mod record;
mod run;
mod service;
mod state;
mod status;
mod targets;
mod traffic;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use axum::Router;
use serde_json::Value;
use stagegate_local_actions::{Deployments, ServiceEvents};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Service};
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_local_lambda::LambdaHost;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use ecs_action::EcsDeployProvider;
pub use platform::Platform;
pub use record::{Deployment, EventStatus, Failure, LifecycleEvent, Rollback, Status, Target, TaskSet};

pub use service::Listeners;

use hooks::Hooks;
use service::{Services, Traffic};
use state::State;

static SERVICE: Service = Service {
    name: "CodeDeploy",
    target_prefix: "CodeDeploy_20141006.",
    violation: "InvalidInputException",
    invalid_token: "InvalidNextTokenException",
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// The account that everything local belongs to.
const ACCOUNT_ID: &str = "111122223333";

/// What a local CodeDeploy works with.
pub struct Setup {
    /// The clock of hooks and of traffic that is shifted by and by.
    pub clock: Clock,
    /// Has the functions of hooks, and the aliases.
    pub lambda: LambdaHost,
    /// The names of functions by another name that an AppSpec may use here: their logical ids in the template. AWS takes
    /// names and ARNs only.
    pub function_names: BTreeMap<String, String>,
    /// Where revisions lie.
    pub bucket: Arc<dyn ArtifactBucket>,
    /// The deployments to instances.
    pub in_place: Deployments,
    /// Is told of deployments that begin and end.
    pub events: ServiceEvents,
    /// The Region of everything.
    pub region: String,
    /// The folder for the files that stand in for ECS services.
    pub services: PathBuf,
}

/// One local CodeDeploy. Cloning gives another handle to the same; deployments end with the last handle.
#[derive(Clone)]
pub struct CodeDeploy {
    shared: Arc<Shared>,
    _last: Arc<DropGuard>,
}

struct Shared {
    clock: Clock,
    lambda: LambdaHost,
    function_names: BTreeMap<String, String>,
    bucket: Arc<dyn ArtifactBucket>,
    in_place: Deployments,
    events: ServiceEvents,
    region: String,
    /// The folder for the files that stand in for ECS services.
    folder: PathBuf,
    services: Services,
    state: Mutex<State>,
    hooks: Hooks,
    /// Is told of every change of a deployment.
    changed: watch::Sender<()>,
    cancelled: CancellationToken,
    tasks: TaskTracker,
}

impl CodeDeploy {
    /// A CodeDeploy without applications.
    pub fn new(setup: Setup) -> Self {
        let cancelled = CancellationToken::new();
        let shared = Shared {
            clock: setup.clock,
            lambda: setup.lambda,
            function_names: setup.function_names,
            bucket: setup.bucket,
            in_place: setup.in_place,
            events: setup.events,
            region: setup.region,
            // Links lead to it, so it must not depend on the folder of this process.
            folder: std::path::absolute(&setup.services).unwrap_or(setup.services),
            services: Services::default(),
            state: Mutex::default(),
            hooks: Hooks::default(),
            changed: watch::Sender::new(()),
            cancelled: cancelled.clone(),
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared), _last: Arc::new(cancelled.drop_guard()) }
    }

    /// Carries out an operation as AWS does, without HTTP.
    ///
    /// # Errors
    ///
    /// The exceptions of the AWS model, `SerializationException` for a value of another type, and
    /// `UnknownOperationException` for an operation that this local CodeDeploy does not have.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let input = MODEL.check(operation, &input)?;
        match operation {
            "CreateApplication" => self.create_application(&input),
            "GetApplication" => self.get_application(&input),
            "ListApplications" => self.list_applications(&input),
            "CreateDeploymentGroup" => self.create_deployment_group(&input),
            "GetDeploymentGroup" => self.get_deployment_group(&input),
            "ListDeploymentGroups" => self.list_deployment_groups(&input),
            "CreateDeployment" => self.create_deployment(&input).await,
            "GetDeployment" => self.get_deployment(&input),
            "BatchGetDeployments" => self.batch_get_deployments(&input),
            "ListDeployments" => self.list_deployments(&input),
            "StopDeployment" => self.stop_deployment(&input),
            "ListDeploymentTargets" => self.list_deployment_targets(&input),
            "GetDeploymentTarget" => self.get_deployment_target(&input),
            "BatchGetDeploymentTargets" => self.batch_get_deployment_targets(&input),
            "PutLifecycleEventHookExecutionStatus" => self.put_lifecycle_event_hook_execution_status(&input),
            _ => Err(MODEL.unknown_operation(operation)),
        }
    }

    /// All deployments of functions and task sets that are remembered, the newest last.
    pub fn deployments(&self) -> Vec<Deployment> {
        self.shared.lock().deployments().cloned().collect()
    }

    /// Serves the ECS service of a deployment group: the files that stand in for its containers, by its listeners. Until
    /// something is deployed, each answers that nothing was.
    ///
    /// # Errors
    ///
    /// If a name cannot be used for a folder, or the folder cannot be made.
    pub fn serve(&self, application: &str, deployment_group: &str, listeners: Listeners) -> Result<(), String> {
        for name in [application, deployment_group] {
            if name.is_empty() || name.starts_with('.') || name.contains('/') {
                return Err(format!(
                    "serve the ECS service of {application}/{deployment_group}: {name:?} names no folder"
                ));
            }
        }
        let served = self.shared.services.serve(&self.shared.folder, application, deployment_group, listeners);
        served.map_err(|error| format!("serve the ECS service of {application}/{deployment_group}: {error}"))
    }

    /// Where production traffic reaches the service of a deployment group, if it is served.
    pub fn service_url(&self, application: &str, deployment_group: &str) -> Option<String> {
        self.shared.services.url(application, deployment_group, Traffic::Production)
    }

    /// Where test traffic reaches it.
    pub fn test_url(&self, application: &str, deployment_group: &str) -> Option<String> {
        self.shared.services.url(application, deployment_group, Traffic::Test)
    }

    /// Ends all deployments that run, and returns when they have ended.
    pub async fn shutdown(&self) {
        self.shared.cancelled.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock can panic")
    }
}

/// Serves the API at `/`, as the AWS SDKs and `aws --endpoint-url` call it. Signatures are not checked.
pub fn router(codedeploy: CodeDeploy) -> Router {
    aws_json::router(&SERVICE, move |operation, input| {
        let codedeploy = codedeploy.clone();
        async move { codedeploy.call(&operation, input).await }
    })
}

/// A text member of an input that was checked; empty where there is none.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}
