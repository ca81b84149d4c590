//! What a person who clicks sees.

use stagegate_approval::{Place, Ruling};
use stagegate_slack::blocks::{Input, Message, Modal, TooLong};
use stagegate_slack::{Plain, Text};

use crate::vote::Asked;

/// The modal's identifier.
pub(crate) const DECIDE: &str = "stagegate-decide";
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
        let what = format!("{} to {} ({})", place.pipeline, place.stage, place.action);
        modal = modal.section(Text::bold(&what));
    }
    Ok(modal.input(comment))
}

/// A refusal, for one person.
pub(crate) fn sorry(why: &str) -> Message {
    Message::new(Text::line(why)).section(Text::line(why))
}
