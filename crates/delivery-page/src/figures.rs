//! The four keys in figures.

use maud::{Markup, html};
use stagegate_delivery::PipelineReport;

use crate::words::{count, length, moment, number, rate};

/// The four keys of a pipeline as a row of figures.
pub fn figures(report: &PipelineReport) -> Markup {
    let figure = |key: &str, label: &str, value: Option<String>, note: &str, is_bad: bool| {
        html! {
            div class={ "delivery-figure" @if is_bad { " is-bad" } } data-figure=(key) {
                span class="delivery-label" { (label) }
                span class="delivery-value" { (value.as_deref().unwrap_or("–")) }
                span class="delivery-note" { (note) }
            }
        }
    };
    let Some(production) = &report.production else {
        return html! {
            p class="delivery-note" { "No stage is named as production of this pipeline, so nothing is said about deployments." }
        };
    };
    let frequency = (!report.deployments.is_empty()).then(|| number(report.deployments_per_week));
    let deployments = format!("{} in all, by {production}", report.deployments.len());
    let lead = report.lead_time.map(|spread| length(spread.median));
    let lead_note = report.lead_time.map_or_else(
        || "no deployment yet".to_owned(),
        |spread| format!("median; 9 of 10 within {}", length(spread.p90)),
    );
    let failures = match report.changes {
        0 => "no change yet".to_owned(),
        changes => format!("{} of {}", report.failed_changes, count(changes, "change")),
    };
    let restore = report.restore_time.map(|spread| length(spread.median));
    let restore_note = match (report.broken_since, report.restore_time) {
        (Some(since), _) => format!("broken since {}", moment(since)),
        (None, Some(spread)) => format!("median; the longest {}", length(spread.max)),
        (None, None) => "never broken".to_owned(),
    };
    html! {
        div class="delivery-figures" {
            (figure("frequency", "Deployments a week", frequency, &deployments, false))
            (figure("lead-time", "Lead time", lead, &lead_note, false))
            (figure("failure-rate", "Change failure rate", report.failure_rate.map(rate), &failures, report.failed_changes > 0))
            (figure("restore-time", "Time to restore", restore, &restore_note, report.broken_since.is_some()))
        }
    }
}
