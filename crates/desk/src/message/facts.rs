//! The evidence of a request, as Slack shows it.

use stagegate_approval::{Approval, Revision, Ruling, VerdictNote};
use stagegate_slack::{GroupId, Text, UserId};
use url::Url;

use super::outcome;
use super::url as parse_url;

/// How much of a commit's message is shown.
const MAX_MESSAGE: usize = 300;
/// How much of a commit's id is shown.
const ID: usize = 12;

pub(super) fn link(text: Option<&str>) -> Option<Url> {
    parse_url(text)
}

/// What is to be released.
pub(super) fn changes(approval: &Approval) -> Vec<Text> {
    approval.release.revisions.iter().map(change).collect()
}

fn change(revision: &Revision) -> Text {
    let id: String =
        if revision.id.is_empty() { revision.source.clone() } else { revision.id.chars().take(ID).collect() };
    let id = match parse_url(revision.url.as_deref()) {
        Some(url) => Text::link(&url, &id),
        None => Text::code(&id),
    };
    let subject = revision.message.as_deref().and_then(|message| message.lines().next()).unwrap_or_default();
    let mut text = id + Text::literal(" ") + Text::line(subject).cut(MAX_MESSAGE);
    let author = revision.author.as_ref().and_then(|author| author.name.as_deref().or(author.email.as_deref()));
    let details = [author.map(|name| format!("by {name}")), revision.branch.as_ref().map(|name| format!("on {name}"))];
    let details: Vec<_> = details.into_iter().flatten().collect();
    if !details.is_empty() {
        text += Text::literal("\n") + Text::line(&details.join(" "));
    }
    text
}

pub(super) fn fields(approval: &Approval) -> Vec<Text> {
    let field = |name: &'static str, value: Text| Text::literal(name) + Text::literal("\n") + value;
    let mut fields =
        vec![field("*Action*", Text::line(&format!("{}, {}", approval.place.stage, approval.place.action)))];
    if let Some(started) = &approval.release.started {
        let who = started.person().or(started.detail.as_deref());
        let by = who.map(|who| format!(" by {who}")).unwrap_or_default();
        fields.push(field("*Started*", Text::line(&format!("{}{by}", started.trigger)).cut(MAX_MESSAGE)));
    }
    if let Some(previous) = &approval.release.previous {
        let ids: Vec<_> = previous.revisions.iter().map(|id| id.chars().take(ID).collect::<String>()).collect();
        let mut text = Text::code(&if ids.is_empty() { previous.execution.clone() } else { ids.join(", ") });
        if let Some(at) = previous.at {
            text += Text::literal(" ") + Text::time(at);
        }
        fields.push(field("*Released before*", text));
    }
    if approval.is_requested() {
        fields.push(field("*Who decides*", Text::join(mentions(approval), &Text::literal(", "))));
        fields.push(field("*Needed*", needed(approval)));
        if let Some(terms) = approval.terms.automatic.as_ref().filter(|_| approval.looks.found.is_none()) {
            let rejects = if terms.rejects { ", and rejects when it fails" } else { "" };
            let approves =
                Text::literal("The gate ") + Text::code(&terms.gate) + Text::literal(" approves when it passes");
            fields.push(field("*Automatic*", approves + Text::literal(rejects)));
        }
        if let Some(end) = deadline(approval) {
            fields.push(field("*Ends*", end));
        }
    }
    fields
}

fn needed(approval: &Approval) -> Text {
    let terms = &approval.terms;
    let approvals = if terms.quorum == 1 { "1 approval".to_owned() } else { format!("{} approvals", terms.quorum) };
    let rejections = match terms.rejections {
        1 => "one rejection ends it".to_owned(),
        several => format!("{several} rejections end it"),
    };
    let author = if terms.author_may_approve { "" } else { "; the author of the change may not approve it" };
    Text::line(&format!("{approvals}; {rejections}{author}"))
}

/// When there is an end to it, in a sentence without a stop.
pub(super) fn deadline(approval: &Approval) -> Option<Text> {
    let rejected = approval
        .terms
        .reject_after
        .and_then(|seconds| approval.requested_at.checked_add(jiff::SignedDuration::from_secs(seconds)).ok());
    match (rejected, approval.expires_at) {
        (Some(at), end) if end.is_none_or(|end| at <= end) => Some(Text::literal("Rejected ") + Text::time(at)),
        (_, Some(end)) => Some(Text::literal("Expires ") + Text::time(end)),
        _ => None,
    }
}

/// Who may decide. Slack tells those who are mentioned.
pub(super) fn mentions(approval: &Approval) -> Vec<Text> {
    let terms = &approval.terms;
    let users = terms.users.iter().filter_map(|user| user.parse::<UserId>().ok()).map(|user| Text::user(&user));
    let groups = terms.groups.iter().filter_map(|group| group.parse::<GroupId>().ok()).map(|group| Text::group(&group));
    let domains = terms.email_domains.iter().map(|domain| Text::line(&format!("everybody at {domain}")));
    users.chain(groups).chain(domains).collect()
}

pub(super) fn verdicts(approval: &Approval) -> Vec<Text> {
    let verdicts = &approval.release.verdicts;
    if verdicts.is_empty() {
        return vec![Text::literal("_No gate has judged this execution._")];
    }
    verdicts.iter().map(verdict).collect()
}

fn verdict(note: &VerdictNote) -> Text {
    let sign = match note.outcome.as_str() {
        "passed" => Text::literal("✓ "),
        "failed" => Text::literal("✗ "),
        _ => Text::literal("? "),
    };
    let mut text = sign
        + Text::bold(&note.gate)
        + Text::literal(" ")
        + Text::line(&format!("{}: {}", note.outcome, note.summary)).cut(1000);
    for subject in &note.subjects {
        text += Text::literal("\n• ") + Text::line(subject).cut(MAX_MESSAGE);
    }
    text
}

/// What the gate that may answer for people says, and who lets the execution through it.
pub(super) fn automatic(approval: &Approval) -> Vec<Text> {
    let mut texts = Vec::new();
    let looks = &approval.looks;
    if let (Some(terms), Some(summary), true) = (&approval.terms.automatic, &looks.summary, approval.is_requested()) {
        texts.push(Text::literal("◷ ") + Text::bold(&terms.gate) + Text::literal(" ") + Text::line(summary).cut(1000));
    }
    if let Some(found) = &looks.found {
        texts.push(verdict(found));
        if approval.is_requested() {
            texts.push(Text::literal("_The gate leaves the decision to people._"));
        }
    }
    if let Some(given) = &looks.overridden {
        let gate = approval.terms.automatic.as_ref().map_or("the gate", |terms| &terms.gate);
        let who = outcome::person(&given.user, &given.name);
        let text = who
            + Text::literal(" overrides ")
            + Text::code(gate)
            + Text::literal(": ")
            + Text::line(&given.why).cut(1000);
        texts.push(text);
    }
    texts
}

pub(super) fn votes(approval: &Approval) -> Option<Text> {
    if approval.votes.is_empty() {
        return None;
    }
    let have = approval.votes_for(Ruling::Approved).count();
    let title = format!("{have} of {} approvals", approval.terms.quorum);
    let votes = approval.votes.iter().map(outcome::vote);
    let title = Text::bold(&title) + Text::literal("\n");
    Some(title + Text::join(votes, &Text::literal("\n")))
}

/// What the pipeline's author wants to say.
pub(super) fn notes(approval: &Approval) -> Vec<Text> {
    let data = approval.custom_data.as_deref().map(|data| Text::escaped(data).cut(1500));
    let review =
        link(approval.review_link.as_deref()).map(|url| Text::literal("Review: ") + Text::link(&url, url.as_str()));
    data.into_iter().chain(review).filter(|text| !text.is_empty()).collect()
}

pub(super) fn small_print(approval: &Approval) -> Vec<Text> {
    let mut texts = Vec::new();
    if let Some(url) = link(approval.console_link.as_deref()) {
        texts.push(Text::link(&url, "CodePipeline console"));
    }
    if let Some(execution) = &approval.execution {
        texts.push(Text::line(&format!("execution {execution}")));
    }
    texts.push(Text::line(&format!("approval {}", approval.id.short())));
    texts.extend(
        approval.release.gaps.iter().take(3).map(|gap| Text::line(&format!("failed to {gap}")).cut(MAX_MESSAGE)),
    );
    texts
}
