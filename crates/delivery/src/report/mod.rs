//! The same measurements, put together for people.

mod pipeline;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use stagegate_config::DeliveryRule;
use stagegate_notice::Picture;

use crate::measurement::Origin;
use crate::production::Restoration;
use crate::spread::Spread;

/// An execution as it is known.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The pipeline.
    pub pipeline: String,
    /// The execution.
    pub execution: String,
    /// What is known of it.
    pub picture: Picture,
}

/// How software was delivered in a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The beginning of the time: what happened before is not counted.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The pipelines, by name.
    pub pipelines: Vec<PipelineReport>,
}

/// How one pipeline has delivered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PipelineReport {
    /// Its name.
    pub pipeline: String,
    /// The stage that is production; `None` where none is named, so that nothing is said about deployments.
    pub production: Option<String>,
    /// How many executions have begun.
    pub executions: usize,
    /// The deployments, in order.
    pub deployments: Vec<Deployment>,
    /// Deployments in each week from the first to the last of the time, also where there were none.
    pub weeks: Vec<Week>,
    /// Deployments a week, over the whole time.
    pub deployments_per_week: f64,
    /// How the lead times are spread, in seconds.
    pub lead_time: Option<Spread>,
    /// The changes that have reached production.
    pub changes: usize,
    /// Those of them that have failed there or were rolled back.
    pub failed_changes: usize,
    /// The part of the changes that has failed; `None` where there were none.
    pub failure_rate: Option<f64>,
    /// Each time that production was restored, in order.
    pub restorations: Vec<Restoration>,
    /// How the times to restore are spread, in seconds.
    pub restore_time: Option<Spread>,
    /// Since when production is broken, where it is at the end.
    pub broken_since: Option<Timestamp>,
    /// The stages, in their order.
    pub stages: Vec<StageDurations>,
    /// The gates, by name.
    pub gates: Vec<GateOutcomes>,
    /// The approvals, by stage and action.
    pub approvals: Vec<ApprovalWaits>,
}

/// A change that is in production.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployment {
    /// The execution.
    pub execution: String,
    /// When.
    pub at: Timestamp,
    /// From the change to here, in seconds, where it is known.
    pub lead_time: Option<f64>,
    /// Since when that is counted.
    pub origin: Option<Origin>,
}

/// A week, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Week {
    /// Its first day.
    pub monday: Date,
    /// How many deployments.
    pub deployments: usize,
    /// How many changes have failed.
    pub failed_changes: usize,
}

/// How long a stage took each time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageDurations {
    /// The stage.
    pub stage: String,
    /// In seconds.
    pub spread: Spread,
}

/// What a gate has said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GateOutcomes {
    /// The gate.
    pub gate: String,
    /// How often it passed.
    pub passed: usize,
    /// How often it asked a person.
    pub inconclusive: usize,
    /// How often it failed.
    pub failed: usize,
}

/// How long an approval waited each time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalWaits {
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
    /// In seconds.
    pub spread: Spread,
}

impl Report {
    /// The report on these executions. `production` says what production is in a pipeline. Without `since`, the time begins
    /// with the first execution. Failures before `since` are known, so that a restoration after it has its whole length.
    pub fn new(
        observed: &[Observed],
        production: impl Fn(&str) -> Option<DeliveryRule>,
        since: Option<Timestamp>,
        until: Timestamp,
    ) -> Self {
        let first = observed.iter().filter_map(|one| one.picture.started).min();
        let since = since.or(first).unwrap_or(until).min(until);
        let mut names: Vec<_> = observed.iter().map(|one| one.pipeline.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let pipelines = names.into_iter().map(|name| {
            let of_it: Vec<_> = observed.iter().filter(|one| one.pipeline == name).collect();
            PipelineReport::new(name, &of_it, production(name).as_ref(), since, until)
        });
        Self { since, until, pipelines: pipelines.collect() }
    }
}

/// The Monday of the week of a time, in UTC.
fn monday(at: Timestamp) -> Date {
    let day = TimeZone::UTC.to_datetime(at).date();
    day.saturating_sub(jiff::Span::new().days(i64::from(day.weekday().to_monday_zero_offset())))
}
