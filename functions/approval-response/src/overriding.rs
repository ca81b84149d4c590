//! Giving an override, after Slack was answered.

use std::time::Duration;

use stagegate_approval::{Approval, Event, Grounds, Overridden, Reply};
use stagegate_desk::{Clock, Desk, DeskError};
use stagegate_release::Override;
use stagegate_slack::UserId;
use tokio::time::Instant;

use crate::check::{NotTaken, may_override, read_bound};
use crate::finish::{tell, too_early};
use crate::vote::CastOverride;

/// How long Slack may take to say who a person is.
const SLACK: Duration = Duration::from_secs(20);

/// Gives an override for this approval: it stands in the approval's record, where the watch finds it when it lets the gate
/// look. May be done again.
pub(crate) async fn give(desk: &Desk, cast: &CastOverride, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    match take(desk, cast, clock).await {
        Ok(()) => {}
        Err(NotTaken::Unchecked(error)) => return Err(error),
        Err(NotTaken::TooEarly) => return Err(too_early()),
        Err(why) => {
            tracing::warn!(approval = %cast.approval, user = cast.sender.user, why = why.to_string(), "not overridden");
            tell(desk, &cast.sender.channel, &cast.sender.user, &why.to_string()).await;
        }
    }
    desk.settle(&cast.approval, holder, clock).await
}

async fn take(desk: &Desk, cast: &CastOverride, clock: &Clock) -> Result<(), NotTaken> {
    let sender = &cast.sender;
    let approval = read_bound(desk, &cast.approval, &sender.installation(), &sender.channel, &sender.ts).await?;
    if is_given(&approval, cast) {
        return Ok(());
    }
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    let user: UserId =
        sender.user.parse().map_err(|_| NotTaken::NoOverride(stagegate_approval::Refusal::NotAnOverrider))?;
    let (name, grounds) = may_override(desk, &approval, &user, Instant::now() + SLACK).await?;
    let why = approval.token.kept_out_of(&cast.why);
    let overridden = Overridden { user: sender.user.clone(), name, why, at: sender.at };
    let given = given(&approval, &overridden)?;
    audit(desk, &given, cast, &grounds).await.map_err(NotTaken::Unchecked)?;
    let applied = desk.apply(&cast.approval, &[Event::GateOverridden(overridden)], clock).await;
    let applied = applied.map_err(NotTaken::Unchecked)?.ok_or(NotTaken::Unknown)?;
    tracing::info!(approval = %cast.approval, user = sender.user, gate = given.gate, reply = ?applied.reply, "overridden");
    if applied.reply == Reply::TooLate { Err(NotTaken::Over) } else { Ok(()) }
}

/// Whether this very override is in the record: an earlier attempt has come this far.
fn is_given(approval: &Approval, cast: &CastOverride) -> bool {
    let given = approval.looks.overridden.as_ref();
    given.is_some_and(|given| given.user == cast.sender.user && given.at == cast.sender.at)
}

/// The override as its audit entry shows it.
fn given(approval: &Approval, overridden: &Overridden) -> Result<Override, NotTaken> {
    let automatic = approval.terms.automatic.as_ref();
    Ok(Override {
        pipeline: approval.place.pipeline.clone(),
        execution: approval.execution.clone().ok_or(NotTaken::NoExecution)?,
        gate: automatic.map(|automatic| automatic.gate.clone()).unwrap_or_default(),
        who: overridden.who(),
        why: overridden.why.clone(),
        at: overridden.at,
        until: overridden.until(),
    })
}

/// Writes the audit entry, before the record has the override: what is not audited is not given.
async fn audit(desk: &Desk, given: &Override, cast: &CastOverride, grounds: &Grounds) -> Result<(), DeskError> {
    let (store, sender) = (desk.store()?, &cast.sender);
    // The same for each attempt at this override, and for no other one.
    let id = format!("override-{}-{}-{}", cast.approval.short(), sender.user, sender.at.as_microsecond());
    let (key, mut entry) = given.audited(&id);
    entry.verified = Some(format!("signed by Slack, {}", shown(grounds)));
    store.create(&key, &entry).await?;
    Ok(())
}

/// By what somebody may override a gate, in words.
fn shown(grounds: &Grounds) -> String {
    match grounds {
        Grounds::User => "one of the users under `overriders`".to_owned(),
        Grounds::Group { group } => format!("a member of the group {group} under `overriders`"),
        Grounds::EmailDomain { domain } => format!("an address of {domain} under `overriders`"),
    }
}
