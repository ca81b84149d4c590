//! What people hear of an execution, and how its pipeline delivers.

use maud::{Markup, html};
use stagegate_delivery::PipelineReport;
use stagegate_notice::{Mark, Notice, Posted, Status as HeadStatus, Thread};

use super::stages::sign;
use crate::model::Status;

/// Under this key a thread knows its first message, which is kept current.
const HEAD: &str = "head";

/// The notices about an execution, and in which channels they stand.
pub(super) fn thread(thread: &Thread) -> Markup {
    let head = thread.head();
    html! {
        section class="console-thread" aria-labelledby="thread-title" data-thread=(thread.execution) data-status=(head.status.word()) {
            h3 id="thread-title" { "What people hear" }
            p class="console-thread-head" {
                (sign(status(head.status)))
                strong { (head.status.word()) }
                (channels(thread, HEAD))
            }
            p class="console-thread-stages" {
                @for stage in &head.stages {
                    span class=(format!("is-{}", mark(stage.mark).name())) { (stage.mark.sign()) " " (stage.name) } " "
                }
            }
            ul { @for notice in thread.picture.notices() { (line(thread, &notice)) } }
        }
    }
}

fn line(thread: &Thread, notice: &Notice) -> Markup {
    html! {
        li data-notice=(notice.kind.name()) {
            span { (notice.title) }
            (channels(thread, &notice.key))
            @for line in &notice.lines { p class="console-soft" { (line.label) ": " (line.text) } }
        }
    }
}

/// Where a message was posted.
fn channels(thread: &Thread, key: &str) -> Markup {
    let posted = thread.posts.iter().filter_map(|(channel, posts)| Some((channel, posts.get(key)?.posted)));
    let posted: Vec<_> = posted.collect();
    html! {
        @for (channel, posted) in posted {
            span class="console-channel" {
                "#" (channel)
                @match posted {
                    Posted::Done => {}
                    Posted::Underway => " (underway)",
                    Posted::Unknown | Posted::Lost => " (perhaps)",
                    Posted::GivenUp => " (refused)",
                    Posted::Collected => " (later)",
                }
            }
        }
    }
}

fn status(status: HeadStatus) -> Status {
    match status {
        HeadStatus::Running => Status::Running,
        HeadStatus::Waiting => Status::Waiting,
        HeadStatus::Succeeded => Status::Succeeded,
        HeadStatus::Failed => Status::Failed,
        HeadStatus::Stopped | HeadStatus::Superseded => Status::Ended,
    }
}

fn mark(mark: Mark) -> Status {
    match mark {
        Mark::NotBegun => Status::NotStarted,
        Mark::Running => Status::Running,
        Mark::Waiting => Status::Waiting,
        Mark::Done => Status::Succeeded,
        Mark::Failed => Status::Failed,
        Mark::Stopped => Status::Ended,
    }
}

/// How the pipeline delivers.
pub(super) fn delivery(report: &PipelineReport) -> Markup {
    html! {
        section class="console-delivery" aria-labelledby="delivery-title" data-delivery=(report.pipeline) {
            h3 id="delivery-title" { "Delivery" }
            (stagegate_delivery_page::figures(report))
        }
    }
}
