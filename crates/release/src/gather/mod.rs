//! Gathers what conditions ask for: from CloudWatch, CodePipeline, the state bucket and other systems.
//!
//! Whatever cannot be measured comes back as the reason, in the words of whoever refused it.

mod alarms;
mod metrics;
mod overrides;
mod pipeline;
mod probes;
mod verdicts;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;

use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use futures_util::future::join_all;
use jiff::Timestamp;
use stagegate_config::release::Calendar as CalendarPolicy;
use stagegate_state_store::StateStore;
use stagegate_verdict::Execution;

use crate::calendar::{Calendar, MAX_BYTES};
use crate::facts::{Circumstances, Facts, Known, Unmeasured};
use crate::overrides::Override;
use crate::plan::Plan;
use crate::time::Calendars;

/// How long each system has for its answer, retries included. All are asked at the same time but for CodePipeline, which may
/// be asked for the variables before, so a look takes twice this at the most; the function has a minute.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the state bucket has to say whether there is an override. Where no look is due it is asked before the others.
const PATIENCE_FOR_OVERRIDE: Duration = Duration::from_secs(10);

/// Where facts come from. A client is made when something is asked for: most gates ask for little.
#[derive(Clone)]
pub struct Sources {
    sdk: SdkConfig,
    cloudwatch: Arc<OnceLock<aws_sdk_cloudwatch::Client>>,
    codepipeline: Arc<OnceLock<aws_sdk_codepipeline::Client>>,
    /// For verdicts and overrides, where there is a state bucket.
    store: Option<StateStore>,
}

/// Reads a calendar that stands in a folder beside the configuration.
///
/// # Errors
///
/// If the file cannot be read or is no calendar.
pub fn read_calendar(folder: &Path, policy: &CalendarPolicy) -> Known<Calendar> {
    use std::io::Read as _;
    let file = &policy.file;
    let failed = |error: std::io::Error| Unmeasured::new(format!("the calendar {file} cannot be read: {error}"));
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(folder.join(file)).map_err(failed)?;
    opened.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    parse_calendar(&bytes, policy)
}

/// Reads a calendar's bytes.
///
/// # Errors
///
/// If they are no calendar.
pub fn parse_calendar(bytes: &[u8], policy: &CalendarPolicy) -> Known<Calendar> {
    let file = &policy.file;
    Calendar::parse(bytes, &policy.zone)
        .map_err(|error| Unmeasured::new(format!("the calendar {file} cannot be used: {error}")))
}

/// All calendars of a plan that stand in a folder; one that stands in an artifact is not known here.
pub fn read_calendars(folder: &Path, plan: &Plan) -> Calendars {
    let read = |policy: &CalendarPolicy| match &policy.artifact {
        None => read_calendar(folder, policy),
        Some(artifact) => {
            let file = &policy.file;
            Err(Unmeasured::new(format!(
                "the calendar {file} stands in the artifact {artifact}, which is not at hand here"
            )))
        }
    };
    plan.policy().calendars.iter().map(read).collect()
}

impl Sources {
    /// AWS as `sdk` reaches it, and the state bucket, where there is one.
    pub fn new(sdk: &SdkConfig, store: Option<StateStore>) -> Self {
        Self { sdk: sdk.clone(), cloudwatch: Arc::default(), codepipeline: Arc::default(), store }
    }

    /// For alarms and metrics.
    fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        self.cloudwatch.get_or_init(|| aws_sdk_cloudwatch::Client::new(&self.sdk))
    }

    /// For stages and variables.
    fn codepipeline(&self) -> &aws_sdk_codepipeline::Client {
        self.codepipeline.get_or_init(|| aws_sdk_codepipeline::Client::new(&self.sdk))
    }

    /// The override in the state bucket, if there is one.
    pub(crate) async fn overridden(&self, execution: &str, gate: &str) -> Known<Option<Override>> {
        match &self.store {
            None => Ok(None),
            Some(store) => {
                within("the state bucket", PATIENCE_FOR_OVERRIDE, overrides::stored(store, execution, gate)).await
            }
        }
    }

    /// What is known about an execution before anything is measured.
    pub async fn circumstances(&self, plan: &Plan, execution: Execution) -> Circumstances {
        let variables = match (&execution.pipeline, &execution.execution) {
            (Some(pipeline), Some(id)) if plan.asks_for_variables() => {
                within("CodePipeline", PATIENCE, pipeline::variables(self.codepipeline(), pipeline, id)).await
            }
            _ => Err(Unmeasured::new("the variables of the execution were not asked for")),
        };
        Circumstances { execution, variables }
    }

    /// Measures everything that a plan asks for, at the same time.
    pub async fn facts(&self, plan: &Plan, execution: &Execution, now: Timestamp) -> Facts {
        let policy = plan.policy();
        let ids = (execution.pipeline.as_deref(), execution.execution.as_deref());
        let alarms = async {
            match &policy.alarms {
                None => None,
                Some(alarms) => {
                    Some(within("CloudWatch", PATIENCE, alarms::alarms(self.cloudwatch(), &alarms.names)).await)
                }
            }
        };
        let stage = async {
            match (&policy.soak, ids) {
                (None, _) => None,
                (Some(soak), (Some(pipeline), Some(id))) => {
                    let stage = pipeline::stage(self.codepipeline(), pipeline, id, &soak.stage);
                    Some(within("CodePipeline", PATIENCE, stage).await)
                }
                (Some(_), _) => Some(Err(Unmeasured::new("nothing says which execution this is"))),
            }
        };
        let gates = policy.verdicts.iter().flat_map(|verdicts| &verdicts.gates);
        let verdict = |gate| verdicts::verdict(self.store.as_ref(), ids.1, gate);
        let verdicts = join_all(gates.map(|gate| within("the state bucket", PATIENCE, verdict(gate))));
        let values = |metric| metrics::values(self.cloudwatch(), metric, now);
        let metrics = join_all(policy.metrics.iter().map(|metric| within("CloudWatch", PATIENCE, values(metric))));
        let probes = join_all(plan.probes().iter().map(probes::ask));
        let (alarms, stage, verdicts, metrics, probes) = tokio::join!(alarms, stage, verdicts, metrics, probes);
        Facts { alarms, stage, verdicts, metrics, probes }
    }
}

async fn within<T>(whom: &str, patience: Duration, measuring: impl Future<Output = Known<T>>) -> Known<T> {
    let measured = tokio::time::timeout(patience, Box::pin(measuring)).await;
    measured.unwrap_or_else(|_| Err(Unmeasured::new(format!("{whom} gave no answer within {} s", patience.as_secs()))))
}

/// What an AWS service said when it refused a call, or why it could not be reached.
fn refused<E, R>(service: &str, operation: &str, error: &SdkError<E, R>) -> Unmeasured
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), message) => {
            let message = message.unwrap_or("no message");
            Unmeasured::new(format!("{service} refused {operation}: {code}: {message}"))
        }
        (None, _) => Unmeasured::new(format!("{service} could not be asked ({operation}): {}", reasons(error))),
    }
}

/// An error and what caused it. What the SDK shows for debugging holds whole responses.
fn reasons(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        cause = error.source();
    }
    text.chars().take(500).collect()
}

/// A time of the AWS SDK.
fn timestamp(time: &aws_sdk_cloudwatch::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(time.to_millis().ok()?).ok()
}
