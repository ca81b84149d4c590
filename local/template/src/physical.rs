//! What `Ref` and `Fn::GetAtt` give for a resource: its name and ARN here.
//!
//! Where a template leaves the name to CloudFormation, which adds random characters, the name here is
//! `STACK-LogicalId` without them, so that it is the same each time.

use crate::settings::Settings;

/// What `Ref` gives for a resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefGives {
    Name,
    Arn,
    /// The queue's URL.
    QueueUrl,
}

/// One resource type: its name property, the part of the ARN after `arn:PARTITION:`, and what `Ref` gives.
/// In the ARN, `R` stands for the Region, `A` for the account and `N` for the name.
struct ResourceType {
    name: &'static str,
    name_property: &'static str,
    arn: &'static str,
    ref_gives: RefGives,
}

const fn resource_type(
    name: &'static str,
    name_property: &'static str,
    arn: &'static str,
    ref_gives: RefGives,
) -> ResourceType {
    ResourceType { name, name_property, arn, ref_gives }
}

/// CloudFormation's resource reference, "Return values", of each type.
const TYPES: [ResourceType; 34] = [
    resource_type("AWS::CloudWatch::Alarm", "AlarmName", "cloudwatch:R:A:alarm:N", RefGives::Name),
    resource_type("AWS::CloudWatch::Dashboard", "DashboardName", "cloudwatch::A:dashboard/N", RefGives::Name),
    resource_type("AWS::CodeBuild::Project", "Name", "codebuild:R:A:project/N", RefGives::Name),
    resource_type("AWS::CodeBuild::ReportGroup", "Name", "codebuild:R:A:report-group/N", RefGives::Arn),
    resource_type(
        "AWS::CodeConnections::Connection",
        "ConnectionName",
        "codeconnections:R:A:connection/N",
        RefGives::Arn,
    ),
    resource_type("AWS::CodeDeploy::Application", "ApplicationName", "codedeploy:R:A:application:N", RefGives::Name),
    resource_type(
        "AWS::CodeDeploy::DeploymentGroup",
        "DeploymentGroupName",
        "codedeploy:R:A:deploymentgroup:N",
        RefGives::Name,
    ),
    resource_type("AWS::CodePipeline::Pipeline", "Name", "codepipeline:R:A:N", RefGives::Name),
    resource_type("AWS::DynamoDB::Table", "TableName", "dynamodb:R:A:table/N", RefGives::Name),
    resource_type("AWS::EC2::SecurityGroup", "GroupName", "ec2:R:A:security-group/N", RefGives::Name),
    resource_type("AWS::ECR::Repository", "RepositoryName", "ecr:R:A:repository/N", RefGives::Name),
    resource_type("AWS::ECS::Cluster", "ClusterName", "ecs:R:A:cluster/N", RefGives::Name),
    resource_type("AWS::ECS::Service", "ServiceName", "ecs:R:A:service/N", RefGives::Arn),
    resource_type("AWS::ECS::TaskDefinition", "Family", "ecs:R:A:task-definition/N:1", RefGives::Arn),
    resource_type(
        "AWS::ElasticLoadBalancingV2::Listener",
        "",
        "elasticloadbalancing:R:A:listener/app/N",
        RefGives::Arn,
    ),
    resource_type(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Name",
        "elasticloadbalancing:R:A:loadbalancer/app/N",
        RefGives::Arn,
    ),
    resource_type(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Name",
        "elasticloadbalancing:R:A:targetgroup/N",
        RefGives::Arn,
    ),
    resource_type("AWS::Events::EventBus", "Name", "events:R:A:event-bus/N", RefGives::Name),
    resource_type("AWS::Events::Rule", "Name", "events:R:A:rule/N", RefGives::Name),
    resource_type("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "iam::A:policy/N", RefGives::Arn),
    resource_type("AWS::IAM::Role", "RoleName", "iam::A:role/N", RefGives::Name),
    resource_type("AWS::KMS::Key", "", "kms:R:A:key/N", RefGives::Name),
    resource_type("AWS::Lambda::Function", "FunctionName", "lambda:R:A:function:N", RefGives::Name),
    resource_type("AWS::Lambda::LayerVersion", "LayerName", "lambda:R:A:layer:N:1", RefGives::Arn),
    resource_type("AWS::Logs::LogGroup", "LogGroupName", "logs:R:A:log-group:N:*", RefGives::Name),
    resource_type("AWS::S3::Bucket", "BucketName", "s3:::N", RefGives::Name),
    resource_type("AWS::SNS::Topic", "TopicName", "sns:R:A:N", RefGives::Arn),
    resource_type("AWS::SQS::Queue", "QueueName", "sqs:R:A:N", RefGives::QueueUrl),
    resource_type("AWS::SSM::Parameter", "Name", "ssm:R:A:parameter/N", RefGives::Name),
    resource_type("AWS::Scheduler::Schedule", "Name", "scheduler:R:A:schedule/default/N", RefGives::Name),
    resource_type("AWS::Scheduler::ScheduleGroup", "Name", "scheduler:R:A:schedule-group/N", RefGives::Name),
    resource_type("AWS::SecretsManager::Secret", "Name", "secretsmanager:R:A:secret:N", RefGives::Arn),
    resource_type("AWS::Serverless::Function", "FunctionName", "lambda:R:A:function:N", RefGives::Name),
    resource_type("AWS::Serverless::LayerVersion", "LayerName", "lambda:R:A:layer:N:1", RefGives::Arn),
];

fn find(resource_type: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == resource_type)
}

/// The property that gives a resource of this type its name.
pub(crate) fn name_property(resource_type: &str) -> Option<&'static str> {
    find(resource_type).map(|known| known.name_property).filter(|property| !property.is_empty())
}

/// The name of a resource that the template gives none.
pub(crate) fn default_name(settings: &Settings, resource_type: &str, logical_id: &str) -> String {
    match resource_type {
        // SAM names a layer after its logical id; the names of buckets and repositories have no capital letters.
        "AWS::Serverless::LayerVersion" => logical_id.to_owned(),
        "AWS::S3::Bucket" | "AWS::ECR::Repository" => format!("{}-{logical_id}", settings.stack_name).to_lowercase(),
        _ => format!("{}-{logical_id}", settings.stack_name),
    }
}

/// `aws`, or the partition of a Region in China or for the US government.
pub(crate) fn partition(settings: &Settings) -> &'static str {
    match settings.region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if settings.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// `AWS::URLSuffix`.
pub(crate) fn url_suffix(settings: &Settings) -> &'static str {
    if partition(settings) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The ARN of a resource of a known type.
pub(crate) fn arn(settings: &Settings, resource_type: &str, name: &str) -> Option<String> {
    let pattern = find(resource_type)?.arn;
    let mut arn = format!("arn:{}:", partition(settings));
    // A parameter's name may start with a slash, which is there only once.
    let name = if resource_type == "AWS::SSM::Parameter" { name.trim_start_matches('/') } else { name };
    for (index, part) in pattern.split(':').enumerate() {
        if index > 0 {
            arn.push(':');
        }
        match part {
            "R" => arn.push_str(&settings.region),
            "A" => arn.push_str(&settings.account_id),
            "N" => arn.push_str(name),
            _ => match part.strip_suffix("/N") {
                Some(kind) => arn.push_str(&format!("{kind}/{name}")),
                None => arn.push_str(part),
            },
        }
    }
    Some(arn)
}

/// The URL of a queue.
pub(crate) fn queue_url(settings: &Settings, name: &str) -> String {
    let of_region = || format!("https://sqs.{}.{}", settings.region, url_suffix(settings));
    let endpoint = settings.queue_endpoint.clone().unwrap_or_else(of_region);
    format!("{endpoint}/{}/{name}", settings.account_id)
}

/// The URL of a function, where nothing says what it really is.
pub(crate) fn function_url(settings: &Settings, function: &str) -> String {
    let suffix = if partition(settings) == "aws-cn" { "amazonaws.com.cn" } else { "on.aws" };
    format!("https://{}.lambda-url.{}.{suffix}/", function.to_lowercase(), settings.region)
}

/// What `Ref` gives. A type that is not known has its name for it, as most have.
pub(crate) fn reference(settings: &Settings, resource_type: &str, name: &str) -> String {
    match find(resource_type).map(|known| known.ref_gives) {
        Some(RefGives::Arn) => arn(settings, resource_type, name).unwrap_or_else(|| name.to_owned()),
        Some(RefGives::QueueUrl) => queue_url(settings, name),
        Some(RefGives::Name) | None => name.to_owned(),
    }
}

/// What `Fn::GetAtt` gives; `None` for an attribute that is not known here.
pub(crate) fn attribute(settings: &Settings, resource_type: &str, name: &str, attribute: &str) -> Option<String> {
    let known = find(resource_type)?;
    match (known.name, attribute) {
        ("AWS::SNS::Topic", "TopicArn") | ("AWS::Lambda::LayerVersion", "LayerVersionArn") | (_, "Arn") => {
            // A layer has no attribute `Arn`, nor has a topic.
            let has_arn = !matches!((known.name, attribute), ("AWS::SNS::Topic" | "AWS::Lambda::LayerVersion", "Arn"));
            arn(settings, resource_type, name).filter(|_| has_arn)
        }
        ("AWS::SNS::Topic", "TopicName") | ("AWS::SQS::Queue", "QueueName") | ("AWS::Events::EventBus", "Name") => {
            Some(name.to_owned())
        }
        ("AWS::SQS::Queue", "QueueUrl") => Some(queue_url(settings, name)),
        // What would be an id on AWS is the name here.
        ("AWS::EC2::SecurityGroup", "GroupId") => Some(name.to_owned()),
        ("AWS::ECS::Service", "Name") | ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupName") => {
            Some(name.to_owned())
        }
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "DNSName") => {
            Some(format!("{name}.{}.elb.{}", settings.region, url_suffix(settings)).to_lowercase())
        }
        ("AWS::ECR::Repository", "RepositoryUri") => {
            Some(format!("{}.dkr.ecr.{}.{}/{name}", settings.account_id, settings.region, url_suffix(settings)))
        }
        ("AWS::S3::Bucket", "DomainName") => Some(format!("{name}.s3.{}", url_suffix(settings))),
        ("AWS::S3::Bucket", "RegionalDomainName") => {
            Some(format!("{name}.s3.{}.{}", settings.region, url_suffix(settings)))
        }
        _ => None,
    }
}
