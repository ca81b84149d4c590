//! The part of Block Kit that Stagegate speaks, within Slack's limits.
//!
//! What people read is split or cut to fit. What programs read (identifiers, values, URLs) is never cut: it is refused when
//! it is set ([`TooLong`]).

mod actions;
mod fit;
mod layout;
mod limits;
mod message;
mod modal;

use serde_json::{Value, json};

pub use actions::{Actions, Button, Confirm, Style};
pub(crate) use limits::SECTION;
pub use limits::TooLong;
pub(crate) use message::MARK;
pub use message::Message;
pub use modal::{Input, Modal, errors};

use crate::{Plain, Text};

/// A text object in Slack's markup. `verbatim` keeps Slack from finding further links and mentions in it.
fn mrkdwn(markup: &str) -> Value {
    json!({"type": "mrkdwn", "text": markup, "verbatim": true})
}

/// A text object without markup, within a limit.
fn plain_text(text: &Plain, max: usize) -> Value {
    json!({"type": "plain_text", "text": text.within(max), "emoji": false})
}

/// A block that stands on its own, within Slack's limits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Header(Plain),
    Section(Text),
    Fields(Vec<Text>),
    Context(Vec<Text>),
    Divider,
    Actions(Actions),
    Input(Input),
}

impl Block {
    /// Whether the message may be shown without it: text may be left out, what can be answered may not.
    pub(crate) fn may_be_left_out(&self) -> bool {
        matches!(self, Self::Section(_) | Self::Fields(_) | Self::Context(_) | Self::Divider)
    }

    pub(crate) fn to_json(&self) -> Value {
        let texts = |texts: &[Text]| texts.iter().map(|text| mrkdwn(&text.to_markup())).collect::<Vec<_>>();
        match self {
            Self::Header(text) => json!({"type": "header", "text": plain_text(text, limits::HEADER)}),
            Self::Section(text) => json!({"type": "section", "text": mrkdwn(&text.to_markup())}),
            Self::Fields(fields) => json!({"type": "section", "fields": texts(fields)}),
            Self::Context(elements) => json!({"type": "context", "elements": texts(elements)}),
            Self::Divider => json!({"type": "divider"}),
            Self::Actions(actions) => actions.to_json(),
            Self::Input(input) => input.to_json(),
        }
    }
}
