//! One execution from its start to its end, with somebody who answers its approvals.

use serde_json::{Value, json};
use stagegate_local_codepipeline::CodePipeline;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::events::{ActionChange, ApprovalOpened, Change, Event, State};
use tokio::sync::{broadcast, oneshot};
use tokio_util::task::AbortOnDropHandle;

use crate::exit::{CommandError, Exit};
use crate::progress::Progress;
use crate::terminal::{self, Style, say};

/// Who answers manual approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approver {
    /// Everything is approved without a question.
    Always,
    /// The person at the terminal is asked; an answer that comes another way counts as well.
    Terminal,
}

/// Starts an execution and follows it to its end.
pub(crate) async fn follow(
    codepipeline: &CodePipeline,
    pipeline: &str,
    variables: &[(String, String)],
    approver: Approver,
    progress: &mut Progress,
) -> Result<ExecutionStatus, CommandError> {
    let mut events = codepipeline.subscribe();
    let variables: Vec<_> = variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let mut input = json!({"name": pipeline});
    if !variables.is_empty() {
        input["variables"] = Value::from(variables);
    }
    let started = codepipeline.call("StartPipelineExecution", input).await;
    let started =
        started.map_err(|error| CommandError::wrong_call(format!("start the pipeline {pipeline}: {error}")))?;
    let execution = started["pipelineExecutionId"].as_str().unwrap_or_default().to_owned();
    let mut question = None;
    loop {
        let event = tokio::select! {
            event = next(&mut events) => event,
            answer = answered(&mut question) => {
                put_result(codepipeline, answer).await?;
                continue;
            }
        };
        let Some(event) = event.filter(|event| event.pipeline_execution_id == execution) else {
            match codepipeline.execution_status(pipeline, &execution) {
                Some(ExecutionStatus::InProgress | ExecutionStatus::Stopping) => continue,
                Some(status) => return Ok(status),
                None => return Err(CommandError::unavailable(format!("follow the execution {execution}: it is gone"))),
            }
        };
        if approver == Approver::Terminal
            && let Change::Action(action) = &event.change
            && answers(action, question.as_ref())
        {
            say("(answered elsewhere)");
        }
        progress.show(&event);
        match &event.change {
            Change::ApprovalOpened(approval) => question = Some(Question::put(pipeline, approval, approver)),
            Change::Action(action) if answers(action, question.as_ref()) => question = None,
            Change::Execution(change) if !matches!(change.state, State::Started | State::Resumed | State::Stopping) => {
                return codepipeline
                    .execution_status(pipeline, &execution)
                    .ok_or_else(|| CommandError::unavailable(format!("follow the execution {execution}: it is gone")));
            }
            _ => {}
        }
    }
}

/// The next event; `None` where some were missed, so that the state must be looked at.
async fn next(events: &mut broadcast::Receiver<Event>) -> Option<Event> {
    events.recv().await.ok()
}

/// An approval that somebody was asked about.
struct Question {
    request: Value,
    action_execution_id: String,
    answer: oneshot::Receiver<Answer>,
    /// Nobody is asked any more when this is dropped: the answer came another way.
    _asking: Option<AbortOnDropHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Approved(&'static str),
    Rejected(&'static str),
}

impl Question {
    fn put(pipeline: &str, approval: &ApprovalOpened, approver: Approver) -> Self {
        let (sender, answer) = oneshot::channel();
        let asking = match approver {
            Approver::Always => {
                let _ = sender.send(Answer::Approved("approved by --yes"));
                None
            }
            Approver::Terminal => {
                let asked = async move {
                    let _ = sender.send(ask().await);
                };
                Some(AbortOnDropHandle::new(tokio::spawn(asked)))
            }
        };
        let request = json!({
            "pipelineName": pipeline,
            "stageName": approval.stage,
            "actionName": approval.action,
            "token": approval.token.expose(),
        });
        Self { request, action_execution_id: approval.action_execution_id.clone(), answer, _asking: asking }
    }
}

async fn ask() -> Answer {
    let style = Style::of_stdout();
    loop {
        let line = terminal::ask(&format!("    {} ", style.waiting("approve? [y/n]"))).await;
        match line.as_deref().map(str::to_lowercase).as_deref() {
            Some("y" | "yes") => return Answer::Approved("approved at the terminal"),
            Some("n" | "no") => return Answer::Rejected("rejected at the terminal"),
            Some(_) => say("    please answer y or n"),
            None => {
                return Answer::Rejected("rejected: nobody is at the terminal; use --yes to approve without asking");
            }
        }
    }
}

/// Waits for the answer to the open question, for ever where there is none.
async fn answered(question: &mut Option<Question>) -> (Value, Answer) {
    if let Some(open) = question
        && let Ok(answer) = (&mut open.answer).await
    {
        let request = open.request.clone();
        *question = None;
        return (request, answer);
    }
    std::future::pending().await
}

fn answers(action: &ActionChange, question: Option<&Question>) -> bool {
    let ended = action.state != State::Started;
    ended && question.is_some_and(|question| question.action_execution_id == action.action_execution_id)
}

async fn put_result(codepipeline: &CodePipeline, answer: (Value, Answer)) -> Result<(), CommandError> {
    let (mut request, answer) = answer;
    let (status, summary) = match answer {
        Answer::Approved(summary) => ("Approved", summary),
        Answer::Rejected(summary) => ("Rejected", summary),
    };
    request["result"] = json!({"status": status, "summary": summary});
    match codepipeline.call("PutApprovalResult", request).await {
        Ok(_) => Ok(()),
        // Somebody else was faster, for example with the `aws` command.
        Err(error) if matches!(error.code, "ApprovalAlreadyCompletedException" | "InvalidApprovalTokenException") => {
            say("    the approval was answered already");
            Ok(())
        }
        Err(error) => Err(CommandError::unavailable(format!("answer the approval: {error}"))),
    }
}

/// What an execution's end means to a script.
pub(crate) fn exit(status: ExecutionStatus) -> Exit {
    match status {
        ExecutionStatus::Succeeded => Exit::Passed,
        _ => Exit::Failed,
    }
}
