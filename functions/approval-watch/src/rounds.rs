//! One open approval.

use jiff::{SignedDuration, Timestamp};
use stagegate_approval::{Approval, ApprovalId, Event, OpenApproval, Phase, Release, Request, alarms};
use stagegate_desk::{Clock, Desk, DeskError, Found};

use crate::gates::Gates;

/// How long after its time an approval counts as expired although CodePipeline cannot be asked.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

/// How long what could not be found out is asked for in each round.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// Does for an approval what time, other people and other processes have left to do.
///
/// # Errors
///
/// If the record cannot be read or written.
pub async fn look_at(
    desk: &Desk,
    id: &ApprovalId,
    gates: &(impl Gates + Sync),
    holder: &str,
    clock: &Clock,
) -> Result<(), DeskError> {
    let Some(mut approval) = desk.approval(id).await? else { return reopen(desk, id, holder, clock).await };
    if matches!(approval.phase, Phase::Closed { .. }) {
        return desk.unlist(id).await;
    }
    if approval.outcome().is_none() {
        if asks_again(&approval, clock.now()) {
            approval = Box::pin(desk.complete(approval, clock)).await?;
        }
        let is_over = match desk.end(&approval, clock).await {
            Ok(is_over) => is_over,
            Err(error) => {
                tracing::warn!(approval = %id, why = error.to_string(), "whether it still waits is not known");
                expire(desk, &approval, clock).await?
            }
        };
        if !is_over {
            let mut events = alarms(&approval, clock.now());
            // The time that people have is over for the gate, too.
            if events.first() != Some(&Event::DeadlineDue)
                && let Some(looked) = gates.look(desk, &approval, clock).await
            {
                events.insert(0, looked);
            }
            desk.apply(id, &events, clock).await?;
        }
    }
    desk.settle(id, holder, clock).await
}

/// Whether what could not be found out is asked for again in this round: soon after the request in each, then in one of
/// fifteen, as it may be a right that is missing.
fn asks_again(approval: &Approval, now: Timestamp) -> bool {
    now.duration_since(approval.requested_at) < SOON || now.as_second() / 60 % 15 == 0
}

/// Where CodePipeline cannot be asked, its own time limit still holds.
async fn expire(desk: &Desk, approval: &Approval, clock: &Clock) -> Result<bool, DeskError> {
    let ends = |end: Timestamp| end.checked_add(GRACE).unwrap_or(Timestamp::MAX);
    let is_over = approval.expires_at.is_some_and(|end| clock.now() > ends(end));
    if is_over {
        desk.apply(&approval.id, &[Event::Ended(stagegate_approval::Ended::Expired)], clock).await?;
    }
    Ok(is_over)
}

/// The process that opened it died between listing it and writing its record.
async fn reopen(desk: &Desk, id: &ApprovalId, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    let Some(OpenApproval { place, execution }) = desk.open_approval(id).await? else { return Ok(()) };
    let Some(execution) = execution else {
        tracing::warn!(approval = %id, "it was never recorded, and its execution is not known");
        return desk.unlist(id).await;
    };
    match desk.pipelines().waiting(&place, &execution, None).await? {
        Found::Waiting { token, action_execution } => {
            let request = Request {
                place,
                token,
                execution: Some(execution),
                action_execution,
                expires_at: None,
                custom_data: None,
                review_link: None,
                console_link: None,
                release: Release::default(),
            };
            if request.id() != *id {
                // The stage was retried since, and the new request has a record of its own.
                return desk.unlist(id).await;
            }
            Box::pin(desk.open(request, clock)).await?;
            desk.settle(id, holder, clock).await
        }
        Found::NotYet => Ok(()),
        Found::Over => desk.unlist(id).await,
    }
}
