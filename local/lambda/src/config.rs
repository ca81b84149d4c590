//! What a function is: its command, settings and limits, checked when the function is created.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::ConfigError;
use crate::version::LATEST;

/// How many environments of one function run at the same time where the configuration does not say otherwise.
pub const DEFAULT_MAX_CONCURRENCY: usize = 10;

/// The greatest total size of a function's environment variables, in bytes (AWS Lambda quotas).
const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// Variables that Lambda sets itself; a function's configuration must not (AWS Lambda guide, "Reserved environment
/// variables").
const RESERVED_VARIABLES: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// One function: the configuration that `CreateFunction` and `PutFunctionEventInvokeConfig` would take.
#[derive(Clone)]
pub struct FunctionConfig {
    /// The function's name: 1 to 64 letters, digits, hyphens and underscores.
    pub name: String,
    /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, without a qualifier.
    pub arn: String,
    /// `$LATEST`, or the number that a published version has got.
    pub version: String,
    /// What is started as the function's bootstrap.
    pub command: FunctionCommand,
    /// The value of `_HANDLER`. A Rust bootstrap ignores it.
    pub handler: String,
    /// The function's own environment variables, 4096 bytes at the most in total.
    pub environment: BTreeMap<String, String>,
    /// The credentials that the function finds in its environment.
    pub credentials: FunctionCredentials,
    /// How long one invocation may take, 900 seconds at the most. Lambda knows whole seconds only; fractions are for
    /// tests. This is real time: a process does not run faster when the local clock does.
    pub timeout: Duration,
    /// `MemorySize` in MiB, 128 to 10240. A process whose resident set grows beyond it is killed, on Linux only:
    /// elsewhere the peak is not known and the limit is not enforced.
    pub memory_mb: u32,
    /// How many environments may run at the same time; above it an invocation is throttled.
    pub max_concurrency: usize,
    /// Where and how the function logs.
    pub logging: LoggingConfig,
    /// What happens to asynchronous invocations.
    pub event_invoke: EventInvokeConfig,
}

impl FunctionConfig {
    /// A function with Lambda's defaults: 3 seconds, 128 MiB, two retries, six hours.
    pub fn new(name: impl Into<String>, arn: impl Into<String>, command: FunctionCommand) -> Self {
        Self {
            name: name.into(),
            arn: arn.into(),
            version: LATEST.to_owned(),
            command,
            handler: "bootstrap".to_owned(),
            environment: BTreeMap::new(),
            credentials: FunctionCredentials::default(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            logging: LoggingConfig::default(),
            event_invoke: EventInvokeConfig::default(),
        }
    }

    /// The Region, taken from the ARN. Empty if the ARN is none.
    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }

    /// The log group's name: the configured one, or `/aws/lambda/NAME`.
    pub fn log_group(&self) -> String {
        self.logging.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", self.name))
    }

    /// The ARN with the version as its qualifier.
    pub(crate) fn qualified_arn(&self) -> String {
        format!("{}:{}", self.arn, self.version)
    }

    /// Checks the limits that Lambda checks when a function is created.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let fail = |what: String| Err(ConfigError { function: self.name.clone(), what });
        if !is_function_name(&self.name) {
            return fail("the name must be 1 to 64 letters, digits, hyphens or underscores".to_owned());
        }
        let parts: Vec<&str> = self.arn.split(':').collect();
        if parts.len() != 7
            || parts[0] != "arn"
            || parts[2] != "lambda"
            || parts[5] != "function"
            || parts[6] != self.name
        {
            return fail(format!(
                "the ARN `{}` is not `arn:aws:lambda:REGION:ACCOUNT:function:{}`",
                self.arn, self.name
            ));
        }
        if self.timeout.is_zero() || self.timeout > Duration::from_secs(900) {
            return fail(format!("the timeout of {:?} is not above 0 and at most 900 seconds", self.timeout));
        }
        if !(128..=10_240).contains(&self.memory_mb) {
            return fail(format!("the memory size of {} MB is not between 128 and 10240", self.memory_mb));
        }
        if self.max_concurrency == 0 {
            return fail("a concurrency of 0 would throttle every invocation".to_owned());
        }
        let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        match self.logging.application_log_level.as_deref() {
            Some(level) if self.logging.format == LogFormat::Text => {
                return fail(format!("the log level {level} needs the log format JSON"));
            }
            Some(level) if !levels.contains(&level) => {
                return fail(format!("the log level `{level}` is none of {}", levels.join(", ")));
            }
            _ => {}
        }
        self.validate_environment()?;
        self.event_invoke.validate(&self.name)
    }

    fn validate_environment(&self) -> Result<(), ConfigError> {
        let fail = |what: String| Err(ConfigError { function: self.name.clone(), what });
        for (name, value) in &self.environment {
            if RESERVED_VARIABLES.contains(&name.as_str()) {
                return fail(format!("the environment variable {name} is reserved: Lambda sets it itself"));
            }
            let starts_with_letter = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if name.len() < 2 || !starts_with_letter || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return fail(format!(
                    "the environment variable name `{name}` must be two or more letters, digits or underscores and \
                     start with a letter"
                ));
            }
            if value.contains('\0') {
                return fail(format!("the environment variable {name} has a NUL character in its value"));
            }
        }
        let total: usize = self.environment.iter().map(|(name, value)| name.len() + value.len()).sum();
        if total > MAX_ENVIRONMENT_BYTES {
            return fail(format!("the environment variables take {total} bytes, {MAX_ENVIRONMENT_BYTES} are allowed"));
        }
        Ok(())
    }
}

// Values of environment variables may be secrets: only their names are shown.
impl fmt::Debug for FunctionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionConfig")
            .field("name", &self.name)
            .field("arn", &self.arn)
            .field("command", &self.command)
            .field("environment", &self.environment.keys())
            .field("timeout", &self.timeout)
            .field("memory_mb", &self.memory_mb)
            .field("max_concurrency", &self.max_concurrency)
            .field("logging", &self.logging)
            .field("event_invoke", &self.event_invoke)
            .finish_non_exhaustive()
    }
}

/// The program that a function runs, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCommand {
    /// The path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT` and the working directory; the program's folder where `None`.
    pub task_root: Option<PathBuf>,
}

impl FunctionCommand {
    /// A program without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), task_root: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }
}

/// The credentials of the function's role. They never appear in `Debug`.
#[derive(Clone)]
pub struct FunctionCredentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`; not set when empty.
    pub session_token: String,
}

impl Default for FunctionCredentials {
    /// Made-up credentials, which no AWS account accepts: a function that leaves the local AWS gets nowhere.
    fn default() -> Self {
        Self {
            access_key_id: "ASIALOCALLAMBDA00000".to_owned(),
            secret_access_key: "local-lambda-secret".to_owned(),
            session_token: "local-lambda-session".to_owned(),
        }
    }
}

impl fmt::Debug for FunctionCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionCredentials(redacted)")
    }
}

/// `LoggingConfig` of the AWS model. The platform's own lines are text here in either format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggingConfig {
    /// What the function is asked to write, in `AWS_LAMBDA_LOG_FORMAT`.
    pub format: LogFormat,
    /// `ApplicationLogLevel`, from `TRACE` to `FATAL`, in `AWS_LAMBDA_LOG_LEVEL`; with [`LogFormat::Json`] only.
    pub application_log_level: Option<String>,
    /// The log group's name; `/aws/lambda/NAME` where `None`.
    pub log_group: Option<String>,
}

/// `LogFormat` of the AWS model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `Text`.
    #[default]
    Text,
    /// `JSON`.
    Json,
}

impl LogFormat {
    /// The name in the AWS model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
        }
    }
}

/// Settings of asynchronous invocation (`PutFunctionEventInvokeConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventInvokeConfig {
    /// How often a failed event is tried again, 0 to 2.
    pub maximum_retry_attempts: u8,
    /// How old an event may become, 60 seconds to 6 hours of clock time.
    pub maximum_event_age: Duration,
    /// ARN of the destination for events that could not be handled.
    pub on_failure: Option<String>,
    /// ARN of the destination for events that were handled.
    pub on_success: Option<String>,
    /// ARN of the dead-letter queue or topic for events that could not be handled.
    pub dead_letter: Option<String>,
}

impl Default for EventInvokeConfig {
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age: Duration::from_secs(6 * 3600),
            on_failure: None,
            on_success: None,
            dead_letter: None,
        }
    }
}

impl EventInvokeConfig {
    fn validate(&self, function: &str) -> Result<(), ConfigError> {
        let fail = |what: String| Err(ConfigError { function: function.to_owned(), what });
        if self.maximum_retry_attempts > 2 {
            return fail(format!("{} retry attempts are more than 2", self.maximum_retry_attempts));
        }
        if !(60..=21_600).contains(&self.maximum_event_age.as_secs()) {
            let age = self.maximum_event_age;
            return fail(format!("the maximum event age of {age:?} is not between 60 and 21600 seconds"));
        }
        for arn in [&self.on_failure, &self.on_success, &self.dead_letter].into_iter().flatten() {
            if !arn.starts_with("arn:") {
                return fail(format!("the destination `{arn}` is not an ARN"));
            }
        }
        Ok(())
    }
}

fn is_function_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The name and the qualifier in what a caller may give: a name, `ACCOUNT:function:NAME` or an ARN, each with or without
/// a version or an alias behind it. `None` if it is no function reference.
pub(crate) fn parse_reference(reference: &str) -> Option<(&str, Option<&str>)> {
    let rest = reference.split_once("function:").map_or(reference, |(_, rest)| rest);
    let (name, qualifier) = match rest.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (rest, None),
    };
    let is_qualifier = |text: &str| {
        let text = text.strip_prefix('$').unwrap_or(text);
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    (is_function_name(name) && qualifier.is_none_or(is_qualifier)).then_some((name, qualifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FunctionConfig {
        FunctionConfig::new("web", "arn:aws:lambda:eu-west-1:111122223333:function:web", FunctionCommand::new("/x"))
    }

    #[test]
    fn limits_are_checked() {
        type Change = fn(&mut FunctionConfig);
        let cases: [(&str, Change, Option<&str>); 13] = [
            ("defaults", |_| {}, None),
            ("empty name", |c| c.name.clear(), Some("the name must be")),
            ("other name in the ARN", |c| c.arn.push('x'), Some("is not `arn:aws:lambda")),
            ("no timeout", |c| c.timeout = Duration::ZERO, Some("the timeout")),
            ("long timeout", |c| c.timeout = Duration::from_secs(901), Some("the timeout")),
            ("little memory", |c| c.memory_mb = 64, Some("the memory size")),
            ("no concurrency", |c| c.max_concurrency = 0, Some("throttle every")),
            ("level", |c| c.logging.application_log_level = Some("INFO".into()), Some("needs the log format JSON")),
            ("reserved", |c| drop(c.environment.insert("AWS_REGION".into(), "x".into())), Some("is reserved")),
            ("bad variable", |c| drop(c.environment.insert("A-B".into(), "x".into())), Some("variable name `A-B`")),
            ("big", |c| drop(c.environment.insert("BIG".into(), "x".repeat(4096))), Some("4099 bytes")),
            ("retries", |c| c.event_invoke.maximum_retry_attempts = 3, Some("3 retry attempts")),
            ("age", |c| c.event_invoke.maximum_event_age = Duration::from_secs(59), Some("event age")),
        ];
        for (case, change, expected) in cases {
            let mut config = config();
            change(&mut config);
            match (config.validate(), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(text)) => assert!(error.to_string().contains(text), "{case}: {error}"),
                (result, _) => panic!("{case}: {result:?}"),
            }
        }
    }

    #[test]
    fn references_are_resolved() {
        for (reference, expected) in [
            ("web", Some(("web", None))),
            ("web:$LATEST", Some(("web", Some("$LATEST")))),
            ("web:live", Some(("web", Some("live")))),
            ("111122223333:function:web", Some(("web", None))),
            ("arn:aws:lambda:eu-west-1:111122223333:function:web", Some(("web", None))),
            ("arn:aws:lambda:eu-west-1:111122223333:function:web:$LATEST", Some(("web", Some("$LATEST")))),
            ("arn:aws:lambda:eu-west-1:111122223333:function:web:7", Some(("web", Some("7")))),
            ("arn:aws:lambda:eu-west-1:111122223333:function:web:7:8", None),
            ("web:", None),
            ("arn:aws:sns:eu-west-1:111122223333:topic", None),
            ("", None),
        ] {
            assert_eq!(parse_reference(reference), expected, "{reference}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut config = config();
        config.environment.insert("TOKEN".into(), "hidden-value".into());
        config.credentials.secret_access_key = "hidden-key".into();
        let shown = format!("{config:?} {:?}", config.credentials);
        assert!(shown.contains("TOKEN") && !shown.contains("hidden"), "{shown}");
    }
}
