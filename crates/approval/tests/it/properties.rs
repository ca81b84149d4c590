//! What holds for every order, repetition and loss of the events of one approval.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stagegate_approval::{
    Approval, Effect, Ended, Event, NoticeKind, NoticeState, Outcome, Phase, Ruling, alarms, owed, step,
};

use crate::support::{at, finds, message, opened, overrides, request, settle, vote, waits};

fn ruling() -> impl Strategy<Value = Ruling> {
    prop::sample::select(vec![Ruling::Approved, Ruling::Rejected])
}

fn event() -> impl Strategy<Value = Event> {
    let user = || prop::sample::select(vec!["U1", "U2", "U3", "U4"]);
    let why = || "reach Slack".to_owned();
    prop_oneof![
        6 => (user(), ruling(), 0i64..20).prop_map(|(user, ruling, minutes)| vote(user, ruling, minutes)),
        1 => Just(Event::Opened(Box::new(request()))),
        2 => (0usize..4, 0u32..9).prop_map(|(notice, shown)| Event::Posted { notice, delivery: message("1.0", shown) }),
        1 => (0usize..4).prop_map(move |notice| Event::PostFailed { notice, why: why() }),
        1 => (0usize..4, 0u32..9).prop_map(|(notice, revision)| Event::Shown { notice, revision }),
        1 => (0usize..4, any::<bool>()).prop_map(move |(notice, is_final)| {
            Event::ShowFailed { notice, why: why(), is_final }
        }),
        1 => (1u32..4).prop_map(|number| Event::ReminderDue { number }),
        1 => Just(Event::EscalationDue),
        1 => Just(Event::DeadlineDue),
        1 => Just(Event::AnswerTaken),
        1 => Just(Event::AnswerRefused { found: None }),
        1 => Just(Event::AnswerFailed { why: why() }),
        1 => prop::sample::select(vec![Ended::Superseded, Ended::Stopped, Ended::Expired, Ended::Gone])
            .prop_map(Event::Ended),
        1 => Just(Event::Audited),
        1 => (0u32..3).prop_map(waits),
        1 => (0u32..3, prop::option::of(ruling())).prop_map(|(after, ruling)| finds(after, ruling)),
        1 => user().prop_map(overrides),
        1 => prop::sample::select(vec!["one", "two"]).prop_map(|holder| {
            Event::Taken { holder: holder.to_owned(), until: at(700) }
        }),
        1 => Just(Event::Released { holder: "one".to_owned() }),
    ]
}

fn rank(phase: &Phase) -> u8 {
    match phase {
        Phase::Requested => 0,
        Phase::Deciding { .. } => 1,
        Phase::Decided { .. } => 2,
        Phase::Closed { .. } => 3,
    }
}

/// What must hold between a record and its successor.
fn check(before: &Approval, after: &Approval) {
    assert!(rank(&after.phase) >= rank(&before.phase), "{:?} after {:?}", after.phase, before.phase);
    if let Some(outcome) = before.outcome() {
        assert_eq!(after.outcome(), Some(outcome), "an outcome has changed");
        assert_eq!(before.votes, after.votes, "a vote was counted after the end");
    }
    if let (Phase::Deciding { decision }, Phase::Decided { outcome: Outcome::Desk { decision: taken, .. } }) =
        (&before.phase, &after.phase)
    {
        assert_eq!(decision, taken, "another decision was taken than was made");
    }
    let people: BTreeSet<_> = after.votes.iter().map(|vote| &vote.user).collect();
    assert_eq!(people.len(), after.votes.len(), "somebody counts twice");
    assert!(after.revision >= before.revision);
    assert!(after.notices.len() <= 10, "{}", after.notices.len());
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_a_record(events in prop::collection::vec((event(), 0i64..600), 0..40)) {
        let mut approval = opened(2);
        for (event, minutes) in events {
            let after = step(&approval, event.clone(), at(minutes)).approval;
            check(&approval, &after);
            // What has happened twice has happened once. (A failure counts each time, and a rejected vote is a new one.)
            let again = step(&after, event.clone(), at(minutes)).approval;
            let counts = matches!(event, Event::PostFailed { .. } | Event::ShowFailed { .. }
                | Event::AnswerFailed { .. } | Event::AuditFailed { .. } | Event::ReminderDue { .. });
            prop_assert!(counts || again == after, "{:?} twice", event);
            approval = after;
        }
        // Whatever has gone wrong, doing what is owed comes to an end, and answers once at the most.
        let (settled, done) = settle(approval.clone(), 100_000);
        check(&approval, &settled);
        prop_assert!(done.iter().filter(|effect| **effect == Effect::Answer).count() <= 1);
        prop_assert_eq!(rank(&settled.phase) == 3, rank(&approval.phase) > 0, "{:?}", settled.phase);
        prop_assert!(owed(&settled, at(100_000)).is_empty());
    }

    /// Votes may come in any order and any number of times: the last one of each person counts.
    #[test]
    fn votes_count_the_same_in_every_order(
        mut votes in prop::collection::vec((0usize..4, 0i64..20), 0..12),
        seed in any::<u64>(),
    ) {
        let cast = |votes: &[(usize, i64)]| {
            let mut approval = opened(99);
            for (user, minutes) in votes {
                let user = ["U1", "U2", "U3", "U4"][*user];
                approval = step(&approval, vote(user, Ruling::Approved, *minutes), at(30)).approval;
            }
            approval.votes
        };
        let expected = cast(&votes);
        votes.extend(votes.clone());
        let mut order = seed;
        for index in (1..votes.len()).rev() {
            order = order.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            votes.swap(index, usize::try_from(order >> 33).unwrap() % (index + 1));
        }
        prop_assert_eq!(cast(&votes), expected);
    }

    /// Approved by people means: by as many different ones as are wanted, none of whom wanted anything else at the end.
    #[test]
    fn an_approval_by_votes_has_its_quorum(
        quorum in 1u32..4,
        votes in prop::collection::vec((prop::sample::select(vec!["U1", "U2", "U3", "U4"]), ruling(), 0i64..20), 0..12),
    ) {
        let mut approval = opened(quorum);
        for (user, ruling, minutes) in votes {
            approval = step(&approval, vote(user, ruling, minutes), at(30)).approval;
        }
        let count = |ruling| u32::try_from(approval.votes_for(ruling).count()).unwrap();
        let (approved, rejected) = (count(Ruling::Approved), count(Ruling::Rejected));
        match &approval.phase {
            Phase::Requested => prop_assert!(approved < quorum && rejected == 0),
            Phase::Deciding { decision } if decision.ruling == Ruling::Approved => {
                prop_assert!(approved >= quorum && rejected == 0);
            }
            Phase::Deciding { .. } => prop_assert!(rejected >= 1),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    /// A watch that was away sends one reminder, not all that it has missed.
    #[test]
    fn time_brings_each_thing_once(minutes in prop::collection::vec(0i64..479, 1..8)) {
        let posted = Event::Posted { notice: 0, delivery: message("1.0", 0) };
        let mut approval = step(&opened(1), posted, at(0)).approval;
        let mut minutes = minutes;
        minutes.sort_unstable();
        let mut sent = 0;
        for now in &minutes {
            for event in alarms(&approval, at(*now)) {
                approval = step(&approval, event, at(*now)).approval;
            }
            let waiting = |notice: &&stagegate_approval::Notice| {
                notice.kind == NoticeKind::Reminder && notice.channel == "releases" && notice.state == NoticeState::Waiting
            };
            sent += approval.notices.iter().filter(waiting).count();
            prop_assert!(alarms(&approval, at(*now)).is_empty());
            approval = settle(approval, *now).0;
        }
        let distinct: BTreeSet<_> = minutes.iter().map(|minute| minute / 60).filter(|hour| *hour > 0).collect();
        prop_assert_eq!(sent, distinct.len());
        let escalations = approval.notices.iter().filter(|notice| notice.kind == NoticeKind::Escalation).count();
        prop_assert_eq!(escalations, usize::from(*minutes.last().unwrap() >= 120));
    }
}
