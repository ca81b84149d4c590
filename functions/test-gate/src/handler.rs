//! The function: from a job to its answer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_codepipeline::types::ActionExecutionFilter;
use codepipeline_job::{Continuation, Failure, FailureCause, FailureKind, Job, JobContext, Outcome, Success};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_config::{Config, Gate, GateChoice, UserParameters};
use stagegate_pipeline_artifact::ArtifactClients;
use stagegate_verdict::{Execution, Outcome as VerdictOutcome, Verdict};
use tokio::sync::OnceCell;

use crate::codebuild_source::{self, Gathered};
use crate::state::State;
use crate::{BuildReports, Circumstances, Evidence, artifact_source, clock, judge};

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
    let now = clock::now(context);
    let waiting = job.state::<Waiting>()?;
    let Some((evidence, build)) = evidence(warm, job, context, gate, &parameters, now).await? else {
        return wait(waiting, now);
    };
    let execution = execution(job, &parameters);
    let state = State::from_environment(context.sdk_config());
    let baseline = state.baseline(gate, choice.name(), &execution).await?;
    let around = Circumstances {
        execution: execution.clone(),
        started: started(gate, &execution, context).await?,
        baseline: baseline.as_ref(),
        build,
    };
    let judged = judge(choice.name(), gate, evidence, around, now);
    log(&judged.verdict);
    let kept = state.keep(gate, &judged, &execution).await;
    answer(&judged.verdict, kept.err().map(|error| error.to_string()))
}

/// Everything that the policy asks for; `None` while CodeBuild is still making a report.
async fn evidence(
    warm: &Warm,
    job: &Job,
    context: &JobContext,
    gate: &Gate,
    parameters: &UserParameters,
    now: Timestamp,
) -> Result<Option<(Evidence, Option<BuildReports>)>, Failure> {
    let today = Offset::UTC.to_datetime(now).date();
    let mut evidence = Evidence::new(gate, today).map_err(configuration)?;
    let mut build = None;
    if let Some(wanted) = gate.tests.as_ref().and_then(|tests| tests.codebuild.as_ref()) {
        let client = aws_sdk_codebuild::Client::new(context.sdk_config());
        match codebuild_source::gather(&client, wanted, parameters).await? {
            Gathered::Ready(reports) => build = Some(reports),
            Gathered::Generating(report) => {
                tracing::info!(report, "CodeBuild is still making a report");
                return Ok(None);
            }
        }
    }
    if evidence.patterns().is_empty() {
        build.iter().for_each(|build| evidence.count_build(build));
        return Ok(Some((evidence, build)));
    }
    if job.input_artifacts.is_empty() {
        let message = "failed to find reports: the action has no input artifact; add the one that holds the reports";
        return Err(Failure::configuration(message));
    }
    if gate.tests.as_ref().is_some_and(|tests| tests.reports.is_empty()) {
        build.iter().for_each(|build| evidence.count_build(build));
    }
    let credentials = job.artifact_credentials()?.to_sdk();
    let clients = warm.inner.clients.get_or_init(async || ArtifactClients::new(context.sdk_config())).await;
    let evidence = artifact_source::gather(evidence, &job.input_artifacts, &clients.for_job(credentials)).await?;
    Ok(Some((evidence, build)))
}

/// What is kept in the continuation token while CodeBuild makes a report.
#[derive(Serialize, Deserialize)]
struct Waiting {
    since: Timestamp,
}

/// CodeBuild makes reports within seconds of the build's end. One that takes longer than this will not come.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

fn wait(waiting: Option<Waiting>, now: Timestamp) -> Result<Outcome, Failure> {
    let waiting = waiting.unwrap_or(Waiting { since: now });
    if now.duration_since(waiting.since) > LONGEST_WAIT {
        let message = "failed to read the reports in CodeBuild: a report was still GENERATING after 15 minutes; look at its \
                       report group, or run the action again";
        return Err(Failure::new(FailureKind::SystemUnavailable, message));
    }
    Ok(Continuation::new(&waiting)?.summary("waiting for CodeBuild to finish a report").into())
}

/// When the execution began, where the policy asks for it: when its first action did.
async fn started(gate: &Gate, execution: &Execution, context: &JobContext) -> Result<Option<Timestamp>, Failure> {
    if !gate.provenance.is_some_and(|provenance| provenance.since_execution) {
        return Ok(None);
    }
    let (Some(pipeline), Some(id)) = (&execution.pipeline, &execution.execution) else {
        let message = "failed to find out when the execution began: add \"pipeline\" and \
                       \"execution\":\"#{codepipeline.PipelineExecutionId}\" to UserParameters";
        return Err(Failure::configuration(message));
    };
    let client = aws_sdk_codepipeline::Client::new(context.sdk_config());
    let filter = ActionExecutionFilter::builder().pipeline_execution_id(id).build();
    let mut pages = client.list_action_executions().pipeline_name(pipeline).filter(filter).into_paginator().send();
    let mut first: Option<Timestamp> = None;
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            let message = format!("failed to find out when the execution began: {}", error.failure_message());
            Failure::new(error.failure_kind(), message)
        })?;
        let times = page.action_execution_details().iter().filter_map(|action| action.start_time());
        let times = times.filter_map(|time| Timestamp::from_millisecond(time.to_millis().ok()?).ok());
        first = first.into_iter().chain(times).min();
    }
    Ok(first)
}

fn configuration(error: impl std::fmt::Display) -> Failure {
    Failure::configuration(format!("failed to {error}"))
}

/// Where the job belongs to. A custom action's job says it itself; a Lambda action's parameters can.
fn execution(job: &Job, parameters: &UserParameters) -> Execution {
    let context = job.pipeline_context.clone().unwrap_or_default();
    Execution {
        pipeline: context.pipeline_name.or_else(|| parameters.pipeline.clone()),
        stage: context.stage_name.or_else(|| parameters.stage.clone()),
        execution: context.pipeline_execution_id.or_else(|| parameters.execution.clone()),
    }
}

fn log(verdict: &Verdict) {
    let findings = serde_json::to_string(verdict.findings()).unwrap_or_default();
    tracing::info!(gate = verdict.gate(), outcome = %verdict.outcome(), summary = verdict.summary(), findings, "judged");
}

/// `not_kept` says why the verdict could not be stored. It stands all the same, and whoever reads it is told.
fn answer(verdict: &Verdict, not_kept: Option<String>) -> Result<Outcome, Failure> {
    let note = match not_kept {
        Some(reason) => {
            tracing::error!(reason, "the verdict could not be stored");
            format!(" (the verdict could not be stored: failed to {reason})")
        }
        None => String::new(),
    };
    match verdict.outcome() {
        VerdictOutcome::Passed => {
            let summary = verdict.summary_line() + &note;
            Ok(Success::new(summary).output_variables(verdict.output_variables()).percent_complete(100).into())
        }
        VerdictOutcome::Failed => Err(Failure::job_failed(verdict.failure_message() + &note)),
        // An action knows no third way. Whoever looks into it can retry the stage.
        VerdictOutcome::Inconclusive => {
            let message = verdict.failure_message();
            Err(Failure::job_failed(format!("inconclusive, a person must look: {message}{note}")))
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
