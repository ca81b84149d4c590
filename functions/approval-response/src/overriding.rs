//! Giving an override, after Slack was answered.

use std::time::Duration;

use jiff::SignedDuration;
use stagegate_approval::{Approval, Event, Grounds, Installation, Overridden, Reply};
use stagegate_desk::{Clock, Desk, DeskError};
use stagegate_release::Override;
use stagegate_slack::UserId;
use stagegate_state_store::Decision;
use tokio::time::Instant;

use crate::check::{NotTaken, may_override, read_bound};
use crate::finish::{tell, too_early};
use crate::vote::CastOverride;

/// How long Slack may take to say who a person is.
const SLACK: Duration = Duration::from_secs(20);
/// How long the override holds. The watch looks at the gate within a minute.
const HOLDS: SignedDuration = SignedDuration::from_hours(1);

/// Gives an override, which the watch finds when it looks at the gate. May be done again.
pub(crate) async fn give(desk: &Desk, cast: &CastOverride, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    match take(desk, cast, clock).await {
        Ok(()) => {}
        Err(NotTaken::Unchecked(error)) => return Err(error),
        Err(NotTaken::TooEarly) => return Err(too_early()),
        Err(why) => {
            tracing::warn!(approval = %cast.approval, user = cast.user, why = why.to_string(), "not overridden");
            tell(desk, &cast.channel, &cast.user, &why.to_string()).await;
        }
    }
    desk.settle(&cast.approval, holder, clock).await
}

async fn take(desk: &Desk, cast: &CastOverride, clock: &Clock) -> Result<(), NotTaken> {
    let from = Installation { app: cast.app.clone(), team: cast.team.clone() };
    let approval = read_bound(desk, &cast.approval, &from, &cast.channel, &cast.ts).await?;
    if is_given(&approval, cast) {
        return Ok(());
    }
    if !approval.is_requested() {
        return Err(NotTaken::Over);
    }
    let user: UserId =
        cast.user.parse().map_err(|_| NotTaken::NoOverride(stagegate_approval::Refusal::NotAnOverrider))?;
    let (name, grounds) = may_override(desk, &approval, &user, Instant::now() + SLACK).await?;
    let given = given(&approval, cast, &name)?;
    write(desk, &given, cast, &grounds).await.map_err(NotTaken::Unchecked)?;
    let overridden = Overridden { user: cast.user.clone(), name, why: cast.why.clone(), at: cast.at };
    let applied = desk.apply(&cast.approval, &[Event::GateOverridden(overridden)], clock).await;
    let applied = applied.map_err(NotTaken::Unchecked)?.ok_or(NotTaken::Unknown)?;
    tracing::info!(approval = %cast.approval, user = cast.user, gate = given.gate, reply = ?applied.reply, "overridden");
    if applied.reply == Reply::TooLate { Err(NotTaken::Over) } else { Ok(()) }
}

/// Whether this very override is in the record: an earlier attempt has come this far.
fn is_given(approval: &Approval, cast: &CastOverride) -> bool {
    let given = approval.looks.overridden.as_ref();
    given.is_some_and(|given| given.user == cast.user && given.at == cast.at)
}

fn given(approval: &Approval, cast: &CastOverride, name: &str) -> Result<Override, NotTaken> {
    let automatic = approval.terms.automatic.as_ref();
    Ok(Override {
        pipeline: approval.place.pipeline.clone(),
        execution: approval.execution.clone().ok_or(NotTaken::NoExecution)?,
        gate: automatic.map(|automatic| automatic.gate.clone()).unwrap_or_default(),
        who: format!("{name} ({})", cast.user),
        why: approval.token.kept_out_of(&cast.why),
        at: cast.at,
        until: cast.at.checked_add(HOLDS).unwrap_or(cast.at),
    })
}

/// Writes the audit entry first: what is not audited is not given.
async fn write(desk: &Desk, given: &Override, cast: &CastOverride, grounds: &Grounds) -> Result<(), DeskError> {
    let store = desk.store()?;
    // The same for each attempt at this override, and for no other one.
    let id = format!("override-{}-{}-{}", cast.approval.short(), cast.user, cast.at.as_microsecond());
    let (key, mut entry) = given.audited(&id);
    entry.verified = Some(format!("signed by Slack, {}", shown(grounds)));
    store.create(&key, &entry).await?;
    store.update(&Override::key(&given.execution, &given.gate), |_| Decision::Write(given.clone())).await?;
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
