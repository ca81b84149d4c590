//! What is said, in the words of each kind of channel.

use serde_json::Value;
use stagegate_slack::blocks;

use crate::Card;

/// The longest text of an e-mail, in bytes, so that it fits into a message of SNS beside JSON.
const TEXT: usize = 64 * 1024;
/// The longest subject that SNS takes; it must be ASCII without line ends (AWS SNS API reference, Publish).
const SUBJECT: usize = 100;

/// Something cannot be put into words. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsayable(pub String);

/// Something that can be said in every kind of channel.
pub trait Say: Sync {
    /// For Slack; `is_interactive` where people can click.
    ///
    /// # Errors
    ///
    /// If it cannot be put into words.
    fn slack(&self, is_interactive: bool) -> Result<blocks::Message, Unsayable>;

    /// For people who read e-mail.
    ///
    /// # Errors
    ///
    /// If it cannot be put into words.
    fn mail(&self) -> Result<Mail, Unsayable>;

    /// For Microsoft Teams.
    ///
    /// # Errors
    ///
    /// If it cannot be put into words.
    fn card(&self) -> Result<Card, Unsayable>;

    /// For programs: an object.
    fn data(&self) -> Value;

    /// For the program behind a webhook, which may want another form.
    fn webhook_data(&self) -> Value {
        self.data()
    }
}

/// A text with a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    subject: String,
    text: String,
}

impl Mail {
    /// A subject, of which what SNS does not take becomes `?`, and a text; what is too long is cut.
    pub fn new(subject: &str, mut text: String) -> Self {
        if text.len() > TEXT {
            text.truncate(text.floor_char_boundary(TEXT));
            text.push_str("\n...");
        }
        let subject: String =
            subject.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT).collect();
        // SNS wants a letter, a digit or a mark at the beginning, and something at all.
        let subject = subject.trim().to_owned();
        Self { subject: if subject.is_empty() { "Stagegate".to_owned() } else { subject }, text }
    }

    /// The subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}
