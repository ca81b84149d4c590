//! When AWS is asked how an execution stands: for what events do not tell, and for events that were lost.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::picture::Picture;
use crate::register::Moment;
use crate::states::{ActionState, ExecutionState};
use crate::subject::Subject;
use crate::thread::{Thread, later};

/// How long an execution of which nothing is heard is left alone.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// After how long AWS is asked again where its answer did not say everything.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How old an answer may be by which an execution is said to be stuck.
const FRESH: SignedDuration = SignedDuration::from_secs(90);
/// The longest pause after answers that could not be had.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How long AWS is asked that does not answer, or does not know of the execution any more.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// When AWS was asked about an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When it was last asked, while it has not answered.
    #[serde(default)]
    pub begun: Option<Timestamp>,
    /// When it last answered.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// When an event last told something new.
    #[serde(default)]
    pub heard: Option<Timestamp>,
    /// How often in a row it did not answer.
    #[serde(default)]
    pub failures: u32,
    /// Since when it has not answered.
    #[serde(default)]
    pub failing: Option<Timestamp>,
    /// Until when it is not asked again.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// The end that it has confirmed.
    #[serde(default)]
    pub confirmed: Option<Moment<ExecutionState>>,
}

impl Thread {
    /// Whether AWS is to be asked.
    pub fn wants_look(&self, now: Timestamp) -> bool {
        if self.looked.not_before.is_some_and(|time| now < time) {
            return false;
        }
        let picture = &self.picture;
        let is_over = picture.is_over();
        let is_pipeline = self.subject == Subject::Pipeline;
        let is_new = is_pipeline && !picture.about.is_looked_up;
        let is_confirmed = self.looked.confirmed.is_some() && self.looked.confirmed == picture.state;
        let last = self.looked.at.max(self.looked.heard);
        let is_silent = last.is_none_or(|last| now.duration_since(last) >= EVERY);
        is_new
            || is_pipeline && (picture.has_unknown_failure() || picture.has_unknown_source())
            || is_over && !is_confirmed
            || !is_over && is_silent
    }

    /// Notes what AWS has answered.
    pub(crate) fn note_look(&mut self, answer: &Picture, now: Timestamp) {
        self.picture.join(answer);
        let confirmed = self.picture.state.filter(|moment| moment.state.is_over() && answer.is_over());
        let heard = self.looked.heard;
        // What was heard while it was asked, it could not answer: it is asked again at once.
        let is_outdated = self.looked.begun.is_some() && heard > self.looked.begun;
        self.looked = Looked { at: Some(now), heard, confirmed, ..Looked::default() };
        // What CodePipeline shows may be a moment older than the event about it.
        if !is_outdated && self.wants_look(now) {
            self.looked.not_before = Some(later(now, AGAIN));
        }
    }

    /// Notes that AWS has not answered. What is known is told all the same.
    pub(crate) fn note_no_look(&mut self, now: Timestamp) {
        let pause = SignedDuration::from_secs(60 << self.looked.failures.min(6)).min(LONGEST_PAUSE);
        self.looked.failures = self.looked.failures.saturating_add(1);
        self.looked.failing = self.looked.failing.or(Some(now));
        self.looked.not_before = Some(later(now, pause));
    }

    /// Whether there is nothing more to ask: the end is confirmed, or nobody confirms it.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let is_hopeless = self.looked.failing.is_some_and(|since| now.duration_since(since) >= GIVE_UP_AFTER);
        is_hopeless || self.picture.is_over() && self.looked.not_before.is_none() && !self.wants_look(now)
    }

    /// Notes that there is no progress, where that is so for longer than a route allows. `None` where AWS is to be asked
    /// first.
    pub(crate) fn note_stall(&mut self, allowed: impl Iterator<Item = SignedDuration>, now: Timestamp) -> Option<()> {
        let Some(last) = self.picture.last_progress() else { return Some(()) };
        if self.picture.is_over() || self.picture.waits_for_people() {
            return Some(());
        }
        let silence = now.duration_since(last);
        let known = self.picture.stalls.get(&last).copied().unwrap_or_default();
        let passed = allowed.filter(|allowed| *allowed <= silence && *allowed > known).max();
        let Some(passed) = passed else { return Some(()) };
        let is_fresh = self.looked.at.is_some_and(|at| now.duration_since(at) <= FRESH);
        if !is_fresh && self.looked.not_before.is_none_or(|time| now >= time) {
            return None;
        }
        self.picture.stalls.insert(last, passed);
        Some(())
    }
}

impl Picture {
    /// Whether nothing goes on any more, as far as it is known.
    pub fn is_over(&self) -> bool {
        self.execution_state().is_some_and(ExecutionState::is_over)
    }

    /// Whether an action deploys by CodeDeploy at present.
    pub fn deploys(&self) -> bool {
        let is_deploy = |provider: &str| provider.starts_with("CodeDeploy");
        let mut actions = self.actions.values();
        actions.any(|action| action.state == ActionState::Started && action.provider.as_deref().is_some_and(is_deploy))
    }

    /// Whether an action has ended otherwise than well, and CodePipeline was not asked why.
    fn has_unknown_failure(&self) -> bool {
        let failed = |state| matches!(state, ActionState::Failed);
        self.actions.values().any(|action| failed(action.state) && !action.is_looked_up)
    }

    /// Whether a source was read and CodePipeline was not asked since what it is.
    fn has_unknown_source(&self) -> bool {
        let is_read = self
            .actions
            .values()
            .any(|action| action.category.as_deref() == Some("Source") && action.state == ActionState::Succeeded);
        is_read && !self.about.are_sources_looked_up
    }

    /// Whether people are to decide, so that nothing else is to be expected.
    fn waits_for_people(&self) -> bool {
        self.actions.values().any(|action| action.state == ActionState::Started && action.is_approval())
    }
}
