//! The page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use stagegate_delivery::{Deployment, Origin, PipelineReport, Report};

use crate::words::{count, length, moment, rate, short};
use crate::{STYLE, figures, plots};

/// How many deployments are listed: the latest.
const LISTED: usize = 50;

/// The whole report as one file.
pub fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Delivery report" }
                style { (PreEscaped(STYLE)) }
            }
            body class="delivery" {
                header {
                    h1 { "Delivery report" }
                    p class="delivery-note" { (moment(report.since)) " to " (moment(report.until)) }
                }
                main {
                    @if report.pipelines.is_empty() {
                        p { "No execution is known in this time." }
                    }
                    @for pipeline in &report.pipelines { (section(pipeline)) }
                }
                footer class="delivery-note" {
                    "Weeks begin on Monday, times are in UTC. Lead time counts from the revision, or from the start of the execution where the \
                     time of the revision is not known. A failed change is one whose production stage failed, or that was rolled back."
                }
            }
        }
    }
}

fn section(report: &PipelineReport) -> Markup {
    html! {
        section class="delivery-pipeline" data-pipeline=(report.pipeline) {
            div class="delivery-title" {
                h2 { (report.pipeline) }
                span class="delivery-note" {
                    (count(report.executions, "execution"))
                    @if let Some(production) = &report.production { " · production is the stage " (production) }
                }
            }
            (figures(report))
            div class="delivery-plots" {
                @if report.production.is_some() {
                    (plots::weeks(&report.weeks))
                    (plots::lead_times(&report.deployments))
                    (plots::failure_rate(&report.weeks, report.failure_rate))
                    (plots::restorations(&report.restorations))
                }
                (plots::stages(&report.stages))
                (plots::gates(&report.gates))
                (plots::approvals(&report.approvals))
            }
            @if !report.deployments.is_empty() { (deployments(report)) }
        }
    }
}

fn deployments(report: &PipelineReport) -> Markup {
    let latest = report.deployments.iter().rev().take(LISTED);
    html! {
        details {
            summary { "The latest deployments" }
            table {
                thead { tr { th scope="col" { "When" } th scope="col" { "Execution" } th scope="col" { "Lead time" } th scope="col" { "Counted from" } } }
                tbody { @for deployment in latest { (row(deployment)) } }
            }
            @if report.deployments.len() > LISTED {
                p class="delivery-note" { "and " (report.deployments.len() - LISTED) " before these" }
            }
            p class="delivery-note" { "Change failure rate " (report.failure_rate.map_or_else(|| "–".to_owned(), rate)) "." }
        }
    }
}

fn row(deployment: &Deployment) -> Markup {
    let origin = match deployment.origin {
        Some(Origin::Revision) => "the revision",
        Some(Origin::Execution) => "the start of the execution",
        None => "–",
    };
    html! {
        tr {
            td { (moment(deployment.at)) }
            td { code title=(deployment.execution) { (short(&deployment.execution)) } }
            td { (deployment.lead_time.map_or_else(|| "–".to_owned(), length)) }
            td { (origin) }
        }
    }
}
