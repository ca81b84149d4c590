//! The function: from a job to its answer.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_codepipeline::types::ActionExecutionFilter;
use codepipeline_job::{Continuation, Failure, FailureCause, FailureKind, Job, JobContext, Outcome};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_config::{GateChoice, TestGate, UserParameters};
use stagegate_gate::{Settings, State, answer, execution, misconfigured};
use stagegate_pipeline_artifact::ArtifactClients;
use stagegate_verdict::Execution;
use tokio::sync::OnceCell;

use crate::codebuild_source::{self, Gathered};
use crate::{BuildReports, Circumstances, Evidence, artifact_source, judge, recall};

/// What is kept from one invocation to the next.
#[derive(Clone, Default)]
struct Warm {
    settings: Settings,
    clients: Arc<OnceCell<ArtifactClients>>,
}

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    let warm = Warm::default();
    stagegate_gate::main(move |job: Job, context: JobContext| {
        let warm = warm.clone();
        async move { handle(&warm, &job, &context).await }
    })
}

async fn handle(warm: &Warm, job: &Job, context: &JobContext) -> Result<Outcome, Failure> {
    let parameters = UserParameters::parse(job.user_parameters()).map_err(misconfigured)?;
    let choice = parameters.choice().map_err(misconfigured)?;
    let gate = match &choice {
        GateChoice::Inline(gate) => gate,
        GateChoice::Named(_) => choice.resolve(warm.settings.config().await?).map_err(misconfigured)?,
    };
    parameters.check_for(gate).map_err(misconfigured)?;
    let gate = gate.test().map_err(misconfigured)?;
    let now = stagegate_gate::now(context);
    let waiting = job.state::<Waiting>()?;
    let Some((evidence, build)) = evidence(warm, job, context, gate, &parameters, now).await? else {
        return wait(waiting, now);
    };
    let execution = execution(job, &parameters);
    let state = State::from_environment(context.sdk_config());
    let baseline = recall::baseline(&state, gate, choice.name(), &execution).await?;
    let around = Circumstances {
        execution: execution.clone(),
        started: started(gate, &execution, context).await?,
        baseline: baseline.as_ref(),
        build,
    };
    let judged = judge(choice.name(), gate, evidence, around, now);
    let kept = async {
        state.keep(&judged.verdict, &execution).await?;
        recall::keep(&state, gate, &judged, &execution).await
    };
    answer(&judged.verdict, kept.await)
}

/// Everything that the policy asks for; `None` while CodeBuild is still making a report.
async fn evidence(
    warm: &Warm,
    job: &Job,
    context: &JobContext,
    gate: &TestGate,
    parameters: &UserParameters,
    now: Timestamp,
) -> Result<Option<(Evidence, Option<BuildReports>)>, Failure> {
    let today = Offset::UTC.to_datetime(now).date();
    let mut evidence = Evidence::new(gate, today).map_err(misconfigured)?;
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
    let clients = warm.clients.get_or_init(async || ArtifactClients::new(context.sdk_config())).await;
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
async fn started(gate: &TestGate, execution: &Execution, context: &JobContext) -> Result<Option<Timestamp>, Failure> {
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
