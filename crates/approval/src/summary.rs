//! What CodePipeline is told.

use crate::{Approval, Reason, Ruling, Vote};

/// The longest summary that PutApprovalResult takes (AWS model: ApprovalSummary), counted in UTF-16 units, which are never
/// fewer than characters.
pub const MAX_SUMMARY_UNITS: usize = 512;

/// The summary of a decision. Its end names the approval, so that the answer is known again.
pub(crate) fn summary(approval: &Approval, ruling: Ruling, reason: &Reason) -> String {
    let text = match reason {
        Reason::Votes => by_votes(approval, ruling),
        Reason::Deadline => format!("{} because nobody decided in time", ruling.as_str()),
        Reason::Gate { gate, summary } => format!("{} by the gate {gate}: {summary}", ruling.as_str()),
    };
    let text = approval.token.kept_out_of(&one_line(&text));
    let end = format!(" [Stagegate {}]", approval.id.short());
    cut(&text, MAX_SUMMARY_UNITS - units(&end)) + &end
}

fn by_votes(approval: &Approval, ruling: Ruling) -> String {
    let votes: Vec<_> = approval.votes_for(ruling).collect();
    let who = votes.iter().map(|vote| format!("{} ({})", vote.name, vote.user));
    let mut text = format!("{} in Slack by {}", ruling.as_str(), who.collect::<Vec<_>>().join(", "));
    let comments: Vec<_> = votes.iter().filter_map(|vote| comment(vote, votes.len() > 1)).collect();
    if !comments.is_empty() {
        text = format!("{text}: {}", comments.join("; "));
    }
    text
}

fn comment(vote: &Vote, is_named: bool) -> Option<String> {
    let comment = vote.comment.as_ref()?;
    Some(if is_named { format!("{}: {comment}", vote.name) } else { comment.clone() })
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The start of a text within a length, with a mark where it was cut.
fn cut(text: &str, max: usize) -> String {
    if units(text) <= max {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = max.saturating_sub(1);
    for c in text.chars() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(c);
    }
    kept + "…"
}
