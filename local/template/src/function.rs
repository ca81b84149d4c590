//! `AWS::Serverless::Function` (AWS SAM guide).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Problem, Result};
use crate::event_source::{FunctionEvent, read_function_event};
use crate::properties::Properties;
use crate::yaml::Node;

/// A function with everything that the local AWS needs to run it.
#[derive(Clone, PartialEq)]
pub struct Function {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The function's name.
    pub function_name: String,
    /// The function's ARN, without a qualifier.
    pub arn: String,
    /// Where its code is, relative to the template's folder.
    pub code_uri: String,
    /// `bootstrap` for Rust.
    pub handler: String,
    /// For example `provided.al2023`.
    pub runtime: String,
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// Seconds, 1 to 900.
    pub timeout_seconds: u32,
    /// MiB, 128 to 10240.
    pub memory_mb: u32,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// The ARNs of its layers, in the order of the template; see [`Layer::arn`](crate::Layer::arn).
    pub layers: Vec<String>,
    /// The ARN of its role; `None` where SAM makes one.
    pub role_arn: Option<String>,
    /// `Policies` as in the template, expressions in their long form.
    pub policies: Option<Value>,
    /// How it is built.
    pub build: Build,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<u32>,
    /// Where and how it logs.
    pub logging: Logging,
    /// Settings of asynchronous invocation.
    pub event_invoke: EventInvoke,
    /// The ARN of its dead-letter queue or topic.
    pub dead_letter_arn: Option<String>,
    /// Its URL, if it has one.
    pub url: Option<FunctionUrl>,
    /// What invokes it.
    pub events: Vec<FunctionEvent>,
}

// Values of environment variables may be secrets: only their names are shown.
impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("logical_id", &self.logical_id)
            .field("function_name", &self.function_name)
            .field("code_uri", &self.code_uri)
            .field("timeout_seconds", &self.timeout_seconds)
            .field("memory_mb", &self.memory_mb)
            .field("environment", &self.environment.keys())
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// `Metadata` of a function: how `sam build` builds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// `BuildMethod`, for example `rust-cargolambda`.
    pub method: Option<String>,
    /// `BuildProperties.Binary`: the binary in the cargo workspace.
    pub binary: Option<String>,
}

/// `LoggingConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// `Text` or `JSON`.
    pub format: String,
    /// `ApplicationLogLevel`: `TRACE` to `FATAL`; with `JSON` only.
    pub application_log_level: Option<String>,
    /// `SystemLogLevel`: `DEBUG`, `INFO` or `WARN`; with `JSON` only.
    pub system_log_level: Option<String>,
    /// The log group's name.
    pub log_group: String,
}

/// `EventInvokeConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventInvoke {
    /// 0 to 2; Lambda's default is 2.
    pub maximum_retry_attempts: Option<u8>,
    /// 60 to 21600 seconds; Lambda's default is 6 hours.
    pub maximum_event_age_seconds: Option<u32>,
    /// The ARN of the destination for events that were handled.
    pub on_success: Option<String>,
    /// The ARN of the destination for events that could not be handled.
    pub on_failure: Option<String>,
}

/// `FunctionUrlConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    /// `NONE` or `AWS_IAM`.
    pub auth_type: String,
}

/// Properties that are read here.
const READ: [&str; 20] = [
    "Architectures",
    "CodeUri",
    "DeadLetterQueue",
    "Environment",
    "EventInvokeConfig",
    "Events",
    "FunctionName",
    "FunctionUrlConfig",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Policies",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "Timeout",
    "VersionDescription",
    "VersionDeletionPolicy",
];

/// Properties that change nothing for a function that runs on one machine.
const WITHOUT_EFFECT: [&str; 14] = [
    "AssumeRolePolicyDocument",
    "CodeSigningConfigArn",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "PermissionsBoundary",
    "PropagateTags",
    "RecursiveLoop",
    "RolePath",
    "RuntimeManagementConfig",
    "SnapStart",
    "Tags",
    "Tracing",
    "VpcConfig",
];

/// What a function is besides its properties.
pub(crate) struct FunctionIdentity<'t> {
    pub(crate) logical_id: &'t str,
    pub(crate) function_name: String,
    pub(crate) arn: String,
    /// `Policies` before its expressions were resolved.
    pub(crate) policies: Option<Value>,
    /// `Metadata`, resolved.
    pub(crate) metadata: Option<&'t Node>,
}

/// Reads a function from its resolved properties, `Globals` included.
pub(crate) fn read_function(properties: Properties<'_>, identity: FunctionIdentity<'_>) -> Result<Function> {
    const WHAT: &str = "AWS::Serverless::Function";
    properties.only_in(&[&READ, &WITHOUT_EFFECT], WHAT)?;
    properties.one_of("PackageType", &["Zip"])?;
    let FunctionIdentity { logical_id, function_name, arn, policies, metadata } = identity;
    let log_group = format!("/aws/lambda/{function_name}");
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let events = properties.mapping("Events")?.map(|events| events.entries()).unwrap_or_default();
    // SAM names a rule after the function's and the event's logical id.
    let events = events.iter().map(|entry| read_function_event(entry, &format!("{logical_id}{}", entry.key)));
    Ok(Function {
        logical_id: logical_id.to_owned(),
        function_name,
        arn,
        code_uri: properties.require_string("CodeUri", WHAT)?,
        handler: properties.require_string("Handler", WHAT)?,
        runtime: properties.require_string("Runtime", WHAT)?,
        architecture: read_architecture(properties)?,
        timeout_seconds: small(properties.integer("Timeout", 1..=900)?.unwrap_or(3)),
        memory_mb: small(properties.integer("MemorySize", 128..=10_240)?.unwrap_or(128)),
        environment: read_environment(properties)?,
        layers: properties.strings("Layers")?,
        role_arn: properties.string("Role")?,
        policies,
        build: read_build(metadata)?,
        reserved_concurrency: properties.integer("ReservedConcurrentExecutions", 0..=100_000)?.map(small),
        logging: read_logging(properties, log_group)?,
        event_invoke: read_event_invoke(properties)?,
        dead_letter_arn: read_dead_letter_queue(properties)?,
        url: read_url(properties)?,
        events: events.collect::<Result<_>>()?,
    })
}

fn read_architecture(properties: Properties<'_>) -> Result<String> {
    let given = properties.strings("Architectures")?;
    let at = properties.get("Architectures").map_or(properties.position, |node| node.position);
    match given.as_slice() {
        [] => Ok("x86_64".to_owned()),
        [one] if one == "arm64" || one == "x86_64" => Ok(one.clone()),
        [other] => Err(Problem::at(at, format!("the architecture `{other}` is unknown; use arm64 or x86_64"))),
        _ => Err(Problem::at(at, "a function has one architecture; lists in `Globals` and in the function add up")),
    }
}

fn read_environment(properties: Properties<'_>) -> Result<BTreeMap<String, String>> {
    let Some(environment) = properties.mapping("Environment")? else { return Ok(BTreeMap::new()) };
    environment.only(&["Variables"], "`Environment`")?;
    let Some(variables) = environment.mapping("Variables")? else { return Ok(BTreeMap::new()) };
    let read = |entry: &crate::yaml::Entry| {
        let value = match &entry.value.kind {
            crate::yaml::Kind::Scalar(scalar) if scalar.text.is_empty() && !scalar.plain => String::new(),
            _ => crate::properties::string(&entry.value, &entry.key)?,
        };
        Ok((entry.key.clone(), value))
    };
    variables.entries().iter().map(read).collect()
}

fn read_build(metadata: Option<&Node>) -> Result<Build> {
    let Some(metadata) = metadata else { return Ok(Build::default()) };
    // Metadata is free: only what is known is read.
    let metadata = Properties::of(metadata, "`Metadata`")?;
    let properties = metadata.mapping("BuildProperties")?;
    let binary = properties.map(|properties| properties.string("Binary")).transpose()?.flatten();
    Ok(Build { method: metadata.string("BuildMethod")?, binary })
}

fn read_logging(properties: Properties<'_>, log_group: String) -> Result<Logging> {
    let mut logging =
        Logging { format: "Text".to_owned(), application_log_level: None, system_log_level: None, log_group };
    let Some(given) = properties.mapping("LoggingConfig")? else { return Ok(logging) };
    given.only(&["ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"], "`LoggingConfig`")?;
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    logging.application_log_level = given.one_of("ApplicationLogLevel", &levels)?;
    logging.system_log_level = given.one_of("SystemLogLevel", &["DEBUG", "INFO", "WARN"])?;
    if let Some(format) = given.one_of("LogFormat", &["JSON", "Text"])? {
        logging.format = format;
    }
    if logging.format == "Text" && (logging.application_log_level.is_some() || logging.system_log_level.is_some()) {
        return Err(Problem::at(given.position, "log levels need `LogFormat: JSON`"));
    }
    if let Some(group) = given.string("LogGroup")? {
        logging.log_group = group;
    }
    Ok(logging)
}

fn read_event_invoke(properties: Properties<'_>) -> Result<EventInvoke> {
    let mut config = EventInvoke::default();
    let Some(given) = properties.mapping("EventInvokeConfig")? else { return Ok(config) };
    let known = ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
    given.only(&known, "`EventInvokeConfig`")?;
    let retries = given.integer("MaximumRetryAttempts", 0..=2)?;
    config.maximum_retry_attempts = retries.and_then(|retries| u8::try_from(retries).ok());
    let age = given.integer("MaximumEventAgeInSeconds", 60..=21_600)?;
    config.maximum_event_age_seconds = age.and_then(|age| u32::try_from(age).ok());
    if let Some(destinations) = given.mapping("DestinationConfig")? {
        destinations.only(&["OnFailure", "OnSuccess"], "`DestinationConfig`")?;
        config.on_failure = read_destination(destinations, "OnFailure")?;
        config.on_success = read_destination(destinations, "OnSuccess")?;
    }
    Ok(config)
}

fn read_destination(destinations: Properties<'_>, key: &str) -> Result<Option<String>> {
    let Some(given) = destinations.mapping(key)? else { return Ok(None) };
    given.only(&["Destination", "Type"], key)?;
    given.one_of("Type", &["EventBridge", "Lambda", "S3Bucket", "SNS", "SQS"])?;
    let arn = given.string("Destination")?.ok_or_else(|| {
        let message = format!("`{key}` needs `Destination`: the queue or topic that SAM would make is not made here");
        Problem::at(given.position, message)
    })?;
    Ok(Some(arn))
}

fn read_dead_letter_queue(properties: Properties<'_>) -> Result<Option<String>> {
    let Some(given) = properties.mapping("DeadLetterQueue")? else { return Ok(None) };
    given.only(&["TargetArn", "Type"], "`DeadLetterQueue`")?;
    given.one_of("Type", &["SNS", "SQS"])?;
    given.require_string("TargetArn", "`DeadLetterQueue`").map(Some)
}

fn read_url(properties: Properties<'_>) -> Result<Option<FunctionUrl>> {
    let Some(given) = properties.mapping("FunctionUrlConfig")? else { return Ok(None) };
    given.only(&["AuthType", "Cors", "InvokeMode"], "`FunctionUrlConfig`")?;
    given.one_of("InvokeMode", &["BUFFERED"])?;
    let auth_type = given.one_of("AuthType", &["AWS_IAM", "NONE"])?;
    let missing = || Problem::at(given.position, "`FunctionUrlConfig` needs `AuthType`");
    Ok(Some(FunctionUrl { auth_type: auth_type.ok_or_else(missing)? }))
}
