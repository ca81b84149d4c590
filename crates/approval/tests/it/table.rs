//! Every event in every phase.

use stagegate_approval::{Approval, Ended, Event, Phase, Reply, Ruling, step};

use crate::support::{at, finds, message, opened, overrides, request, settle, vote, waits};

/// An approval of two people in each phase: asked, decided, taken by CodePipeline, and with everything done.
fn phases() -> [Approval; 4] {
    let requested = step(&opened(2), Event::Posted { notice: 0, delivery: message("1.0", 0) }, at(1)).approval;
    let one = step(&requested, vote("U1", Ruling::Approved, 2), at(2)).approval;
    let deciding = step(&one, vote("U2", Ruling::Approved, 3), at(3)).approval;
    let decided = step(&deciding, Event::AnswerTaken, at(4)).approval;
    let closed = settle(decided.clone(), 5).0;
    [one, deciding, decided, closed]
}

/// The first letter of the phase, and what was said about the event.
fn shown(approval: &Approval, reply: &Reply) -> String {
    let phase = match approval.phase {
        Phase::Requested => "requested",
        Phase::Deciding { .. } => "deciding",
        Phase::Decided { .. } => "decided",
        Phase::Closed { .. } => "closed",
    };
    let reply = match reply {
        Reply::Noted => "noted".to_owned(),
        Reply::Nothing => "-".to_owned(),
        Reply::Counted { have, need } => format!("{have} of {need}"),
        Reply::CountedBefore => "before".to_owned(),
        Reply::Decided => "decides".to_owned(),
        Reply::TooLate => "too late".to_owned(),
        Reply::Held => "held".to_owned(),
        Reply::Owing => "owing".to_owned(),
    };
    format!("{phase}: {reply}")
}

fn answered_elsewhere() -> Ended {
    Ended::Answered {
        ruling: Some(Ruling::Rejected),
        by: Some("arn:aws:iam::111122223333:user/x".into()),
        summary: None,
    }
}

/// Events, when they happen (minutes), and what each does in each of the four phases.
fn table() -> Vec<(Event, i64, [&'static str; 4])> {
    let late = ["deciding: too late", "decided: too late", "closed: too late"];
    let nothing = ["deciding: -", "decided: -", "closed: -"];
    let row = |first: &'static str, rest: [&'static str; 3]| [first, rest[0], rest[1], rest[2]];
    let mut other = request();
    other.custom_data = Some("more".to_owned());
    let why = || "reach Slack".to_owned();
    let posted = |notice| Event::Posted { notice, delivery: message("2.0", 9) };
    let taken = |holder: &str| Event::Taken { holder: holder.to_owned(), until: at(20) };
    vec![
        (Event::Opened(Box::new(request())), 10, row("requested: -", late)),
        (Event::Opened(Box::new(other)), 10, row("requested: noted", late)),
        // It was sent before; a message of that number is not there.
        (posted(0), 10, row("requested: -", nothing)),
        (posted(7), 10, row("requested: -", nothing)),
        (Event::PostFailed { notice: 0, why: why() }, 10, row("requested: -", nothing)),
        (
            Event::Shown { notice: 0, revision: 1 },
            10,
            ["requested: noted", "deciding: noted", "decided: noted", "closed: -"],
        ),
        (
            Event::ShowFailed { notice: 0, why: why(), is_final: false },
            10,
            ["requested: noted", "deciding: noted", "decided: noted", "closed: noted"],
        ),
        (vote("U1", Ruling::Approved, 2), 10, row("requested: before", late)),
        (vote("U2", Ruling::Approved, 10), 10, row("deciding: decides", late)),
        (vote("U1", Ruling::Rejected, 1), 10, row("requested: before", late)),
        (vote("U1", Ruling::Rejected, 10), 10, row("deciding: decides", late)),
        (vote("U3", Ruling::Rejected, 10), 10, row("deciding: decides", late)),
        (waits(0), 10, row("requested: noted", late)),
        // It was built on a look that is not in the record.
        (waits(1), 10, row("requested: -", late)),
        (finds(0, Some(Ruling::Approved)), 10, row("deciding: decides", late)),
        (finds(0, Some(Ruling::Rejected)), 10, row("deciding: decides", late)),
        (finds(0, None), 10, row("requested: noted", late)),
        (finds(1, Some(Ruling::Approved)), 10, row("requested: -", late)),
        (overrides("U1"), 10, row("requested: noted", late)),
        (Event::ReminderDue { number: 1 }, 10, row("requested: -", nothing)),
        (Event::ReminderDue { number: 1 }, 60, row("requested: noted", nothing)),
        (Event::ReminderDue { number: 2 }, 60, row("requested: -", nothing)),
        (Event::EscalationDue, 119, row("requested: -", nothing)),
        (Event::EscalationDue, 120, row("requested: noted", nothing)),
        (Event::DeadlineDue, 479, row("requested: -", nothing)),
        (Event::DeadlineDue, 480, row("deciding: decides", late)),
        (Event::AnswerTaken, 10, ["requested: -", "decided: noted", "decided: -", "closed: -"]),
        (Event::AnswerRefused { found: None }, 10, ["requested: -", "decided: noted", "decided: -", "closed: -"]),
        (
            Event::AnswerRefused { found: Some(answered_elsewhere()) },
            10,
            ["requested: -", "decided: noted", "decided: -", "closed: -"],
        ),
        (Event::AnswerFailed { why: why() }, 10, ["requested: -", "deciding: noted", "decided: -", "closed: -"]),
        (Event::Ended(answered_elsewhere()), 10, ["decided: noted", "decided: noted", "decided: -", "closed: -"]),
        (Event::Ended(Ended::Superseded), 10, ["decided: noted", "decided: noted", "decided: -", "closed: -"]),
        (Event::Ended(Ended::Stopped), 10, ["decided: noted", "decided: noted", "decided: -", "closed: -"]),
        (Event::Ended(Ended::Expired), 10, ["decided: noted", "decided: noted", "decided: -", "closed: -"]),
        (Event::Ended(Ended::Gone), 10, ["decided: noted", "decided: noted", "decided: -", "closed: -"]),
        (Event::Audited, 10, ["requested: -", "deciding: -", "decided: noted", "closed: -"]),
        (Event::AuditFailed { why: why() }, 10, ["requested: -", "deciding: -", "decided: noted", "closed: -"]),
        (taken("one"), 10, ["requested: noted", "deciding: noted", "decided: noted", "closed: noted"]),
        (Event::Released { holder: "one".into() }, 10, ["requested: -", "deciding: -", "decided: -", "closed: -"]),
    ]
}

#[test]
fn every_event_in_every_phase() {
    for (event, minutes, expected) in table() {
        for (before, expected) in phases().iter().zip(expected) {
            let after = step(before, event.clone(), at(minutes));
            assert_eq!(shown(&after.approval, &after.reply), expected, "{event:?} in {:?}", before.phase);
            let is_nothing = matches!(after.reply, Reply::Nothing | Reply::TooLate | Reply::CountedBefore);
            assert_eq!(after.is_changed, !is_nothing, "{event:?} in {:?}", before.phase);
            assert_eq!(after.effects, stagegate_approval::owed(&after.approval, at(minutes)));
        }
    }
}

/// No kind of event is missing from the table.
#[test]
fn the_table_has_every_event() {
    let name = |event: &Event| format!("{event:?}").split([' ', '(']).next().unwrap().to_owned();
    let known: std::collections::BTreeSet<_> = table().iter().map(|(event, ..)| name(event)).collect();
    // A new event does not compile here until it is counted.
    fn count(event: &Event) -> usize {
        match event {
            Event::Opened(_)
            | Event::Posted { .. }
            | Event::PostFailed { .. }
            | Event::Shown { .. }
            | Event::ShowFailed { .. }
            | Event::Voted(_)
            | Event::GateLooked { .. }
            | Event::GateOverridden(_)
            | Event::ReminderDue { .. }
            | Event::EscalationDue
            | Event::DeadlineDue
            | Event::AnswerTaken
            | Event::AnswerRefused { .. }
            | Event::AnswerFailed { .. }
            | Event::Ended(_)
            | Event::Audited
            | Event::AuditFailed { .. }
            | Event::Taken { .. }
            | Event::Released { .. } => 19,
        }
    }
    assert_eq!(known.len(), count(&Event::Audited), "{known:?}");
}

#[test]
fn one_process_at_a_time_does_what_is_owed() {
    let taken = |holder: &str, until| Event::Taken { holder: holder.to_owned(), until: at(until) };
    let first = step(&opened(1), taken("one", 10), at(1));
    assert_eq!(first.reply, Reply::Noted);
    assert_eq!(step(&first.approval, taken("two", 12), at(9)).reply, Reply::Held);
    assert_eq!(step(&first.approval, taken("one", 12), at(9)).reply, Reply::Noted, "a retry takes up its own");
    assert_eq!(step(&first.approval, taken("two", 20), at(10)).reply, Reply::Noted, "it has died");
    let released = |approval: &Approval, minutes| step(approval, Event::Released { holder: "one".into() }, at(minutes));
    assert_eq!(released(&first.approval, 2).reply, Reply::Owing, "the request is not posted");
    let settled = settle(first.approval, 2).0;
    let free = released(&settled, 3);
    assert_eq!((free.reply, free.approval.lease), (Reply::Noted, None));
}
