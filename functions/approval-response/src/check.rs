//! Whether a click or a vote may be taken.

use std::time::Duration;

use stagegate_approval::{Approval, ApprovalId, Grounds, Installation, NoticeState, Refusal, Ruling};
use stagegate_desk::{Desk, DeskError, Unverified};
use stagegate_slack::UserId;
use stagegate_slack::interaction::{ClickedMessage, Origin};
use tokio::time::Instant;

/// How often and at what distance a record is read that does not know a message yet.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// Why a click is not taken. It is shown to the person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("This approval is not known any more.")]
    Unknown,
    #[error("This message does not belong to the approval; please use the buttons of the latest message about it.")]
    OtherMessage,
    #[error("This message was only just posted; please try again in a moment.")]
    TooEarly,
    #[error("This approval is over; its message says how it ended.")]
    Over,
    #[error("You cannot decide this approval: {0}.")]
    Refused(Refusal),
    #[error("You cannot override the gate: {0}.")]
    NoOverride(Refusal),
    #[error("The gate cannot be overridden: nothing says which execution waits for this approval.")]
    NoExecution,
    #[error("A comment is needed: please say why.")]
    NoComment,
    #[error("Your right to decide could not be checked just now. Please try again in a minute.")]
    Unchecked(DeskError),
}

impl NotTaken {
    /// Whether trying again is of no use.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Unchecked(_) | Self::TooEarly)
    }
}

/// The approval of a click that may be taken.
pub(crate) async fn check(
    desk: &Desk,
    id: &ApprovalId,
    origin: &Origin,
    message: &ClickedMessage,
    ruling: Ruling,
    deadline: Instant,
) -> Result<Approval, NotTaken> {
    let from = Installation { app: origin.app.to_string(), team: origin.team.to_string() };
    let approval = read_bound(desk, id, &from, message.channel.as_str(), message.ts.as_str()).await?;
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    verified(desk, &approval, &origin.user, ruling, deadline).await?;
    Ok(approval)
}

/// The approval of a click on the button of an override that may be taken.
pub(crate) async fn check_override(
    desk: &Desk,
    id: &ApprovalId,
    origin: &Origin,
    message: &ClickedMessage,
    deadline: Instant,
) -> Result<Approval, NotTaken> {
    let from = Installation { app: origin.app.to_string(), team: origin.team.to_string() };
    let approval = read_bound(desk, id, &from, message.channel.as_str(), message.ts.as_str()).await?;
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    may_override(desk, &approval, &origin.user, deadline).await?;
    Ok(approval)
}

/// Whether a person may override the gate of an approval, and by what.
pub(crate) async fn may_override(
    desk: &Desk,
    approval: &Approval,
    user: &UserId,
    deadline: Instant,
) -> Result<(String, Grounds), NotTaken> {
    desk.verify_override(approval, user, deadline).await.map_err(|unverified| match unverified {
        Unverified::Refused(refusal) => NotTaken::NoOverride(refusal),
        Unverified::Unknown(error) => NotTaken::Unchecked(error),
    })
}

/// The approval of a message. Where the message was posted a moment ago, the record may not know it yet, and is read again.
pub(crate) async fn read_bound(
    desk: &Desk,
    id: &ApprovalId,
    from: &Installation,
    channel: &str,
    ts: &str,
) -> Result<Approval, NotTaken> {
    let mut looks = 1;
    loop {
        let approval = desk.approval(id).await.map_err(NotTaken::Unchecked)?.ok_or(NotTaken::Unknown)?;
        match bound(&approval, from, channel, ts) {
            Ok(()) => return Ok(approval),
            Err(NotTaken::TooEarly) if looks < LOOKS => tokio::time::sleep(BETWEEN_LOOKS).await,
            Err(why) => return Err(why),
        }
        looks += 1;
    }
}

/// A button counts only in the message that was posted for this approval, by the same app in the same workspace.
fn bound(approval: &Approval, from: &Installation, channel: &str, ts: &str) -> Result<(), NotTaken> {
    let is_posted = approval.messages().any(|message| message.channel == channel && message.ts == ts);
    // A request that is on its way may be this very message.
    let is_being_posted =
        approval.notices.iter().any(|notice| notice.kind.asks() && notice.state == NoticeState::Waiting);
    match approval.installation.as_ref() == Some(from) {
        true if is_posted => Ok(()),
        true if is_being_posted => Err(NotTaken::TooEarly),
        _ => Err(NotTaken::OtherMessage),
    }
}

pub(crate) async fn verified(
    desk: &Desk,
    approval: &Approval,
    user: &UserId,
    ruling: Ruling,
    deadline: Instant,
) -> Result<(String, Grounds), NotTaken> {
    desk.verify(approval, user, ruling, deadline).await.map_err(|unverified| match unverified {
        Unverified::Refused(refusal) => NotTaken::Refused(refusal),
        Unverified::Unknown(error) => NotTaken::Unchecked(error),
    })
}
