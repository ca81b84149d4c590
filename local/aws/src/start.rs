//! Starting the local AWS: first what everything stands on, then what builds and deploys, then CodePipeline, which uses
//! both, and last the endpoint.

use std::sync::Arc;

use serde_json::Value;
use stagegate_local_actions::{
    CodeBuildProvider, CodeDeployProvider, CommandsProvider, InstanceServers, S3DeployProvider, ServiceEvent,
    ServiceEvents, SourceProvider,
};
use stagegate_local_cloudwatch::CloudWatch;
use stagegate_local_codebuild::CodeBuild;
use stagegate_local_codedeploy::{CodeDeploy, EcsDeployProvider, Setup};
use stagegate_local_codepipeline::provider::ActionProvider;
use stagegate_local_codepipeline::{CodePipeline, Settings};
use stagegate_local_events::{Bus, Destinations};
use stagegate_local_lambda::{HostOptions, LambdaHost, LogFiles};
use stagegate_local_ssm::Ssm;
use stagegate_local_template::Template;
use tokio::net::TcpListener;

use crate::alarms::CloudWatchAlarms;
use crate::calls::Calls;
use crate::credentials::Credentials;
use crate::endpoint::{Endpoint, JsonService, Services};
use crate::functions;
use crate::invoker::Invoker;
use crate::options::Options;
use crate::rights::{Rights, check_destinations};
use crate::s3::LocalS3;
use crate::urls::Urls;
use crate::wired_template::WiredTemplate;
use crate::{LocalAws, StartError};

/// The providers whose actions take a revision from outside; a local folder stands in for all of them.
const SOURCES: [&str; 5] = ["CodeStarSourceConnection", "CodeCommit", "GitHub", "S3", "ECR"];

type Provider = (&'static str, &'static str, Arc<dyn ActionProvider>);

pub(crate) async fn start(options: Options) -> Result<LocalAws, StartError> {
    let ground = Ground::lay(&options).await?;
    let works = Works::build(&options, &ground);
    let settings = Settings { region: options.region.clone(), ..Settings::default() };
    let cloudwatch = CloudWatch::new(options.clock.clone(), &settings.region, &settings.account_id);
    let ssm = Ssm::new(options.clock.clone(), &settings.region, &settings.account_id);
    let codepipeline = codepipeline(&options, settings, &ground, &works, &cloudwatch).await?;
    let Ground { s3, listener, template, lambda, urls, bus, credentials, rights } = ground;
    let Works { build, codebuild, codedeploy, deploy, servers, .. } = works;
    let calls = Calls::of(credentials.functions());
    let json = |prefix, name, router| JsonService { prefix, name, router };
    let services = Services {
        calls: calls.clone(),
        faults: options.call_faults.clone(),
        rights: rights.clone(),
        json: vec![
            json("CodePipeline_", "codepipeline", stagegate_local_codepipeline::router(codepipeline.clone())),
            json("CodeBuild_", "codebuild", stagegate_local_codebuild::router(codebuild.clone())),
            json("CodeDeploy_", "codedeploy", stagegate_local_codedeploy::router(codedeploy.clone())),
            json("AWSEvents.", "events", bus.eventbridge()),
            json("AmazonSQS.", "sqs", bus.sqs()),
            json(
                "GraniteServiceVersion20100801.",
                "cloudwatch",
                stagegate_local_cloudwatch::router(cloudwatch.clone()),
            ),
            json("AmazonSSM.", "ssm", stagegate_local_ssm::router(ssm.clone())),
        ],
        lambda: stagegate_local_lambda::router(lambda.clone()),
        sns: bus.sns(),
        s3: s3.service(Arc::new(credentials.with_jobs(codepipeline.clone()))),
    };
    let endpoint = Endpoint::serve(listener, services).map_err(StartError)?;
    let names = template.buckets.iter().map(|bucket| (bucket.logical_id.clone(), bucket.name.clone()));
    Ok(LocalAws {
        codepipeline,
        codebuild,
        codedeploy,
        lambda,
        ssm,
        cloudwatch,
        bucket_names: names.collect(),
        bus,
        urls,
        s3,
        build,
        deploy,
        servers,
        endpoint,
        data: options.data,
        region: options.region,
        exports: template.exports(),
        buckets: template.buckets.into_iter().map(|bucket| bucket.name).collect(),
        calls,
        rights,
    })
}

/// What everything stands on: the template, its buckets and functions, and what passes between them.
struct Ground {
    s3: LocalS3,
    /// The port of the endpoint, on which nothing is served yet.
    listener: TcpListener,
    template: Template,
    lambda: LambdaHost,
    urls: Urls,
    bus: Bus,
    credentials: Credentials,
    rights: Rights,
}

impl Ground {
    async fn lay(options: &Options) -> Result<Self, StartError> {
        let s3 = LocalS3::open(&options.data.join("s3")).map_err(StartError)?;
        let listener = Endpoint::bind(options.port).await.map_err(StartError)?;
        let address =
            listener.local_addr().map_err(|error| StartError(format!("find out the endpoint's port: {error}")))?;
        let endpoint_url = format!("http://{address}");
        let WiredTemplate { template, settings, ports } =
            WiredTemplate::read(options, &endpoint_url).await.map_err(StartError)?;
        for bucket in &template.buckets {
            s3.create_bucket(&bucket.name).await.map_err(StartError)?;
        }
        let (destinations, results) = Destinations::new();
        let lambda = LambdaHost::new(
            options.clock.clone(),
            HostOptions {
                logs: Arc::new(LogFiles::new(options.data.join("logs/lambda"))),
                destinations,
                observer: options.attempt_observer.clone(),
                tells_time: true,
                traces: true,
                faults: options.invoke_faults.clone(),
            },
        );
        let mut credentials = Credentials::new();
        let functions = functions::configure(&template, options, &endpoint_url, &mut credentials);
        check_destinations(&template, &settings).map_err(StartError)?;
        let rights = Rights::of(&template, &settings, &credentials.functions());
        for function in functions.map_err(StartError)? {
            lambda.create_function(function).map_err(|error| StartError(error.to_string()))?;
        }
        let urls = Urls::serve(&template, ports, &lambda, options.form_body).map_err(StartError)?;
        let (clock, fault) = (options.clock.clone(), options.delivery_fault.clone());
        let bus = Bus::start(&template, &settings, clock, lambda.clone(), results, fault);
        let bus = bus.map_err(|error| StartError(error.to_string()))?;
        Ok(Self { s3, listener, template, lambda, urls, bus, credentials, rights })
    }

    /// What builds and deployments tell goes to the default event bus.
    fn service_events(&self) -> ServiceEvents {
        let bus = self.bus.clone();
        ServiceEvents::new(move |event: ServiceEvent| {
            bus.put_service_event(event.source, event.detail_type, &event.resources, event.detail);
        })
    }
}

/// What builds and deploys, with the APIs over it.
struct Works {
    bucket: Arc<LocalS3>,
    build: Arc<CodeBuildProvider>,
    codebuild: CodeBuild,
    deploy: Arc<CodeDeployProvider>,
    codedeploy: CodeDeploy,
    servers: InstanceServers,
}

impl Works {
    fn build(options: &Options, ground: &Ground) -> Self {
        let (clock, bucket) = (&options.clock, Arc::new(ground.s3.clone()));
        let servers = InstanceServers::new(None);
        let deploy = CodeDeployProvider::new(&options.data, bucket.clone(), clock.clone(), servers.clone());
        let deploy = Arc::new(deploy.with_events(ground.service_events()));
        let build = CodeBuildProvider::new(&options.data, bucket.clone(), clock.clone());
        let build = match &options.log_listener {
            Some(listener) => build.with_log_listener(listener.clone()),
            None => build,
        };
        let build = match &options.log_pages {
            Some(pages) => build.with_log_pages(pages),
            None => build,
        };
        let build = Arc::new(build.with_events(ground.service_events()));
        let functions = ground.template.functions.iter();
        let codedeploy = CodeDeploy::new(Setup {
            clock: clock.clone(),
            lambda: ground.lambda.clone(),
            function_names: functions.map(|one| (one.logical_id.clone(), one.function_name.clone())).collect(),
            bucket: bucket.clone(),
            in_place: deploy.deployments(),
            events: ground.service_events(),
            region: options.region.clone(),
            services: options.data.join("services"),
        });
        Self { bucket, codebuild: CodeBuild::new(build.clone(), &options.region), build, deploy, codedeploy, servers }
    }

    fn providers(&self, options: &Options) -> Vec<Provider> {
        let (data, clock, bucket) = (&options.data, &options.clock, &self.bucket);
        let ecs = Arc::new(EcsDeployProvider::new(self.codedeploy.clone(), bucket.clone()));
        let mut providers: Vec<Provider> =
            vec![("Deploy", "CodeDeploy", self.deploy.clone()), ("Deploy", "CodeDeployToECS", ecs)];
        if let Some(folder) = &options.source {
            let source = Arc::new(SourceProvider::new(folder, bucket.clone()));
            providers.extend(SOURCES.map(|name| ("Source", name, source.clone() as Arc<dyn ActionProvider>)));
        }
        providers.push(("Build", "CodeBuild", self.build.clone()));
        providers.push(("Test", "CodeBuild", self.build.clone()));
        providers.push(("Deploy", "S3", Arc::new(S3DeployProvider::new(data, bucket.clone(), clock.clone()))));
        providers.push(("Compute", "Commands", Arc::new(CommandsProvider::new(data, bucket.clone(), clock.clone()))));
        providers
    }
}

/// Starts CodePipeline with everything that its actions and rules use, and the custom action types of the template.
async fn codepipeline(
    options: &Options,
    settings: Settings,
    ground: &Ground,
    works: &Works,
    cloudwatch: &CloudWatch,
) -> Result<CodePipeline, StartError> {
    let invoker = Invoker { host: ground.lambda.clone(), change: options.event_change.clone() };
    let mut builder = CodePipeline::builder(options.clock.clone())
        .settings(settings)
        .lambda(Arc::new(invoker))
        .alarms(Arc::new(CloudWatchAlarms(cloudwatch.clone())))
        .events(Arc::new(ground.bus.clone()));
    for (category, name, provider) in works.providers(options) {
        builder = builder.provider(category, name, provider);
    }
    if let Some(faults) = options.codepipeline_faults.clone() {
        builder = builder.faults(faults);
    }
    let codepipeline = builder.start();
    for custom in &ground.template.custom_action_types {
        let input: Value = custom.input.clone();
        let created = codepipeline.call("CreateCustomActionType", input).await;
        created.map_err(|error| StartError(format!("create {}: {error}", custom.logical_id)))?;
    }
    Ok(codepipeline)
}
