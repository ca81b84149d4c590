//! What happens by itself as time passes.

use jiff::{SignedDuration, Timestamp};

use crate::{Approval, Event};

/// What time has brought about for an approval that people are asked about.
pub fn alarms(approval: &Approval, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    if !approval.is_requested() {
        return events;
    }
    if is_deadline_over(approval, now) {
        return vec![Event::DeadlineDue];
    }
    if is_escalation_due(approval, now) {
        events.push(Event::EscalationDue);
    }
    let number = reminders_due(approval, now);
    if number > approval.reminders {
        events.push(Event::ReminderDue { number });
    }
    events
}

fn has_passed(approval: &Approval, seconds: i64, now: Timestamp) -> bool {
    now.duration_since(approval.requested_at) >= SignedDuration::from_secs(seconds)
}

pub(crate) fn is_deadline_over(approval: &Approval, now: Timestamp) -> bool {
    approval.terms.reject_after.is_some_and(|seconds| has_passed(approval, seconds, now))
}

pub(crate) fn is_escalation_due(approval: &Approval, now: Timestamp) -> bool {
    let escalation = approval.terms.escalate.as_ref();
    !approval.is_escalated && escalation.is_some_and(|escalation| has_passed(approval, escalation.after, now))
}

/// How many reminders should have been sent by now.
pub(crate) fn reminders_due(approval: &Approval, now: Timestamp) -> u32 {
    let Some(every) = approval.terms.remind_every.filter(|every| *every > 0) else { return 0 };
    let passed = now.duration_since(approval.requested_at).as_secs().max(0);
    u32::try_from(passed / every).unwrap_or(u32::MAX)
}
