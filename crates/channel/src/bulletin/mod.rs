//! A notice or the head message, in the words of each kind of channel. Whatever comes from outside is shown as text: it can
//! neither mention nor link nor pretend.

mod card;
mod data;
mod mail;
mod slack;

use serde_json::Value;
use stagegate_notice::Bulletin;
use stagegate_slack::blocks::Message;

use crate::{Card, Mail, Say, Unsayable};

pub(crate) use card::color;
pub(crate) use data::data;
pub(crate) use mail::web_page;

/// The most characters of one text.
const LINE: usize = 600;
/// The most stages and lines that are shown.
const LINES: usize = 60;

impl Say for Bulletin {
    fn slack(&self, _: bool) -> Result<Message, Unsayable> {
        Ok(if self.is_head() { slack::head(self) } else { slack::notice(self) })
    }

    fn mail(&self) -> Result<Mail, Unsayable> {
        Ok(mail::mail(self))
    }

    fn card(&self) -> Result<Card, Unsayable> {
        Ok(card::card(self))
    }

    fn data(&self) -> Value {
        data(self)
    }
}

/// The title: of the head message with the sign of its status.
pub(crate) fn title(bulletin: &Bulletin) -> String {
    let name = bulletin.subject.title(&bulletin.name);
    match bulletin.is_head() {
        true => format!("{} {name}: {}", bulletin.status.sign(), bulletin.title),
        false => format!("{name}: {}", bulletin.title),
    }
}
