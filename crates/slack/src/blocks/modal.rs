//! Modal views.

use serde_json::{Map, Value, json};

use super::fit::{Room, fit};
use super::limits::{self, TooLong, whole};
use super::{Block, layout, plain_text};
use crate::{Plain, Text};

/// A modal view.
#[derive(Clone, Debug, PartialEq)]
pub struct Modal {
    callback_id: String,
    title: Plain,
    submit: Option<Plain>,
    close: Plain,
    private_metadata: String,
    notify_on_close: bool,
    blocks: Vec<Block>,
}

impl Modal {
    /// A modal whose submissions come as `callback_id`. The title is cut at 24 characters.
    ///
    /// # Errors
    ///
    /// If the identifier is longer than 255 characters.
    pub fn new(callback_id: impl Into<String>, title: Plain) -> Result<Self, TooLong> {
        Ok(Self {
            callback_id: whole("callback_id", callback_id, limits::ID)?,
            title,
            submit: None,
            close: Plain::new("Cancel"),
            private_metadata: String::new(),
            notify_on_close: false,
            blocks: Vec::new(),
        })
    }

    /// The button that submits, cut at 24 characters. Slack wants one where there are inputs.
    #[must_use]
    pub fn submit(mut self, label: Plain) -> Self {
        self.submit = Some(label);
        self
    }

    /// The button that closes without submitting, cut at 24 characters.
    #[must_use]
    pub fn close(mut self, label: Plain) -> Self {
        self.close = label;
        self
    }

    /// What comes back with a submission.
    ///
    /// # Errors
    ///
    /// If it is longer than 3000 characters.
    pub fn private_metadata(mut self, metadata: impl Into<String>) -> Result<Self, TooLong> {
        self.private_metadata = whole("private_metadata", metadata, limits::PRIVATE_METADATA)?;
        Ok(self)
    }

    /// Asks for a `view_closed` where the modal is closed without being submitted.
    #[must_use]
    pub fn notify_on_close(mut self) -> Self {
        self.notify_on_close = true;
        self
    }

    /// Adds text: a section for each 3000 characters.
    #[must_use]
    pub fn section(mut self, text: Text) -> Self {
        layout::section(&mut self.blocks, &text);
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

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.blocks.push(Block::Input(input));
        self
    }

    /// The `view` of `views.open`, and of an answer with `update` or `push`.
    pub fn to_json(&self) -> Value {
        let room = Room { blocks: limits::BLOCKS_PER_MODAL, size: limits::MODAL_BLOCKS_SIZE };
        let mut view = Map::new();
        view.insert("type".into(), "modal".into());
        view.insert("callback_id".into(), self.callback_id.clone().into());
        view.insert("title".into(), plain_text(&self.title, limits::MODAL_TITLE));
        if let Some(submit) = &self.submit {
            view.insert("submit".into(), plain_text(submit, limits::MODAL_TITLE));
        }
        view.insert("close".into(), plain_text(&self.close, limits::MODAL_TITLE));
        view.insert("private_metadata".into(), self.private_metadata.clone().into());
        view.insert("notify_on_close".into(), self.notify_on_close.into());
        view.insert("blocks".into(), fit(&self.blocks, room).into());
        Value::Object(view)
    }
}

/// A field of a modal into which a person writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    block_id: String,
    action_id: String,
    label: Plain,
    hint: Option<Plain>,
    placeholder: Option<Plain>,
    is_optional: bool,
    is_multiline: bool,
    max_length: usize,
}

impl Input {
    /// A field of several lines that must be filled in. The label is cut at 2000 characters.
    ///
    /// # Errors
    ///
    /// If an identifier is longer than 255 characters.
    pub fn new(block_id: impl Into<String>, action_id: impl Into<String>, label: Plain) -> Result<Self, TooLong> {
        Ok(Self {
            block_id: whole("block_id", block_id, limits::ID)?,
            action_id: whole("action_id", action_id, limits::ID)?,
            label,
            hint: None,
            placeholder: None,
            is_optional: false,
            is_multiline: true,
            max_length: limits::INPUT_LENGTH,
        })
    }

    /// It may stay empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// It has one line.
    #[must_use]
    pub fn single_line(mut self) -> Self {
        self.is_multiline = false;
        self
    }

    /// How many characters it takes; Slack takes up to 3000.
    #[must_use]
    pub fn max_length(mut self, characters: usize) -> Self {
        self.max_length = characters.clamp(1, limits::INPUT_LENGTH);
        self
    }

    /// A word below it, cut at 2000 characters.
    #[must_use]
    pub fn hint(mut self, hint: Plain) -> Self {
        self.hint = Some(hint);
        self
    }

    /// A word in it while it is empty, cut at 150 characters.
    #[must_use]
    pub fn placeholder(mut self, placeholder: Plain) -> Self {
        self.placeholder = Some(placeholder);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut element = Map::new();
        element.insert("type".into(), "plain_text_input".into());
        element.insert("action_id".into(), self.action_id.clone().into());
        element.insert("multiline".into(), self.is_multiline.into());
        element.insert("max_length".into(), self.max_length.into());
        if let Some(placeholder) = &self.placeholder {
            element.insert("placeholder".into(), plain_text(placeholder, limits::PLACEHOLDER));
        }
        let mut block = Map::new();
        block.insert("type".into(), "input".into());
        block.insert("block_id".into(), self.block_id.clone().into());
        block.insert("optional".into(), self.is_optional.into());
        block.insert("label".into(), plain_text(&self.label, limits::INPUT_LABEL));
        block.insert("element".into(), Value::Object(element));
        if let Some(hint) = &self.hint {
            block.insert("hint".into(), plain_text(hint, limits::INPUT_LABEL));
        }
        Value::Object(block)
    }
}

/// The answer to a submission that marks fields as wrong: the field's `block_id` and what to do about it. The modal stays
/// open.
pub fn errors(errors: &[(&str, &str)]) -> Value {
    let errors: Map<_, _> = errors.iter().map(|(block_id, text)| ((*block_id).to_owned(), (*text).into())).collect();
    json!({"response_action": "errors", "errors": errors})
}
