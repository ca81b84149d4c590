//! From samples to an end: a pure function, folded over the samples of one gate in one execution.
//!
//! | samples so far | end |
//! |---|---|
//! | green together for `green_for` | passed |
//! | more than `failure_limit` with a failed measurement | failed |
//! | more than `error_limit` in a row that could not be measured | inconclusive |
//! | none of these with the first sample at the end of `give_up_after`, or after it | what `otherwise` says: failed, or inconclusive |
//!
//! The last sample is due at that end, and whoever asks the gate comes some time later. It counts as every other one does;
//! none comes after it.
//!
//! A sample in which something has failed, or does not hold yet, restarts the time of `green_for`. One that could not be
//! measured stops it: the time around such a sample is not known to be green and does not count. Between two green samples
//! counts the time from one to the other, but not more than twice the pause that was asked for, where no pause is taken to
//! be shorter than a minute: in a longer one nobody has looked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_config::release::{Otherwise, Sampling};
use stagegate_verdict::Outcome;

use crate::measured::State;

/// How often and how long a gate looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time before the first sample.
    pub delay: Duration,
    /// The time between two samples.
    pub every: Duration,
    /// How long everything must be green together.
    pub green_for: Duration,
    /// How many samples may hold a failed measurement; `None` for any number.
    pub failure_limit: Option<u32>,
    /// How many samples in a row may be unmeasured.
    pub error_limit: u32,
    /// The time after which the gate gives up, from when it was first asked.
    pub give_up_after: Duration,
    /// What it says then.
    pub otherwise: Otherwise,
}

impl Schedule {
    /// The schedule of a policy. Without `sampling`, the one sample decides.
    pub fn new(sampling: Option<&Sampling>, otherwise: Otherwise) -> Self {
        let Some(sampling) = sampling else {
            return Self {
                delay: Duration::ZERO,
                every: Duration::from_secs(1),
                green_for: Duration::ZERO,
                failure_limit: Some(0),
                error_limit: 0,
                give_up_after: Duration::ZERO,
                otherwise,
            };
        };
        let length = |length: Option<stagegate_config::Length>| length.map_or(Duration::ZERO, |it| it.as_duration());
        Self {
            delay: length(sampling.delay),
            every: sampling.every().as_duration(),
            green_for: length(sampling.green_for),
            failure_limit: sampling.failure_limit,
            error_limit: sampling.error_limit(),
            give_up_after: sampling.give_up_after.as_duration(),
            otherwise,
        }
    }

    /// The most time between two green samples that counts as green. Whoever asks comes once a minute at the least.
    fn longest_gap(&self) -> Duration {
        self.every.max(Duration::from_secs(60)).saturating_mul(2)
    }

    /// Whether one look decides.
    pub fn is_single(&self) -> bool {
        self.give_up_after.is_zero()
    }
}

/// What is known of the samples so far. It is kept from one look to the next, and it is all that later looks need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// When the gate was first asked.
    since: Timestamp,
    /// How many samples there were.
    #[serde(default)]
    samples: u32,
    /// How many of them held a failed measurement.
    #[serde(default)]
    failed: u32,
    /// How many of the last could not be measured.
    #[serde(default)]
    errors: u32,
    /// For how many milliseconds everything has been green.
    #[serde(default)]
    green: u64,
    /// The last sample.
    #[serde(default)]
    last: Option<(Timestamp, State)>,
    /// Why everything was not green in the last sample, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The most bytes of the reason that is kept. The whole must fit into a continuation token.
const MAX_REASON: usize = 300;

/// Why a gate stops looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Everything was green for long enough.
    Green,
    /// There were too many failed measurements.
    TooManyFailures,
    /// There were too many errors in a row.
    TooManyErrors,
    /// The time is up.
    GaveUp,
}

impl End {
    /// Every end.
    pub const ALL: [Self; 4] = [Self::Green, Self::TooManyFailures, Self::TooManyErrors, Self::GaveUp];

    /// What the gate says at its end.
    pub fn outcome(self, otherwise: Otherwise) -> Outcome {
        match (self, otherwise) {
            (Self::Green, _) => Outcome::Passed,
            (Self::TooManyFailures, _) | (Self::GaveUp, Otherwise::Fail) => Outcome::Failed,
            // What could not be measured says nothing, so a person is asked whatever the policy says of giving up.
            (Self::TooManyErrors, _) | (Self::GaveUp, Otherwise::Ask) => Outcome::Inconclusive,
        }
    }
}

/// What a sample led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The gate looks again, at this time or later.
    Wait(Timestamp),
    /// The gate has its end.
    Done(End),
}

impl Progress {
    /// A gate that is asked for the first time.
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, samples: 0, failed: 0, errors: 0, green: 0, last: None, reason: None }
    }

    /// When the next sample is due: now or in the past, where it is to be taken.
    pub fn due(&self, schedule: &Schedule) -> Timestamp {
        match self.last {
            None => after(self.since, schedule.delay),
            // The last look is at the very end of the time, so that nothing is given up unseen.
            Some((last, _)) => after(last, schedule.every).min(self.end(schedule)),
        }
    }

    /// Takes in a sample. Samples are to be given in the order of their times.
    #[must_use]
    pub fn sample(mut self, schedule: &Schedule, state: State, now: Timestamp) -> (Self, Step) {
        self.samples = self.samples.saturating_add(1);
        let end = self.end(schedule);
        let is_in_time = self.last.is_none_or(|(last, _)| last < end);
        match state {
            State::Met => {
                if let Some((last, State::Met)) = self.last {
                    let passed = Duration::try_from(now.duration_since(last)).unwrap_or_default();
                    let counted = passed.min(schedule.longest_gap()).as_millis();
                    self.green = self.green.saturating_add(u64::try_from(counted).unwrap_or(u64::MAX));
                }
                self.errors = 0;
            }
            State::NotYet => {
                self.green = 0;
                self.errors = 0;
            }
            State::Failed => {
                self.green = 0;
                self.errors = 0;
                self.failed = self.failed.saturating_add(1);
            }
            State::Error => self.errors = self.errors.saturating_add(1),
        }
        self.last = Some((now, state));
        self.reason = None;
        let is_green = state == State::Met && self.green() >= schedule.green_for;
        let step = if is_green && is_in_time { Step::Done(End::Green) } else { self.step(schedule, now) };
        (self, step)
    }

    /// Keeps why everything was not green in the last sample, as far as there is room for it.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let mut kept = String::new();
        for c in reason.chars().map(|c| if c.is_control() { ' ' } else { c }) {
            if kept.len() + c.len_utf8() > MAX_REASON {
                break;
            }
            kept.push(c);
        }
        self.reason = Some(kept).filter(|kept| !kept.is_empty());
        self
    }

    /// What a sample that is not green for long enough leads to.
    fn step(&self, schedule: &Schedule, now: Timestamp) -> Step {
        if schedule.failure_limit.is_some_and(|limit| self.failed > limit) {
            return Step::Done(End::TooManyFailures);
        }
        if self.errors > schedule.error_limit {
            return Step::Done(End::TooManyErrors);
        }
        if now >= self.end(schedule) {
            return Step::Done(End::GaveUp);
        }
        Step::Wait(self.due(schedule))
    }

    fn end(&self, schedule: &Schedule) -> Timestamp {
        after(self.since, schedule.give_up_after)
    }

    /// When the gate was first asked.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// How many samples there were.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// How many samples held a failed measurement.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// How many of the last samples could not be measured.
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// Why everything was not green in the last sample; nothing where it was, or where an older version has looked.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// For how long everything has been green.
    pub fn green(&self) -> Duration {
        Duration::from_millis(self.green)
    }
}

fn after(time: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    time.saturating_add(length).unwrap_or(Timestamp::MAX)
}
