//! The report on one pipeline.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp};
use stagegate_config::DeliveryRule;

use super::{ApprovalWaits, Deployment, GateOutcomes, Observed, PipelineReport, StageDurations, Week, monday};
use crate::execution::measure;
use crate::measurement::{Measurement, Metric};
use crate::production::Production;
use crate::spread::Spread;

/// No report is longer than this, whatever its data claim.
const MAX_WEEKS: usize = 530;

impl PipelineReport {
    pub(super) fn new(
        pipeline: &str,
        observed: &[&Observed],
        rule: Option<&DeliveryRule>,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        let is_in = |at: Timestamp| since <= at && at <= until;
        let mut production = Production::default();
        let mut measurements = Vec::new();
        for one in observed {
            measurements.extend(measure(pipeline, &one.execution, &one.picture, rule));
            if let Some(rule) = rule {
                production.note(&one.execution, &one.picture, rule);
            }
        }
        measurements.retain(|measurement| is_in(measurement.at));
        // How it stood at the end of the report, whatever came later.
        let production = production.until(until);
        let of = |metric: Metric| measurements.iter().filter(move |measurement| measurement.metric == metric);
        let deployments = deployments(&measurements);
        let failures: Vec<_> = production.failures().into_iter().filter(|(_, at)| is_in(*at)).collect();
        let restorations: Vec<_> =
            production.restorations().into_iter().filter(|restoration| is_in(restoration.restored)).collect();
        let changes = of(Metric::Changes).count();
        #[expect(clippy::cast_precision_loss, reason = "nobody deploys that often")]
        let part = |some: usize, all: f64| some as f64 / all;
        let length = until.duration_since(since).as_secs_f64() / (7.0 * 86_400.0);
        #[expect(clippy::cast_precision_loss, reason = "nobody deploys that often")]
        let failure_rate = (changes > 0).then(|| part(failures.len(), changes as f64).min(1.0));
        Self {
            pipeline: pipeline.to_owned(),
            production: rule.map(|rule| rule.production.clone()),
            executions: observed.iter().filter(|one| one.picture.started.is_none_or(is_in)).count(),
            weeks: weeks(&deployments, &failures, since, until),
            // Less than a week is taken for one, so that one deployment in an hour is not 168 a week.
            deployments_per_week: part(deployments.len(), length.max(1.0)),
            lead_time: Spread::of(deployments.iter().filter_map(|deployment| deployment.lead_time)),
            deployments,
            changes,
            failed_changes: failures.len(),
            failure_rate,
            restore_time: Spread::of(restorations.iter().map(super::Restoration::seconds)),
            restorations,
            broken_since: production.broken_since(),
            stages: stages(observed, &measurements),
            gates: gates(&measurements),
            approvals: approvals(&measurements),
        }
    }
}

fn deployments(measurements: &[Measurement]) -> Vec<Deployment> {
    let lead = |execution: &str| {
        measurements.iter().find(|one| one.metric == Metric::LeadTime && one.subject.execution == execution)
    };
    let deployed = measurements.iter().filter(|measurement| measurement.metric == Metric::Deployments);
    let mut deployments: Vec<_> = deployed
        .map(|measurement| {
            let execution = measurement.subject.execution.clone();
            let lead = lead(&execution);
            Deployment {
                at: measurement.at,
                lead_time: lead.map(|lead| lead.value),
                origin: lead.and_then(|lead| lead.origin),
                execution,
            }
        })
        .collect();
    deployments.sort_by(|one, other| (one.at, &one.execution).cmp(&(other.at, &other.execution)));
    deployments
}

fn weeks(
    deployments: &[Deployment],
    failures: &[(String, Timestamp)],
    since: Timestamp,
    until: Timestamp,
) -> Vec<Week> {
    let mut weeks = Vec::new();
    let (mut day, last) = (monday(since), monday(until));
    while day <= last && weeks.len() < MAX_WEEKS {
        let deployments = deployments.iter().filter(|deployment| monday(deployment.at) == day).count();
        let failed_changes = failures.iter().filter(|(_, at)| monday(*at) == day).count();
        weeks.push(Week { monday: day, deployments, failed_changes });
        let Ok(next) = day.checked_add(Span::new().days(7)) else { break };
        day = next;
    }
    weeks
}

/// In the order of the pipeline as the latest execution knows it, then by name.
fn stages(observed: &[&Observed], measurements: &[Measurement]) -> Vec<StageDurations> {
    let latest = observed.iter().filter(|one| !one.picture.about.stages.is_empty());
    let order = latest.max_by_key(|one| one.picture.started).map(|one| one.picture.about.stages.as_slice());
    let mut durations: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
    for measurement in measurements.iter().filter(|measurement| measurement.metric == Metric::StageDuration) {
        let stage = measurement.subject.stage.as_deref().unwrap_or_default();
        let place = order.and_then(|order| order.iter().position(|name| name == stage)).unwrap_or(usize::MAX);
        durations.entry((place, stage)).or_default().push(measurement.value);
    }
    let spreads = durations.into_iter().filter_map(|((_, stage), values)| {
        Some(StageDurations { stage: stage.to_owned(), spread: Spread::of(values)? })
    });
    spreads.collect()
}

fn gates(measurements: &[Measurement]) -> Vec<GateOutcomes> {
    let mut gates: BTreeMap<&str, GateOutcomes> = BTreeMap::new();
    for measurement in measurements {
        let Some(name) = measurement.subject.gate.as_deref() else { continue };
        let gate = gates.entry(name).or_insert_with(|| GateOutcomes { gate: name.to_owned(), ..Default::default() });
        match measurement.metric {
            Metric::GatePassed => gate.passed += 1,
            Metric::GateInconclusive => gate.inconclusive += 1,
            Metric::GateFailed => gate.failed += 1,
            _ => {}
        }
    }
    gates.into_values().collect()
}

fn approvals(measurements: &[Measurement]) -> Vec<ApprovalWaits> {
    let mut waits: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for measurement in measurements.iter().filter(|measurement| measurement.metric == Metric::ApprovalWait) {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
        let (stage, action) = (name(&measurement.subject.stage), name(&measurement.subject.action));
        waits.entry((stage, action)).or_default().push(measurement.value);
    }
    let spreads = waits
        .into_iter()
        .filter_map(|((stage, action), values)| Some(ApprovalWaits { stage, action, spread: Spread::of(values)? }));
    spreads.collect()
}
