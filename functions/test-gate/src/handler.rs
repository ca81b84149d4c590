//! The function: from a job to its answer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use codepipeline_job::{Failure, Job, JobContext, Outcome, Success};
use jiff::Timestamp;
use jiff::tz::Offset;
use stagegate_config::{Config, GateChoice, UserParameters};
use stagegate_pipeline_artifact::ArtifactClients;
use stagegate_verdict::{Execution, Outcome as VerdictOutcome, Verdict};
use tokio::sync::OnceCell;

use crate::{Circumstances, Evidence, artifact_source, judge};

/// Names the configuration file.
const CONFIG_VARIABLE: &str = "STAGEGATE_CONFIG";
/// Where the configuration layer is mounted.
const CONFIG_DEFAULT: &str = "/opt/stagegate.yaml";

/// What is kept from one invocation to the next.
#[derive(Clone, Default)]
struct Warm {
    inner: Arc<WarmInner>,
}

#[derive(Default)]
struct WarmInner {
    config: OnceCell<Config>,
    clients: OnceCell<ArtifactClients>,
}

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    codepipeline_job::init_logging();
    // One thread is enough: parsing has threads of its own, and a second worker would only cost start-up time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let warm = Warm::default();
    let handler = move |job: Job, context: JobContext| {
        let warm = warm.clone();
        async move { handle(&warm, &job, &context).await }
    };
    let done = match runtime {
        Ok(runtime) => runtime.block_on(codepipeline_job::run(handler)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function ends: it failed to use the Lambda runtime");
            ExitCode::FAILURE
        }
    }
}

async fn handle(warm: &Warm, job: &Job, context: &JobContext) -> Result<Outcome, Failure> {
    let parameters = UserParameters::parse(job.user_parameters()).map_err(configuration)?;
    let choice = parameters.choice().map_err(configuration)?;
    let gate = match &choice {
        GateChoice::Inline(gate) => gate,
        GateChoice::Named(_) => choice.resolve(warm.config().await?).map_err(configuration)?,
    };
    if job.input_artifacts.is_empty() {
        let message = "failed to find reports: the action has no input artifact; add the one that holds the reports";
        return Err(Failure::configuration(message));
    }
    let now = Timestamp::now();
    let evidence = Evidence::new(gate, Offset::UTC.to_datetime(now).date()).map_err(configuration)?;
    let credentials = job.artifact_credentials()?.to_sdk();
    let clients = warm.inner.clients.get_or_init(async || ArtifactClients::new(context.sdk_config())).await;
    let evidence = artifact_source::gather(evidence, &job.input_artifacts, &clients.for_job(credentials)).await?;
    let around = Circumstances { execution: execution(job, parameters), ..Circumstances::default() };
    let judged = judge(choice.name(), gate, evidence, around, now);
    log(&judged.verdict);
    answer(&judged.verdict)
}

fn configuration(error: impl std::fmt::Display) -> Failure {
    Failure::configuration(format!("failed to {error}"))
}

/// Where the job belongs to. A custom action's job says it itself; a Lambda action's parameters can.
fn execution(job: &Job, parameters: UserParameters) -> Execution {
    let context = job.pipeline_context.clone().unwrap_or_default();
    Execution {
        pipeline: context.pipeline_name.or(parameters.pipeline),
        stage: context.stage_name.or(parameters.stage),
        execution: context.pipeline_execution_id.or(parameters.execution),
    }
}

fn log(verdict: &Verdict) {
    let findings = serde_json::to_string(verdict.findings()).unwrap_or_default();
    tracing::info!(gate = verdict.gate(), outcome = %verdict.outcome(), summary = verdict.summary(), findings, "judged");
}

fn answer(verdict: &Verdict) -> Result<Outcome, Failure> {
    match verdict.outcome() {
        VerdictOutcome::Passed => {
            let variables = verdict.output_variables();
            Ok(Success::new(verdict.summary_line()).output_variables(variables).percent_complete(100).into())
        }
        VerdictOutcome::Failed => Err(Failure::job_failed(verdict.failure_message())),
        // An action knows no third way. Whoever looks into it can retry the stage.
        VerdictOutcome::Inconclusive => {
            let message = verdict.failure_message();
            Err(Failure::job_failed(format!("inconclusive, a person must look: {message}")))
        }
    }
}

impl Warm {
    async fn config(&self) -> Result<&Config, Failure> {
        let load = async || {
            let path = std::env::var_os(CONFIG_VARIABLE).map_or_else(|| PathBuf::from(CONFIG_DEFAULT), PathBuf::from);
            Config::load(&path).map_err(|error| {
                Failure::configuration(format!(
                    "failed to load {error}; the function reads it from its configuration layer ({CONFIG_VARIABLE})"
                ))
            })
        };
        self.inner.config.get_or_try_init(load).await
    }
}
