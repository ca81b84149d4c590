//! Messages.

use serde_json::{Map, Value, json};

use super::fit::{Room, fit};
use super::{Actions, Block, layout, limits};
use crate::{Plain, Text};

/// The type of the metadata that mark a message.
pub(crate) const MARK: &str = "stagegate_message";

/// A message: blocks, and a text for notifications and for readers that show no blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    text: Text,
    blocks: Vec<Block>,
    mark: Option<String>,
}

impl Message {
    /// A message whose text stands in notifications. Without blocks it is all there is to see; it is cut at 4000
    /// characters.
    pub fn new(text: Text) -> Self {
        Self { text, blocks: Vec::new(), mark: None }
    }

    /// Adds a header, cut at 150 characters.
    #[must_use]
    pub fn header(mut self, text: Plain) -> Self {
        layout::header(&mut self.blocks, text);
        self
    }

    /// Adds text: a section for each 3000 characters.
    #[must_use]
    pub fn section(mut self, text: Text) -> Self {
        layout::section(&mut self.blocks, &text);
        self
    }

    /// Adds fields in two columns, ten a section, each cut at 2000 characters.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Text>) -> Self {
        layout::fields(&mut self.blocks, fields);
        self
    }

    /// Adds small print, ten texts a block.
    #[must_use]
    pub fn context(mut self, texts: impl IntoIterator<Item = Text>) -> Self {
        layout::context(&mut self.blocks, texts);
        self
    }

    /// Adds a line.
    #[must_use]
    pub fn divider(mut self) -> Self {
        self.blocks.push(Block::Divider);
        self
    }

    /// Adds buttons.
    #[must_use]
    pub fn actions(mut self, actions: Actions) -> Self {
        layout::actions(&mut self.blocks, actions);
        self
    }

    /// Marks it, unseen by people, so that the app can find it again in a channel.
    #[must_use]
    pub fn marked(mut self, mark: &str) -> Self {
        self.mark = Some(mark.to_owned());
        self
    }

    /// The text for notifications.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The fields of `chat.postMessage` that say what is shown. An empty list of blocks is given too, so that an update
    /// removes those of before.
    pub fn to_json(&self) -> Value {
        Value::Object(self.to_fields())
    }

    pub(crate) fn to_fields(&self) -> Map<String, Value> {
        let room = Room { blocks: limits::BLOCKS_PER_MESSAGE, size: limits::MESSAGE_BLOCKS_SIZE };
        let mut fields = Map::new();
        fields.insert("text".into(), self.text.cut(limits::MESSAGE_TEXT).to_markup().into());
        fields.insert("blocks".into(), fit(&self.blocks, room).into());
        if let Some(mark) = &self.mark {
            fields.insert("metadata".into(), json!({"event_type": MARK, "event_payload": {"id": mark}}));
        }
        fields
    }
}
