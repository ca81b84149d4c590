//! What a person who clicks sees.

use stagegate_approval::{Approval, Place, Ruling};
use stagegate_slack::blocks::{Input, Message, Modal, TooLong};
use stagegate_slack::{Plain, Text};

use crate::vote::{Asked, AskedOverride};

/// The modal's identifier.
pub(crate) const DECIDE: &str = "stagegate-decide";
/// The identifier of the modal of an override.
pub(crate) const OVERRIDE: &str = "stagegate-override";
/// The comment's block and element.
pub(crate) const COMMENT_BLOCK: &str = "comment";
pub(crate) const COMMENT: &str = "comment";

/// The longest comment: CodePipeline is told 512 characters in all.
const MAX_COMMENT: usize = 1000;

/// Asks for a comment.
pub(crate) fn ask(asked: &Asked, place: Option<&Place>) -> Result<Modal, TooLong> {
    let (title, button) = match asked.ruling {
        Ruling::Approved => ("Approve the release", "Approve"),
        Ruling::Rejected => ("Reject the release", "Reject"),
    };
    let mut comment = Input::new(COMMENT_BLOCK, COMMENT, Plain::new("Comment"))?.max_length(MAX_COMMENT);
    if !asked.needs_comment {
        comment = comment.optional();
    }
    // It has only names and short texts of its own.
    let metadata = serde_json::to_string(asked).unwrap_or_default();
    let mut modal = Modal::new(DECIDE, Plain::new(title))?.submit(Plain::new(button)).private_metadata(metadata)?;
    if let Some(place) = place {
        let what = format!("{}, {}", place.release(), place.action);
        modal = modal.section(Text::bold(&what));
    }
    Ok(modal.input(comment))
}

/// Asks why a gate does not count.
pub(crate) fn ask_why(asked: &AskedOverride, approval: Option<&Approval>) -> Result<Modal, TooLong> {
    let metadata = serde_json::to_string(asked).unwrap_or_default();
    let why = Input::new(COMMENT_BLOCK, COMMENT, Plain::new("Why"))?.max_length(MAX_COMMENT);
    let modal = Modal::new(OVERRIDE, Plain::new("Override the gate"))?;
    let mut modal = modal.submit(Plain::new("Override")).private_metadata(metadata)?;
    if let Some(approval) = approval {
        let place = &approval.place;
        let gate = approval.terms.automatic.as_ref().map_or("the gate", |terms| &terms.gate);
        let what = Text::bold(&format!("{}, {}", place.release(), place.action))
            + Text::literal("\nThe gate ")
            + Text::code(gate);
        modal = modal.section(what + Text::literal(" lets this one execution through, and approves it for you."));
    }
    Ok(modal.section(Text::literal("It is audited with your name and reason.")).input(why))
}

/// A refusal, for one person.
pub(crate) fn sorry(why: &str) -> Message {
    Message::new(Text::line(why)).section(Text::line(why))
}
