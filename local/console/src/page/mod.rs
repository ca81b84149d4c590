//! The page.

mod stages;
mod thread;
mod time;
mod verdict;

use std::collections::HashMap;

use maud::{DOCTYPE, Markup, html};
use stagegate_delivery::PipelineReport;
use stagegate_local_slack::Slack;
use stagegate_local_slack::page::render::{self, Place, part};

use crate::model::{ExecutionLine, View};
use crate::routes::SLACK;
use crate::threads::Threads;
use crate::verdicts::Found;

/// What lies in the state bucket about a pipeline.
pub(crate) struct Known<'a> {
    pub(crate) verdicts: &'a [Found],
    pub(crate) threads: &'a Threads,
    pub(crate) delivery: Option<PipelineReport>,
}

/// The address of a pipeline and an execution of it, with what is looked at in Slack.
pub(crate) fn address(pipeline: &str, execution: Option<&str>, place: Option<&Place>) -> String {
    let execution = execution.map(|id| format!("&execution={id}")).unwrap_or_default();
    let slack = place.map(|place| format!("&channel={}&as={}", place.channel, place.viewer)).unwrap_or_default();
    format!("/?pipeline={pipeline}{execution}{slack}")
}

pub(crate) fn page(view: &View, known: &Known<'_>, slack: Option<&Slack>, query: &HashMap<String, String>) -> Markup {
    let place = slack.map(|slack| place(view, slack, query));
    let place = place.as_ref();
    let title = if view.pipeline.is_empty() { "Stagegate" } else { view.pipeline.as_str() };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · local console" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/console.css";
                script defer src="/live.js" {}
            }
            body class="console" data-events="/events" {
                (part("top", &top(view, place)))
                div class={ "console-body" @if slack.is_none() { " console-alone" } } {
                    main { (part("pipeline", &pipeline(view, known, slack, place))) }
                    @if let (Some(slack), Some(place)) = (slack, place) { (pane(slack, place)) }
                }
                @if let (Some(slack), Some(place)) = (slack, place) {
                    (part("modal", &slack.look(|state| render::open_modal(state, place))))
                }
            }
        }
    }
}

/// What is looked at in Slack, on this page; messages that name an execution lead to it.
fn place(view: &View, slack: &Slack, query: &HashMap<String, String>) -> Place {
    let base =
        address(&view.pipeline, query.get("execution").map(String::as_str).filter(|id| is_known(view, id)), None);
    let mut place = slack.look(|state| Place::new(state, SLACK, &base, query));
    let link =
        |execution: &ExecutionLine| (execution.id.clone(), address(&view.pipeline, Some(&execution.id), Some(&place)));
    let links: Vec<_> = view.executions.iter().map(link).collect();
    place.executions = links;
    place
}

fn is_known(view: &View, id: &str) -> bool {
    view.executions.iter().any(|execution| execution.id == id)
}

fn top(view: &View, place: Option<&Place>) -> Markup {
    html! {
        header class="console-top" {
            h1 { span class="console-mark" aria-hidden="true" {} "Stagegate" }
            nav aria-label="Pipelines" {
                @for name in &view.pipelines {
                    @let is_current = *name == view.pipeline;
                    a href=(address(name, None, place)) aria-current=[is_current.then_some("page")] { (name) }
                }
            }
        }
    }
}

fn pipeline(view: &View, known: &Known<'_>, slack: Option<&Slack>, place: Option<&Place>) -> Markup {
    if view.pipeline.is_empty() {
        return html! { p class="console-empty" { "There is no pipeline yet. Create one with " code { "aws codepipeline create-pipeline" } "." } };
    }
    html! {
        section class="console-head" aria-label="Execution" {
            div class="console-title" {
                h2 { (view.pipeline) }
                @if let Some(execution) = &view.execution { (stages::status(execution.status, stages::word(execution.status, &execution.word))) }
                form method="post" action="/start" {
                    input type="hidden" name="pipeline" value=(view.pipeline);
                    button type="submit" class="slack-button slack-default" id="start" { "Release change" }
                }
            }
            @match &view.execution {
                Some(execution) => (execution_line(execution)),
                None => p class="console-soft" { "It has not run yet." },
            }
            @if let (Some(slack), Some(place), Some(execution)) = (slack, place, &view.execution) {
                (mentions(slack, place, view, &execution.id))
            }
        }
        (stages::stages(view, known.verdicts))
        @if let Some(thread) = view.execution.as_ref().and_then(|execution| known.threads.of(&execution.id)) {
            (thread::thread(thread))
        }
        @if let Some(delivery) = &known.delivery { (thread::delivery(delivery)) }
        @for reason in &known.threads.unread { p class="console-summary is-failed" { "An execution cannot be shown: failed to " (reason) } }
        @if view.executions.len() > 1 { (executions(view, place)) }
    }
}

fn execution_line(execution: &ExecutionLine) -> Markup {
    html! {
        p class="console-soft" {
            @for revision in &execution.revisions {
                @match &revision.summary {
                    Some(summary) => strong { (summary.lines().next().unwrap_or_default()) },
                    None => code { (short(&revision.id)) },
                }
                " · "
            }
            "execution " code title=(execution.id) { (short(&execution.id)) }
            @if let Some(started) = execution.started { " · started " (time::clock(started)) }
        }
    }
}

/// Where Slack speaks of an execution.
fn mentions(slack: &Slack, place: &Place, view: &View, execution: &str) -> Markup {
    let found: Vec<_> = slack.look(|state| {
        let channels = state.channels().iter();
        let in_channel = |channel: &stagegate_local_slack::Channel| {
            let message = state.messages(&channel.id).iter().find(|message| message.says(execution))?;
            Some((channel.id.clone(), channel.name.clone(), message.ts.replace('.', "")))
        };
        channels.filter_map(in_channel).collect()
    });
    html! {
        @if !found.is_empty() {
            p class="console-soft" {
                "In Slack: "
                @for (id, name, message) in &found {
                    @let place = Place { channel: id.clone(), ..place.clone() };
                    a href=(format!("{}#m{message}", address(&view.pipeline, Some(execution), Some(&place)))) { "#" (name) } " "
                }
            }
        }
    }
}

fn executions(view: &View, place: Option<&Place>) -> Markup {
    let current = view.execution.as_ref().map(|execution| execution.id.as_str());
    html! {
        section class="console-executions" aria-labelledby="executions-title" {
            h3 id="executions-title" { "Executions" }
            ul {
                @for execution in &view.executions {
                    @let is_current = Some(execution.id.as_str()) == current;
                    li {
                        a href=(address(&view.pipeline, Some(&execution.id), place)) aria-current=[is_current.then_some("true")] {
                            (stages::sign(execution.status))
                            code { (short(&execution.id)) }
                            span { (stages::word(execution.status, &execution.word)) }
                            @if let Some(updated) = execution.updated { (time::clock(updated)) }
                        }
                    }
                }
            }
        }
    }
}

fn pane(slack: &Slack, place: &Place) -> Markup {
    slack.look(|state| {
        html! {
            aside class="console-slack" aria-label="Local Slack" {
                (part("people", &html! { (render::people(state, place)) (render::channels(state, place)) }))
                (part("conversation", &render::conversation(state, place)))
            }
        }
    })
}

/// The start of an identifier, by which a person knows it again.
fn short(id: &str) -> &str {
    let end = id.char_indices().nth(8).map_or(id.len(), |(end, _)| end);
    &id[..end]
}
