//! Doing what is owed.

use jiff::{SignedDuration, Timestamp};
use stagegate_approval::{Approval, ApprovalId, Audit, Effect, Event, Phase, Reply, owed};

use crate::pipelines::Answered;
use crate::{Clock, Desk, DeskError};

/// How long a process has an approval for itself after each thing that it has done. Longer than any one of them takes.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

impl Desk {
    /// Does what an approval owes, if nobody else is at it: whoever is looks at the record again before it goes.
    ///
    /// `holder` is the request id of the invocation: where Lambda tries an invocation again, the second one goes on at once
    /// where the first one died. Anybody else waits until its lease is over.
    ///
    /// # Errors
    ///
    /// If the record cannot be read or written. What else fails is kept in the record, and tried again.
    pub async fn settle(&self, id: &ApprovalId, holder: &str, clock: &Clock) -> Result<(), DeskError> {
        // A record is large, and several of them are held while it changes.
        Box::pin(self.do_what_is_owed(id, holder, clock)).await
    }

    async fn do_what_is_owed(&self, id: &ApprovalId, holder: &str, clock: &Clock) -> Result<(), DeskError> {
        let taken = || Event::Taken { holder: holder.to_owned(), until: until(clock.now()) };
        let Some(mut applied) = self.apply(id, &[taken()], clock).await? else { return Ok(()) };
        if applied.reply == Reply::Held {
            tracing::info!(approval = %id, "another process is at it");
            return Ok(());
        }
        loop {
            let event = match owed(&applied.approval, clock.now()).first() {
                Some(effect) => Box::pin(self.carry_out(&applied.approval, *effect, clock)).await,
                None => {
                    let released = self.apply(id, &[Event::Released { holder: holder.to_owned() }], clock).await?;
                    match released {
                        Some(after) if after.reply == Reply::Owing => {
                            applied = after;
                            continue;
                        }
                        Some(after) => return self.leave(id, &after.approval).await,
                        None => return Ok(()),
                    }
                }
            };
            let Some(after) = self.apply(id, &[event, taken()], clock).await? else { return Ok(()) };
            if after.reply == Reply::Held {
                // This process was away for longer than its lease; what it has done is in the record.
                return Ok(());
            }
            applied = after;
        }
    }

    /// What is over is not open any more.
    async fn leave(&self, id: &ApprovalId, approval: &Approval) -> Result<(), DeskError> {
        match approval.phase {
            Phase::Closed { .. } => self.unlist(id).await,
            _ => Ok(()),
        }
    }

    /// Does one thing, and says what became of it.
    async fn carry_out(&self, approval: &Approval, effect: Effect, clock: &Clock) -> Event {
        let id = &approval.id;
        match effect {
            Effect::Answer => self.answer(approval, clock).await,
            Effect::Audit => match self.audit(approval).await {
                Ok(()) => Event::Audited,
                Err(error) => {
                    let why = error.to_string();
                    tracing::error!(approval = %id, why, "the audit document could not be written");
                    Event::AuditFailed { why }
                }
            },
            Effect::Post { notice } => match self.post(approval, notice, clock).await {
                Ok(delivery) => Event::Posted { notice, delivery },
                Err(error) => {
                    let why = error.to_string();
                    tracing::error!(approval = %id, notice, why, "a message could not be sent");
                    Event::PostFailed { notice, why }
                }
            },
            Effect::Show { notice } => match self.show(approval, notice).await {
                Ok(()) => Event::Shown { notice, revision: approval.revision },
                Err(error) => {
                    // What people can set right, such as a token, is tried again.
                    let is_final = matches!(&error, DeskError::Slack(error) if error.cannot_be_changed());
                    let why = error.to_string();
                    tracing::error!(approval = %id, notice, why, "a message could not be changed");
                    Event::ShowFailed { notice, why, is_final }
                }
            },
        }
    }

    async fn answer(&self, approval: &Approval, clock: &Clock) -> Event {
        let Phase::Deciding { decision } = &approval.phase else {
            return Event::AnswerFailed { why: "answer the approval: nothing is decided".to_owned() };
        };
        match self.pipelines.answer(approval, decision).await {
            Ok(Answered::Taken) => {
                tracing::info!(approval = %approval.id, ruling = decision.ruling.as_str(), "answered");
                Event::AnswerTaken
            }
            Ok(Answered::Refused) => match self.pipelines.ended(approval, clock.now()).await {
                Ok(Some(ended)) => Event::AnswerRefused { found: Some(ended) },
                Ok(None) => {
                    let why = "answer the approval: CodePipeline says that it was answered, and that it still waits";
                    Event::AnswerFailed { why: why.to_owned() }
                }
                // Perhaps it was this very answer that was taken before. It is refused again, and looked up again.
                Err(error) => Event::AnswerFailed { why: error.to_string() },
            },
            Err(error) => {
                let why = error.to_string();
                tracing::error!(approval = %approval.id, why, "the approval could not be answered");
                Event::AnswerFailed { why }
            }
        }
    }

    async fn audit(&self, approval: &Approval) -> Result<(), DeskError> {
        let Some(audit) = Audit::of(approval) else { return Ok(()) };
        // What is there already is of this approval, and was written before a crash.
        self.store()?.create(&audit.key(), &audit).await?;
        Ok(())
    }
}

fn until(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE).unwrap_or(now)
}
