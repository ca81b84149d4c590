//! Counting a vote, after Slack was answered.

use std::time::Duration;

use stagegate_approval::{Approval, Event, Reply, Ruling, Vote};
use stagegate_desk::{Clock, Desk, DeskError};
use stagegate_slack::UserId;
use tokio::time::Instant;

use crate::check::{NotTaken, read_bound, verified};
use crate::modal;
use crate::vote::CastVote;

/// How long Slack may take to say who a person is.
const SLACK: Duration = Duration::from_secs(20);

/// Counts a vote, answers the approval if it was the last one, and says it to people. May be done again.
pub(crate) async fn count(desk: &Desk, cast: &CastVote, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    match take(desk, cast, clock).await {
        Ok(()) => {}
        Err(NotTaken::Unchecked(error)) => return Err(error),
        Err(NotTaken::TooEarly) => return Err(too_early()),
        Err(why) => {
            tracing::warn!(approval = %cast.approval, user = cast.sender.user, why = why.to_string(), "not counted");
            tell(desk, &cast.sender.channel, &cast.sender.user, &why.to_string()).await;
        }
    }
    desk.settle(&cast.approval, holder, clock).await
}

/// Lambda tries again in a minute; until then the message is known, or another one stands in its place.
pub(crate) fn too_early() -> DeskError {
    DeskError::Configuration("find the message that was clicked in: it is still being posted".to_owned())
}

async fn take(desk: &Desk, cast: &CastVote, clock: &Clock) -> Result<(), NotTaken> {
    let sender = &cast.sender;
    let approval = read_bound(desk, &cast.approval, &sender.installation(), &sender.channel, &sender.ts).await?;
    if is_counted(&approval, cast) {
        return Ok(());
    }
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    let terms = &approval.terms;
    let needs = if cast.ruling == Ruling::Approved { terms.comment_on_approve } else { terms.comment_on_reject };
    if needs && cast.comment.is_none() {
        return Err(NotTaken::NoComment);
    }
    let user: UserId =
        sender.user.parse().map_err(|_| NotTaken::Refused(stagegate_approval::Refusal::NotAnApprover))?;
    let (name, grounds) = verified(desk, &approval, &user, cast.ruling, Instant::now() + SLACK).await?;
    let vote = Vote {
        user: sender.user.clone(),
        name,
        ruling: cast.ruling,
        comment: cast.comment.clone(),
        grounds,
        at: sender.at,
    };
    let applied = desk.apply(&cast.approval, &[Event::Voted(vote)], clock).await.map_err(NotTaken::Unchecked)?;
    let applied = applied.ok_or(NotTaken::Unknown)?;
    tracing::info!(approval = %cast.approval, user = sender.user, ruling = cast.ruling.as_str(), reply = ?applied.reply, "voted");
    match applied.reply {
        Reply::TooLate if !is_counted(&applied.approval, cast) => Err(NotTaken::Over),
        _ => Ok(()),
    }
}

/// Whether this very vote is among those that were counted: an earlier attempt has come this far.
fn is_counted(approval: &Approval, cast: &CastVote) -> bool {
    approval
        .votes
        .iter()
        .any(|vote| vote.user == cast.sender.user && vote.at == cast.sender.at && vote.ruling == cast.ruling)
}

/// Says something to the person who voted, and to nobody else.
pub(crate) async fn tell(desk: &Desk, channel: &str, user: &str, why: &str) {
    let told = async {
        let (channel, user) = (channel.parse().ok()?, user.parse().ok()?);
        let slack = desk.slack().await.ok()?;
        slack.post_ephemeral(&channel, &user, &modal::sorry(why), Instant::now() + SLACK).await.ok()
    };
    if told.await.is_none() {
        tracing::warn!(user, "the person could not be told");
    }
}
