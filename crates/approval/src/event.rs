//! What can happen to an approval.

use jiff::Timestamp;

use crate::{
    Approval, ApprovalId, Delivery, Installation, Look, Looks, Notice, NoticeKind, Outcome, Overridden, Phase, Place,
    Release, Ruling, Terms, Token, Tries, Vote,
};

impl Approval {
    /// The request that it was opened by, with nothing in it that could be asked for again.
    pub fn request(&self) -> Request {
        Request {
            place: self.place.clone(),
            token: self.token.clone(),
            execution: self.execution.clone(),
            action_execution: self.action_execution.clone(),
            expires_at: self.expires_at,
            custom_data: self.custom_data.clone(),
            review_link: self.review_link.clone(),
            console_link: self.console_link.clone(),
            release: Release::default(),
        }
    }
}

/// That an action waits for an approval, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The action that waits.
    pub place: Place,
    /// What answers it.
    pub token: Token,
    /// The pipeline execution, where it is known.
    pub execution: Option<String>,
    /// The execution of the action, where it is known.
    pub action_execution: Option<String>,
    /// When CodePipeline gives up, where it is known.
    pub expires_at: Option<Timestamp>,
    /// The action's `CustomData`.
    pub custom_data: Option<String>,
    /// The action's `ExternalEntityLink`.
    pub review_link: Option<String>,
    /// The pipeline in the console.
    pub console_link: Option<String>,
    /// What it is about.
    pub release: Release,
}

impl Request {
    /// The approval's name.
    pub fn id(&self) -> ApprovalId {
        ApprovalId::new(&self.place, &self.token)
    }

    /// The record of a request that nobody has heard of before.
    pub fn open(self, terms: Terms, installation: Option<Installation>, now: Timestamp) -> Approval {
        let request = self.without_token();
        Approval {
            id: request.id(),
            notices: vec![Notice::new(NoticeKind::Request, &terms.channel)],
            terms,
            installation,
            place: request.place,
            token: request.token,
            execution: request.execution,
            action_execution: request.action_execution,
            requested_at: now,
            expires_at: request.expires_at,
            custom_data: request.custom_data,
            review_link: request.review_link,
            console_link: request.console_link,
            release: request.release,
            votes: Vec::new(),
            phase: Phase::Requested,
            looks: Looks::default(),
            reminders: 0,
            is_escalated: false,
            answering: Tries::default(),
            is_audited: false,
            auditing: Tries::default(),
            revision: 0,
            lease: None,
        }
    }

    /// The request with the token nowhere but in its place: people could have put it into what is shown.
    pub(crate) fn without_token(mut self) -> Self {
        let token = self.token.clone();
        for text in [&mut self.custom_data, &mut self.review_link, &mut self.console_link].into_iter().flatten() {
            *text = token.kept_out_of(text);
        }
        self
    }
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request was heard of again, by the other way or twice by the same.
    Opened(Box<Request>),
    /// A message was sent.
    Posted {
        /// The message, by its number in the record.
        notice: usize,
        /// Where it is.
        delivery: Delivery,
    },
    /// A message was not sent.
    PostFailed {
        /// The message.
        notice: usize,
        /// Why, reading after "failed to".
        why: String,
    },
    /// A message was changed.
    Shown {
        /// The message.
        notice: usize,
        /// What it shows now.
        revision: u32,
    },
    /// A message was not changed.
    ShowFailed {
        /// The message.
        notice: usize,
        /// Why, reading after "failed to".
        why: String,
        /// Whether it cannot be changed at all.
        is_final: bool,
    },
    /// A person who may decide has voted.
    Voted(Vote),
    /// The gate that may answer for people has looked.
    GateLooked {
        /// How many looks the record had when it did. Where another one came in between, this one does not count.
        after: u32,
        /// What it led to.
        look: Look,
    },
    /// A person who may do that lets the execution through the gate: it looks again, and says so.
    GateOverridden(Overridden),
    /// Time for the reminder of this number.
    ReminderDue {
        /// The number, from 1.
        number: u32,
    },
    /// Time to ask others.
    EscalationDue,
    /// Time to reject it.
    DeadlineDue,
    /// CodePipeline took the answer.
    AnswerTaken,
    /// CodePipeline did not take the answer because the approval is over.
    AnswerRefused {
        /// How it ended, where that could be found out.
        found: Option<Ended>,
    },
    /// The answer did not reach CodePipeline, or was not taken for another reason.
    AnswerFailed {
        /// Why, reading after "failed to".
        why: String,
    },
    /// The approval is over.
    Ended(Ended),
    /// The audit document is written.
    Audited,
    /// The audit document is not written.
    AuditFailed {
        /// Why, reading after "failed to".
        why: String,
    },
    /// A process wants to do what is owed.
    Taken {
        /// The invocation.
        holder: String,
        /// Until when.
        until: Timestamp,
    },
    /// A process has nothing left to do.
    Released {
        /// The invocation.
        holder: String,
    },
}

/// How CodePipeline says that an approval is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was answered.
    Answered {
        /// How, where it is known.
        ruling: Option<Ruling>,
        /// Who, as CodePipeline names them.
        by: Option<String>,
        /// The answer's summary.
        summary: Option<String>,
    },
    /// A newer execution took its place.
    Superseded,
    /// The execution was stopped or cancelled.
    Stopped,
    /// Nobody answered in time.
    Expired,
    /// The action does not wait any more.
    Gone,
}

impl Ended {
    /// The outcome of an approval that ended so. The answer of a decision is known by its summary.
    pub(crate) fn outcome(self, phase: &Phase, now: Timestamp) -> Outcome {
        match self {
            Self::Answered { ruling, by, summary } => match phase {
                Phase::Deciding { decision }
                    if ruling == Some(decision.ruling) && summary.as_ref() == Some(&decision.summary) =>
                {
                    Outcome::Desk { decision: decision.clone(), at: now }
                }
                _ => Outcome::Elsewhere { ruling, by, summary, at: now },
            },
            Self::Superseded => Outcome::Superseded { at: now },
            Self::Stopped => Outcome::Stopped { at: now },
            Self::Expired => Outcome::Expired { at: now },
            Self::Gone => Outcome::Gone { at: now },
        }
    }
}
