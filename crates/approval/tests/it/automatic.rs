//! The gate that may answer for people.

use stagegate_approval::{Approval, Audit, Event, Look, NoticeKind, Outcome, Phase, Reason, Ruling, step};

use crate::support::{at, finds, message, opened, overrides, settle, vote, waits};

fn asked() -> Approval {
    settle(opened(2), 0).0
}

#[test]
fn a_gate_answers_and_is_named_everywhere() {
    let waiting = step(&asked(), waits(0), at(10)).approval;
    assert_eq!((waiting.looks.count, waiting.looks.progress.as_deref()), (1, Some("0")));
    assert!(!waiting.is_look_due(at(10)) && waiting.is_look_due(at(11)));
    let decided = step(&waiting, finds(1, Some(Ruling::Approved)), at(11)).approval;
    let Phase::Deciding { decision } = &decided.phase else { panic!("{:?}", decided.phase) };
    assert!(decision.summary.starts_with("Approved by the gate web-release: all green"), "{}", decision.summary);
    let audit = Audit::of(&settle(decided, 12).0).unwrap();
    assert_eq!(audit.automatic.map(|found| found.digest).as_deref(), Some("sha256:00"));
    let Outcome::Desk { decision, .. } = audit.outcome else { panic!() };
    assert_eq!(decision.reason, Reason::Gate { gate: "web-release".into(), summary: "all green".into() });
}

/// A look that was built on an older one could have missed what the latest one has seen.
#[test]
fn only_a_look_that_knows_the_latest_one_counts() {
    let twice = step(&step(&asked(), waits(0), at(10)).approval, waits(1), at(11)).approval;
    for late in [finds(0, Some(Ruling::Approved)), finds(1, Some(Ruling::Approved)), waits(0), waits(1)] {
        assert_eq!(step(&twice, late, at(12)).approval, twice);
    }
    assert!(matches!(step(&twice, finds(2, Some(Ruling::Approved)), at(12)).approval.phase, Phase::Deciding { .. }));
}

#[test]
fn a_gate_that_asks_says_so_below_the_request_once() {
    let handed = step(&asked(), finds(0, None), at(10)).approval;
    let handovers =
        |approval: &Approval| approval.notices.iter().filter(|notice| notice.kind == NoticeKind::Handover).count();
    assert_eq!((handovers(&handed), handed.is_look_due(at(60))), (1, false));
    let again = step(&handed, finds(1, Some(Ruling::Approved)), at(11)).approval;
    assert_eq!(again, handed, "it has come to its end");
    // People decide as ever.
    let one = step(&settle(handed, 11).0, vote("U1", Ruling::Approved, 12), at(12)).approval;
    assert!(one.is_requested());
    let two = step(&one, vote("U2", Ruling::Approved, 13), at(13)).approval;
    assert!(matches!(two.phase, Phase::Deciding { .. }));
    // Without a message there is nothing to say it below of: the request itself will show it.
    assert_eq!(handovers(&step(&opened(1), finds(0, None), at(10)).approval), 0);
}

#[test]
fn an_override_lets_the_gate_look_once_more() {
    let handed = step(&asked(), finds(0, None), at(10)).approval;
    let overridden = step(&handed, overrides("U1"), at(20)).approval;
    assert!(overridden.is_look_due(at(20)) && overridden.revision > handed.revision);
    assert_eq!(step(&overridden, overrides("U1"), at(21)).approval, overridden);
    let late = step(&overridden, finds(1, None), at(21)).approval;
    assert_eq!(late, overridden, "the look was begun before the override");
    let decided = step(&overridden, finds(2, Some(Ruling::Approved)), at(21)).approval;
    assert!(matches!(decided.phase, Phase::Deciding { .. }) && decided.looks.overridden.is_some());
    let mut without = asked();
    without.terms.automatic = None;
    assert_eq!(step(&without, overrides("U1"), at(20)).approval, without);
    assert_eq!(step(&without, waits(0), at(20)).approval, without);
}

/// A gate that looks each minute changes the message every five minutes at the most.
#[test]
fn people_are_not_told_of_each_look() {
    let mut approval =
        step(&opened(1), stagegate_approval::Event::Posted { notice: 0, delivery: message("1.0", 0) }, at(0)).approval;
    let mut told = 0;
    for minute in 0..60 {
        let before = approval.revision;
        let mut event = waits(u32::try_from(minute).unwrap());
        if let stagegate_approval::Event::GateLooked {
            look: stagegate_approval::Look::Waiting { summary, .. }, ..
        } = &mut event
        {
            *summary = format!("after {minute} samples");
        }
        approval = step(&approval, event, at(minute)).approval;
        told += approval.revision - before;
    }
    assert_eq!((told, approval.looks.count), (12, 60));
}

/// What has changed within the five minutes, and stays so, is told at their end, and once.
#[test]
fn a_change_that_stays_is_told() {
    let posted = Event::Posted { notice: 0, delivery: message("1.0", 0) };
    let mut approval = step(&opened(1), posted, at(0)).approval;
    let mut told = Vec::new();
    for minute in 0..20 {
        let summary = if minute < 2 { "waits for the window" } else { "could not look" };
        let look = Look::Waiting { progress: None, next: at(minute + 1), summary: summary.to_owned() };
        let before = approval.revision;
        let after = approval.looks.count;
        approval = step(&approval, Event::GateLooked { after, look }, at(minute)).approval;
        if approval.revision > before {
            told.push((minute, summary));
        }
    }
    assert_eq!(told, [(0, "waits for the window"), (5, "could not look")]);
    assert_eq!(approval.looks.summary.as_deref(), Some("could not look"));
}
