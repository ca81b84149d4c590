//! An approval in the words of channels in which nobody can click.

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_approval::{Approval, NoticeKind};
use stagegate_channel::{Card, Mail, Run, Say, Unsayable};
use stagegate_slack::blocks::Message;

use super::{plain, without_buttons};

/// The most characters of one text.
const LINE: usize = 500;

/// What people are told of an approval, and when.
pub(crate) struct Asked<'a> {
    pub(crate) approval: &'a Approval,
    pub(crate) kind: NoticeKind,
    pub(crate) now: Timestamp,
}

impl Say for Asked<'_> {
    fn slack(&self, _: bool) -> Result<Message, Unsayable> {
        without_buttons(self.approval, self.kind, self.now).map_err(|error| Unsayable(error.to_string()))
    }

    fn mail(&self) -> Result<Mail, Unsayable> {
        Ok(plain::plain(self.approval, self.kind, self.now))
    }

    fn card(&self) -> Result<Card, Unsayable> {
        let card = Card::new(&plain::title(self.approval, self.kind), None);
        let lines = plain::lines(self.approval, self.kind, self.now);
        let card = lines.into_iter().fold(card, |card, (name, value)| {
            let page = plain::web_page(name, &value);
            let value = Run::new(&value, LINE).link(page.as_deref());
            card.line([Run::literal(name).bold(), Run::literal(" "), value])
        });
        Ok(card.button("Open", self.approval.console_link.as_deref()))
    }

    fn data(&self) -> Value {
        let (approval, place) = (self.approval, &self.approval.place);
        let kind = match self.kind {
            NoticeKind::Request => "approval_request",
            NoticeKind::Escalation => "approval_escalation",
            NoticeKind::Reminder => "approval_reminder",
            NoticeKind::Handover => "approval_handover",
            NoticeKind::Result => "approval_result",
        };
        let text = |(name, value): (&str, String)| json!({"label": name, "text": value.chars().take(LINE).collect::<String>()});
        let lines = plain::lines(approval, self.kind, self.now).into_iter().map(text);
        json!({
            "version": 1,
            "kind": kind,
            "subject": "pipeline",
            "pipeline": place.pipeline,
            "stage": place.stage,
            "action": place.action,
            "execution": approval.execution,
            "status": if approval.is_requested() { "waiting" } else { "decided" },
            "title": plain::title(approval, self.kind),
            "lines": lines.collect::<Vec<_>>(),
            "url": approval.console_link,
        })
    }
}
