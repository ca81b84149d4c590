//! From a request to the rights that it needs (AWS Service Authorization Reference).

use std::fmt;

use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A right that a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Such as `s3:GetObject`.
    pub(crate) action: String,
    pub(crate) resource: Resource,
}

/// On what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The action knows no resource: only `"*"` allows it.
    None,
    Arn(String),
    /// Some resource whose ARN begins like this; which one is not known here.
    Below(String),
}

impl Resource {
    pub(super) fn is_in(&self, pattern: &str) -> bool {
        match self {
            Self::None => pattern == "*",
            Self::Arn(arn) => super::matches(pattern, arn),
            Self::Below(start) => pattern == "*" || pattern.starts_with(start.as_str()),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("*"),
            Self::Arn(arn) => f.write_str(arn),
            Self::Below(start) => write!(f, "{start}*"),
        }
    }
}

/// Where resources are whose ARN no request names.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) partition: &'static str,
    pub(crate) region: String,
    pub(crate) account_id: String,
}

impl Scope {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Self { partition, region, account_id } = self;
        format!("arn:{partition}:{service}:{region}:{account_id}:{resource}")
    }

    /// The ARN, where a resource may be named by one or by its name.
    fn named(&self, service: &str, kind: &str, name: &str) -> Resource {
        let is_arn = name.starts_with("arn:");
        Resource::Arn(if is_arn { name.to_owned() } else { self.arn(service, &format!("{kind}{name}")) })
    }

    /// What a call of a JSON or CBOR service needs.
    pub(crate) fn json(&self, service: &str, operation: &str, input: &Value) -> Vec<Ask> {
        let text = |member: &str| input[member].as_str();
        let texts = |member: &str| input[member].as_array().into_iter().flatten().filter_map(Value::as_str);
        let resources = match service {
            "codepipeline" => vec![self.of_pipeline(operation, input)],
            "codebuild" => match operation {
                "BatchGetBuilds" => {
                    texts("ids").map(|id| self.named("codebuild", "project/", before_colon(id))).collect()
                }
                "BatchGetReports" => texts("reportArns").map(report_group).collect(),
                _ => text("reportArn").map(report_group).into_iter().collect(),
            },
            // The request names a deployment, the right a deployment group.
            "codedeploy" => vec![Resource::Below(self.arn("codedeploy", "deploymentgroup:"))],
            "events" => {
                let entries = input["Entries"].as_array().into_iter().flatten();
                let buses = entries.map(|entry| entry["EventBusName"].as_str().unwrap_or("default"));
                buses.map(|bus| self.named("events", "event-bus/", bus)).collect()
            }
            "sqs" => {
                let name = text("QueueUrl").and_then(|url| url.rsplit('/').next()).or(text("QueueName"));
                name.map(|name| self.named("sqs", "", name)).into_iter().collect()
            }
            "ssm" => {
                let names = text("Name").into_iter().chain(texts("Names"));
                names.map(|name| self.named("ssm", "parameter/", name.trim_start_matches('/'))).collect()
            }
            _ => vec![Resource::None],
        };
        let resources = if resources.is_empty() { vec![Resource::None] } else { resources };
        let ask = |resource| Ask { action: format!("{service}:{operation}"), resource };
        resources.into_iter().map(ask).collect()
    }

    fn of_pipeline(&self, operation: &str, input: &Value) -> Resource {
        let text = |member: &str| input[member].as_str();
        let Some(pipeline) = text("pipelineName").or(text("name")) else { return Resource::None };
        let place = match (operation, text("stageName"), text("actionName")) {
            ("PutApprovalResult", Some(stage), Some(action)) => format!("{pipeline}/{stage}/{action}"),
            ("OverrideStageCondition" | "RetryStageExecution" | "RollbackStage", Some(stage), _) => {
                format!("{pipeline}/{stage}")
            }
            _ => pipeline.to_owned(),
        };
        Resource::Arn(self.arn("codepipeline", &place))
    }

    /// What a form sent to SNS needs.
    pub(crate) fn sns(&self, action: &str, form: &[u8]) -> Vec<Ask> {
        let topic = url::form_urlencoded::parse(form).find(|(name, _)| matches!(&**name, "TopicArn" | "TargetArn"));
        let resource = topic.map_or(Resource::None, |(_, arn)| Resource::Arn(arn.into_owned()));
        // A batch needs the right to publish.
        let action = if action == "PublishBatch" { "Publish" } else { action };
        vec![Ask { action: format!("sns:{action}"), resource }]
    }

    /// What a call of the Lambda API needs.
    pub(crate) fn lambda(&self, method: &Method, uri: &Uri) -> Vec<Ask> {
        let path = uri.path().trim_start_matches("/2015-03-31/functions").trim_matches('/');
        let (name, what) = path.split_once('/').unwrap_or((path, ""));
        let action = match (method.as_str(), what) {
            ("POST", "invocations") => "InvokeFunction",
            ("GET", "") if name.is_empty() => "ListFunctions",
            ("GET", "") => "GetFunction",
            ("GET", "configuration") => "GetFunctionConfiguration",
            ("PUT", "configuration") => "UpdateFunctionConfiguration",
            ("GET", "versions") => "ListVersionsByFunction",
            ("POST", "versions") => "PublishVersion",
            ("GET", "aliases") => "ListAliases",
            ("POST", "aliases") => "CreateAlias",
            ("PUT", _) => "UpdateAlias",
            _ => "GetAlias",
        };
        let name = percent_decode_str(name).decode_utf8_lossy();
        let resource = match action {
            "ListFunctions" => Resource::None,
            _ => self.named("lambda", "function:", &name),
        };
        vec![Ask { action: format!("lambda:{action}"), resource }]
    }

    /// What a request to S3 needs, addressed by the path.
    pub(crate) fn s3(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Vec<Ask> {
        let path = percent_decode_str(uri.path().trim_start_matches('/')).decode_utf8_lossy().into_owned();
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let has_query =
            |name: &str| uri.query().unwrap_or_default().split('&').any(|part| part.split('=').next() == Some(name));
        let on_object = |action: &str| Ask { action: format!("s3:{action}"), resource: self.object(bucket, key) };
        if bucket.is_empty() {
            return vec![Ask { action: "s3:ListAllMyBuckets".to_owned(), resource: Resource::None }];
        }
        if key.is_empty() {
            return match *method {
                Method::GET | Method::HEAD => vec![self.list(bucket)],
                Method::POST if has_query("delete") => {
                    vec![Ask { action: "s3:DeleteObject".to_owned(), resource: self.object(bucket, "*") }]
                }
                Method::DELETE => vec![self.on_bucket("DeleteBucket", bucket)],
                _ => vec![self.on_bucket("CreateBucket", bucket)],
            };
        }
        let mut asks = vec![match *method {
            Method::GET | Method::HEAD => on_object("GetObject"),
            Method::DELETE if has_query("uploadId") => on_object("AbortMultipartUpload"),
            Method::DELETE => on_object("DeleteObject"),
            _ => on_object("PutObject"),
        }];
        // To compare with what is there is to read it (Amazon S3 guide, "Conditional writes").
        let compares = *method != Method::GET && *method != Method::HEAD && headers.contains_key("if-match");
        asks.extend(compares.then(|| on_object("GetObject")));
        asks
    }

    /// The right without which S3 does not tell that an object is missing.
    pub(crate) fn s3_list(&self, uri: &Uri) -> Ask {
        let path = percent_decode_str(uri.path().trim_start_matches('/')).decode_utf8_lossy();
        self.list(path.split('/').next().unwrap_or_default())
    }

    fn list(&self, bucket: &str) -> Ask {
        self.on_bucket("ListBucket", bucket)
    }

    fn on_bucket(&self, action: &str, bucket: &str) -> Ask {
        Ask { action: format!("s3:{action}"), resource: Resource::Arn(format!("arn:{}:s3:::{bucket}", self.partition)) }
    }

    fn object(&self, bucket: &str, key: &str) -> Resource {
        Resource::Arn(format!("arn:{}:s3:::{bucket}/{key}", self.partition))
    }
}

impl Ask {
    /// What Lambda needs to hand an event to a destination; `None` for one that needs no right.
    pub(crate) fn of_destination(arn: &str) -> Option<Self> {
        let action = match arn.split(':').nth(2)? {
            "lambda" => "lambda:InvokeFunction",
            "sqs" => "sqs:SendMessage",
            "sns" => "sns:Publish",
            "events" => "events:PutEvents",
            "s3" => "s3:PutObject",
            _ => return None,
        };
        Some(Self { action: action.to_owned(), resource: Resource::Arn(arn.to_owned()) })
    }
}

fn before_colon(id: &str) -> &str {
    // An id is `project:uuid`; an ARN has five colons before.
    if id.starts_with("arn:") { id } else { id.split(':').next().unwrap_or_default() }
}

/// `arn:...:report/GROUP:ID` belongs to `arn:...:report-group/GROUP`.
fn report_group(report: &str) -> Resource {
    let group = report.rsplit_once(':').map_or(report, |(group, _)| group);
    Resource::Arn(group.replacen(":report/", ":report-group/", 1))
}
