//! The record: its name, its token, and what CodePipeline is told.

use stagegate_approval::{
    Approval, ApprovalId, Audit, Delivery, Ended, Event, NoticeKind, Outcome, Phase, Place, Ruling, Step, Token, step,
};

use crate::support::{TOKEN, at, message, opened, request, settle, vote};

fn decision(step: &Step) -> &stagegate_approval::Decision {
    match &step.approval.phase {
        Phase::Deciding { decision } => decision,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_ways_to_an_approval_lead_to_the_same_name() {
    let id = request().id();
    assert_eq!(id, opened(1).id);
    assert_eq!(id.as_str().parse::<ApprovalId>().unwrap(), id);
    for text in ["", "x", &id.as_str().to_uppercase(), &id.as_str()[1..], "../../../etc/passwd"] {
        assert!(text.parse::<ApprovalId>().is_err(), "{text}");
    }
    // Parts cannot be moved from one place into the next.
    let place = |pipeline: &str, stage: &str| Place {
        pipeline: pipeline.to_owned(),
        stage: stage.to_owned(),
        action: "A".to_owned(),
    };
    let token = Token::new(TOKEN);
    assert_ne!(ApprovalId::new(&place("ab", "c"), &token), ApprovalId::new(&place("a", "bc"), &token));
    assert_ne!(ApprovalId::new(&place("ab", "c"), &token), ApprovalId::new(&place("ab", "c"), &Token::new("other")));
}

#[test]
fn the_token_is_in_the_document_and_nowhere_else() {
    let mut request = request();
    request.custom_data = Some(format!("see https://console/approve/{TOKEN}"));
    request.console_link = Some(format!("https://console/{TOKEN}"));
    let terms = opened(1).terms;
    let approval = request.open(terms, None, at(0));
    let mut vote = vote("U1", Ruling::Rejected, 1);
    if let Event::Voted(vote) = &mut vote {
        vote.comment = Some(format!("the token is {TOKEN}"));
    }
    let deciding = step(&approval, vote, at(1));
    assert!(!decision(&deciding).summary.contains(TOKEN));
    assert!(!format!("{:?}", deciding.approval.custom_data).contains(TOKEN));
    let json = serde_json::to_string(&approval).unwrap();
    assert_eq!(json.matches(TOKEN).count(), 1, "{json}");
    assert!(!format!("{approval:?}").contains(TOKEN));
    let read: Approval = serde_json::from_str(&json).unwrap();
    assert_eq!(read, approval);
}

#[test]
fn the_summary_names_who_and_why_within_512_characters() {
    let one = step(&opened(1), vote("U1", Ruling::Approved, 1), at(1));
    let short = one.approval.id.short().to_owned();
    assert_eq!(decision(&one).summary, format!("Approved in Slack by Name of U1 (U1) [Stagegate {short}]"));
    let rejected = step(&opened(2), vote("U2", Ruling::Rejected, 1), at(1));
    let expected = format!("Rejected in Slack by Name of U2 (U2): not today [Stagegate {short}]");
    assert_eq!(decision(&rejected).summary, expected);
    for comment in ["x".repeat(4000), "\u{1f600}".repeat(600), "a\nb\u{0}".repeat(300)] {
        let mut long = vote("U1", Ruling::Rejected, 1);
        if let Event::Voted(vote) = &mut long {
            vote.comment = Some(comment.clone());
        }
        let after = step(&opened(1), long, at(1));
        let summary = &decision(&after).summary;
        assert!(
            summary.encode_utf16().count() <= 512 && summary.ends_with(&format!("[Stagegate {short}]")),
            "{summary}"
        );
        assert!(!summary.contains(char::is_control), "{summary}");
    }
}

/// An answer whose outcome was lost is known again by its summary, and no other answer is taken for it.
#[test]
fn a_lost_answer_is_known_again() {
    let deciding = step(&opened(1), vote("U1", Ruling::Approved, 1), at(1));
    let own = decision(&deciding).summary.clone();
    let found =
        |ruling, summary: &str| Ended::Answered { ruling: Some(ruling), by: None, summary: Some(summary.to_owned()) };
    for (ended, is_own) in [
        (found(Ruling::Approved, &own), true),
        (found(Ruling::Rejected, &own), false),
        (found(Ruling::Approved, "looks good"), false),
        (Ended::Answered { ruling: Some(Ruling::Approved), by: None, summary: None }, false),
    ] {
        for event in [Event::AnswerRefused { found: Some(ended.clone()) }, Event::Ended(ended.clone())] {
            let after = step(&deciding.approval, event, at(2)).approval;
            let outcome = after.outcome().unwrap();
            assert_eq!(matches!(outcome, Outcome::Desk { .. }), is_own, "{ended:?}");
        }
    }
}

#[test]
fn the_audit_says_how_it_ended() {
    let (approval, _) = settle(opened(1), 0);
    assert_eq!(Audit::of(&approval), None);
    let (closed, _) = settle(step(&approval, vote("U1", Ruling::Approved, 1), at(1)).approval, 2);
    let audit = Audit::of(&closed).unwrap();
    assert_eq!(audit.key().to_string(), format!("audit/2026-03-02/{}.json", closed.id));
    assert_eq!((audit.votes.len(), audit.messages), (1, vec!["C1/0.0".to_owned()]));
    assert!(!serde_json::to_string(&Audit::of(&closed)).unwrap().contains(TOKEN));
}

/// A message that cannot be changed is followed by another one that says how it ended.
#[test]
fn channels_without_changes_get_a_result() {
    let blind = Event::Posted { notice: 0, delivery: Delivery { message: None, shown: 0 } };
    let asked = step(&opened(1), blind, at(0)).approval;
    let over = step(&asked, Event::Ended(Ended::Superseded), at(1)).approval;
    assert_eq!(
        over.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(),
        [NoticeKind::Request, NoticeKind::Result]
    );
    let changed = Event::Posted { notice: 0, delivery: message("1.0", 0) };
    let asked = step(&opened(1), changed, at(0)).approval;
    assert_eq!(step(&asked, Event::Ended(Ended::Superseded), at(1)).approval.notices.len(), 1);
    // Slack does not let this one be changed any more.
    for (is_final, expected) in [(true, 2), (false, 1)] {
        let failed = Event::ShowFailed { notice: 0, why: "message_not_found".to_owned(), is_final };
        let stuck = step(&step(&asked, vote("U1", Ruling::Approved, 1), at(1)).approval, failed, at(2)).approval;
        let over = step(&stuck, Event::Ended(Ended::Superseded), at(3)).approval;
        assert_eq!(over.notices.len(), expected, "{is_final}");
    }
}
