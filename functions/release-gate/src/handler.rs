//! The function: from a job to its answer, or to a later look.

use std::process::ExitCode;
use std::sync::Arc;

use codepipeline_job::{Continuation, Failure, Job, JobContext, Outcome};
use stagegate_config::{GateChoice, UserParameters};
use stagegate_gate::{Settings, State, answer, execution, misconfigured};
use stagegate_pipeline_artifact::ArtifactClients;
use stagegate_release::{Looked, Plan, Progress, Sources, Subject, look};
use tokio::sync::OnceCell;

use crate::calendars;

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
    let plan = Plan::new(gate.release().map_err(misconfigured)?).map_err(misconfigured)?;
    let execution = execution(job, &parameters);
    let subject = Subject { gate: choice.name().to_owned(), execution, overridden: None };
    plan.check(&subject.execution).map_err(misconfigured)?;
    let state = State::from_environment(context.sdk_config());
    if plan.policy().verdicts.is_some() {
        state.require("read the verdicts of other gates")?;
    }
    let progress = job.state::<Progress>()?;
    let calendars = calendars::read(warm.clients.as_ref(), &plan, job, context).await?;
    let sources = Sources::new(context.sdk_config(), state.store().cloned());
    let now = stagegate_gate::now(context);
    let looked = Box::pin(look(&plan, &subject, progress, &sources, &calendars, now)).await;
    match looked.map_err(misconfigured)? {
        Looked::Waiting { progress, summary, .. } => Ok(Continuation::new(&progress)?.summary(summary).into()),
        Looked::Done(verdict) => answer(&verdict, state.keep(&verdict, &subject.execution).await),
    }
}
