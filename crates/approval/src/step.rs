//! From what has happened to what is to be done.

use jiff::Timestamp;

use crate::alarm::{is_deadline_over, is_escalation_due, reminders_due};
use crate::owed::{is_done, owed};
use crate::record::{Lease, NoticeState};
use crate::summary::summary;
use crate::{
    Approval, Decision, Effect, Ended, Event, Look, Looks, Notice, NoticeKind, Outcome, Overridden, Phase, Reason,
    Request, Ruling, Tries, Vote, looks,
};

/// How often a message that says how it ended is tried.
const MAX_LAST_TRIES: u32 = 8;
/// After how many answers that CodePipeline has not taken people are told so: about half a minute.
pub(crate) const TOLD_AFTER: u32 = 3;

/// An approval after something has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The record.
    pub approval: Approval,
    /// Whether it is another one than before.
    pub is_changed: bool,
    /// What is to be done now.
    pub effects: Vec<Effect>,
    /// What to say to whoever caused it.
    pub reply: Reply,
}

/// What an event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was taken note of.
    Noted,
    /// It changes nothing.
    Nothing,
    /// The vote counts.
    Counted {
        /// How many have voted so.
        have: u32,
        /// How many are needed.
        need: u32,
    },
    /// The same person had voted so before.
    CountedBefore,
    /// The vote was the last one that was needed.
    Decided,
    /// It was over, or decided, before.
    TooLate,
    /// Another process does what is owed.
    Held,
    /// There is still something to do.
    Owing,
}

/// Takes note of something that has happened at the time `now`.
///
/// Every event may come in every phase, twice, and in any order; what comes too late changes nothing.
pub fn step(approval: &Approval, event: Event, now: Timestamp) -> Step {
    let mut after = approval.clone();
    let reply = match event {
        Event::Opened(request) => opened(&mut after, *request),
        Event::Posted { notice, delivery } => on_notice(&mut after, notice, |found| posted(found, delivery)),
        Event::PostFailed { notice, why } => {
            let is_over = after.outcome().is_some();
            on_notice(&mut after, notice, |found| post_failed(found, why, is_over, now))
        }
        Event::Shown { notice, revision } => on_notice(&mut after, notice, |found| shown(found, revision)),
        Event::ShowFailed { notice, why, is_final } => {
            on_notice(&mut after, notice, |found| show_failed(found, why, is_final, now))
        }
        Event::Voted(vote) => voted(&mut after, vote, now),
        Event::GateLooked { after: built_on, look } => gate_looked(&mut after, built_on, look, now),
        Event::GateOverridden(overridden) => gate_overridden(&mut after, overridden, now),
        Event::DeadlineDue if is_deadline_over(&after, now) => {
            decide_by(&mut after, Ruling::Rejected, Reason::Deadline, now)
        }
        Event::ReminderDue { number } => reminder(&mut after, number, now),
        Event::EscalationDue => escalation(&mut after, now),
        Event::DeadlineDue => Reply::Nothing,
        Event::AnswerTaken => answered(&mut after, now),
        Event::AnswerRefused { found } => {
            let unknown = Ended::Answered { ruling: None, by: None, summary: None };
            match after.phase {
                Phase::Deciding { .. } => ended(&mut after, found.unwrap_or(unknown), now),
                _ => Reply::Nothing,
            }
        }
        Event::AnswerFailed { why } => match after.phase {
            Phase::Deciding { .. } => {
                after.answering.fail(why, now);
                // People are told, since they may have to answer it elsewhere.
                after.revision += u32::from(after.answering.failed == TOLD_AFTER);
                Reply::Noted
            }
            _ => Reply::Nothing,
        },
        Event::Ended(how) => ended(&mut after, how, now),
        Event::Audited => audited(&mut after),
        Event::AuditFailed { why } => match after.phase {
            Phase::Decided { .. } if !after.is_audited => {
                after.auditing.fail(why, now);
                Reply::Noted
            }
            _ => Reply::Nothing,
        },
        Event::Taken { holder, until } => taken(&mut after, holder, until, now),
        Event::Released { holder } => released(&mut after, &holder, now),
    };
    close(&mut after);
    let effects = owed(&after, now);
    Step { is_changed: after != *approval, approval: after, effects, reply }
}

/// Both ways lead to the same record; each may know what the other does not.
fn opened(approval: &mut Approval, request: Request) -> Reply {
    let request = request.without_token();
    if !approval.is_requested() {
        return Reply::TooLate;
    }
    let before = approval.clone();
    fn fill<T>(known: &mut Option<T>, told: Option<T>) {
        if known.is_none() {
            *known = told;
        }
    }
    fill(&mut approval.execution, request.execution);
    fill(&mut approval.action_execution, request.action_execution);
    fill(&mut approval.expires_at, request.expires_at);
    fill(&mut approval.custom_data, request.custom_data);
    fill(&mut approval.review_link, request.review_link);
    fill(&mut approval.console_link, request.console_link);
    if request.release.tells_more_than(&approval.release) {
        approval.release = request.release;
    }
    if *approval == before {
        return Reply::Nothing;
    }
    approval.revision += 1;
    Reply::Noted
}

fn on_notice(approval: &mut Approval, number: usize, change: impl FnOnce(&mut Notice) -> Reply) -> Reply {
    approval.notices.get_mut(number).map_or(Reply::Nothing, change)
}

fn posted(notice: &mut Notice, delivery: crate::Delivery) -> Reply {
    match notice.state {
        // Where two processes have sent it, the first one counts: its buttons are the ones that work.
        NoticeState::Sent(_) => Reply::Nothing,
        NoticeState::Waiting | NoticeState::Dropped { .. } => {
            notice.state = NoticeState::Sent(delivery);
            notice.tries = Tries::default();
            Reply::Noted
        }
    }
}

fn post_failed(notice: &mut Notice, why: String, is_over: bool, now: Timestamp) -> Reply {
    if notice.state != NoticeState::Waiting {
        return Reply::Nothing;
    }
    notice.tries.fail(why, now);
    let is_useless = match notice.kind {
        // The next one comes soon enough.
        NoticeKind::Reminder => true,
        NoticeKind::Request | NoticeKind::Escalation => false,
        NoticeKind::Result | NoticeKind::Handover => notice.tries.failed >= MAX_LAST_TRIES,
    };
    if is_useless || (is_over && notice.kind.asks()) {
        drop_notice(notice);
    }
    Reply::Noted
}

fn drop_notice(notice: &mut Notice) {
    let why = notice.tries.why.clone().unwrap_or_else(|| "it was over before it was sent".to_owned());
    notice.state = NoticeState::Dropped { why };
}

fn shown(notice: &mut Notice, revision: u32) -> Reply {
    match &mut notice.state {
        NoticeState::Sent(delivery) if delivery.shown < revision => {
            delivery.shown = revision;
            notice.tries = Tries::default();
            Reply::Noted
        }
        _ => Reply::Nothing,
    }
}

fn show_failed(notice: &mut Notice, why: String, is_final: bool, now: Timestamp) -> Reply {
    let NoticeState::Sent(delivery) = &mut notice.state else { return Reply::Nothing };
    notice.tries.fail(why, now);
    if is_final || notice.tries.failed >= MAX_LAST_TRIES {
        // It stays bound to its buttons, and is not changed any more.
        delivery.shown = u32::MAX;
    }
    Reply::Noted
}

fn voted(approval: &mut Approval, vote: Vote, now: Timestamp) -> Reply {
    if !approval.is_requested() {
        return Reply::TooLate;
    }
    let ruling = vote.ruling;
    let order = |vote: &Vote| (vote.at, vote.ruling, vote.comment.clone());
    match approval.votes.iter_mut().find(|known| known.user == vote.user) {
        // The later one counts; of two at the same time the rejection. So it does not matter which comes first.
        Some(known) if order(known) >= order(&vote) => return Reply::CountedBefore,
        Some(known) => *known = vote,
        None => approval.votes.push(vote),
    }
    approval.votes.sort_by(|one, other| (one.at, &one.user).cmp(&(other.at, &other.user)));
    approval.revision += 1;
    let have = |ruling| u32::try_from(approval.votes_for(ruling).count()).unwrap_or(u32::MAX);
    let (rejected, approved) = (have(Ruling::Rejected), have(Ruling::Approved));
    // A rejection stops a release also where the last approval comes with it.
    if rejected >= approval.terms.rejections.max(1) {
        return decide_by(approval, Ruling::Rejected, Reason::Votes, now);
    }
    if approved >= approval.terms.quorum.max(1) {
        return decide_by(approval, Ruling::Approved, Reason::Votes, now);
    }
    match ruling {
        Ruling::Approved => Reply::Counted { have: approved, need: approval.terms.quorum },
        Ruling::Rejected => Reply::Counted { have: rejected, need: approval.terms.rejections },
    }
}

fn decide_by(approval: &mut Approval, ruling: Ruling, reason: Reason, now: Timestamp) -> Reply {
    if !approval.is_requested() {
        return Reply::TooLate;
    }
    let summary = summary(approval, ruling, &reason);
    approval.phase = Phase::Deciding { decision: Decision { ruling, reason, summary, at: now } };
    approval.revision += 1;
    Reply::Decided
}

/// Looks that were not built on the latest one could forget what that one has seen.
fn gate_looked(approval: &mut Approval, built_on: u32, look: Look, now: Timestamp) -> Reply {
    let Some(gate) = approval.terms.automatic.as_ref().map(|terms| terms.gate.clone()) else { return Reply::Nothing };
    if !approval.is_requested() {
        return Reply::TooLate;
    }
    if approval.looks.count != built_on || approval.looks.found.is_some() {
        return Reply::Nothing;
    }
    match look {
        Look::Waiting { progress, next, summary } => {
            let summary = approval.token.kept_out_of(&summary);
            approval.revision += u32::from(looks::wait(&mut approval.looks, progress, next, summary, now));
            Reply::Noted
        }
        Look::Done { found, ruling } => {
            let summary = found.summary.clone();
            approval.looks = Looks {
                count: approval.looks.count.saturating_add(1),
                found: Some(found),
                overridden: approval.looks.overridden.take(),
                ..Looks::default()
            };
            match ruling {
                Some(ruling) => decide_by(approval, ruling, Reason::Gate { gate, summary }, now),
                None => hand_over(approval),
            }
        }
    }
}

/// People decide; those who were asked hear of it where they were asked.
fn hand_over(approval: &mut Approval) -> Reply {
    approval.revision += 1;
    add_below_requests(approval, NoticeKind::Handover);
    Reply::Noted
}

fn gate_overridden(approval: &mut Approval, overridden: Overridden, now: Timestamp) -> Reply {
    if approval.terms.automatic.is_none() {
        return Reply::Nothing;
    }
    if !approval.is_requested() {
        return Reply::TooLate;
    }
    if approval.looks.overridden.as_ref() == Some(&overridden) {
        return Reply::CountedBefore;
    }
    let looks = &mut approval.looks;
    // What was seen before stands beside the gate's verdict; it looks once more, at once.
    (looks.count, looks.found, looks.next) = (looks.count.saturating_add(1), None, Some(now));
    looks.overridden = Some(overridden);
    approval.revision += 1;
    Reply::Noted
}

fn reminder(approval: &mut Approval, number: u32, now: Timestamp) -> Reply {
    if !approval.is_requested() || number <= approval.reminders || number > reminders_due(approval, now) {
        return Reply::Nothing;
    }
    approval.reminders = number;
    add_below_requests(approval, NoticeKind::Reminder);
    Reply::Noted
}

/// A message below each request that is there; below one that is not, it would be a riddle.
fn add_below_requests(approval: &mut Approval, kind: NoticeKind) {
    let asking = approval.notices.iter().filter(|notice| notice.kind.asks() && notice.delivery().is_some());
    for channel in asking.map(|notice| notice.channel.clone()).collect::<Vec<_>>() {
        let is_earlier = |notice: &&mut Notice| notice.kind == kind && notice.channel == channel;
        // One entry of a kind for each channel, however often it is said: the record stays small.
        match approval.notices.iter_mut().find(is_earlier) {
            Some(earlier) => *earlier = Notice::new(kind, &channel),
            None => approval.notices.push(Notice::new(kind, &channel)),
        }
    }
}

fn escalation(approval: &mut Approval, now: Timestamp) -> Reply {
    let channel = approval.terms.escalate.as_ref().map(|escalation| escalation.channel.clone());
    let Some(channel) = channel.filter(|_| approval.is_requested() && is_escalation_due(approval, now)) else {
        return Reply::Nothing;
    };
    approval.is_escalated = true;
    approval.notices.push(Notice::new(NoticeKind::Escalation, &channel));
    approval.revision += 1;
    Reply::Noted
}

fn answered(approval: &mut Approval, now: Timestamp) -> Reply {
    let Phase::Deciding { decision } = &approval.phase else { return Reply::Nothing };
    let outcome = Outcome::Desk { decision: decision.clone(), at: now };
    conclude(approval, outcome)
}

fn ended(approval: &mut Approval, how: Ended, now: Timestamp) -> Reply {
    match approval.phase {
        Phase::Requested | Phase::Deciding { .. } => {
            let outcome = how.outcome(&approval.phase, now);
            conclude(approval, outcome)
        }
        Phase::Decided { .. } | Phase::Closed { .. } => Reply::Nothing,
    }
}

/// It is over: every message that asks is changed, and where that is not possible another one says so.
fn conclude(approval: &mut Approval, outcome: Outcome) -> Reply {
    approval.phase = Phase::Decided { outcome };
    approval.revision += 1;
    let mut results = Vec::new();
    for notice in &mut approval.notices {
        notice.tries = Tries::default();
        match &notice.state {
            NoticeState::Waiting => drop_notice(notice),
            // Nothing can be changed that is in no channel of Slack, or that Slack did not let be changed.
            NoticeState::Sent(delivery)
                if notice.kind.asks() && (delivery.message.is_none() || delivery.is_final()) =>
            {
                results.push(Notice::new(NoticeKind::Result, &notice.channel));
            }
            NoticeState::Sent(_) | NoticeState::Dropped { .. } => {}
        }
    }
    approval.notices.extend(results);
    Reply::Noted
}

fn audited(approval: &mut Approval) -> Reply {
    match approval.phase {
        Phase::Decided { .. } if !approval.is_audited => {
            approval.is_audited = true;
            approval.auditing = Tries::default();
            Reply::Noted
        }
        _ => Reply::Nothing,
    }
}

fn taken(approval: &mut Approval, holder: String, until: Timestamp, now: Timestamp) -> Reply {
    match &approval.lease {
        Some(lease) if lease.holder != holder && lease.until > now => Reply::Held,
        _ => {
            approval.lease = Some(Lease { holder, until });
            Reply::Noted
        }
    }
}

/// Whoever gives it back has looked at everything that is in the record.
fn released(approval: &mut Approval, holder: &str, now: Timestamp) -> Reply {
    if approval.lease.as_ref().is_none_or(|lease| lease.holder != holder) {
        return Reply::Nothing;
    }
    if !owed(approval, now).is_empty() {
        return Reply::Owing;
    }
    approval.lease = None;
    Reply::Noted
}

fn close(approval: &mut Approval) {
    if let Phase::Decided { outcome } = &approval.phase
        && is_done(approval)
    {
        approval.phase = Phase::Closed { outcome: outcome.clone() };
    }
}
