//! How it ended.

use stagegate_approval::{Approval, Decision, Outcome, Phase, Reason, Ruling, Vote};
use stagegate_slack::{Text, UserId};

use super::{verb, waited};

/// The title of a message about an approval that nobody can vote on any more.
pub(super) fn title(approval: &Approval) -> String {
    let what = match &approval.phase {
        Phase::Requested => "Waiting",
        Phase::Deciding { .. } if approval.is_answer_stuck() => "Decided, and not taken yet",
        Phase::Deciding { decision } => verb(decision.ruling),
        Phase::Decided { outcome } | Phase::Closed { outcome } => match outcome {
            Outcome::Desk { decision, .. } => verb(decision.ruling),
            Outcome::Elsewhere { ruling: Some(ruling), .. } => verb(*ruling),
            Outcome::Elsewhere { ruling: None, .. } => "Answered",
            Outcome::Superseded { .. } => "Superseded",
            Outcome::Stopped { .. } => "Stopped",
            Outcome::Expired { .. } => "Expired",
            Outcome::Gone { .. } => "Over",
        },
    };
    format!("{what}: {}", approval.place.release())
}

/// Who decided what and when; `None` while people can vote.
pub(super) fn text(approval: &Approval) -> Option<Text> {
    match &approval.phase {
        Phase::Requested => None,
        Phase::Deciding { decision } => Some(decided(approval, decision) + being_told(approval)),
        Phase::Decided { outcome } | Phase::Closed { outcome } => Some(ended(approval, outcome)),
    }
}

/// Whether CodePipeline takes the answer.
fn being_told(approval: &Approval) -> Text {
    match &approval.answering.why {
        Some(why) if approval.is_answer_stuck() => {
            Text::literal(" CodePipeline does not take the answer: failed to ")
                + Text::line(why)
                + Text::literal(
                    ". It is told again and again; if it cannot wait, answer it in the CodePipeline console.",
                )
        }
        _ => Text::literal(" CodePipeline is being told."),
    }
}

fn ended(approval: &Approval, outcome: &Outcome) -> Text {
    let waited = waited(approval.requested_at, outcome.at());
    let after = || Text::literal(" ") + Text::line(&format!("It had waited {waited}."));
    match outcome {
        Outcome::Desk { decision, at } => {
            decided(approval, decision) + Text::literal(" ") + Text::time(*at) + Text::literal(".") + after()
        }
        Outcome::Elsewhere { ruling, by, summary, .. } => {
            let mut text = Text::bold(ruling.map_or("Answered", verb)) + Text::literal(" in the console or by the API");
            if let Some(by) = by {
                text += Text::literal(" by ") + Text::code(by);
            }
            if let Some(summary) = summary {
                text += Text::literal(": ") + Text::line(summary);
            }
            text + Text::literal(".") + after()
        }
        Outcome::Superseded { .. } => Text::literal("A newer execution has taken the place of this one.") + after(),
        Outcome::Stopped { .. } => Text::literal("The execution was stopped.") + after(),
        Outcome::Expired { .. } => Text::literal("Nobody answered in the time that the action gives.") + after(),
        Outcome::Gone { .. } => {
            Text::literal("The action does not wait any more, and CodePipeline does not say why.") + after()
        }
    }
}

fn decided(approval: &Approval, decision: &Decision) -> Text {
    let ruling = Text::bold(verb(decision.ruling));
    match &decision.reason {
        Reason::Votes => {
            let votes = approval.votes_for(decision.ruling);
            let who = Text::join(votes.map(|vote| person(&vote.user, &vote.name)), &Text::literal(", "));
            let mut text = ruling + Text::literal(" by ") + who;
            if decision.ruling == Ruling::Rejected
                && let Some(comment) = approval.votes_for(Ruling::Rejected).find_map(|vote| vote.comment.as_deref())
            {
                text += Text::literal(": ") + Text::line(comment);
            }
            text + Text::literal(".")
        }
        Reason::Deadline => ruling + Text::literal(" because nobody decided in time."),
        Reason::Gate { gate, summary } => {
            ruling + Text::literal(" by the gate ") + Text::code(gate) + Text::literal(": ") + Text::line(summary)
        }
    }
}

/// One vote, for the list of those that were cast.
pub(super) fn vote(vote: &Vote) -> Text {
    let sign = match vote.ruling {
        Ruling::Approved => Text::literal("✓ "),
        Ruling::Rejected => Text::literal("✗ "),
    };
    let text = sign + person(&vote.user, &vote.name) + Text::literal(" ") + Text::time(vote.at);
    match &vote.comment {
        Some(comment) => text + Text::literal(": ") + Text::line(comment),
        None => text,
    }
}

pub(super) fn person(user: &str, name: &str) -> Text {
    user.parse::<UserId>().map_or_else(|_| Text::line(name), |id| Text::user(&id))
}
