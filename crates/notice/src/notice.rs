//! What people must hear, one thing at a time.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::about::VerdictLine;
use crate::action::Action;
use crate::picture::Picture;
use crate::said::{Said, is_answer_of};
use crate::states::{ActionState, ExecutionState};
use crate::subject::Subject;

pub use stagegate_config::NoticeKind as Kind;

/// Whether the head message says it already.
pub(crate) fn is_in_the_head(kind: Kind) -> bool {
    matches!(kind, Kind::Started | Kind::Succeeded)
}

/// Something that people must hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// By what it is known: it is posted once for each channel.
    pub key: String,
    /// What it is about.
    pub kind: Kind,
    /// The stage.
    pub stage: Option<String>,
    /// In a few words, after the pipeline's name.
    pub title: String,
    /// More about it.
    pub lines: Vec<Line>,
    /// For how long nothing had gone on, where it is about that.
    #[serde(skip)]
    pub silence: Option<SignedDuration>,
}

/// A line of text from anywhere, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is.
    pub label: Cow<'static, str>,
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub url: Option<String>,
}

impl Picture {
    /// Everything that people must hear of this execution so far. What stands here once stays here, whatever else arrives.
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        let plain = |key: &str, kind, title: String| Notice {
            key: key.to_owned(),
            kind,
            stage: None,
            title,
            lines: Vec::new(),
            silence: None,
        };
        if *self != Self::default() {
            let title = self
                .about
                .trigger
                .as_deref()
                .map_or_else(|| "has started".to_owned(), |by| format!("was started by {by}"));
            notices.push(plain("started", Kind::Started, title));
        }
        if let Some(to) = &self.about.rollback_to {
            notices.push(plain("rolled-back", Kind::RolledBack, format!("rolls back to the execution {to}")));
        }
        let mut actions: Vec<_> = self.actions.iter().collect();
        actions.sort_by_key(|(id, action)| (action.started, *id));
        for (id, action) in actions {
            if action.is_approval() {
                notices.push(approval(id, action));
            }
            if action.state == ActionState::Failed {
                notices.push(self.failure(id, action));
            }
        }
        for last in &self.failures_without_action {
            let title = "has failed, and not by an action: look at the conditions of its stages".to_owned();
            notices.push(plain(&format!("failed/after/{last}"), Kind::Failed, title));
        }
        for (state, kind, title) in [
            (ExecutionState::Superseded, Kind::Superseded, "was superseded by a newer execution"),
            (ExecutionState::Stopped, Kind::Stopped, "was stopped"),
            (ExecutionState::Canceled, Kind::Stopped, "was cancelled, because the pipeline was changed"),
        ] {
            if self.seen.contains_key(&state) {
                let why = self.about.stop_comment.as_ref().filter(|_| state == ExecutionState::Stopped);
                let lines = why
                    .map(|text| Line { label: "Comment".into(), text: text.clone(), url: None })
                    .into_iter()
                    .collect();
                notices.push(Notice { lines, ..plain(title, kind, title.to_owned()) });
            }
        }
        notices.extend(self.stalls.iter().map(|(since, length)| self.stall(*since, *length)));
        notices.extend(self.success());
        notices
    }

    fn stall(&self, since: Timestamp, length: SignedDuration) -> Notice {
        let until = since.checked_add(length).unwrap_or(since);
        // What went on at that time, whatever became of it since.
        let running = self.actions.values().filter(|action| {
            action.started.is_some_and(|started| started <= since) && action.ended.is_none_or(|ended| ended > since)
        });
        let line = |action: &Action| {
            let text = format!("{} in {}", or_unknown(&action.name), or_unknown(&action.stage));
            Line { label: "Running".into(), text, url: action.url.clone() }
        };
        Notice {
            key: format!("stuck/{since}"),
            kind: Kind::Stuck,
            stage: None,
            title: format!("is stuck: nothing has gone on for {}", duration(since, until)),
            lines: running.map(line).collect(),
            silence: Some(length),
        }
    }

    fn success(&self) -> Vec<Notice> {
        let Some(at) = self.seen.get(&ExecutionState::Succeeded) else { return Vec::new() };
        let notice = |kind: Kind, title: String| Notice {
            key: kind.name().to_owned(),
            kind,
            stage: None,
            title,
            lines: Vec::new(),
            silence: None,
        };
        let mut notices = vec![notice(Kind::Succeeded, "has succeeded".to_owned())];
        // Its own failures count as one failed execution.
        let own = self.actions.values().filter(|action| action.state == ActionState::Failed);
        let own = own.filter_map(|action| action.ended).chain(self.seen.get(&ExecutionState::Failed).copied()).min();
        let before = self.series.unwrap_or_default();
        let failed = before.failed + u32::from(own.is_some());
        // What rolls a stage back does not say that the change is good.
        if failed > 0 && self.about.rollback_to.is_none() {
            let since = before.since.or(own);
            let after = since.map(|since| format!(" after {}", duration(since, *at))).unwrap_or_default();
            let plural = if failed == 1 { "" } else { "s" };
            notices.push(notice(Kind::Recovered, format!("is green again{after}, {failed} failed execution{plural}")));
        }
        notices
    }

    fn failure(&self, id: &str, action: &Action) -> Notice {
        let title = match (self.subject, &action.stage) {
            (Subject::Pipeline, stage) => {
                let verb = if action.is_approval() { "was rejected" } else { "has failed" };
                format!("{} {verb} in {}", or_unknown(&action.name), or_unknown(stage))
            }
            (_, Some(phase)) => format!("has failed in {phase}"),
            (_, None) => "has failed".to_owned(),
        };
        let mut lines = Vec::new();
        let part = action.external_id.as_ref().and_then(|id| self.parts.get(id));
        let reason = action.reason.as_ref().max(part.and_then(|part| part.reason.as_ref()));
        let verdicts: Vec<_> = self.verdicts.iter().filter(|(_, verdict)| !verdict.has_passed).collect();
        let answer_of = |verdict: &VerdictLine| reason.filter(|reason| is_answer_of(reason, verdict));
        if let Some(reason) = reason.filter(|_| verdicts.iter().all(|(_, verdict)| answer_of(verdict).is_none())) {
            let code = reason.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            lines.push(Line { label: "Reason".into(), text: format!("{}{code}", reason.text), url: None });
        }
        for (gate, verdict) in verdicts {
            let Said { summary, listed } = Said::new(verdict, answer_of(verdict));
            lines.push(Line { label: "Gate".into(), text: format!("{gate}: {summary}"), url: None });
            if !listed.is_empty() {
                lines.push(Line { label: "Did not pass".into(), text: listed.join("\n"), url: None });
            }
        }
        if let Some(url) = &action.url {
            lines.push(Line { label: "Details".into(), text: "open".to_owned(), url: Some(url.clone()) });
        }
        if let Some(url) = action.logs.as_ref().or(part.and_then(|part| part.logs.as_ref())) {
            lines.push(Line { label: "Logs".into(), text: "open".to_owned(), url: Some(url.clone()) });
        }
        let stage = action.stage.clone();
        Notice { key: format!("failed/{id}"), kind: Kind::Failed, stage, title, lines, silence: None }
    }
}

fn or_unknown(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("?")
}

fn approval(id: &str, action: &Action) -> Notice {
    Notice {
        key: format!("approval/{id}"),
        kind: Kind::Approval,
        stage: action.stage.clone(),
        title: format!("{} asks for an approval in {}", or_unknown(&action.name), or_unknown(&action.stage)),
        lines: Vec::new(),
        silence: None,
    }
}

/// A length of time in its greatest two units.
fn duration(from: Timestamp, to: Timestamp) -> String {
    let minutes = to.duration_since(from).max(SignedDuration::ZERO).as_mins();
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
