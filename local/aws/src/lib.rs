//! The local AWS: CodePipeline, Lambda, S3, CodeBuild, CodeDeploy, EventBridge, SNS, SQS and the Parameter Store on one
//! machine, behind one endpoint, with the functions of a SAM template and what it wires to them.

mod calls;
mod credentials;
mod endpoint;
pub mod faults;
mod functions;
mod invoker;
mod options;
mod s3;
mod urls;
mod wired_template;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use stagegate_local_actions::{
    CodeBuildProvider, CodeDeployProvider, CommandsProvider, InstanceServers, S3DeployProvider, ServiceEvent,
    ServiceEvents, SourceProvider,
};
use stagegate_local_cloudwatch::CloudWatch;
use stagegate_local_codebuild::CodeBuild;
use stagegate_local_codedeploy::{CodeDeploy, EcsDeployProvider, Setup};
use stagegate_local_codepipeline::provider::ActionProvider;
use stagegate_local_codepipeline::{ApiError, CodePipeline, Settings};
use stagegate_local_events::Destinations;
use stagegate_local_lambda::{HostOptions, LambdaHost, LogFiles};
use stagegate_local_ssm::Ssm;
use stagegate_local_template::Template;

pub use calls::Call;
pub use credentials::LOCAL_ACCESS_KEY;
pub use options::{Bootstraps, EventChange, Options};
pub use s3::LocalS3;
pub use stagegate_local_events::{
    Arrival, Bus, DeliveryFault, Message, MessageAttribute, Observation, Origin, Passed, Payload, QueueMessage, Sent,
};
pub use stagegate_local_lambda::FormBody;

use calls::Calls;
use credentials::Credentials;
use endpoint::{Endpoint, JsonService, Services};
use invoker::Invoker;
use urls::Urls;
use wired_template::WiredTemplate;

/// The providers whose actions take a revision from outside; a local folder stands in for all of them.
const SOURCES: [&str; 5] = ["CodeStarSourceConnection", "CodeCommit", "GitHub", "S3", "ECR"];

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
    deploy: Arc<CodeDeployProvider>,
    servers: InstanceServers,
    endpoint: Endpoint,
    data: PathBuf,
    region: String,
    buckets: Vec<String>,
    calls: Calls,
}

impl LocalAws {
    /// Starts everything.
    ///
    /// # Errors
    ///
    /// If the template cannot be read, a function of it cannot be hosted, a folder cannot be made or the port is taken.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let s3 = LocalS3::open(&options.data.join("s3")).map_err(StartError)?;
        let listener = Endpoint::bind(options.port).await.map_err(StartError)?;
        let address =
            listener.local_addr().map_err(|error| StartError(format!("find out the endpoint's port: {error}")))?;
        let logs = Arc::new(LogFiles::new(options.data.join("logs/lambda")));
        let (destinations, results) = Destinations::new();
        let faults = options.invoke_faults.clone();
        let host_options = HostOptions { logs, destinations, tells_time: true, faults, ..HostOptions::default() };
        let lambda = LambdaHost::new(options.clock.clone(), host_options);
        let mut credentials = Credentials::new();
        let endpoint_url = format!("http://{address}");
        let WiredTemplate { template, settings, ports } =
            WiredTemplate::read(&options, &endpoint_url).await.map_err(StartError)?;
        let functions = functions::configure(&template, &options, &endpoint_url, &mut credentials);
        for bucket in &template.buckets {
            s3.create_bucket(&bucket.name).await.map_err(StartError)?;
        }
        for function in functions.map_err(StartError)? {
            lambda.create_function(function).map_err(|error| StartError(error.to_string()))?;
        }
        let urls = Urls::serve(&template, ports, &lambda, options.form_body).map_err(StartError)?;
        let (clock, fault) = (options.clock.clone(), options.delivery_fault.clone());
        let bus = Bus::start(&template, &settings, clock, lambda.clone(), results, fault);
        let bus = bus.map_err(|error| StartError(error.to_string()))?;
        let names = template.buckets.iter().map(|bucket| (bucket.logical_id.clone(), bucket.name.clone()));
        let bucket_names = names.collect();
        let servers = InstanceServers::new(None);
        let bucket: Arc<LocalS3> = Arc::new(s3.clone());
        let events = service_events(&bus);
        let deploy = CodeDeployProvider::new(&options.data, bucket.clone(), options.clock.clone(), servers.clone());
        let deploy = Arc::new(deploy.with_events(events.clone()));
        let build = Arc::new(build_provider(&options, &bucket).with_events(events.clone()));
        let codebuild = CodeBuild::new(build.builds());
        let codedeploy = codedeploy(&options, &template, &lambda, &bucket, &deploy, events);
        let settings = Settings { region: options.region.clone(), ..Settings::default() };
        let cloudwatch = CloudWatch::new(options.clock.clone(), &settings.region, &settings.account_id);
        let cloudwatch_router = stagegate_local_cloudwatch::router(cloudwatch.clone());
        let ssm = Ssm::new(options.clock.clone(), &settings.region, &settings.account_id);
        let ecs = Arc::new(EcsDeployProvider::new(codedeploy.clone(), bucket.clone()));
        let codepipeline = providers(&options, &bucket, build, deploy.clone(), ecs)
            .into_iter()
            .fold(CodePipeline::builder(options.clock.clone()), |builder, (category, name, provider)| {
                builder.provider(category, name, provider)
            })
            .settings(settings)
            .lambda(Arc::new(Invoker { host: lambda.clone(), change: options.event_change.clone() }))
            .events(Arc::new(bus.clone()));
        let codepipeline = match options.codepipeline_faults.clone() {
            Some(faults) => codepipeline.faults(faults),
            None => codepipeline,
        };
        let codepipeline = codepipeline.start();
        for custom in &template.custom_action_types {
            let created = codepipeline.call("CreateCustomActionType", custom.input.clone()).await;
            created.map_err(|error| StartError(format!("create {}: {error}", custom.logical_id)))?;
        }
        let calls = Calls::of(credentials.functions());
        let json = |prefix, name, router| JsonService { prefix, name, router };
        let services = Services {
            calls: calls.clone(),
            faults: options.call_faults.clone(),
            json: vec![
                json("CodePipeline_", "codepipeline", stagegate_local_codepipeline::router(codepipeline.clone())),
                json("CodeBuild_", "codebuild", stagegate_local_codebuild::router(codebuild.clone())),
                json("CodeDeploy_", "codedeploy", stagegate_local_codedeploy::router(codedeploy.clone())),
                json("AWSEvents.", "events", bus.eventbridge()),
                json("AmazonSQS.", "sqs", bus.sqs()),
                json("GraniteServiceVersion20100801.", "cloudwatch", cloudwatch_router),
                json("AmazonSSM.", "ssm", stagegate_local_ssm::router(ssm.clone())),
            ],
            lambda: stagegate_local_lambda::router(lambda.clone()),
            sns: bus.sns(),
            s3: s3.service(Arc::new(credentials.with_jobs(codepipeline.clone()))),
        };
        let endpoint = Endpoint::serve(listener, services).map_err(StartError)?;
        Ok(Self {
            codepipeline,
            codebuild,
            codedeploy,
            lambda,
            ssm,
            cloudwatch,
            bucket_names,
            bus,
            urls,
            s3,
            deploy,
            servers,
            endpoint,
            data: options.data,
            region: options.region,
            buckets: template.buckets.into_iter().map(|bucket| bucket.name).collect(),
            calls,
        })
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

    /// Where the instances of a deployment group are served, if they are.
    pub fn instance_url(&self, application: &str, deployment_group: &str) -> Option<String> {
        self.servers.url(application, deployment_group)
    }

    /// Ends everything. Returns when no process is left.
    pub async fn shutdown(&self) {
        self.codepipeline.shutdown().await;
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

type Provider = (&'static str, &'static str, Arc<dyn ActionProvider>);

/// What builds and deployments tell goes to the default event bus.
fn service_events(bus: &Bus) -> ServiceEvents {
    let bus = bus.clone();
    ServiceEvents::new(move |event: ServiceEvent| {
        bus.put_service_event(event.source, event.detail_type, &event.resources, event.detail);
    })
}

/// The API of deployments, with those that call functions of the template.
fn codedeploy(
    options: &Options,
    template: &Template,
    lambda: &LambdaHost,
    bucket: &Arc<LocalS3>,
    deploy: &CodeDeployProvider,
    events: ServiceEvents,
) -> CodeDeploy {
    let names = template.functions.iter().map(|one| (one.logical_id.clone(), one.function_name.clone()));
    CodeDeploy::new(Setup {
        clock: options.clock.clone(),
        lambda: lambda.clone(),
        function_names: names.collect(),
        bucket: bucket.clone(),
        in_place: deploy.deployments(),
        events,
        region: options.region.clone(),
    })
}

fn build_provider(options: &Options, bucket: &Arc<LocalS3>) -> CodeBuildProvider {
    let build = CodeBuildProvider::new(&options.data, bucket.clone(), options.clock.clone());
    match &options.log_listener {
        Some(listener) => build.with_log_listener(listener.clone()),
        None => build,
    }
}

fn providers(
    options: &Options,
    bucket: &Arc<LocalS3>,
    build: Arc<CodeBuildProvider>,
    deploy: Arc<CodeDeployProvider>,
    ecs: Arc<EcsDeployProvider>,
) -> Vec<Provider> {
    let (data, clock) = (&options.data, &options.clock);
    let mut providers: Vec<Provider> = vec![("Deploy", "CodeDeploy", deploy), ("Deploy", "CodeDeployToECS", ecs)];
    if let Some(folder) = &options.source {
        let source = Arc::new(SourceProvider::new(folder, bucket.clone()));
        providers.extend(SOURCES.map(|name| ("Source", name, source.clone() as Arc<dyn ActionProvider>)));
    }
    providers.push(("Build", "CodeBuild", build.clone()));
    providers.push(("Test", "CodeBuild", build));
    providers.push(("Deploy", "S3", Arc::new(S3DeployProvider::new(data, bucket.clone(), clock.clone()))));
    providers.push(("Compute", "Commands", Arc::new(CommandsProvider::new(data, bucket.clone(), clock.clone()))));
    providers
}
