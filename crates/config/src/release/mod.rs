//! What must hold before a release goes on: conditions of time, of CloudWatch, of the execution itself, and how long the
//! gate looks.

mod calendar;
mod freeze;
mod measured;
mod progress;
#[cfg(feature = "schema")]
pub(crate) mod schema;
mod window;
mod zone;

use crate::Approvers;
use crate::gate::Fault;

pub use calendar::{Calendar, CalendarEvents};
pub use freeze::{Exceptions, Freeze};
pub use measured::{Alarms, Metric, MetricQuery, MissingData, Probe};
pub use progress::{Otherwise, Sampling, Soak, Verdicts};
pub use window::{Day, TimeOfDay, Window};
pub use zone::{UnknownZone, Zone};

pub(crate) use window::{days, end_of_day, midnight};

/// What must hold before a release goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseGate {
    /// When something may be released; at any time where there is none, and no calendar of windows.
    pub windows: Vec<Window>,
    /// When nothing may be released.
    pub freezes: Vec<Freeze>,
    /// Freezes and windows that stand in calendar files.
    pub calendars: Vec<Calendar>,
    /// Alarms that must be OK.
    pub alarms: Option<Alarms>,
    /// A time that must have passed since an earlier stage.
    pub soak: Option<Soak>,
    /// Gates that must have passed this execution.
    pub verdicts: Option<Verdicts>,
    /// Metrics that must keep to limits.
    pub metrics: Vec<Metric>,
    /// URLs that must answer as asked for.
    pub probes: Vec<Probe>,
    /// How often and how long the gate looks.
    pub sampling: Option<Sampling>,
    /// What it says when it gives up.
    pub otherwise: Otherwise,
    /// Who may let one execution through in Slack; nobody where it is absent.
    pub overriders: Option<Approvers>,
}

impl ReleaseGate {
    /// What is wrong with the gate as a whole, if anything; its parts are checked while they are read.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let is_empty = self.windows.is_empty() && self.freezes.is_empty() && self.calendars.is_empty();
        let is_empty = is_empty && self.alarms.is_none() && self.soak.is_none() && self.verdicts.is_none();
        if is_empty && self.metrics.is_empty() && self.probes.is_empty() {
            let what = "has no condition, so it could pass without looking at anything; add `windows`, `freezes`, `calendars`, \
                        `alarms`, `soak`, `verdicts`, `metrics` or `probes`";
            return Some(Fault::new(&[], what));
        }
        if self.overriders.as_ref().is_some_and(Approvers::is_empty) {
            let what = "names nobody under `overriders`; name `users`, `groups` or `email_domains`, or take it out";
            return Some(Fault::new(&["overriders"], what));
        }
        let numbered = |key: &'static str, found: Option<(usize, String)>| {
            found.map(|(number, what)| Fault::new(&[key, &number.to_string()], what))
        };
        let first = |faults: &mut dyn Iterator<Item = Option<String>>| {
            faults.enumerate().find_map(|(number, what)| Some((number, what?)))
        };
        numbered("windows", first(&mut self.windows.iter().map(Window::fault)))
            .or_else(|| numbered("freezes", first(&mut self.freezes.iter().map(Freeze::fault))))
            .or_else(|| numbered("calendars", first(&mut self.calendars.iter().map(Calendar::fault))))
            .or_else(|| numbered("metrics", first(&mut self.metrics.iter().map(Metric::fault))))
            .or_else(|| self.repeated())
            .or_else(|| self.sampling.and_then(|s| s.fault()).map(|(key, what)| Fault::new(&["sampling", key], what)))
    }

    /// Something that stands there twice. Two findings of one name would hide each other.
    fn repeated(&self) -> Option<Fault> {
        let texts = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
        let lists = [
            ("freezes", texts(&mut self.freezes.iter().map(|freeze| freeze.name.as_str()))),
            ("metrics", texts(&mut self.metrics.iter().map(|metric| metric.name.as_str()))),
            ("alarms", texts(&mut self.alarms.iter().flat_map(|alarms| &alarms.names).map(String::as_str))),
            ("verdicts", texts(&mut self.verdicts.iter().flat_map(|verdicts| &verdicts.gates).map(String::as_str))),
        ];
        lists.into_iter().find_map(|(key, names)| {
            let twice = names.iter().enumerate().find(|(number, name)| names[..*number].contains(name));
            twice.map(|(_, name)| Fault::new(&[key], format!("has {name:?} twice under `{key}`; keep one of the two")))
        })
    }
}
