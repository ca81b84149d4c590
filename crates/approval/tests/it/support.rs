//! An approval in each of its phases.

use jiff::{SignedDuration, Timestamp};
use stagegate_approval::{
    Approval, AutomaticTerms, Delivery, Effect, EscalationTerms, Event, Grounds, Installation, Look, Overridden, Place,
    Release, Request, Ruling, SlackMessage, Terms, Token, VerdictNote, Vote, step,
};

pub(crate) const TOKEN: &str = "1a2b3c4d-573f-4ea7-a67e-0123456789ab";

/// Minutes after the request.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minutes)
}

pub(crate) fn terms(quorum: u32) -> Terms {
    Terms {
        channel: "releases".to_owned(),
        users: ["U1", "U2", "U3"].map(str::to_owned).into(),
        groups: ["S1"].map(str::to_owned).into(),
        email_domains: ["example.com"].map(str::to_owned).into(),
        quorum,
        rejections: 1,
        author_may_approve: true,
        comment_on_approve: false,
        comment_on_reject: true,
        remind_every: Some(60 * 60),
        escalate: Some(EscalationTerms { after: 2 * 60 * 60, channel: "managers".to_owned() }),
        reject_after: Some(8 * 60 * 60),
        automatic: Some(AutomaticTerms { gate: "web-release".to_owned(), rejects: true, can_be_overridden: true }),
    }
}

pub(crate) fn request() -> Request {
    let text = |text: &str| Some(text.to_owned());
    Request {
        place: Place { pipeline: "web".into(), stage: "Production".into(), action: "Approve".into() },
        token: Token::new(TOKEN),
        execution: text("11111111-2222-4333-8444-555555555555"),
        action_execution: text("aaaaaaaa-2222-4333-8444-555555555555"),
        expires_at: Some(at(7 * 24 * 60)),
        custom_data: None,
        review_link: None,
        console_link: None,
        release: Release::default(),
    }
}

pub(crate) fn opened(quorum: u32) -> Approval {
    let installation = Installation { app: "A1".into(), team: "T1".into() };
    request().open(terms(quorum), Some(installation), at(0))
}

pub(crate) fn message(ts: &str, shown: u32) -> Delivery {
    let message = SlackMessage { channel: "C1".into(), ts: ts.to_owned(), link: None };
    Delivery { message: Some(message), shown }
}

pub(crate) fn vote(user: &str, ruling: Ruling, minutes: i64) -> Event {
    Event::Voted(Vote {
        user: user.to_owned(),
        name: format!("Name of {user}"),
        ruling,
        comment: (ruling == Ruling::Rejected).then(|| "not today".to_owned()),
        grounds: Grounds::User,
        at: at(minutes),
    })
}

/// The gate has looked and waits, after so many looks.
pub(crate) fn waits(after: u32) -> Event {
    let look =
        Look::Waiting { progress: Some(format!("{after}")), next: at(11), summary: "no window is open".to_owned() };
    Event::GateLooked { after, look }
}

/// The gate has come to its end, after so many looks.
pub(crate) fn finds(after: u32, ruling: Option<Ruling>) -> Event {
    let found = VerdictNote {
        gate: "web-release".to_owned(),
        outcome: "passed".to_owned(),
        summary: "all green".to_owned(),
        subjects: Vec::new(),
        at: at(10),
        digest: "sha256:00".to_owned(),
    };
    Event::GateLooked { after, look: Look::Done { found, ruling } }
}

pub(crate) fn overrides(user: &str) -> Event {
    let (user, name, why) = (user.to_owned(), format!("Name of {user}"), "the outage".to_owned());
    Event::GateOverridden(Overridden { user, name, why, at: at(10) })
}

/// Does everything that is owed, as if it always worked.
pub(crate) fn settle(mut approval: Approval, minutes: i64) -> (Approval, Vec<Effect>) {
    let mut done = Vec::new();
    while let Some(effect) = stagegate_approval::owed(&approval, at(minutes)).first().copied() {
        let event = match effect {
            Effect::Answer => Event::AnswerTaken,
            Effect::Audit => Event::Audited,
            Effect::Post { notice } => {
                Event::Posted { notice, delivery: message(&format!("{notice}.0"), approval.revision) }
            }
            Effect::Show { notice } => Event::Shown { notice, revision: approval.revision },
        };
        approval = step(&approval, event, at(minutes)).approval;
        done.push(effect);
        assert!(done.len() < 100, "it never ends: {done:?}");
    }
    (approval, done)
}
