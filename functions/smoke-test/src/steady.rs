//! How long everything has been green: a state machine without a clock of its own.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_config::Length;
use stagegate_config::smoke::Steady;

/// The most characters of the last red sample's summary that are kept: the state must fit into a continuation token.
const MAX_RED: usize = 300;

/// What is known of the samples so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When the first sample began.
    pub first: Timestamp,
    /// When the first of the green samples began that no red one has followed.
    #[serde(default)]
    pub green_since: Option<Timestamp>,
    /// When the next sample may begin.
    pub next: Timestamp,
    /// How many samples there were.
    pub samples: u32,
    /// How many of them were red.
    pub red: u32,
    /// When the last red one began, and what it said.
    #[serde(default)]
    pub last_red: Option<(Timestamp, String)>,
}

/// What follows from a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Everything was green for long enough.
    Steady(Progress),
    /// The time is over.
    GaveUp(Progress),
    /// Another sample is needed.
    GoOn(Progress),
}

impl Progress {
    /// Whether no sample was green yet, so that what fails may be tried again.
    pub fn may_retry(before: Option<&Self>) -> bool {
        before.is_none_or(|progress| progress.red == progress.samples)
    }

    /// How long everything has been green at the time of the next sample's beginning or now.
    fn green_for(&self, now: Timestamp) -> SignedDuration {
        self.green_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since))
    }
}

/// Counts a sample that began at `now`; `red` is what it said where it was not green.
///
/// Time is counted from the beginning of one sample to the beginning of another, so that a slow sample is not taken for
/// a long green time.
pub fn count(policy: &Steady, before: Option<Progress>, red: Option<&str>, now: Timestamp) -> Decision {
    let next = now.saturating_add(signed(policy.every())).unwrap_or(Timestamp::MAX);
    let mut progress =
        before.unwrap_or(Progress { first: now, green_since: None, next, samples: 0, red: 0, last_red: None });
    progress.samples = progress.samples.saturating_add(1);
    progress.next = next;
    match red {
        None => {
            progress.green_since.get_or_insert(now);
        }
        Some(text) => {
            progress.red = progress.red.saturating_add(1);
            progress.green_since = None;
            progress.last_red = Some((now, text.chars().take(MAX_RED).collect()));
        }
    }
    if progress.green_since.is_some() && progress.green_for(now) >= signed(policy.green_for) {
        return Decision::Steady(progress);
    }
    if now.duration_since(progress.first) >= signed(policy.give_up_after) {
        return Decision::GaveUp(progress);
    }
    Decision::GoOn(progress)
}

/// How much of the green time is over, from 0 to 99 percent.
pub(crate) fn percent(policy: &Steady, progress: &Progress, now: Timestamp) -> u8 {
    let (green, wanted) = (progress.green_for(now).as_millis(), signed(policy.green_for).as_millis().max(1));
    u8::try_from((green.max(0) * 100 / wanted).clamp(0, 99)).unwrap_or(99)
}

/// What the samples showed, in words.
pub(crate) fn summary(policy: &Steady, progress: &Progress, now: Timestamp) -> String {
    let samples = if progress.samples == 1 { "1 sample".to_owned() } else { format!("{} samples", progress.samples) };
    let red = match &progress.last_red {
        Some((at, text)) => {
            format!(", {} of them red, the last at {}: {text}", progress.red, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
        None => String::new(),
    };
    let green = shown(progress.green_for(now));
    format!("green for {green} of {} after {samples}{red}", policy.green_for)
}

fn signed(length: Length) -> SignedDuration {
    SignedDuration::try_from(length.as_duration()).unwrap_or(SignedDuration::MAX)
}

/// Whole seconds are enough for people.
fn shown(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
