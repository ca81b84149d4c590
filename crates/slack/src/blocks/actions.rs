//! Buttons.

use serde_json::{Map, Value, json};
use url::Url;

use super::limits::{self, TooLong, whole};
use super::{mrkdwn, plain_text};
use crate::{Plain, Text};

/// A row of buttons. Slack takes 25; more are not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    block_id: String,
    buttons: Vec<Button>,
}

impl Actions {
    /// An empty row.
    ///
    /// # Errors
    ///
    /// If the identifier is longer than 255 characters.
    pub fn new(block_id: impl Into<String>) -> Result<Self, TooLong> {
        Ok(Self { block_id: whole("block_id", block_id, limits::ID)?, buttons: Vec::new() })
    }

    /// Adds a button.
    #[must_use]
    pub fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buttons.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        let buttons: Vec<_> = self.buttons.iter().take(limits::ACTIONS_ELEMENTS).map(Button::to_json).collect();
        json!({"type": "actions", "block_id": self.block_id, "elements": buttons})
    }
}

/// How a button looks, where it is not neutral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Green: the expected answer.
    Primary,
    /// Red: the answer that stops something.
    Danger,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    action_id: String,
    label: Plain,
    value: Option<String>,
    url: Option<String>,
    style: Option<Style>,
    confirm: Option<Confirm>,
}

impl Button {
    /// A button whose clicks come as `action_id`.
    ///
    /// # Errors
    ///
    /// If the identifier is longer than 255 characters.
    pub fn new(action_id: impl Into<String>, label: Plain) -> Result<Self, TooLong> {
        let action_id = whole("action_id", action_id, limits::ID)?;
        Ok(Self { action_id, label, value: None, url: None, style: None, confirm: None })
    }

    /// What comes back with a click. Everybody in the channel can read it.
    ///
    /// # Errors
    ///
    /// If it is longer than 2000 characters.
    pub fn value(mut self, value: impl Into<String>) -> Result<Self, TooLong> {
        self.value = Some(whole("value of a button", value, limits::BUTTON_VALUE)?);
        Ok(self)
    }

    /// A page that a click opens. The click is sent as well.
    ///
    /// # Errors
    ///
    /// If it is longer than 3000 characters.
    pub fn url(mut self, url: &Url) -> Result<Self, TooLong> {
        self.url = Some(whole("url of a button", url.as_str(), limits::URL)?);
        Ok(self)
    }

    /// How it looks.
    #[must_use]
    pub fn style(mut self, style: Style) -> Self {
        self.style = Some(style);
        self
    }

    /// A question before the click counts.
    #[must_use]
    pub fn confirm(mut self, confirm: Confirm) -> Self {
        self.confirm = Some(confirm);
        self
    }

    fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("type".into(), "button".into());
        json.insert("action_id".into(), self.action_id.clone().into());
        json.insert("text".into(), plain_text(&self.label, limits::BUTTON_TEXT));
        if let Some(value) = &self.value {
            json.insert("value".into(), value.clone().into());
        }
        if let Some(url) = &self.url {
            json.insert("url".into(), url.clone().into());
        }
        if let Some(style) = self.style {
            let name = match style {
                Style::Primary => "primary",
                Style::Danger => "danger",
            };
            json.insert("style".into(), name.into());
        }
        if let Some(confirm) = &self.confirm {
            json.insert("confirm".into(), confirm.to_json());
        }
        Value::Object(json)
    }
}

/// A question before a click counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Its title, cut at 100 characters.
    pub title: Plain,
    /// The question, cut at 300 characters.
    pub text: Text,
    /// The button that goes on, cut at 30 characters.
    pub confirm: Plain,
    /// The button that does not, cut at 30 characters.
    pub deny: Plain,
}

impl Confirm {
    fn to_json(&self) -> Value {
        json!({
            "title": plain_text(&self.title, limits::CONFIRM_TITLE),
            "text": mrkdwn(&self.text.cut(limits::CONFIRM_TEXT).to_markup()),
            "confirm": plain_text(&self.confirm, limits::CONFIRM_BUTTON),
            "deny": plain_text(&self.deny, limits::CONFIRM_BUTTON),
        })
    }
}
