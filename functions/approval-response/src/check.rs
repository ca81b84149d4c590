//! Whether a click or a vote may be taken.

use stagegate_approval::{Approval, ApprovalId, Grounds, Installation, Refusal, Ruling};
use stagegate_desk::{Desk, DeskError, Unverified};
use stagegate_slack::UserId;
use stagegate_slack::interaction::{ClickedMessage, Origin};
use tokio::time::Instant;

/// A click that may be taken.
pub(crate) struct Checked {
    pub(crate) approval: Approval,
}

/// Why a click is not taken. It is shown to the person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("This approval is not known any more.")]
    Unknown,
    #[error("This message does not belong to the approval; please use the buttons of the latest message about it.")]
    OtherMessage,
    #[error("This approval is over; its message says how it ended.")]
    Over,
    #[error("You cannot decide this approval: {0}.")]
    Refused(Refusal),
    #[error("A comment is needed: please say why.")]
    NoComment,
    #[error("Your right to decide could not be checked just now. Please try again in a minute.")]
    Unchecked(DeskError),
}

impl NotTaken {
    /// Whether trying again is of no use.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Unchecked(_))
    }
}

/// Checks a click.
pub(crate) async fn check(
    desk: &Desk,
    id: &ApprovalId,
    origin: &Origin,
    message: &ClickedMessage,
    ruling: Ruling,
    deadline: Instant,
) -> Result<Checked, NotTaken> {
    let approval = desk.approval(id).await.map_err(NotTaken::Unchecked)?.ok_or(NotTaken::Unknown)?;
    let from = Installation { app: origin.app.to_string(), team: origin.team.to_string() };
    bound(&approval, &from, message.channel.as_str(), message.ts.as_str())?;
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    verified(desk, &approval, &origin.user, ruling, deadline).await?;
    Ok(Checked { approval })
}

/// A button counts only in the message that was posted for this approval, by the same app in the same workspace.
pub(crate) fn bound(approval: &Approval, from: &Installation, channel: &str, ts: &str) -> Result<(), NotTaken> {
    let is_posted = approval.messages().any(|message| message.channel == channel && message.ts == ts);
    if is_posted && approval.installation.as_ref() == Some(from) { Ok(()) } else { Err(NotTaken::OtherMessage) }
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
