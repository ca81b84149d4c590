//! The stages of an execution, with their actions and what gates have found in them.

use maud::{Markup, html};

use super::{time, verdict};
use crate::model::{Action, Question, Stage, Status, View};
use crate::verdicts::Found;

/// A status with its sign.
pub(super) fn status(status: Status, word: &str) -> Markup {
    html! { span class=(format!("console-status is-{}", status.name())) { (sign(status)) (word) } }
}

/// The sign alone, which stands for the status to the eye; a word stands beside it.
pub(super) fn sign(status: Status) -> Markup {
    html! { span class=(format!("console-sign is-{}", status.name())) aria-hidden="true" { (status.sign()) } }
}

/// What a status is called: CodePipeline's own word, where the page has none that says more.
pub(super) fn word(status: Status, own: &str) -> &str {
    match status {
        Status::NotStarted => "not started",
        Status::Queued => "waits for another execution",
        Status::Running => "running",
        Status::Waiting => "waits for an answer",
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Ended if !own.is_empty() => own,
        Status::Ended => "ended",
    }
}

pub(super) fn stages(view: &View, verdicts: &[Found]) -> Markup {
    let execution = view.execution.as_ref().map(|execution| execution.id.as_str()).unwrap_or_default();
    let is_of = |found: &Found, stage: &str| found.stage.as_deref() == Some(stage);
    let elsewhere: Vec<_> =
        verdicts.iter().filter(|found| !view.stages.iter().any(|stage| is_of(found, &stage.name))).collect();
    html! {
        ol class="console-stages" aria-label="Stages" {
            @for stage in &view.stages {
                li class=(format!("console-stage is-{}", stage.status.name())) data-stage=(stage.name)
                    data-status=(stage.status.name()) {
                    div class="console-stage-head" {
                        h3 { (stage.name) }
                        (status(stage.status, word(stage.status, "")))
                        @if stage.status == Status::Failed { (retry(view, stage, execution)) }
                    }
                    @for action in &stage.actions { (self::action(view, stage, action, execution)) }
                    @for found in verdicts.iter().filter(|found| is_of(found, &stage.name)) { (verdict::verdict(found)) }
                }
            }
        }
        @if !elsewhere.is_empty() {
            section class="console-stage" aria-label="Verdicts" {
                @for found in elsewhere { (verdict::verdict(found)) }
            }
        }
    }
}

fn retry(view: &View, stage: &Stage, execution: &str) -> Markup {
    html! {
        form method="post" action="/retry" {
            @for (name, value) in [("pipeline", view.pipeline.as_str()), ("stage", &stage.name), ("execution", execution)] {
                input type="hidden" name=(name) value=(value);
            }
            button type="submit" class="slack-button slack-default" id=(format!("retry-{}", stage.name)) { "Retry" }
        }
    }
}

fn action(view: &View, stage: &Stage, action: &Action, execution: &str) -> Markup {
    html! {
        div class="console-action" data-action=(action.name) {
            p class="console-action-head" {
                (sign(action.status))
                strong { (action.name) }
                span class="console-soft" { (action.provider) @if let Some(target) = &action.target { " · " (target) } }
                @if let Some(started) = action.started { (time::took(started, action.ended)) }
            }
            @if let Some(summary) = &action.summary {
                p class={ "console-summary" @if action.status == Status::Failed { " is-failed" } } {
                    @if let Some(code) = &action.error_code { strong { (code) ": " } }
                    @for (number, line) in summary.lines().enumerate() { @if number > 0 { br; } (line) }
                }
            }
            @if let Some(url) = action.url.as_deref().filter(|url| is_web(url)) {
                p class="console-summary" { a href=(url) rel="noopener noreferrer" { "Details" } }
            }
            @if let Some(question) = &action.question { (self::question(view, stage, action, question, execution)) }
        }
    }
}

fn question(view: &View, stage: &Stage, action: &Action, question: &Question, execution: &str) -> Markup {
    let id = format!("comment-{}-{}", stage.name, action.name);
    let hidden = [
        ("pipeline", view.pipeline.as_str()),
        ("execution", execution),
        ("stage", &stage.name),
        ("action", &action.name),
    ];
    html! {
        form class="console-question" method="post" action="/approval" {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            p { (question.text.as_deref().unwrap_or("This release waits for an answer.")) }
            @if let Some(link) = question.link.as_deref().filter(|link| is_web(link)) {
                p { a href=(link) rel="noopener noreferrer" { "What is to be looked at" } }
            }
            label for=(id) { "Comment" span class="slack-optional" { " (optional)" } }
            input type="text" id=(id) name="comment" maxlength="400" autocomplete="off";
            div class="slack-actions" {
                button type="submit" name="answer" value="approve" class="slack-button slack-primary"
                    id=(format!("approve-{}-{}", stage.name, action.name)) { "Approve" }
                button type="submit" name="answer" value="reject" class="slack-button slack-danger"
                    id=(format!("reject-{}-{}", stage.name, action.name)) { "Reject" }
            }
        }
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}
