//! What people read about an approval.

mod facts;
mod outcome;
mod plain;
mod say;
mod words;

use jiff::Timestamp;
use stagegate_approval::{Approval, NoticeKind, Ruling};
use stagegate_slack::blocks::{Actions, Button, Message, Style, TooLong};
use stagegate_slack::{Plain, Text};
use url::Url;

use crate::DeskError;

pub(crate) use say::Asked;
pub use words::waited;

/// The button that approves, by which a click is known.
pub const APPROVE: &str = "approve";
/// The other button.
pub const REJECT: &str = "reject";
/// The button that lets an execution through the gate that may answer.
pub const OVERRIDE: &str = "override";

/// A message in Slack.
pub(crate) fn of(approval: &Approval, kind: NoticeKind, now: Timestamp) -> Result<Message, DeskError> {
    match kind {
        NoticeKind::Reminder => Ok(reminder(approval, now)),
        NoticeKind::Result => Ok(result(approval)),
        NoticeKind::Handover => Ok(handover(approval)),
        NoticeKind::Request | NoticeKind::Escalation => {
            let message = asking(approval, kind);
            if !approval.is_requested() {
                return Ok(message);
            }
            buttons(approval).map(|buttons| message.actions(buttons)).map_err(unlike)
        }
    }
}

/// A message for a channel in which nobody can click.
pub(crate) fn without_buttons(approval: &Approval, kind: NoticeKind, now: Timestamp) -> Result<Message, DeskError> {
    match kind {
        NoticeKind::Request | NoticeKind::Escalation => {
            let hint = Text::literal("Answer it in the CodePipeline console; this channel has no buttons.");
            Ok(asking(approval, kind).context([hint]))
        }
        NoticeKind::Reminder | NoticeKind::Result | NoticeKind::Handover => of(approval, kind, now),
    }
}

fn asking(approval: &Approval, kind: NoticeKind) -> Message {
    let place = &approval.place;
    let title = match &approval.phase {
        _ if approval.is_requested() => place.question(),
        _ => outcome::title(approval),
    };
    let mut message = Message::new(Text::line(&title)).header(Plain::new(&title));
    if approval.is_requested() && kind == NoticeKind::Escalation {
        message = message.section(Text::literal("*Nobody has decided this yet.* You are asked as well."));
    }
    if let Some(end) = outcome::text(approval) {
        message = message.section(end);
    }
    for change in facts::changes(approval) {
        message = message.section(change);
    }
    message = message.fields(facts::fields(approval));
    for verdict in facts::verdicts(approval) {
        message = message.section(verdict);
    }
    for text in facts::automatic(approval) {
        message = message.section(text);
    }
    if let Some(votes) = facts::votes(approval) {
        message = message.section(votes);
    }
    for note in facts::notes(approval) {
        message = message.section(note);
    }
    message.context(facts::small_print(approval))
}

fn buttons(approval: &Approval) -> Result<Actions, TooLong> {
    let button = |action: &str, label: &str, style| {
        Ok(Button::new(action, Plain::new(label))?.value(approval.id.as_str())?.style(style))
    };
    let mut actions = Actions::new("decide")?.button(button(APPROVE, "Approve", Style::Primary)?).button(button(
        REJECT,
        "Reject",
        Style::Danger,
    )?);
    if let Some(terms) = approval.terms.automatic.as_ref().filter(|terms| terms.can_be_overridden) {
        let label = format!("Override {}", terms.gate);
        actions = actions.button(Button::new(OVERRIDE, Plain::new(&label))?.value(approval.id.as_str())?);
    }
    // A link that is too long for a button stands in the text.
    if let Some(url) = facts::link(approval.review_link.as_deref())
        && let Ok(review) = Button::new("review", Plain::new("Review"))?.url(&url)
    {
        actions = actions.button(review);
    }
    Ok(actions)
}

fn reminder(approval: &Approval, now: Timestamp) -> Message {
    let place = &approval.place;
    let since = waited(approval.requested_at, now);
    let who = Text::join(facts::mentions(approval), &Text::literal(" "));
    let title = format!("{} still waits for a decision, for {since} now", place.release());
    let mut text = who + Text::literal(" ") + Text::line(&title) + Text::literal(".");
    if let Some(end) = facts::deadline(approval) {
        text += Text::literal(" ") + end + Text::literal(".");
    }
    Message::new(Text::line(&title)).section(text)
}

/// People are to decide after all, and see what the gate has found.
fn handover(approval: &Approval) -> Message {
    let place = &approval.place;
    let title = format!("{} needs a decision of people", place.release());
    let who = Text::join(facts::mentions(approval), &Text::literal(" "));
    let mut message =
        Message::new(Text::line(&title)).section(who + Text::literal(" ") + Text::line(&title) + Text::literal("."));
    for text in facts::automatic(approval) {
        message = message.section(text);
    }
    message
}

fn result(approval: &Approval) -> Message {
    let title = outcome::title(approval);
    let message = Message::new(Text::line(&title));
    let message = match outcome::text(approval) {
        Some(text) => message.section(Text::bold(&title) + Text::literal("\n") + text),
        None => message.section(Text::bold(&title)),
    };
    // It stands alone: there may be others of the same pipeline above it.
    message.context(facts::small_print(approval))
}

fn unlike(error: TooLong) -> DeskError {
    DeskError::Configuration(error.to_string())
}

pub(crate) fn url(text: Option<&str>) -> Option<Url> {
    text?.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
}

/// How a ruling stands in a sentence.
pub(crate) fn verb(ruling: Ruling) -> &'static str {
    ruling.as_str()
}
