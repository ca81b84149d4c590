//! The local AWS: CodePipeline, Lambda, S3, CodeBuild, CodeDeploy, EventBridge, SNS, SQS and the Parameter Store on one
//! machine, behind one endpoint, with the functions of a SAM template and what it wires to them.

mod alarms;
mod calls;
mod credentials;
mod endpoint;
pub mod faults;
mod functions;
mod invoker;
mod options;
mod rights;
mod s3;
mod stack;
mod start;
mod urls;
mod wired_template;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use stagegate_local_actions::{CodeBuildProvider, CodeDeployProvider, InstanceServers};
use stagegate_local_cloudwatch::CloudWatch;
use stagegate_local_codebuild::CodeBuild;
use stagegate_local_codedeploy::CodeDeploy;
use stagegate_local_codepipeline::{ApiError, CodePipeline};
use stagegate_local_lambda::LambdaHost;
use stagegate_local_ssm::Ssm;

pub use calls::Call;
pub use credentials::LOCAL_ACCESS_KEY;
pub use options::{Bootstraps, EventChange, Options};
pub use s3::LocalS3;
pub use stack::{CreatedStack, Stack};
pub use stagegate_local_events::{
    Arrival, Bus, DeliveryFault, Message, MessageAttribute, Observation, Origin, Passed, Payload, QueueMessage, Sent,
};
pub use stagegate_local_lambda::FormBody;

use calls::Calls;
use endpoint::Endpoint;
use rights::Rights;
use urls::Urls;

/// Why the local AWS does not start. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// A running local AWS. It ends when it is dropped; [`LocalAws::shutdown`] waits until no process is left.
pub struct LocalAws {
    codepipeline: CodePipeline,
    codebuild: CodeBuild,
    codedeploy: CodeDeploy,
    lambda: LambdaHost,
    ssm: Ssm,
    cloudwatch: CloudWatch,
    /// The names of the template's buckets, by their names in the template.
    bucket_names: HashMap<String, String>,
    bus: Bus,
    urls: Urls,
    s3: LocalS3,
    build: Arc<CodeBuildProvider>,
    deploy: Arc<CodeDeployProvider>,
    servers: InstanceServers,
    endpoint: Endpoint,
    data: PathBuf,
    region: String,
    buckets: Vec<String>,
    /// What the stack of the functions exports.
    exports: BTreeMap<String, String>,
    calls: Calls,
    rights: Rights,
}

impl LocalAws {
    /// Starts everything.
    ///
    /// # Errors
    ///
    /// If the template cannot be read, a function of it cannot be hosted, a folder cannot be made or the port is taken.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        start::start(options).await
    }

    /// The URL for `aws --endpoint-url`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.endpoint.address)
    }

    /// The Region of everything.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The local CodePipeline.
    pub fn codepipeline(&self) -> &CodePipeline {
        &self.codepipeline
    }

    /// The local CodeBuild.
    pub fn codebuild(&self) -> &CodeBuild {
        &self.codebuild
    }

    /// The local CodeDeploy.
    pub fn codedeploy(&self) -> &CodeDeploy {
        &self.codedeploy
    }

    /// The local Lambda.
    pub fn lambda(&self) -> &LambdaHost {
        &self.lambda
    }

    /// The name of a bucket, by its name in the template.
    pub fn bucket(&self, logical_id: &str) -> Option<&str> {
        self.bucket_names.get(logical_id).map(String::as_str)
    }

    /// The local CloudWatch.
    pub fn cloudwatch(&self) -> &CloudWatch {
        &self.cloudwatch
    }

    /// The local Parameter Store.
    pub fn ssm(&self) -> &Ssm {
        &self.ssm
    }

    /// The event buses, topics, queues and schedules: what passes, what topics have said and what queues hold.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The URL of a function that has one, by its logical id or its name. It ends with a slash, as on AWS.
    pub fn function_url(&self, function: &str) -> Option<String> {
        self.urls.url(function)
    }

    /// The URLs of functions, by the functions' names.
    pub fn function_urls(&self) -> Vec<(String, String)> {
        self.urls.all()
    }

    /// The local S3.
    pub fn s3(&self) -> &LocalS3 {
        &self.s3
    }

    /// The names of the template's buckets, such as that of the functions' state.
    pub fn buckets(&self) -> &[String] {
        &self.buckets
    }

    /// How often each call has reached the endpoint.
    pub fn calls(&self) -> HashMap<Call, u64> {
        self.calls.all()
    }

    /// The rights of their roles that functions used, such as `s3:GetObject`: the function's logical id and the action.
    pub fn rights_used(&self) -> BTreeSet<(String, String)> {
        self.rights.used()
    }

    /// The folder below which everything is kept.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Creates the pipeline of a definition, or updates it where it exists, with the bucket of its artifact store.
    /// The deployment groups of its CodeDeploy actions are served from then on; the default of a variable that is named
    /// after one, such as `StagingUrl`, becomes the address of its local instance.
    ///
    /// The definition is the JSON that `aws codepipeline get-pipeline` prints; its `metadata` is ignored. Gives the
    /// pipeline's name.
    ///
    /// # Errors
    ///
    /// The answer of CreatePipeline or UpdatePipeline, or that a bucket or a server cannot be made.
    pub async fn put_pipeline(&self, definition: &Value) -> Result<String, StartError> {
        let pipeline = definition.get("pipeline").unwrap_or(definition);
        let name = pipeline["name"].as_str().unwrap_or_default().to_owned();
        if let Some(bucket) = pipeline["artifactStore"]["location"].as_str() {
            self.s3.create_bucket(bucket).await.map_err(StartError)?;
        }
        self.serve_instances(pipeline).await?;
        let pipeline = self.with_local_urls(pipeline);
        let exists = self.codepipeline.call("GetPipeline", json!({"name": name})).await.is_ok();
        let operation = if exists { "UpdatePipeline" } else { "CreatePipeline" };
        let done = self.codepipeline.call(operation, json!({"pipeline": pipeline})).await;
        done.map_err(|error: ApiError| StartError(format!("create the pipeline {name:?}: {error}")))?;
        Ok(name)
    }

    /// The definition with local defaults of variables named after a deployment group, such as `StagingUrl`: on AWS the
    /// default is where that group is reached, and here it is where its local instance is served.
    fn with_local_urls(&self, pipeline: &Value) -> Value {
        let mut pipeline = pipeline.clone();
        let urls: Vec<_> = actions(&pipeline)
            .filter(|action| action["actionTypeId"]["provider"] == "CodeDeploy")
            .filter_map(|action| {
                let setting = |key: &str| action["configuration"][key].as_str();
                let (application, group) = (setting("ApplicationName")?, setting("DeploymentGroupName")?);
                Some((format!("{group}Url"), self.instance_url(application, group)?))
            })
            .collect();
        for variable in pipeline["variables"].as_array_mut().into_iter().flatten() {
            if let Some((_, url)) = urls.iter().find(|(name, _)| variable["name"] == *name) {
                variable["defaultValue"] = json!(url);
            }
        }
        pipeline
    }

    async fn serve_instances(&self, pipeline: &Value) -> Result<(), StartError> {
        for action in actions(pipeline).filter(|action| action["actionTypeId"]["provider"] == "CodeDeploy") {
            let setting = |key: &str| action["configuration"][key].as_str().unwrap_or_default();
            let served = self.deploy.serve(setting("ApplicationName"), setting("DeploymentGroupName")).await;
            served.map_err(|failure| StartError(format!("serve the instances: {}", failure.message)))?;
        }
        Ok(())
    }

    /// Where the instances of a deployment group are served, or its ECS service is, if they are.
    pub fn instance_url(&self, application: &str, deployment_group: &str) -> Option<String> {
        let service = || self.codedeploy.service_url(application, deployment_group);
        self.servers.url(application, deployment_group).or_else(service)
    }

    /// Ends everything. Returns when no process is left.
    pub async fn shutdown(&self) {
        self.codepipeline.shutdown().await;
        self.codebuild.shutdown().await;
        self.codedeploy.shutdown().await;
        self.bus.shutdown().await;
        self.lambda.shutdown().await;
    }
}

/// All actions of a pipeline definition, in the order of its stages.
pub fn actions(pipeline: &Value) -> impl Iterator<Item = &Value> {
    pipeline["stages"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|stage| stage["actions"].as_array().into_iter().flatten())
}
