//! Slack for Lambda functions.
//!
//! * [`signature`]: whether a request comes from Slack.
//! * [`Text`] and [`Plain`]: text in which nothing foreign can mention, link or pretend.
//! * [`blocks`]: the part of Block Kit that Stagegate speaks, within Slack's limits.
//! * [`interaction`]: clicks and submitted modals.
//! * [`SlackClient`] and [`Webhook`]: sending, with Slack's rate limits and a deadline.
//!
//! ```
//! use stagegate_slack::blocks::{Actions, Button, Message, Style};
//! use stagegate_slack::{Plain, Text};
//!
//! let commit = "fix <!channel> & more";
//! let message = Message::new(Text::escaped("web: version 7 waits for an approval"))
//!     .header(Plain::new("web 7"))
//!     .section(Text::bold("Change") + Text::literal(" ") + Text::escaped(commit))
//!     .actions(Actions::new("decide")?.button(Button::new("approve", Plain::new("Approve"))?.style(Style::Primary)));
//! assert!(message.to_json().to_string().contains("fix &lt;!channel&gt; &amp; more"));
//! # Ok::<(), stagegate_slack::blocks::TooLong>(())
//! ```
//!
//! # What holds
//!
//! * **Only text of this crate reaches Slack's markup**: a [`Text`] is made of literals of the program, of templates of its
//!   owner, and of escaped text.
//! * **Slack's limits hold** without losing the buttons: long text is split or cut between two characters, and says so.
//! * **A message is not repeated behind the caller's back.** Slack offers nothing by which a second `chat.postMessage` could
//!   be recognised, so a post is tried again only where Slack has said that it did not happen (429), or where it was never
//!   sent. Otherwise the error says that it may have been posted ([`SlackError::may_have_been_done`]).
//! * **No secret is shown** by `Debug` or by an error: tokens, signing secrets, webhook and response URLs.

pub mod blocks;
mod client;
mod ids;
pub mod interaction;
mod length;
mod plain;
mod secret;
pub mod signature;
mod text;

pub use client::{
    ApiUrl, ErrorKind, HttpClient, METHODS, Method, Posted, ResponseUrl, SLACK_URL_VARIABLE, SlackClient, SlackError,
    UnusableUrl, User, View, Visibility, Webhook,
};
pub use ids::{AppId, ChannelId, GroupId, InvalidId, MessageTs, TeamId, UserId};
pub use plain::Plain;
pub use secret::{BotToken, SigningSecret};
pub use text::Text;
