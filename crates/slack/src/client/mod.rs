//! Sending to Slack.

mod api;
mod error;
mod http;
mod patience;
mod url;
mod webhook;

pub use api::{METHODS, Method, Posted, SlackClient, User, View, Visibility};
pub use error::{ErrorKind, SlackError};
pub use http::HttpClient;
pub use url::{ApiUrl, ResponseUrl, SLACK_URL_VARIABLE, UnusableUrl};
pub use webhook::Webhook;
