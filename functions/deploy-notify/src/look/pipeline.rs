//! Asking CodePipeline.

use std::time::Duration;

use aws_sdk_codepipeline::types::{ActionExecutionDetail, PipelineExecution};
use jiff::{SignedDuration, Timestamp};
use stagegate_desk::{DeskError, revisions, verdicts};
use stagegate_notice::{
    About, Action, ActionState, ExecutionState, Moment, Picture, Reason, ReasonSource, Revision, Thread, VerdictLine,
};
use tokio::time::Instant;

use super::{cut, https, timestamp};
use crate::notifier::Notifier;

/// How long after an execution was tried again CodePipeline may answer as before.
const SETTLED: SignedDuration = SignedDuration::from_mins(1);
/// How long finding out who the author is in Slack may take.
const AUTHOR: Duration = Duration::from_secs(10);

impl Notifier {
    pub(super) async fn look_at_pipeline(&self, thread: &Thread, now: Timestamp) -> Result<Picture, DeskError> {
        let (pipeline, id) = (thread.pipeline.as_str(), thread.execution.as_str());
        let execution = self.parts.pipelines.execution(pipeline, id).await?;
        let found = self.parts.pipelines.actions(pipeline, id).await?;
        let mut picture = Picture { about: self.about(thread, &execution, &found).await, ..Picture::default() };
        for detail in &found {
            if let Some((id, action)) = action(detail) {
                picture.actions.insert(id, action);
            }
        }
        self.add_reasons(thread, &mut picture).await;
        enter(thread, &execution, &mut picture, now);
        if picture.actions.values().any(|action| action.state == ActionState::Failed) {
            self.add_verdicts(thread, &mut picture).await;
            self.add_author(thread, &mut picture).await?;
        }
        Ok(picture)
    }

    async fn about(&self, thread: &Thread, execution: &PipelineExecution, actions: &[ActionExecutionDetail]) -> About {
        let mut about = About { is_looked_up: true, ..About::default() };
        if thread.picture.about.stages.is_empty() {
            match self.parts.pipelines.stages(&thread.pipeline, execution.pipeline_version()).await {
                Ok(stages) => about.stages = stages,
                Err(error) => tracing::warn!(why = error.to_string(), "the order of the stages is not known"),
            }
        }
        about.trigger = execution.trigger().and_then(|trigger| {
            let by = trigger.trigger_detail().map(|detail| detail.rsplit('/').next().unwrap_or(detail));
            by.filter(|by| !by.is_empty()).or(trigger.trigger_type().map(|kind| kind.as_str())).map(cut)
        });
        let back = execution.rollback_metadata().and_then(|data| data.rollback_target_pipeline_execution_id());
        about.rollback_to = back.map(cut);
        let mut read = revisions(actions, execution).into_iter().filter(|revision| !revision.id.is_empty());
        if let Some(revision) = read.next() {
            about.are_sources_looked_up = true;
            about.created = created(execution, &revision.id);
            (about.author, about.author_email) =
                revision.author.map(|author| (author.name, author.email)).unwrap_or_default();
            about.revision =
                Some(Revision { id: revision.id, summary: revision.message, url: https(revision.url.as_deref()) });
        } else {
            // A source that has ended without a revision has none.
            about.are_sources_looked_up = actions.iter().any(is_ended_source);
        }
        about
    }

    /// Adds what the providers say about failures.
    async fn add_reasons(&self, thread: &Thread, picture: &mut Picture) {
        for (id, action) in &mut picture.actions {
            let known = thread.picture.actions.get(id).and_then(|action| action.reason.as_ref());
            let is_known = known.is_some_and(|reason| reason.source >= ReasonSource::CodeBuild);
            let Some(external) =
                action.external_id.clone().filter(|_| action.state == ActionState::Failed && !is_known)
            else {
                continue;
            };
            let asked = match action.provider.as_deref() {
                Some("CodeBuild") => self.why_build_failed(&external).await,
                Some(provider) if provider.starts_with("CodeDeploy") => {
                    self.why_deployment_failed(&external).await.map(|reason| (reason, None))
                }
                _ => continue,
            };
            match asked {
                Ok((reason, logs)) => {
                    action.reason = action.reason.take().max(reason);
                    action.logs = logs;
                }
                Err(error) => tracing::warn!(why = error.to_string(), "why the action failed is not known better"),
            }
        }
    }

    async fn add_verdicts(&self, thread: &Thread, picture: &mut Picture) {
        match verdicts(&self.parts.store, &thread.execution).await {
            Ok(notes) => picture.verdicts.extend(notes.into_iter().map(|note| {
                let line = VerdictLine {
                    at: note.at,
                    has_passed: note.outcome == "passed",
                    summary: note.summary,
                    subjects: note.subjects,
                };
                (note.gate, line)
            })),
            Err(error) => tracing::warn!(why = error.to_string(), "what the gates said is not known"),
        }
    }

    /// Finds the author in Slack, where a route mentions authors.
    async fn add_author(&self, thread: &Thread, picture: &mut Picture) -> Result<(), DeskError> {
        let about = &thread.picture.about;
        let email = picture.about.author_email.clone().or_else(|| about.author_email.clone());
        let mentions = self
            .config()?
            .notifications()
            .iter()
            .any(|route| route.mention_author && route.is_of_pipeline(&thread.pipeline));
        if let Some(email) = email.filter(|_| mentions && about.author_user.is_none()) {
            picture.about.author_user = self.parts.channels.slack_user(&email, Instant::now() + AUTHOR).await;
        }
        Ok(())
    }
}

fn is_ended_source(detail: &ActionExecutionDetail) -> bool {
    action(detail).is_some_and(|(_, action)| {
        action.category.as_deref() == Some("Source") && action.state == ActionState::Succeeded
    })
}

fn action(detail: &ActionExecutionDetail) -> Option<(String, Action)> {
    let id = detail.action_execution_id()?;
    let state = ActionState::read(detail.status()?.as_str())?;
    let kind = detail.input().and_then(|input| input.action_type_id());
    let result = detail.output().and_then(|output| output.execution_result());
    let category = kind.map(|kind| kind.category().as_str().to_owned());
    // What stands in the place of an external id may be the token that answers an approval.
    let external = result.and_then(|result| result.external_execution_id());
    let external_id = external.filter(|_| category.as_deref() != Some("Approval")).map(cut);
    let reason = (state == ActionState::Failed).then(|| {
        let details = result.and_then(|result| result.error_details());
        let summary = result.and_then(|result| result.external_execution_summary());
        let text =
            details.and_then(|details| details.message()).or(summary).map(cut).filter(|text| !text.is_empty())?;
        let code = details.and_then(|details| details.code()).map(cut);
        Some(Reason { source: ReasonSource::CodePipeline, text, code })
    });
    let has_ended = state != ActionState::Started;
    let action = Action {
        stage: detail.stage_name().map(cut),
        name: detail.action_name().map(cut),
        category,
        provider: kind.map(|kind| cut(kind.provider())),
        external_id,
        started: timestamp(detail.start_time()),
        ended: timestamp(detail.last_update_time()).filter(|_| has_ended),
        state,
        reason: reason.flatten(),
        url: https(result.and_then(|result| result.external_execution_url())),
        logs: None,
        is_looked_up: has_ended,
    };
    Some((id.to_owned(), action))
}

/// How the execution stands. CodePipeline does not say since when, so that it is the time of the last thing that is known.
fn enter(thread: &Thread, execution: &PipelineExecution, picture: &mut Picture, now: Timestamp) {
    let Some(status) = execution.status() else { return };
    let Some(state) = ExecutionState::read(status.as_str()) else { return };
    let last = picture.last_progress();
    let known = thread.picture.state;
    let at: Option<Timestamp> = match state {
        // Nothing follows these, so that everything else was before.
        ExecutionState::Succeeded | ExecutionState::Superseded | ExecutionState::Canceled | ExecutionState::Stopped => {
            last.max(thread.picture.last_progress())
        }
        // An answer that is a moment old does not take back that it was tried again.
        ExecutionState::Failed if known.is_some_and(|moment| has_just_resumed(moment, now)) => last,
        ExecutionState::Failed => last.max(thread.picture.last_progress()),
        // Events have whole seconds: one of the same second that says more is the later one.
        _ => last.and_then(|at| Timestamp::from_second(at.as_second()).ok()),
    };
    if let Some(at) = at {
        picture.enter(state, at);
    }
    if state == ExecutionState::Failed {
        picture.note_failure();
    }
}

/// Whether it was tried again so lately that CodePipeline's answer may be older.
fn has_just_resumed(moment: Moment<ExecutionState>, now: Timestamp) -> bool {
    moment.state == ExecutionState::Resumed && now.duration_since(moment.at) < SETTLED
}

/// When a revision was made, as CodePipeline tells of the artifact that holds it.
fn created(execution: &PipelineExecution, revision: &str) -> Option<Timestamp> {
    let artifacts = execution.artifact_revisions().iter();
    let of_it = artifacts.filter(|artifact| artifact.revision_id() == Some(revision));
    timestamp(of_it.filter_map(|artifact| artifact.created()).min())
}

#[cfg(test)]
mod tests {
    use aws_sdk_codepipeline::types::PipelineExecutionStatus;

    use super::*;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    /// What is known, when it is asked that CodePipeline says "Failed", and how the execution stands by then. Its last
    /// action has succeeded, ten seconds after the beginning.
    #[test]
    fn an_end_in_failure_is_found_where_its_event_was_lost() {
        use ExecutionState::{Failed, Resumed, Started};
        for (name, known, at, expected) in [
            ("nothing was heard", None, 20, Failed),
            ("it was heard to begin", Some((Started, 0)), 20, Failed),
            ("it was tried again before the answer can have been older", Some((Resumed, 30)), 95, Failed),
            ("it was tried again a moment ago", Some((Resumed, 30)), 40, Resumed),
        ] {
            let mut thread = Thread::new("web", "1");
            if let Some((state, at)) = known {
                thread.picture.enter(state, time(at));
            }
            let done = Action {
                started: Some(time(0)),
                ended: Some(time(10)),
                state: ActionState::Succeeded,
                ..Action::default()
            };
            let mut answer = Picture { actions: [("a0".to_owned(), done)].into(), ..Picture::default() };
            let execution = PipelineExecution::builder().status(PipelineExecutionStatus::Failed).build();
            enter(&thread, &execution, &mut answer, time(at));
            assert!(answer.failures_without_action.contains("a0"), "{name}");
            thread.picture.join(&answer);
            assert_eq!(thread.picture.execution_state(), Some(expected), "{name}");
        }
    }
}
