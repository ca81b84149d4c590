//! What may differ from one local AWS to the next.

use std::time::Duration;

/// The settings of a local CodePipeline.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account that everything belongs to; 12 digits.
    pub account_id: String,
    /// The Region of the pipelines, and of every action that names none.
    pub region: String,
    /// Who calls the API: `triggerDetail` of an execution and `lastUpdatedBy` of what a caller changes. The local API
    /// does not check signatures, so that every caller is this one.
    pub caller_arn: String,
    /// The time between an answer with a continuation token and the next invocation of the function. AWS does not
    /// document its own; 30 seconds is our assumption.
    pub continuation_delay: Duration,
    /// Whether CreatePipeline starts a first execution, as AWS does. Off by default, because a local run creates a
    /// pipeline in order to start it with its own variables.
    pub start_on_create: bool,
    /// The address of the console, up to and including the path of its home page, for the links in approval messages.
    pub console: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account_id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            caller_arn: "arn:aws:sts::111122223333:assumed-role/local/stagegate".to_owned(),
            continuation_delay: Duration::from_secs(30),
            start_on_create: false,
            console: "https://console.aws.amazon.com/codepipeline/home".to_owned(),
        }
    }
}

impl Settings {
    /// The ARN of a pipeline, which has no `pipeline:` segment (AWS model).
    pub fn pipeline_arn(&self, pipeline: &str) -> String {
        format!("arn:aws:codepipeline:{}:{}:{pipeline}", self.region, self.account_id)
    }
}
