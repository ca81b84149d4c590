//! Gathering what an approval is about. What cannot be found out is said and keeps nobody from deciding.

use std::fmt::Write as _;

use aws_sdk_codepipeline::types::{ActionCategory, ActionExecutionDetail, PipelineExecution, PipelineExecutionStatus};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use stagegate_approval::{Author, Place, Previous, Release, Request, Revision, Started, VerdictNote};
use stagegate_state_store::{Folder, StateStore};
use stagegate_verdict::{Outcome, Verdict};

use crate::{Clock, Desk, DeskError};

/// How many gates may have judged an execution.
const MAX_VERDICTS: usize = 50;
/// How much of what did not pass is named for each gate.
const MAX_SUBJECTS: usize = 5;
/// The longest text that is taken over from anywhere.
const MAX_TEXT: usize = 2000;

impl Desk {
    /// Adds to a request what is known about the execution.
    pub(crate) async fn gather(&self, request: &mut Request, clock: &Clock) {
        let place = request.place.clone();
        let Some(execution) = request.execution.clone() else { return };
        let actions = self.pipelines.actions(&place.pipeline, &execution).await;
        match &actions {
            Ok(actions) => self.take_from_actions(request, actions, clock).await,
            Err(error) => request.release.gaps.push(error.to_string()),
        }
        let release = &mut request.release;
        match self.take_execution(&place, &execution, release).await {
            Ok(()) => release.is_read = actions.is_ok(),
            Err(error) => release.gaps.push(error.to_string()),
        }
        match self.previous(&place, &execution).await {
            Ok(previous) => release.previous = previous,
            Err(error) => release.gaps.push(error.to_string()),
        }
        match self.verdicts(&execution).await {
            Ok(verdicts) => release.verdicts = verdicts,
            Err(error) => release.gaps.push(error.to_string()),
        }
    }

    /// The action's own settings, and what the sources tell.
    async fn take_from_actions(&self, request: &mut Request, actions: &[ActionExecutionDetail], clock: &Clock) {
        let Place { stage, action, .. } = &request.place;
        let is_here = |found: &&ActionExecutionDetail| {
            found.stage_name() == Some(stage)
                && found.action_name() == Some(action)
                && request.action_execution.as_deref().is_none_or(|id| found.action_execution_id() == Some(id))
        };
        if let Some(own) = actions.iter().find(is_here) {
            let configuration = own.input().and_then(|input| input.resolved_configuration().or(input.configuration()));
            let setting = |key: &str| configuration?.get(key).map(cut);
            request.custom_data = request.custom_data.take().or_else(|| setting("CustomData"));
            request.review_link = request.review_link.take().or_else(|| setting("ExternalEntityLink"));
            if request.expires_at.is_none() {
                let started =
                    own.start_time().and_then(|time| Timestamp::from_millisecond(time.to_millis().ok()?).ok());
                match self.pipelines.time_limit(&request.place).await {
                    Ok(limit) => request.expires_at = started.unwrap_or(clock.now()).checked_add(limit).ok(),
                    Err(error) => request.release.gaps.push(error.to_string()),
                }
            }
        }
        request.release.revisions = actions.iter().filter(is_source).map(revision).collect();
    }

    async fn take_execution(&self, place: &Place, execution: &str, release: &mut Release) -> Result<(), DeskError> {
        let found = self.pipelines.execution(&place.pipeline, execution).await?;
        release.started = found.trigger().and_then(|trigger| {
            let detail = trigger.trigger_detail().map(cut);
            Some(Started { trigger: trigger.trigger_type()?.as_str().to_owned(), detail })
        });
        add_revisions(&mut release.revisions, &found);
        Ok(())
    }

    async fn previous(&self, place: &Place, execution: &str) -> Result<Option<Previous>, DeskError> {
        let latest = self.pipelines.latest(&place.pipeline).await?;
        let is_previous = |id: Option<&str>| id.is_some_and(|id| id != execution);
        let succeeded = latest.iter().find(|found| {
            found.status() == Some(&PipelineExecutionStatus::Succeeded) && is_previous(found.pipeline_execution_id())
        });
        Ok(succeeded.and_then(|found| {
            let at = found.last_update_time().and_then(|time| Timestamp::from_millisecond(time.to_millis().ok()?).ok());
            let revisions = found.source_revisions().iter().filter_map(|source| source.revision_id()).map(cut);
            Some(Previous { execution: found.pipeline_execution_id()?.to_owned(), revisions: revisions.collect(), at })
        }))
    }

    async fn verdicts(&self, execution: &str) -> Result<Vec<VerdictNote>, DeskError> {
        verdicts(self.store()?, execution).await
    }
}

/// What the gates have said about an execution, in the order of time.
///
/// # Errors
///
/// If it cannot be read.
pub async fn verdicts(store: &StateStore, execution: &str) -> Result<Vec<VerdictNote>, DeskError> {
    let mut notes = Vec::new();
    for key in store.list(&Folder::verdicts(execution), MAX_VERDICTS).await? {
        if let Some(stored) = store.get(&key).await? {
            notes.push(note(&stored.document));
        }
    }
    notes.sort_by(|one, other| (one.at, &one.gate).cmp(&(other.at, &other.gate)));
    Ok(notes)
}

/// What the sources of an execution have read.
pub fn revisions(actions: &[ActionExecutionDetail], execution: &PipelineExecution) -> Vec<Revision> {
    let mut revisions = actions.iter().filter(is_source).map(revision).collect();
    add_revisions(&mut revisions, execution);
    revisions
}

/// Adds what the execution itself tells about its revisions.
fn add_revisions(revisions: &mut Vec<Revision>, execution: &PipelineExecution) {
    for artifact in execution.artifact_revisions() {
        let Some(id) = artifact.revision_id() else { continue };
        let known = revisions.iter_mut().find(|revision| revision.id == id || revision.id.is_empty());
        let place = match known {
            Some(known) => known,
            None => {
                let source = artifact.name().unwrap_or("source").to_owned();
                revisions.push(Revision { source, ..Revision::default() });
                let last = revisions.len() - 1;
                &mut revisions[last]
            }
        };
        place.id = cut(id);
        place.url = place.url.take().or_else(|| artifact.revision_url().map(cut));
        place.message = place.message.take().or_else(|| artifact.revision_summary().map(summary_text));
    }
}

fn is_source(action: &&ActionExecutionDetail) -> bool {
    let kind = action.input().and_then(|input| input.action_type_id());
    kind.is_some_and(|kind| kind.category() == &ActionCategory::Source)
}

/// What a source action says about its revision (AWS CodePipeline guide, "Variables reference").
fn revision(action: &ActionExecutionDetail) -> Revision {
    let variables = action.output().and_then(|output| output.output_variables());
    let variable = |names: &[&str]| {
        let found = names.iter().find_map(|name| variables?.get(*name)).filter(|text| !text.trim().is_empty());
        found.map(cut)
    };
    let (name, email) = (variable(&["AuthorDisplayName"]), variable(&["AuthorEmail"]));
    Revision {
        source: action.action_name().unwrap_or("source").to_owned(),
        id: variable(&["CommitId", "VersionId", "ImageDigest", "ETag"]).unwrap_or_default(),
        message: variable(&["CommitMessage"]),
        url: variable(&["CommitUrl"]).filter(|url| url.starts_with("https://")),
        branch: variable(&["BranchName"]),
        author: (name.is_some() || email.is_some()).then_some(Author { name, email }),
    }
}

/// Sources of connections give their summary as JSON with the message in it.
fn summary_text(summary: &str) -> String {
    let json = serde_json::from_str::<serde_json::Value>(summary).ok();
    let message = json.as_ref().and_then(|json| json.get("CommitMessage")?.as_str());
    cut(message.unwrap_or(summary))
}

/// A verdict in short, as it stands in a record.
pub fn note(verdict: &Verdict) -> VerdictNote {
    let broken = verdict.findings().iter().filter(|finding| !finding.shadow && finding.outcome != Outcome::Passed);
    let subjects = broken.flat_map(|finding| finding.subjects.iter().map(cut));
    // A verdict is always JSON: it was just read from it.
    let json = serde_json::to_vec(verdict).unwrap_or_default();
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(&json) {
        let _ = write!(digest, "{byte:02x}");
    }
    VerdictNote {
        gate: verdict.gate().to_owned(),
        outcome: verdict.outcome().to_string(),
        summary: cut(verdict.summary()),
        subjects: subjects.take(MAX_SUBJECTS).collect(),
        at: verdict.at(),
        digest,
    }
}

fn cut(text: impl AsRef<str>) -> String {
    text.as_ref().chars().take(MAX_TEXT).collect()
}
