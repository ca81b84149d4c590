//! The door of CodePipeline: the job of an action or of a LambdaInvoke rule.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use codepipeline_job::{Continuation, Failure, FailureKind, Job, JobContext, Outcome};
use jiff::{SignedDuration, Timestamp};
use stagegate_config::smoke::Source;
use stagegate_config::{GateChoice, SmokeGate, UserParameters};
use stagegate_gate::{Settings, State, answer, execution, misconfigured};
use stagegate_pipeline_artifact::{ArtifactBuilder, ArtifactClients, ArtifactLocation, ArtifactStore};
use stagegate_verdict::Outcome as VerdictOutcome;
use tokio::sync::OnceCell;

use crate::artifact_source::{Archive, from_archives};
use crate::folder_source::from_folder;
use crate::secrets;
use crate::source::SourceFiles;
use crate::steady::Progress;
use crate::step::{Call, Judged, Step, step};

/// The longest that an invocation which has come too early waits for its time.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What is kept from one invocation to the next.
#[derive(Clone, Default)]
pub(crate) struct Warm {
    pub(crate) settings: Settings,
    clients: Arc<OnceCell<ArtifactClients>>,
}

impl Warm {
    pub(crate) async fn clients(&self, sdk: &SdkConfig) -> &ArtifactClients {
        self.clients.get_or_init(async || ArtifactClients::new(sdk)).await
    }

    /// The files of a source that the policy names itself; `None` where it leaves that to the door.
    pub(crate) async fn named_source(
        &self,
        policy: &SmokeGate,
        sdk: &SdkConfig,
    ) -> Result<Option<SourceFiles>, Failure> {
        match &policy.source {
            None | Some(Source::Artifact) => Ok(None),
            Some(Source::Layer) => Ok(Some(from_layer(policy)?)),
            Some(source @ Source::S3 { bucket, key }) => {
                let store = self.clients(sdk).await.for_job(own_credentials(sdk).await?);
                let location = ArtifactLocation::new(bucket.clone(), key.clone());
                let archive = Archive { name: source.to_string(), location };
                Ok(Some(from_archives(policy, &[archive], &store).await?))
            }
        }
    }
}

/// The files of the configuration layer, which lie beside `stagegate.yaml`.
pub(crate) fn from_layer(policy: &SmokeGate) -> Result<SourceFiles, Failure> {
    if policy.hurl.is_empty() && policy.always.is_empty() {
        return Ok(SourceFiles::default());
    }
    let file = stagegate_gate::config_file();
    Ok(from_folder(policy, file.parent().unwrap_or(&file))?)
}

/// The credentials of the function's role.
async fn own_credentials(sdk: &SdkConfig) -> Result<aws_credential_types::Credentials, Failure> {
    let missing = "failed to read the source of the gate: the function has no credentials of its own";
    let provider = sdk.credentials_provider().ok_or_else(|| Failure::configuration(missing))?;
    let given = provider.provide_credentials().await;
    given.map_err(|error| Failure::new(FailureKind::PermissionError, format!("{missing}: {error}")))
}

/// Handles a job.
pub(crate) async fn handle(warm: &Warm, job: &Job, context: &JobContext) -> Result<Outcome, Failure> {
    let parameters = UserParameters::parse(job.user_parameters()).map_err(misconfigured)?;
    let choice = parameters.choice().map_err(misconfigured)?;
    let gate = match &choice {
        GateChoice::Inline(gate) => gate,
        GateChoice::Named(_) => choice.resolve(warm.settings.config().await?).map_err(misconfigured)?,
    };
    parameters.check_for(gate).map_err(misconfigured)?;
    let policy = gate.smoke().map_err(misconfigured)?;
    let sdk = context.sdk_config();
    let mut now = stagegate_gate::now(context);
    let progress = job.state::<Progress>()?;
    if let Some(progress) = &progress {
        match early(progress.next, now, context.remaining()) {
            Early::No => {}
            Early::Wait(wait) => {
                tokio::time::sleep(wait).await;
                now = progress.next;
            }
            Early::AskAgain(wait) => {
                tokio::time::sleep(wait).await;
                return Ok(Continuation::new(progress)?.summary("waiting for the time of the next sample").into());
            }
        }
    }
    let source = match warm.named_source(policy, sdk).await? {
        Some(source) => source,
        None => from_artifacts(warm, policy, job, sdk).await?,
    };
    let call = Call {
        gate: choice.name(),
        policy,
        variables: &parameters.variables,
        secrets: secrets::read(sdk, &policy.secrets).await?,
        execution: execution(job, &parameters),
        now,
        answer_by: context.answer_by(),
        progress,
    };
    let execution = call.execution.clone();
    match Box::pin(step(call, source)).await? {
        Step::Later { progress, summary, percent } => {
            Ok(Continuation::new(&progress)?.summary(summary).percent_complete(percent).into())
        }
        Step::Done(judged) => {
            let uploaded = upload(warm, &judged, job, sdk).await;
            let kept = State::from_environment(sdk).keep(&judged.verdict, &execution).await;
            if let Err(failure) = uploaded {
                if judged.verdict.outcome() == VerdictOutcome::Passed {
                    return Err(failure);
                }
                // The verdict stops the execution anyway, and it is what people must see.
                tracing::error!(reason = failure.message(), "the reports could not be stored");
            }
            answer(&judged.verdict, kept)
        }
    }
}

/// What to do with an invocation that comes before its sample is due. CodePipeline does not say when it calls again.
enum Early {
    No,
    Wait(Duration),
    /// Waits a little, so that being called again at once does not go round and round.
    AskAgain(Duration),
}

fn early(next: Timestamp, now: Timestamp, left: Duration) -> Early {
    // The clocks of two invocations may differ a little.
    let wait = next.duration_since(now) - SignedDuration::from_secs(1);
    match Duration::try_from(wait) {
        Err(_) => Early::No,
        Ok(Duration::ZERO) => Early::No,
        // The clock of a local AWS may run faster than the function's, which cannot wait by it.
        Ok(_) if stagegate_gate::is_local() => Early::AskAgain(Duration::ZERO),
        Ok(wait) if wait <= LONGEST_WAIT.min(left / 4) => Early::Wait(wait),
        Ok(_) => Early::AskAgain(LONGEST_WAIT.min(left / 4)),
    }
}

async fn from_artifacts(warm: &Warm, policy: &SmokeGate, job: &Job, sdk: &SdkConfig) -> Result<SourceFiles, Failure> {
    if policy.hurl.is_empty() && policy.always.is_empty() {
        return Ok(SourceFiles::default());
    }
    if job.input_artifacts.is_empty() {
        let message = "failed to find Hurl files: the action has no input artifact; add the one that holds them, or name \
                       another `source` in the gate";
        return Err(Failure::configuration(message));
    }
    let archive = |artifact: &codepipeline_job::Artifact| Archive {
        name: artifact.name.clone(),
        location: ArtifactLocation::new(&artifact.bucket, &artifact.key),
    };
    let archives: Vec<_> = job.input_artifacts.iter().map(archive).collect();
    Ok(from_archives(policy, &archives, &store(warm, job, sdk).await?).await?)
}

async fn store(warm: &Warm, job: &Job, sdk: &SdkConfig) -> Result<ArtifactStore, Failure> {
    let credentials = job.artifact_credentials()?.to_sdk();
    Ok(warm.clients(sdk).await.for_job(credentials))
}

/// Writes the tests and the verdict to each output artifact that the action declares.
async fn upload(warm: &Warm, judged: &Judged, job: &Job, sdk: &SdkConfig) -> Result<(), Failure> {
    if job.output_artifacts.is_empty() {
        return Ok(());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = judged.verdict.gate().chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let verdict = serde_json::to_vec_pretty(&judged.verdict)
        .map_err(|error| Failure::job_failed(format!("failed to write the verdict: {error}")))?;
    let artifact = ArtifactBuilder::new()
        .file(format!("TEST-{name}.xml"), judged.junit.clone())
        .file(format!("TEST-{name}-rules.xml"), judged.verdict.to_junit())
        .file("verdict.json", verdict);
    let store = store(warm, job, sdk).await?;
    let key = job.encryption_key.as_ref().map(|key| key.id.as_str());
    for output in &job.output_artifacts {
        let location = ArtifactLocation::new(&output.bucket, &output.key);
        store.put(&location, &artifact, key).await.map_err(|error| {
            use stagegate_pipeline_artifact::FailureKind as Cause;
            let kind = match error.kind() {
                Cause::Permission => FailureKind::PermissionError,
                Cause::Unavailable => FailureKind::SystemUnavailable,
                Cause::Configuration | Cause::InvalidArtifact => FailureKind::ConfigurationError,
            };
            Failure::new(kind, format!("output artifact {}: failed to {error}", output.name))
        })?;
    }
    Ok(())
}
