//! What a gate has found.

use maud::{Markup, html};
use stagegate_verdict::{Finding, Outcome, Verdict};

use super::stages::sign;
use crate::model::Status;
use crate::verdicts::Found;

pub(super) fn verdict(found: &Found) -> Markup {
    match &found.verdict {
        Ok(verdict) => shown(verdict),
        Err(reason) => {
            html! { p class="console-summary is-failed" { "The verdict cannot be shown: failed to " (reason) } }
        }
    }
}

fn status(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Passed => Status::Succeeded,
        Outcome::Inconclusive => Status::Waiting,
        Outcome::Failed => Status::Failed,
    }
}

fn shown(verdict: &Verdict) -> Markup {
    let status = status(verdict.outcome());
    html! {
        details class=(format!("console-verdict is-{}", status.name())) id=(format!("verdict-{}", verdict.gate()))
            data-gate=(verdict.gate()) data-outcome=(verdict.outcome().as_str()) {
            summary {
                (sign(status))
                strong { (verdict.gate()) }
                span { " " (verdict.outcome().as_str()) }
                @if !verdict.summary().is_empty() { span class="console-soft" { (verdict.summary()) } }
            }
            div class="console-table" {
                table {
                    thead { tr { th scope="col" { "Rule" } th scope="col" { "Found" } th scope="col" { "Limit" } th scope="col" { "What it means" } } }
                    tbody { @for finding in verdict.findings() { (row(finding)) } }
                }
            }
            @if !verdict.evidence().is_empty() {
                p class="console-soft" {
                    "Evidence: "
                    @for (number, evidence) in verdict.evidence().iter().take(20).enumerate() {
                        @if number > 0 { ", " }
                        code title=[evidence.digest.as_deref()] { (evidence.source) }
                    }
                    @if verdict.evidence().len() > 20 { " and " (verdict.evidence().len() - 20) " more" }
                }
            }
        }
    }
}

fn row(finding: &Finding) -> Markup {
    html! {
        tr class=(format!("is-{}", status(finding.outcome).name())) {
            th scope="row" {
                (sign(status(finding.outcome)))
                span class="console-hidden" { (finding.outcome.as_str()) ": " }
                (finding.rule)
                @if finding.shadow { span class="console-soft" { " (does not decide)" } }
            }
            td { (finding.observed.as_deref().unwrap_or_default()) }
            td { (finding.limit.as_deref().unwrap_or_default()) }
            td {
                (finding.message)
                @if !finding.subjects.is_empty() {
                    ul { @for subject in finding.subjects.iter().take(10) { li { (subject) } } }
                }
            }
        }
    }
}
