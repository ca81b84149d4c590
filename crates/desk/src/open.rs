//! Opening an approval.

use stagegate_approval::{Approval, ApprovalId, Event, OpenApproval, Request};
use stagegate_state_store::Created;

use crate::{Clock, Desk, DeskError, Settings};

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There is a record of it.
    Recorded(ApprovalId),
    /// `stagegate.yaml` says nothing about it.
    NotOurs,
}

impl Desk {
    /// Opens the record of a request, or adds to the one that there is. What is to be sent is done by
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    ///
    /// If the configuration or the record cannot be read or written.
    pub async fn open(&self, mut request: Request, clock: &Clock) -> Result<Opened, DeskError> {
        let place = request.place.clone();
        let Some(terms) = self.settings.terms(&place)? else {
            tracing::info!(?place, "stagegate.yaml has no entry for this approval");
            return Ok(Opened::NotOurs);
        };
        let id = request.id();
        let store = self.store()?;
        let known = self.approval(&id).await?;
        if known.as_ref().is_none_or(is_incomplete) {
            Box::pin(self.find_out(&mut request, clock)).await;
        }
        if known.is_none() {
            // First of all it is listed, so that the watch sees to it whatever happens next.
            let listed = OpenApproval { place, execution: request.execution.clone() };
            store.create(&OpenApproval::key(&id), &listed).await?;
            let approval = request.clone().open(terms, Settings::installation(), clock.now());
            if let Created::Now(_) = store.create(&Approval::key(&id), &approval).await? {
                tracing::info!(approval = %id, pipeline = approval.place.pipeline, stage = approval.place.stage,
                    action = approval.place.action, execution = approval.execution, "opened");
                return Ok(Opened::Recorded(id));
            }
        }
        self.apply(&id, &[Event::Opened(Box::new(request))], clock).await?;
        Ok(Opened::Recorded(id))
    }

    /// Asks again for what could not be found out when an open approval was opened. Gives what is known then.
    ///
    /// # Errors
    ///
    /// If the record cannot be read or written.
    pub async fn complete(&self, approval: Approval, clock: &Clock) -> Result<Approval, DeskError> {
        if !is_incomplete(&approval) {
            return Ok(approval);
        }
        let mut request = approval.request();
        Box::pin(self.find_out(&mut request, clock)).await;
        let applied = self.apply(&approval.id, &[Event::Opened(Box::new(request))], clock).await?;
        Ok(applied.map_or(approval, |applied| applied.approval))
    }

    /// Adds to a request what CodePipeline and the gates know. What cannot be found out stands in the request.
    async fn find_out(&self, request: &mut Request, clock: &Clock) {
        if request.execution.is_none() {
            match self.pipelines.execution_of(&request.place, &request.token).await {
                Ok(Some((execution, action_execution))) => {
                    request.execution = Some(execution);
                    request.action_execution = action_execution;
                }
                Ok(None) => request.release.gaps.push("find the execution that waits for this approval".to_owned()),
                Err(error) => request.release.gaps.push(error.to_string()),
            }
        }
        self.gather(request, clock).await;
    }
}

/// Whether people still decide, and something is not known that might be.
fn is_incomplete(known: &Approval) -> bool {
    known.is_requested() && (!known.release.is_complete() || known.execution.is_none())
}
