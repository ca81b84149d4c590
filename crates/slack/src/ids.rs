//! Slack's identifiers, checked so that none of them can carry anything else into markup or a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest identifier that is taken.
const MAX_LENGTH: usize = 64;

/// A text is not such an identifier. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {text:?} as {kind}, such as {example}")]
pub struct InvalidId {
    kind: &'static str,
    example: &'static str,
    text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $example:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if text.len() <= MAX_LENGTH && is_valid(text) {
                    return Ok(Self(text.to_owned()));
                }
                let text = text.chars().take(MAX_LENGTH).collect();
                Err(InvalidId { kind: $kind, example: $example, text })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A person.
    UserId, "a Slack user id", "U0123456789", |text| starts_with(text, "UW")
}

id! {
    /// A user group.
    GroupId, "a Slack user group id", "S0123456789", |text| starts_with(text, "S")
}

id! {
    /// A channel, a group conversation or a direct message.
    ChannelId, "a Slack channel id", "C0123456789", |text| starts_with(text, "CGD")
}

id! {
    /// A workspace.
    TeamId, "a Slack workspace id", "T0123456789", |text| starts_with(text, "TE")
}

id! {
    /// An app.
    AppId, "a Slack app id", "A0123456789", |text| starts_with(text, "A")
}

id! {
    /// The time of a message, by which it is known in its channel. Slack's own text is kept, since it is no number.
    MessageTs, "the ts of a Slack message", "1608059435.001000", |text| {
        text.split_once('.').is_some_and(|(seconds, micros)| {
            [seconds, micros].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }
}

/// An upper-case letter of a few, then letters and digits.
fn starts_with(text: &str, first: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|character| first.contains(character))
        && text.len() > 1
        && characters.all(|character| character.is_ascii_uppercase() || character.is_ascii_digit())
}
