//! Sends to the channels of `stagegate.yaml`, one file for each destination, and says what became of it.
//!
//! * [`Channels::send`] takes a channel, and something that can be said in every kind of channel: a [`Say`], which puts it
//!   into the words of each kind. A [`Bulletin`](stagegate_notice::Bulletin) of a notice is one, and a
//!   [`Digest`](stagegate_notice::Digest) of several.
//! * [`Outcome`] says whether it was delivered, is refused until somebody mends something, is not wanted at all, is to be
//!   tried again and when, or whether nobody knows. Nothing here remembers anything: whoever sends keeps that.
//! * [`Templates`] replace the words of notices, in any kind of channel.
//! * [`Secrets`] are read from Parameter Store, and shown by nothing.
//!
//! # What holds
//!
//! * Text from outside (commits, names, reports) can neither mention nor link nor pretend, in any channel.
//! * What a server may have taken is not sent to it again, unless it can recognise a repetition: a generic webhook can,
//!   by the id of the delivery.
//! * No error shows the URL of a webhook, a token or a key.

mod bulletin;
mod card;
mod channels;
mod digest;
mod inert;
mod outcome;
mod post;
mod say;
mod secrets;
pub mod signature;
mod slack_bot;
mod slack_webhook;
mod sns;
mod teams;
mod template;
mod webhook;

pub use card::{Card, Run};
pub use channels::{Channels, Letter};
pub use inert::{inert, inert_line};
pub use outcome::{Found, Outcome};
pub use say::{Mail, Say, Unsayable};
pub use secrets::{SecretError, Secrets, variable};
pub use sns::ATTRIBUTES;
pub use template::{MEMBERS, TemplateError, Templated, Templates, Variable, samples, variables};
