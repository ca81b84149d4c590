//! Finding out that approvals are over.

use std::time::Duration;

use stagegate_approval::{Approval, ApprovalId, Event};

use crate::{Clock, Desk, DeskError};

/// What CodePipeline shows may be a moment older than the event about it.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);

impl Desk {
    /// The open approvals of a pipeline that may belong to an execution, by stage and action where these are given.
    ///
    /// Every open approval is read: its id is a hash, because its token is in it, so that a key does not say whose it is.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub async fn open_of(
        &self,
        pipeline: &str,
        execution: &str,
        action: Option<(&str, &str)>,
    ) -> Result<Vec<ApprovalId>, DeskError> {
        let mut found = Vec::new();
        for id in self.open_ids().await? {
            let Some(open) = self.open_approval(&id).await? else { continue };
            let is_here = action.is_none_or(|(stage, action)| open.place.stage == stage && open.place.action == action);
            let is_of = open.execution.as_deref().is_none_or(|known| known == execution);
            if open.place.pipeline == pipeline && is_here && is_of {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Looks whether an approval of which an event says that it is over is so, and if so tells its record.
    ///
    /// The event is a hint only: events come twice, late and in any order, and what CodePipeline says now is true.
    ///
    /// # Errors
    ///
    /// If CodePipeline does not say, or the record cannot be read or written.
    pub async fn conclude(&self, id: &ApprovalId, holder: &str, clock: &Clock) -> Result<(), DeskError> {
        let Some(approval) = self.approval(id).await? else { return Ok(()) };
        if approval.outcome().is_none() {
            for look in 1..=LOOKS {
                if self.end(&approval, clock).await? {
                    break;
                }
                if look == LOOKS {
                    tracing::info!(approval = %id, "it still waits; the watch looks again");
                    return Ok(());
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        }
        self.settle(id, holder, clock).await
    }

    /// Tells the record of an approval that it is over, if it is.
    ///
    /// # Errors
    ///
    /// As those of [`conclude`](Self::conclude).
    pub async fn end(&self, approval: &Approval, clock: &Clock) -> Result<bool, DeskError> {
        let Some(ended) = Box::pin(self.pipelines.ended(approval, clock.now())).await? else { return Ok(false) };
        tracing::info!(approval = %approval.id, ?ended, "it is over");
        self.apply(&approval.id, &[Event::Ended(ended)], clock).await?;
        Ok(true)
    }
}
