//! Plots, drawn as SVG. What a plot shows to the eye, it also says in words: each mark has a title, each figure a caption.

mod columns;
mod outcomes;
mod ranges;

use maud::{Markup, html};
use stagegate_delivery::{ApprovalWaits, Deployment, GateOutcomes, Restoration, StageDurations, Week};

use crate::words::{count, length, moment, rate, short};
use columns::Column;
use ranges::Range;

/// A plot with its heading and what it says in words.
fn figure(key: &str, title: &str, caption: &str, plot: &Markup) -> Markup {
    html! {
        figure data-plot=(key) {
            h3 { (title) }
            (plot)
            figcaption class="delivery-note" { (caption) }
        }
    }
}

/// A plot for which there is nothing to draw.
fn nothing(key: &str, title: &str, why: &str) -> Markup {
    html! { figure data-plot=(key) { h3 { (title) } p class="delivery-nothing" { (why) } } }
}

pub(crate) fn weeks(weeks: &[Week]) -> Markup {
    let title = "Deployments per week";
    if weeks.iter().all(|week| week.deployments == 0) {
        return nothing("weeks", title, "There was no deployment.");
    }
    let columns: Vec<_> = weeks
        .iter()
        .map(|week| Column {
            label: week.monday.strftime("%-d %b").to_string(),
            value: value(week.deployments),
            shown: week.deployments.to_string(),
            title: format!("week of {}: {}", week.monday, count(week.deployments, "deployment")),
            is_bad: false,
        })
        .collect();
    let most = weeks.iter().map(|week| week.deployments).max().unwrap_or_default();
    let caption = format!("{}; at most {} in a week", count(weeks.len(), "week"), count(most, "deployment"));
    figure("weeks", title, &caption, &columns::draw(&columns))
}

pub(crate) fn lead_times(deployments: &[Deployment]) -> Markup {
    let title = "Lead time";
    let times: Vec<f64> = deployments.iter().filter_map(|deployment| deployment.lead_time).collect();
    if times.is_empty() {
        return nothing("lead-time", title, "There was no deployment.");
    }
    let columns = columns::histogram(&times);
    let caption = format!("how many deployments took how long; {} in all", count(times.len(), "deployment"));
    figure("lead-time", title, &caption, &columns::draw(&columns))
}

pub(crate) fn failure_rate(weeks: &[Week], whole: Option<f64>) -> Markup {
    let title = "Failed changes per week";
    let Some(whole) = whole else { return nothing("failure-rate", title, "No change has reached production.") };
    if weeks.iter().all(|week| week.failed_changes == 0) {
        return nothing("failure-rate", title, "No change has failed in production.");
    }
    let columns: Vec<_> = weeks
        .iter()
        .map(|week| Column {
            label: week.monday.strftime("%-d %b").to_string(),
            value: value(week.failed_changes),
            shown: week.failed_changes.to_string(),
            title: format!("week of {}: {}", week.monday, count(week.failed_changes, "failed change")),
            is_bad: true,
        })
        .collect();
    let caption = format!("{} of all changes have failed in production or were rolled back", rate(whole));
    figure("failure-rate", title, &caption, &columns::draw(&columns))
}

pub(crate) fn restorations(restorations: &[Restoration]) -> Markup {
    let title = "Time to restore";
    if restorations.is_empty() {
        return nothing("restore-time", title, "Production did not have to be restored.");
    }
    // The latest ones; a plot is not a list.
    let latest = &restorations[restorations.len().saturating_sub(12)..];
    let ranges: Vec<_> = latest
        .iter()
        .map(|one| {
            let how = if one.by_rollback { "by a rollback" } else { "by a deployment" };
            Range {
                label: one.failed.strftime("%-d %b %H:%M").to_string(),
                median: one.seconds(),
                p90: None,
                shown: length(one.seconds()) + if one.by_rollback { " (rollback)" } else { "" },
                title: format!("broken since {}, restored {how} ({})", moment(one.failed), short(&one.execution)),
                is_bad: true,
            }
        })
        .collect();
    let caption =
        format!("since when and how long production was broken; {} in all", count(restorations.len(), "time"));
    figure("restore-time", title, &caption, &ranges::draw(&ranges))
}

fn spread(label: String, spread: &stagegate_delivery::Spread) -> Range {
    Range {
        median: spread.median,
        p90: Some(spread.p90).filter(|_| spread.count > 1),
        shown: length(spread.median),
        title: format!(
            "{label}: {}, median {}, 9 of 10 within {}, at most {}",
            count(spread.count, "time"),
            length(spread.median),
            length(spread.p90),
            length(spread.max)
        ),
        label,
        is_bad: false,
    }
}

pub(crate) fn stages(stages: &[StageDurations]) -> Markup {
    let title = "Stage durations";
    if stages.is_empty() {
        return nothing("stages", title, "No stage has succeeded.");
    }
    let ranges: Vec<_> = stages.iter().map(|stage| spread(stage.stage.clone(), &stage.spread)).collect();
    figure("stages", title, "median, and the time within which 9 of 10 were done", &ranges::draw(&ranges))
}

pub(crate) fn approvals(approvals: &[ApprovalWaits]) -> Markup {
    let title = "Approval waits";
    if approvals.is_empty() {
        return nothing("approvals", title, "No approval was answered.");
    }
    let name = |wait: &ApprovalWaits| match wait.stage == wait.action {
        true => wait.stage.clone(),
        false => format!("{}/{}", wait.stage, wait.action),
    };
    let ranges: Vec<_> = approvals.iter().map(|wait| spread(name(wait), &wait.spread)).collect();
    figure("approvals", title, "median, and the time within which 9 of 10 were answered", &ranges::draw(&ranges))
}

pub(crate) fn gates(gates: &[GateOutcomes]) -> Markup {
    let title = "Gate outcomes";
    if gates.is_empty() {
        return nothing("gates", title, "No gate has judged.");
    }
    figure("gates", title, "verdicts: passed, inconclusive, failed", &outcomes::draw(gates))
}

/// A count as a length.
fn value(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a plot is not that exact")]
    let value = count as f64;
    value
}
