//! A template with a pipeline and what it builds and deploys with, as a stack beside that of the functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_actions::Project;
use stagegate_local_codedeploy::Listeners;
use stagegate_local_template::{DeploymentGroup, Listener, Pipeline, Settings, Template, read_template};
use tokio::net::TcpListener;

use crate::{LocalAws, StartError};

/// What only AWS needs: rights, networks, images, and containers, for which files stand in.
const WITHOUT_EFFECT: [&str; 13] = [
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodeConnections::Connection",
    "AWS::CodeStarConnections::Connection",
    "AWS::EC2::SecurityGroup",
    "AWS::ECR::Repository",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::S3::BucketPolicy",
];

/// A template to be created as a stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The template.
    pub template: PathBuf,
    /// The stack's name.
    pub name: String,
    /// Values for the template's parameters, in place of their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// What a stack has created.
#[derive(Clone, Debug, Default)]
pub struct CreatedStack {
    /// The definitions of its pipelines, as they were created.
    pub pipelines: Vec<Value>,
    /// The names of its CodeBuild projects.
    pub build_projects: Vec<String>,
    /// Application and name of its deployment groups.
    pub deployment_groups: Vec<(String, String)>,
    /// Resources that are not there on this machine, each with its type.
    pub absent: Vec<String>,
}

/// The ports that the listeners of load balancers have here.
#[derive(Default)]
struct Ports {
    /// By the listener's ARN.
    listeners: BTreeMap<String, TcpListener>,
    /// By the parameter that the template takes the port from.
    parameters: BTreeMap<String, u16>,
}

impl LocalAws {
    /// Reads a template and creates what it declares: buckets, parameters of the Parameter Store, CodeBuild projects,
    /// CodeDeploy applications with their deployment groups, and pipelines. What is there already is changed.
    ///
    /// `Fn::ImportValue` takes the exports of the functions' template. Each listener of a load balancer has a loopback port,
    /// any free one where its port is a parameter without a given value; the parameter then has that port, and the DNS name of
    /// the balancer is the loopback address.
    ///
    /// # Errors
    ///
    /// If the template cannot be read, which names the place; if a service refuses what it declares; if it declares functions,
    /// topics or queues, which only the functions' template can.
    pub async fn create_stack(&self, stack: &Stack) -> Result<CreatedStack, StartError> {
        let (template, mut ports) = self.read_stack(stack).await?;
        refuse_messaging(&template, &stack.template)?;
        for bucket in &template.buckets {
            self.s3.create_bucket(&bucket.name).await.map_err(StartError)?;
        }
        for parameter in &template.stored_parameters {
            let input = json!({
                "Name": parameter.name, "Value": parameter.value, "Type": parameter.kind, "Overwrite": true,
            });
            let stored = self.ssm.call("PutParameter", &input);
            stored.map_err(|error| StartError(format!("create {}: {error}", parameter.logical_id)))?;
        }
        let mut created = CreatedStack { absent: absent(&template), ..CreatedStack::default() };
        for project in &template.build_projects {
            let default = Project::default();
            let settings = Project {
                buildspec: project.buildspec.clone().unwrap_or(default.buildspec),
                environment: project.environment.clone(),
                timeout: Duration::from_secs(project.timeout_minutes * 60),
            };
            self.build.put_project(&project.name, settings);
            created.build_projects.push(project.name.clone());
        }
        for group in &template.deployment_groups {
            self.create_deployment_group(&template, group, &mut ports.listeners).await?;
            created.deployment_groups.push((group.application.clone(), group.name.clone()));
        }
        for pipeline in &template.pipelines {
            self.create_pipeline(pipeline, &stack.template).await?;
            created.pipelines.push(pipeline.definition.clone());
        }
        Ok(created)
    }

    /// Reads the template twice: first to learn which listeners there are, then, with a port for each of them, to give the
    /// addresses to whoever refers to them.
    async fn read_stack(&self, stack: &Stack) -> Result<(Template, Ports), StartError> {
        let mut settings = Settings {
            region: self.region.clone(),
            stack_name: stack.name.clone(),
            parameters: stack.parameters.clone(),
            imports: self.exports.clone(),
            made_up_networks: true,
            queue_endpoint: Some(self.endpoint_url()),
            ..Settings::default()
        };
        let read = |settings: &Settings| {
            read_template(&stack.template, settings).map_err(|error| StartError(error.to_string()))
        };
        let first = read(&settings)?;
        let mut ports = Ports::default();
        for listener in &first.listeners {
            let given = listener.port_parameter.as_ref().is_none_or(|name| stack.parameters.contains_key(name));
            ports.open(listener, given).await.map_err(StartError)?;
        }
        let names = first.load_balancers.iter().map(|balancer| format!("{balancer}.DNSName"));
        settings.attributes.extend(names.map(|name| (name, "127.0.0.1".to_owned())));
        settings.parameters.extend(ports.parameters.iter().map(|(name, port)| (name.clone(), port.to_string())));
        Ok((read(&settings)?, ports))
    }

    async fn create_deployment_group(
        &self,
        template: &Template,
        group: &DeploymentGroup,
        listeners: &mut BTreeMap<String, TcpListener>,
    ) -> Result<(), StartError> {
        let failed = |why: String| StartError(format!("create {}: {why}", group.logical_id));
        let application = template.applications.iter().find(|known| known.name == group.application);
        let application = application.ok_or_else(|| {
            failed(format!("the template declares no CodeDeploy application {}, which it names", group.application))
        })?;
        if application.platform == "Server" {
            let served = self.deploy.serve(&group.application, &group.name).await;
            return served.map(|_| ()).map_err(|failure| failed(failure.message));
        }
        let input = json!({"applicationName": application.name, "computePlatform": application.platform});
        self.create_once("CreateApplication", input).await.map_err(&failed)?;
        let mut input = json!({
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "serviceRoleArn": group.service_role,
            "autoRollbackConfiguration": {"enabled": !group.rollback_on.is_empty(), "events": group.rollback_on},
        });
        if let Some(config) = &group.config {
            input["deploymentConfigName"] = config.as_str().into();
        }
        if let Some((cluster, service)) = &group.service {
            input["ecsServices"] = json!([{"clusterName": cluster, "serviceName": service}]);
        }
        self.create_once("CreateDeploymentGroup", input).await.map_err(&failed)?;
        let Some(arn) = &group.production_listener else { return Ok(()) };
        let mut take = |arn: &String| {
            let missing =
                || failed(format!("the listener {arn} is none of this template, or has another group already"));
            listeners.remove(arn).ok_or_else(missing)
        };
        let production = take(arn)?;
        let test = group.test_listener.as_ref().map(take).transpose()?;
        self.codedeploy.serve(&group.application, &group.name, Listeners { production, test }).map_err(failed)
    }

    /// Calls CodeDeploy; that something exists already is no failure.
    async fn create_once(&self, operation: &str, input: Value) -> Result<(), String> {
        match self.codedeploy.call(operation, input).await {
            Err(error) if !error.code.ends_with("AlreadyExistsException") => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    async fn create_pipeline(&self, pipeline: &Pipeline, template: &Path) -> Result<(), StartError> {
        let failed = |why: String| StartError(format!("{why} ({}:{})", template.display(), pipeline.position));
        self.put_pipeline(&pipeline.definition).await.map_err(|error| failed(error.0))?;
        for (stage, reason) in &pipeline.disabled_transitions {
            let input = json!({
                "pipelineName": pipeline.name, "stageName": stage, "transitionType": "Inbound", "reason": reason,
            });
            let disabled = self.codepipeline.call("DisableStageTransition", input).await;
            disabled.map_err(|error| failed(format!("disable the transition into {stage}: {error}")))?;
        }
        Ok(())
    }
}

impl Ports {
    /// Opens the port of a listener: exactly the one that it has in the template where that was `given`, else any free one.
    async fn open(&mut self, listener: &Listener, given: bool) -> Result<(), String> {
        let (id, port) = (&listener.logical_id, if given { listener.port } else { 0 });
        let opened = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
            let hint = match listener.port_parameter {
                Some(_) => "name another port, or none",
                None => "take it from a parameter, and any free port will do",
            };
            format!("open the port {port} of the listener {id}: {error}; {hint}")
        })?;
        let port = opened.local_addr().map_err(|error| format!("open the port of the listener {id}: {error}"))?.port();
        if let Some(parameter) = &listener.port_parameter
            && self.parameters.insert(parameter.clone(), port).is_some()
        {
            return Err(format!(
                "open the port of the listener {id}: another listener takes its port from {parameter} too, and here all are on \
                 one machine; give each a parameter of its own"
            ));
        }
        self.listeners.insert(listener.arn.clone(), opened);
        Ok(())
    }
}

/// What is wired when everything starts cannot come with a later stack.
fn refuse_messaging(template: &Template, file: &Path) -> Result<(), StartError> {
    let kinds = [
        ("functions", template.functions.len()),
        ("topics", template.topics.len()),
        ("queues", template.queues.len()),
        ("event buses", template.event_buses.len()),
    ];
    match kinds.into_iter().find(|(_, count)| *count > 0) {
        Some((kind, _)) => Err(StartError(format!(
            "create the stack of {}: it declares {kind}, which only the template of the functions can on this machine",
            file.display()
        ))),
        None => Ok(()),
    }
}

fn absent(template: &Template) -> Vec<String> {
    let others =
        template.other_resources.iter().filter(|other| !WITHOUT_EFFECT.contains(&other.resource_type.as_str()));
    let others = others.map(|other| format!("{} ({})", other.logical_id, other.resource_type));
    let rules = template.rules.iter().map(|rule| format!("{} (AWS::Events::Rule)", rule.logical_id));
    let schedules = template.schedules.iter().map(|one| format!("{} (AWS::Scheduler::Schedule)", one.logical_id));
    others.chain(rules).chain(schedules).collect()
}
