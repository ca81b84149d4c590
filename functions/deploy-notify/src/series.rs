//! What an execution means after those before it.

use aws_sdk_codepipeline::types::{ExecutionType, PipelineExecutionStatus, PipelineExecutionSummary};
use jiff::Timestamp;
use stagegate_desk::DeskError;
use stagegate_notice::{ActionState, End, ExecutionState, History, Picture, Subject, Thread};
use stagegate_state_store::{Decision, Updated};

use crate::documents::{Kept, history_key};
use crate::look::timestamp;
use crate::notifier::Notifier;

impl Notifier {
    /// Notes how an execution has ended, and adds to an answer what failed before it.
    ///
    /// An execution that rolls a stage back says nothing about the change that is released, so that it counts for neither.
    pub(crate) async fn add_series(&self, thread: &Thread, answer: &mut Picture) -> Result<(), DeskError> {
        let mut known = thread.picture.clone();
        known.join(answer);
        if known.about.rollback_to.is_some() {
            return Ok(());
        }
        let end = end(&known);
        let failed = first_failure(&known);
        if end.is_none() && (failed.is_none() || known.breaks.is_some()) {
            return Ok(());
        }
        let others = self.other_ends(thread).await;
        let history = self.note_ends(thread, end, &others).await?;
        let before = |at| history.before(&thread.execution, at);
        if let Some(at) = failed {
            answer.breaks = Some(before(at).failed == 0);
        }
        if let Some(end) = end.filter(|end| end.is_green) {
            answer.series = Some(before(end.at));
        }
        Ok(())
    }

    /// How other executions of a pipeline have ended, as CodePipeline says: of an end whose event was lost, nobody knows
    /// otherwise before it is looked for.
    async fn other_ends(&self, thread: &Thread) -> Vec<(String, End)> {
        if thread.subject != Subject::Pipeline {
            return Vec::new();
        }
        match self.parts.pipelines.latest(&thread.pipeline).await {
            Ok(found) => found.iter().filter_map(ended).filter(|(id, _)| *id != thread.execution).collect(),
            Err(error) => {
                tracing::warn!(
                    why = error.to_string(),
                    "how other executions have ended is known from their events only"
                );
                Vec::new()
            }
        }
    }

    async fn note_ends(
        &self,
        thread: &Thread,
        own: Option<End>,
        others: &[(String, End)],
    ) -> Result<History, DeskError> {
        let mut history = History::default();
        let decide = |current: Option<Kept<History>>| {
            let before = current.map(|kept| kept.0).unwrap_or_default();
            history = before.clone();
            for (id, end) in others {
                history.note(id, *end);
            }
            if let Some(end) = own {
                history.note(&thread.execution, end);
            }
            if history == before { Decision::Leave } else { Decision::Write(Kept(history.clone())) }
        };
        let key = history_key(thread.subject, &thread.pipeline);
        let updated: Updated<Kept<History>> = self.parts.store.update(&key, decide).await?;
        drop(updated);
        Ok(history)
    }
}

fn ended(found: &PipelineExecutionSummary) -> Option<(String, End)> {
    if found.execution_type() == Some(&ExecutionType::Rollback) {
        return None;
    }
    let is_green = match found.status()? {
        PipelineExecutionStatus::Succeeded => true,
        PipelineExecutionStatus::Failed => false,
        _ => return None,
    };
    let at = timestamp(found.last_update_time())?;
    Some((found.pipeline_execution_id()?.to_owned(), End { at, is_green }))
}

/// How an execution has ended, where that was by success or failure.
fn end(picture: &Picture) -> Option<End> {
    let moment = picture.state?;
    let is_green = match moment.state {
        ExecutionState::Succeeded => true,
        ExecutionState::Failed => false,
        _ => return None,
    };
    Some(End { at: moment.at, is_green })
}

/// When something in an execution failed first.
fn first_failure(picture: &Picture) -> Option<Timestamp> {
    let failed = picture.actions.values().filter(|action| action.state == ActionState::Failed);
    failed.filter_map(|action| action.ended).chain(picture.seen.get(&ExecutionState::Failed).copied()).min()
}
