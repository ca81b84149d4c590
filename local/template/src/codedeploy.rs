//! `AWS::CodeDeploy::Application` and `AWS::CodeDeploy::DeploymentGroup`.

use crate::error::{Problem, Result};
use crate::properties::{Properties, list};
use crate::resources::Identity;

/// `AWS::CodeDeploy::Application`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The application's name.
    pub name: String,
    /// `Server`, `Lambda` or `ECS`.
    pub platform: String,
}

/// `AWS::CodeDeploy::DeploymentGroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentGroup {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The group's name.
    pub name: String,
    /// The application's name.
    pub application: String,
    /// `DeploymentConfigName`.
    pub config: Option<String>,
    /// `ServiceRoleArn`.
    pub service_role: String,
    /// The events that roll a deployment back, such as `DEPLOYMENT_FAILURE`; none where that is off.
    pub rollback_on: Vec<String>,
    /// The cluster and the service of an ECS deployment.
    pub service: Option<(String, String)>,
    /// The ARN of the listener that has the production traffic of an ECS service.
    pub production_listener: Option<String>,
    /// The ARN of the listener that has its test traffic.
    pub test_listener: Option<String>,
}

const GROUP: &str = "AWS::CodeDeploy::DeploymentGroup";

const READ: [&str; 8] = [
    "ApplicationName",
    "AutoRollbackConfiguration",
    "DeploymentConfigName",
    "DeploymentGroupName",
    "DeploymentStyle",
    "ECSServices",
    "LoadBalancerInfo",
    "ServiceRoleArn",
];

/// What changes nothing here: there are no instances to be chosen and nothing that is terminated later.
const WITHOUT_EFFECT: [&str; 10] = [
    "AutoScalingGroups",
    "BlueGreenDeploymentConfiguration",
    "Ec2TagFilters",
    "Ec2TagSet",
    "OnPremisesInstanceTagFilters",
    "OnPremisesTagSet",
    "OutdatedInstancesStrategy",
    "Tags",
    "TerminationHookEnabled",
    "TriggerConfigurations",
];

pub(crate) fn read_application(properties: Properties<'_>, identity: Identity<'_>) -> Result<Application> {
    properties.only(&["ApplicationName", "ComputePlatform", "Tags"], "AWS::CodeDeploy::Application")?;
    let platform = properties.one_of("ComputePlatform", &["ECS", "Lambda", "Server"])?;
    Ok(Application {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        platform: platform.unwrap_or_else(|| "Server".to_owned()),
    })
}

pub(crate) fn read_deployment_group(properties: Properties<'_>, identity: Identity<'_>) -> Result<DeploymentGroup> {
    properties.only_in(&[&READ, &WITHOUT_EFFECT], GROUP)?;
    let (production_listener, test_listener) = read_listeners(properties)?;
    Ok(DeploymentGroup {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        application: properties.require_string("ApplicationName", GROUP)?,
        config: properties.string("DeploymentConfigName")?,
        service_role: properties.require_string("ServiceRoleArn", GROUP)?,
        rollback_on: read_rollback(properties)?,
        service: read_service(properties)?,
        production_listener,
        test_listener,
    })
}

fn read_rollback(properties: Properties<'_>) -> Result<Vec<String>> {
    let Some(given) = properties.mapping("AutoRollbackConfiguration")? else { return Ok(Vec::new()) };
    given.only(&["Enabled", "Events"], "`AutoRollbackConfiguration`")?;
    let events = given.strings("Events")?;
    Ok(if given.boolean("Enabled")?.unwrap_or_default() { events } else { Vec::new() })
}

fn read_service(properties: Properties<'_>) -> Result<Option<(String, String)>> {
    let Some(node) = properties.get("ECSServices") else { return Ok(None) };
    let [service] = list(node, "ECSServices")? else {
        return Err(Problem::at(node.position, "a deployment group has one ECS service"));
    };
    let service = Properties::of(service, "an ECS service")?;
    service.only(&["ClusterName", "ServiceName"], "an ECS service")?;
    let cluster = service.require_string("ClusterName", "an ECS service")?;
    Ok(Some((cluster, service.require_string("ServiceName", "an ECS service")?)))
}

/// The listeners of the one pair of target groups.
fn read_listeners(properties: Properties<'_>) -> Result<(Option<String>, Option<String>)> {
    let Some(balancer) = properties.mapping("LoadBalancerInfo")? else { return Ok((None, None)) };
    let known = ["ElbInfoList", "TargetGroupInfoList", "TargetGroupPairInfoList"];
    balancer.only(&known, "`LoadBalancerInfo`")?;
    let Some(node) = balancer.get("TargetGroupPairInfoList") else { return Ok((None, None)) };
    let [pair] = list(node, "TargetGroupPairInfoList")? else {
        return Err(Problem::at(node.position, "a deployment group has one pair of target groups"));
    };
    let pair = Properties::of(pair, "a pair of target groups")?;
    pair.only(&["ProdTrafficRoute", "TargetGroups", "TestTrafficRoute"], "a pair of target groups")?;
    Ok((read_route(pair, "ProdTrafficRoute")?, read_route(pair, "TestTrafficRoute")?))
}

fn read_route(pair: Properties<'_>, key: &str) -> Result<Option<String>> {
    let Some(route) = pair.mapping(key)? else { return Ok(None) };
    route.only(&["ListenerArns"], key)?;
    let arns = route.strings("ListenerArns")?;
    match arns.as_slice() {
        [one] => Ok(Some(one.clone())),
        _ => Err(Problem::at(route.position, format!("`{key}` has one listener"))),
    }
}
