//! Text for channels that show nothing else.

use std::fmt::Write as _;

use jiff::Timestamp;
use stagegate_approval::{Approval, NoticeKind, Outcome};
use stagegate_channel::{Mail, inert_line};

use super::{outcome, waited};

/// How much of any one text is shown.
const LINE: usize = 500;

/// The subject and the text.
pub(super) fn plain(approval: &Approval, kind: NoticeKind, now: Timestamp) -> Mail {
    let title = title(approval, kind);
    let mut text = format!("{}\n\n", inert_line(&title, LINE));
    for (name, value) in lines(approval, kind, now) {
        let value = web_page(name, &value).unwrap_or_else(|| inert_line(&value, LINE));
        let _ = writeln!(text, "{name}: {value}");
    }
    Mail::new(&title, text)
}

/// What it is about, in a few words.
pub(super) fn title(approval: &Approval, kind: NoticeKind) -> String {
    let place = &approval.place;
    match kind {
        NoticeKind::Result => outcome::title(approval),
        NoticeKind::Handover => format!("People must decide: {}", place.release()),
        NoticeKind::Reminder => format!("Still waiting: {}", place.release()),
        NoticeKind::Request | NoticeKind::Escalation => format!("Approval needed: {}", place.release()),
    }
}

/// What there is to say, by name. Values come from anywhere.
pub(super) fn lines(approval: &Approval, kind: NoticeKind, now: Timestamp) -> Vec<(&'static str, String)> {
    let place = &approval.place;
    let mut lines = Vec::new();
    let mut line = |name: &'static str, value: &str| lines.push((name, value.to_owned()));
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
    if let Some(terms) = &approval.terms.automatic {
        match (&approval.looks.found, &approval.looks.summary) {
            (Some(found), _) => line("Gate", &format!("{} {}: {}", found.gate, found.outcome, found.summary)),
            (None, Some(summary)) => line("Gate", &format!("{} {summary}", terms.gate)),
            (None, None) => line("Gate", &format!("{} answers when it passes", terms.gate)),
        }
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
    lines
}

/// Of a line that is a link to a page, its URL as a browser would write it.
pub(super) fn web_page(name: &str, text: &str) -> Option<String> {
    let url = super::url(Some(text)).filter(|_| matches!(name, "Review" | "Console"))?;
    (url.as_str().len() <= 2000).then(|| url.to_string())
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
