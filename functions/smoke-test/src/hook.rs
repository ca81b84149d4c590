//! The door of CodeDeploy: a lifecycle hook.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use codepipeline_job::Failure;
use jiff::{SignedDuration, Timestamp};
use stagegate_codedeploy_hook::{Hook, HookContext};
use stagegate_config::SmokeGate;
use stagegate_config::smoke::Source;
use stagegate_gate::{State, misconfigured};
use stagegate_verdict::{Execution, Outcome};

use crate::job::{Warm, from_layer};
use crate::secrets;
use crate::steady::Progress;
use crate::step::{Call, Step, step};

/// Names the gate of the hook: the event does not say which hook it is, so each one has a function of its own.
const GATE_VARIABLE: &str = "STAGEGATE_GATE";

/// Decides about a deployment: `Ok` only where the verdict is passed.
pub(crate) async fn handle(warm: &Warm, hook: &Hook, context: &HookContext) -> Result<(), String> {
    decide(warm, hook, context).await.map_err(|failure| failure.message().to_owned())
}

async fn decide(warm: &Warm, hook: &Hook, context: &HookContext) -> Result<(), Failure> {
    let name = std::env::var(GATE_VARIABLE).ok().filter(|name| !name.is_empty()).ok_or_else(|| {
        Failure::configuration(format!(
            "failed to choose a gate: set {GATE_VARIABLE} of the function to the name of a gate in stagegate.yaml"
        ))
    })?;
    let config = warm.settings.config().await?;
    let policy = config.gate(&name).map_err(misconfigured)?.smoke().map_err(misconfigured)?;
    let sdk = &context.sdk_config;
    check_time(policy, context.answer_by)?;
    let execution = Execution { execution: Some(hook.deployment_id.clone()), ..Execution::default() };
    let mut progress: Option<Progress> = None;
    loop {
        let source = match warm.named_source(policy, sdk).await? {
            Some(source) => source,
            None if policy.source == Some(Source::Artifact) => {
                let message = "failed to find Hurl files: a hook of CodeDeploy has no artifact; set `source` of the gate to \
                               layer or to the place of a ZIP file in S3";
                return Err(Failure::configuration(message));
            }
            None => from_layer(policy)?,
        };
        let call = Call {
            gate: &name,
            policy,
            variables: &BTreeMap::new(),
            secrets: secrets::read(sdk, &policy.secrets).await?,
            execution: execution.clone(),
            now: Timestamp::now(),
            answer_by: Some(context.answer_by),
            progress: progress.take(),
        };
        match Box::pin(step(call, source)).await? {
            Step::Later { progress: so_far, .. } => {
                let wait = so_far.next.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
                tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
                progress = Some(so_far);
            }
            Step::Done(judged) => {
                let verdict = &judged.verdict;
                if let Err(error) = State::from_environment(sdk).keep(verdict, &execution).await {
                    tracing::error!(reason = %error, "the verdict could not be stored");
                }
                let findings = serde_json::to_string(verdict.findings()).unwrap_or_default();
                let (gate, summary, outcome) = (verdict.gate(), verdict.summary(), verdict.outcome());
                tracing::info!(gate, %outcome, summary, findings, "judged");
                return match outcome {
                    Outcome::Passed => Ok(()),
                    Outcome::Failed => Err(Failure::job_failed(verdict.failure_message())),
                    // A hook knows no third way either.
                    Outcome::Inconclusive => Err(Failure::job_failed(format!(
                        "inconclusive, a person must look: {}",
                        verdict.failure_message()
                    ))),
                };
            }
        }
    }
}

/// A hook has one invocation: it must be long enough for everything to stay green in it.
fn check_time(policy: &SmokeGate, answer_by: Instant) -> Result<(), Failure> {
    let Some(steady) = &policy.steady else { return Ok(()) };
    let left = answer_by.saturating_duration_since(Instant::now());
    if steady.green_for.as_duration() < left {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "failed to watch the deployment: it must be green for {}, and the function has {} s for it; give the function more time \
         (its Timeout, at most 900 s) or ask for a shorter `green_for` in a gate of the hook's own",
        steady.green_for,
        left.as_secs()
    )))
}
