//! The calendars of a policy: beside the configuration, or in the input artifacts of the job.

use std::path::Path;

use codepipeline_job::{Artifact, Failure, Job, JobContext};
use stagegate_config::release::Calendar as CalendarPolicy;
use stagegate_pipeline_artifact::{ArtifactClients, ArtifactError, ArtifactLocation, ArtifactStore, Limits};
use stagegate_release::calendar::{Calendar, MAX_BYTES};
use stagegate_release::{Calendars, Known, Plan, Unmeasured, parse_calendar, read_calendar};
use tokio::sync::OnceCell;

/// Reads all calendars of a plan. One that cannot be read is known to be unknown.
///
/// # Errors
///
/// If a calendar stands in an artifact that the action does not have.
pub(crate) async fn read(
    clients: &OnceCell<ArtifactClients>,
    plan: &Plan,
    job: &Job,
    context: &JobContext,
) -> Result<Calendars, Failure> {
    let file = stagegate_gate::config_file();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut calendars = Calendars::new();
    for policy in &plan.policy().calendars {
        calendars.push(match &policy.artifact {
            None => read_calendar(folder, policy),
            Some(name) => {
                let artifact = job.input_artifacts.iter().find(|artifact| artifact.name == *name).ok_or_else(|| {
                    Failure::configuration(format!(
                        "failed to read the calendar {}: the action has no input artifact {name}; add it to the action, or put the file beside stagegate.yaml",
                        policy.file
                    ))
                })?;
                let credentials = job.artifact_credentials()?.to_sdk();
                let clients = clients.get_or_init(async || ArtifactClients::new(context.sdk_config())).await;
                in_artifact(&clients.for_job(credentials), artifact, policy).await
            }
        });
    }
    Ok(calendars)
}

async fn in_artifact(store: &ArtifactStore, artifact: &Artifact, policy: &CalendarPolicy) -> Known<Calendar> {
    let (file, name) = (&policy.file, &artifact.name);
    let failed = |error: ArtifactError| {
        Unmeasured::new(format!("the calendar {file} cannot be read out of the artifact {name}: failed to {error}"))
    };
    let location = ArtifactLocation::new(&artifact.bucket, &artifact.key);
    let archive = store.open(location, Limits::default()).await.map_err(failed)?;
    let Some(entry) = archive.entries().iter().find(|entry| entry.path() == file) else {
        return Err(Unmeasured::new(format!("the artifact {name} has no file {file}")));
    };
    if entry.size() > MAX_BYTES as u64 {
        return Err(Unmeasured::new(format!(
            "the calendar {file} has {} bytes; at most {MAX_BYTES} are read",
            entry.size()
        )));
    }
    let bytes = archive.read(entry).await.map_err(failed)?;
    parse_calendar(&bytes, policy)
}
