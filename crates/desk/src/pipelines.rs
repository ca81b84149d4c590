//! What CodePipeline knows about approvals, and answering them.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::list_action_executions::ListActionExecutionsError;
use aws_sdk_codepipeline::operation::put_approval_result::PutApprovalResultError;
use aws_sdk_codepipeline::types::{
    ActionExecution, ActionExecutionDetail, ActionExecutionFilter, ActionExecutionStatus, ApprovalResult,
    ApprovalStatus, PipelineExecution, PipelineExecutionStatus, PipelineExecutionSummary,
};
use jiff::{SignedDuration, Timestamp};
use stagegate_approval::{Approval, Decision, Ended, Place, Ruling, Token};

use crate::DeskError;

/// The most pages of actions of one execution that are read: 1000 actions.
const MAX_PAGES: usize = 10;
/// How long CodePipeline waits for an approval where the action does not say (AWS CodePipeline guide, quotas).
const DEFAULT_TIMEOUT_MINUTES: i64 = 7 * 24 * 60;
/// By how much the time of an end may lie before the one that was announced: that one has no seconds.
const EXPIRY_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// An approval that CodePipeline waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It waits.
    Waiting {
        /// What answers it.
        token: Token,
        /// The execution of the action.
        action_execution: Option<String>,
    },
    /// The action runs, and its token is not to be seen yet.
    NotYet,
    /// It does not wait any more.
    Over,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// CodePipeline took it.
    Taken,
    /// The approval was over.
    Refused,
}

/// Reads of CodePipeline, and PutApprovalResult. No one else calls it.
#[derive(Clone, Debug)]
pub struct Pipelines {
    client: Client,
}

impl Pipelines {
    /// CodePipeline through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The approval of an action in an execution.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn waiting(
        &self,
        place: &Place,
        execution: &str,
        action_execution: Option<&str>,
    ) -> Result<Found, DeskError> {
        if let Some((of, state)) = self.state(place).await?
            && of.as_deref() == Some(execution)
            && is_same(state.action_execution_id(), action_execution)
        {
            match (state.status(), state.token()) {
                (Some(ActionExecutionStatus::InProgress), Some(token)) => {
                    let action_execution = state.action_execution_id().map(str::to_owned);
                    return Ok(Found::Waiting { token: Token::new(token), action_execution });
                }
                (Some(ActionExecutionStatus::InProgress), None) => {}
                _ => return Ok(Found::Over),
            }
        }
        // In the PARALLEL mode a pipeline has no state, and the token stands in the place of an external id.
        let Some(action) = self.action(place, execution, action_execution).await? else { return Ok(Found::NotYet) };
        if action.status() != Some(&ActionExecutionStatus::InProgress) {
            return Ok(Found::Over);
        }
        let token = external_id(&action).filter(|id| is_token(id));
        Ok(token.map_or(Found::NotYet, |token| Found::Waiting {
            token: Token::new(token),
            action_execution: action.action_execution_id().map(str::to_owned),
        }))
    }

    /// The pipeline execution and the action execution that wait for a token.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn execution_of(
        &self,
        place: &Place,
        token: &Token,
    ) -> Result<Option<(String, Option<String>)>, DeskError> {
        if let Some((Some(execution), state)) = self.state(place).await?
            && state.token() == Some(token.expose())
        {
            return Ok(Some((execution, state.action_execution_id().map(str::to_owned))));
        }
        let request = self.client.list_action_executions().pipeline_name(&place.pipeline).max_results(100);
        let page = request.send().await.map_err(|error| DeskError::aws(listing(&place.pipeline), &error))?;
        let found = page
            .action_execution_details()
            .iter()
            .find(|action| external_id(action) == Some(token.expose()) && is_at(action, place));
        Ok(found.and_then(|action| {
            let execution = action.pipeline_execution_id()?.to_owned();
            Some((execution, action.action_execution_id().map(str::to_owned)))
        }))
    }

    /// How an approval ended; `None` while it waits.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn ended(&self, approval: &Approval, now: Timestamp) -> Result<Option<Ended>, DeskError> {
        let place = &approval.place;
        let Some(execution) = &approval.execution else {
            return Ok(match self.state(place).await? {
                Some((_, state)) if state.token() == Some(approval.token.expose()) => None,
                Some(_) => Some(expired_or_gone(approval, now)),
                // In the PARALLEL mode a pipeline has no state, and it may wait. Its own time limit holds.
                None => approval.expires_at.filter(|end| now > *end).map(|_| Ended::Expired),
            });
        };
        let action = match self.action(place, execution, approval.action_execution.as_deref()).await {
            Ok(action) => action,
            Err(DeskError::Configuration(_)) => return Ok(Some(Ended::Gone)),
            Err(error) => return Err(error),
        };
        let Some(action) = action else { return Ok(Some(expired_or_gone(approval, now))) };
        match action.status() {
            Some(ActionExecutionStatus::InProgress) => Ok(None),
            Some(ActionExecutionStatus::Succeeded) => self.answered(Ruling::Approved, place, &action).await.map(Some),
            Some(ActionExecutionStatus::Failed) => self.failed(approval, execution, &action).await.map(Some),
            _ => Ok(Some(self.broken_off(place, execution).await.unwrap_or(Ended::Stopped))),
        }
    }

    async fn failed(
        &self,
        approval: &Approval,
        execution: &str,
        action: &ActionExecutionDetail,
    ) -> Result<Ended, DeskError> {
        let answered = self.answered(Ruling::Rejected, &approval.place, action).await?;
        let is_signed = matches!(&answered, Ended::Answered { by, summary, .. } if by.is_some() || summary.is_some());
        if is_signed {
            return Ok(answered);
        }
        let at = action.last_update_time().and_then(|time| Timestamp::from_millisecond(time.to_millis().ok()?).ok());
        let is_late = |at: Timestamp| approval.expires_at.is_some_and(|end| end.duration_since(at) <= EXPIRY_TOLERANCE);
        if at.is_some_and(is_late) {
            return Ok(Ended::Expired);
        }
        Ok(self.broken_off(&approval.place, execution).await.unwrap_or(Ended::Gone))
    }

    async fn answered(
        &self,
        ruling: Ruling,
        place: &Place,
        action: &ActionExecutionDetail,
    ) -> Result<Ended, DeskError> {
        let result = action.output().and_then(|output| output.execution_result());
        let mut summary = result.and_then(|result| result.external_execution_summary()).map(str::to_owned);
        if summary.is_none()
            && let Some((_, state)) = self.state(place).await?
            && state.action_execution_id().is_some()
            && state.action_execution_id() == action.action_execution_id()
        {
            summary = state.summary().map(str::to_owned);
        }
        let summary = summary.filter(|summary| !summary.is_empty());
        Ok(Ended::Answered { ruling: Some(ruling), by: action.updated_by().map(str::to_owned), summary })
    }

    /// Why an execution has left its approval behind, if its status says so.
    async fn broken_off(&self, place: &Place, execution: &str) -> Option<Ended> {
        let status = self.execution(&place.pipeline, execution).await.ok()?;
        match status.status()? {
            PipelineExecutionStatus::Superseded => Some(Ended::Superseded),
            PipelineExecutionStatus::Stopped
            | PipelineExecutionStatus::Stopping
            | PipelineExecutionStatus::Cancelled => Some(Ended::Stopped),
            _ => None,
        }
    }

    /// Answers an approval.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not take the answer, for another reason than that it has one.
    pub(crate) async fn answer(&self, approval: &Approval, decision: &Decision) -> Result<Answered, DeskError> {
        let what = || {
            let Place { pipeline, stage, action } = &approval.place;
            format!("answer the approval {pipeline}/{stage}/{action}")
        };
        let status = match decision.ruling {
            Ruling::Approved => ApprovalStatus::Approved,
            Ruling::Rejected => ApprovalStatus::Rejected,
        };
        let result = ApprovalResult::builder().status(status).summary(&decision.summary).build();
        let result = result.map_err(|error| DeskError::Configuration(format!("{}: {error}", what())))?;
        let request = self.client.put_approval_result().pipeline_name(&approval.place.pipeline);
        let request = request.stage_name(&approval.place.stage).action_name(&approval.place.action);
        match request.token(approval.token.expose()).result(result).send().await {
            Ok(_) => Ok(Answered::Taken),
            Err(error) => match error.as_service_error() {
                // AWS does not say which of the two comes for a second answer.
                Some(
                    PutApprovalResultError::InvalidApprovalTokenException(_)
                    | PutApprovalResultError::ApprovalAlreadyCompletedException(_)
                    | PutApprovalResultError::PipelineNotFoundException(_)
                    | PutApprovalResultError::StageNotFoundException(_)
                    | PutApprovalResultError::ActionNotFoundException(_),
                ) => Ok(Answered::Refused),
                _ => Err(DeskError::aws(what(), &error)),
            },
        }
    }

    /// How long an approval action waits.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub(crate) async fn time_limit(&self, place: &Place) -> Result<SignedDuration, DeskError> {
        let answer = self.client.get_pipeline().name(&place.pipeline).send().await;
        let answer = answer.map_err(|error| DeskError::aws(format!("read the pipeline {}", place.pipeline), &error))?;
        let stages = answer.pipeline().into_iter().flat_map(|pipeline| pipeline.stages());
        let actions = stages.filter(|stage| stage.name() == place.stage).flat_map(|stage| stage.actions());
        let minutes =
            actions.filter(|action| action.name() == place.action).find_map(|action| action.timeout_in_minutes());
        Ok(SignedDuration::from_mins(minutes.map_or(DEFAULT_TIMEOUT_MINUTES, i64::from)))
    }

    /// An execution.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn execution(&self, pipeline: &str, execution: &str) -> Result<PipelineExecution, DeskError> {
        let request = self.client.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(execution);
        let what = || format!("read the execution {execution} of {pipeline}");
        let answer = request.send().await.map_err(|error| DeskError::aws(what(), &error))?;
        answer.pipeline_execution.ok_or_else(|| DeskError::Aws { what: what(), why: "the answer is empty".to_owned() })
    }

    /// The latest executions of a pipeline, the newest first.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn latest(&self, pipeline: &str) -> Result<Vec<PipelineExecutionSummary>, DeskError> {
        let request = self.client.list_pipeline_executions().pipeline_name(pipeline).max_results(100);
        let answer = request
            .send()
            .await
            .map_err(|error| DeskError::aws(format!("list the executions of {pipeline}"), &error))?;
        Ok(answer.pipeline_execution_summaries.unwrap_or_default())
    }

    /// The names of the stages of a pipeline in their order, as they are in a version of it.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say.
    pub async fn stages(&self, pipeline: &str, version: Option<i32>) -> Result<Vec<String>, DeskError> {
        let request = self.client.get_pipeline().name(pipeline).set_version(version);
        let answer = request.send().await;
        let answer = answer.map_err(|error| DeskError::aws(format!("read the pipeline {pipeline}"), &error))?;
        let stages = answer.pipeline().into_iter().flat_map(|pipeline| pipeline.stages());
        Ok(stages.map(|stage| stage.name().to_owned()).collect())
    }

    /// The actions of an execution, each try by itself.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say, or the execution is not there any more.
    pub async fn actions(&self, pipeline: &str, execution: &str) -> Result<Vec<ActionExecutionDetail>, DeskError> {
        let filter = ActionExecutionFilter::builder().pipeline_execution_id(execution).build();
        let request = self.client.list_action_executions().pipeline_name(pipeline).filter(filter);
        let mut pages = request.into_paginator().send();
        let mut actions = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| match error.as_service_error() {
                Some(
                    ListActionExecutionsError::PipelineNotFoundException(_)
                    | ListActionExecutionsError::PipelineExecutionNotFoundException(_),
                ) => DeskError::Configuration(format!("{}: it is not there any more", listing(pipeline))),
                _ => DeskError::aws(listing(pipeline), &error),
            })?;
            actions.extend(page.action_execution_details.unwrap_or_default());
        }
        Ok(actions)
    }

    /// An action in an execution: the one of this id, else the latest at this place.
    async fn action(
        &self,
        place: &Place,
        execution: &str,
        id: Option<&str>,
    ) -> Result<Option<ActionExecutionDetail>, DeskError> {
        let actions = self.actions(&place.pipeline, execution).await?;
        let at_place = actions.into_iter().filter(|action| is_at(action, place));
        let mut found: Vec<_> = at_place.filter(|action| is_same(action.action_execution_id(), id)).collect();
        found.sort_by_key(|action| action.start_time().and_then(|time| time.to_millis().ok()));
        Ok(found.pop())
    }

    /// The execution in the stage of an action, and the action's own.
    async fn state(&self, place: &Place) -> Result<Option<(Option<String>, ActionExecution)>, DeskError> {
        let request = self.client.get_pipeline_state().name(&place.pipeline);
        let what = || format!("read the state of the pipeline {}", place.pipeline);
        let answer = request.send().await.map_err(|error| DeskError::aws(what(), &error))?;
        let stage = answer.stage_states().iter().find(|stage| stage.stage_name() == Some(&place.stage));
        Ok(stage.and_then(|stage| {
            let execution = stage.latest_execution().map(|execution| execution.pipeline_execution_id().to_owned());
            let action = stage.action_states().iter().find(|action| action.action_name() == Some(&place.action))?;
            Some((execution, action.latest_execution()?.clone()))
        }))
    }
}

fn expired_or_gone(approval: &Approval, now: Timestamp) -> Ended {
    match approval.expires_at {
        Some(end) if now + EXPIRY_TOLERANCE >= end => Ended::Expired,
        _ => Ended::Gone,
    }
}

fn listing(pipeline: &str) -> String {
    format!("list the actions of the pipeline {pipeline}")
}

fn is_at(action: &ActionExecutionDetail, place: &Place) -> bool {
    action.stage_name() == Some(&place.stage) && action.action_name() == Some(&place.action)
}

/// Where one of the two is not known, they may be the same.
fn is_same(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn external_id(action: &ActionExecutionDetail) -> Option<&str> {
    action.output()?.execution_result()?.external_execution_id()
}

/// The form of an approval token (AWS model: ApprovalToken).
fn is_token(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| b"0123456789abcdef".contains(&byte)))
}
