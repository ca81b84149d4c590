//! What is still to be done about an approval.

use jiff::{SignedDuration, Timestamp};

use crate::{Approval, Notice, NoticeState, Phase, Tries};

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// Something to be done. Each may be done again where it is not known whether it was: an answer is taken once, an audit
/// document is created once, a message is changed to the same. Only a message may be sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Call PutApprovalResult.
    Answer,
    /// Write the audit document.
    Audit,
    /// Send a message.
    Post {
        /// The message, by its number in the record.
        notice: usize,
    },
    /// Change a message to what the record says.
    Show {
        /// The message.
        notice: usize,
    },
}

/// What is to be done now, the most urgent first. What has failed a moment ago is not among it.
pub fn owed(approval: &Approval, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    let is_due = |tries: &Tries| tries.again_at.is_none_or(|again_at| again_at <= now);
    match &approval.phase {
        Phase::Closed { .. } => return effects,
        Phase::Deciding { .. } if is_due(&approval.answering) => effects.push(Effect::Answer),
        Phase::Decided { .. } if !approval.is_audited && is_due(&approval.auditing) => effects.push(Effect::Audit),
        Phase::Deciding { .. } | Phase::Decided { .. } | Phase::Requested => {}
    }
    let due = approval.notices.iter().enumerate().filter(|(_, notice)| is_due(&notice.tries));
    effects.extend(due.filter_map(|(number, notice)| of_notice(notice, number, approval.revision)));
    effects
}

fn of_notice(notice: &Notice, number: usize, revision: u32) -> Option<Effect> {
    match &notice.state {
        NoticeState::Waiting => Some(Effect::Post { notice: number }),
        NoticeState::Sent(delivery)
            if notice.kind.asks() && delivery.message.is_some() && delivery.shown < revision =>
        {
            Some(Effect::Show { notice: number })
        }
        NoticeState::Sent(_) | NoticeState::Dropped { .. } => None,
    }
}

/// Whether there is nothing left to do, now or later.
pub(crate) fn is_done(approval: &Approval) -> bool {
    let revision = approval.revision;
    approval.is_audited && approval.notices.iter().all(|notice| of_notice(notice, 0, revision).is_none())
}

impl Tries {
    /// One more failure.
    pub(crate) fn fail(&mut self, why: String, now: Timestamp) {
        let factor = 1i32.checked_shl(self.failed.min(10)).unwrap_or(i32::MAX);
        let pause = FIRST_PAUSE.checked_mul(factor).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
        self.failed = self.failed.saturating_add(1);
        self.again_at = now.checked_add(pause).ok();
        self.why = Some(why);
    }
}
