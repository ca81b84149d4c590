//! Text for channels that show nothing else.

use std::fmt::Write as _;

use jiff::Timestamp;
use stagegate_approval::{Approval, NoticeKind, Outcome};

use super::{outcome, waited};

/// The longest subject that SNS takes; it must be ASCII without line ends (AWS SNS API reference, Publish).
const SUBJECT: usize = 100;
/// How much of any one text is shown.
const LINE: usize = 500;

/// The subject and the text.
pub(crate) fn plain(approval: &Approval, kind: NoticeKind, now: Timestamp) -> (String, String) {
    let place = &approval.place;
    let title = match kind {
        NoticeKind::Result => outcome::title(&approval.phase, place),
        NoticeKind::Reminder => format!("Still waiting: {} to {}", place.pipeline, place.stage),
        NoticeKind::Request | NoticeKind::Escalation => {
            format!("Approval needed: {} to {}", place.pipeline, place.stage)
        }
    };
    let mut text = format!("{title}\n\n");
    let mut line = |name: &str, value: &str| {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LINE).collect();
        let _ = writeln!(text, "{name}: {value}");
    };
    line("Action", &format!("{}, {}, {}", place.pipeline, place.stage, place.action));
    if kind == NoticeKind::Result {
        if let Some(end) = approval.outcome() {
            line("How", &how(end));
        }
    } else {
        line("Waiting for", &waited(approval.requested_at, now));
    }
    for revision in &approval.release.revisions {
        let author = revision.author.as_ref().and_then(|author| author.name.as_deref().or(author.email.as_deref()));
        let message = revision.message.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        line("Change", &format!("{} {message} ({})", revision.id, author.unwrap_or("author not known")));
    }
    for verdict in &approval.release.verdicts {
        line("Gate", &format!("{} {}: {}", verdict.gate, verdict.outcome, verdict.summary));
    }
    if let Some(end) = approval.expires_at.filter(|_| kind != NoticeKind::Result) {
        line("Expires", &end.to_string());
    }
    for (name, value) in [
        ("Note", &approval.custom_data),
        ("Review", &approval.review_link),
        ("Console", &approval.console_link),
        ("Execution", &approval.execution),
    ] {
        if let Some(value) = value {
            line(name, value);
        }
    }
    let subject = title.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT).collect();
    (subject, text)
}

fn how(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Desk { decision, .. } => decision.summary.clone(),
        Outcome::Elsewhere { by, summary, .. } => {
            let by = by.as_deref().unwrap_or("somebody");
            format!("in the console or by the API, by {by}: {}", summary.as_deref().unwrap_or("without a comment"))
        }
        Outcome::Superseded { .. } => "a newer execution has taken its place".to_owned(),
        Outcome::Stopped { .. } => "the execution was stopped".to_owned(),
        Outcome::Expired { .. } => "nobody answered in time".to_owned(),
        Outcome::Gone { .. } => "the action does not wait any more".to_owned(),
    }
}
