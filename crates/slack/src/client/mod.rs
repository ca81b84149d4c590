//! Sending to Slack.

mod api;
mod error;
mod history;
mod http;
mod url;
mod webhook;

pub use api::{METHODS, Method, Posted, SlackClient, User, View, Visibility};
pub use error::{ErrorKind, SlackError};
pub use stagegate_http_client::HttpClient;
pub use url::{ApiUrl, ResponseUrl, SLACK_URL_VARIABLE, UnusableUrl};
pub use webhook::Webhook;
