//! A Slack for tests and demos.
//!
//! It serves the Web API methods that Stagegate uses, with Slack's limits and error codes, incoming webhooks and response
//! URLs, and a page that shows each channel as Slack would. Whoever clicks there, or through [`Slack::click`], is one of
//! its people; the click goes, correctly signed, to the app's interactivity URL.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use stagegate_local_slack::{Options, Slack};
//!
//! let slack = Slack::start(Options::default()).await?;
//! println!("STAGEGATE_SLACK_URL={} and a page at {}", slack.api_url(), slack.page_url());
//! slack.set_interactivity_url("http://127.0.0.1:4000/");
//! let waiting = slack.until(|state| state.find("C0001", "Approve?").cloned()).await;
//! slack.click("U0001", "C0001", &waiting.ts, "approve").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Where Slack's behaviour is not documented, this Slack is strict: it refuses a reply to a message that is not there, and
//! two elements with the same identifier.

mod api;
mod fault;
mod hooks;
mod interact;
pub mod page;
mod serve;
mod state;
mod validate;
mod view;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagegate_slack::{BotToken, SigningSecret};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

pub use api::ApiCall;
pub use fault::{Fault, Injection};
pub use interact::{ClickError, Delivery};
pub use state::{Channel, Group, Message, Person, State};
pub use view::View;

/// How to start a Slack.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port, 0 for any free one.
    pub port: u16,
    /// The channels. The app is in all of them.
    pub channels: Vec<Channel>,
    /// The people.
    pub people: Vec<Person>,
    /// The user groups.
    pub groups: Vec<Group>,
    /// How long the app has to acknowledge a click; Slack gives it three seconds.
    pub acknowledge_within: Duration,
    /// How long a trigger opens a modal; in Slack three seconds.
    pub trigger_lifetime: Duration,
}

impl Default for Options {
    /// Two channels (`releases`, `oncall`), five people, and the group `release-managers` of the first three.
    fn default() -> Self {
        Self {
            port: 0,
            channels: vec![Channel::new("C0001", "releases"), Channel::new("C0002", "oncall")],
            people: vec![
                Person::new("U0001", "Ada Adler", "ada@example.com"),
                Person::new("U0002", "Ben Boyd", "ben@example.com"),
                Person::new("U0003", "Cora Chen", "cora@example.com"),
                Person::new("U0004", "Dan Diaz", "dan@example.com"),
                Person::new("U0005", "Eve Evans", "eve@elsewhere.example"),
            ],
            groups: vec![Group::new("S0001", "release-managers", &["U0001", "U0002", "U0003"])],
            acknowledge_within: Duration::from_secs(3),
            trigger_lifetime: Duration::from_secs(3),
        }
    }
}

/// Why it does not start. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// A running Slack. Clones are handles to the same one; its server ends with the last of them.
#[derive(Clone)]
pub struct Slack {
    shared: Arc<Shared>,
    #[expect(dead_code, reason = "it is held, so that the server ends with the last handle")]
    server: Option<Arc<AbortOnDropHandle<()>>>,
}

/// What the server and the handles share.
struct Shared {
    address: SocketAddr,
    signing_secret: (String, SigningSecret),
    bot_token: (String, BotToken),
    acknowledge_within: Duration,
    trigger_lifetime: Duration,
    state: Mutex<State>,
    /// Counts the changes of the state.
    revision: watch::Sender<u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under the lock has failed a test already; what is there is still worth showing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and says so to everybody who looks at it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.revision.send_modify(|revision| *revision += 1);
        result
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Slack {
    /// Starts a Slack on a loopback port, with a signing secret and a bot token of its own.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        serve::start(options).await
    }

    /// The base of the Web API, for `STAGEGATE_SLACK_URL`.
    pub fn api_url(&self) -> String {
        self.shared.url("/api/")
    }

    /// The page.
    pub fn page_url(&self) -> String {
        self.shared.url("/")
    }

    /// An incoming webhook of a channel; a new one for each call.
    pub fn webhook_url(&self, channel: &str) -> String {
        let path = self.shared.change(|state| state.add_webhook(channel));
        self.shared.url(&path)
    }

    /// The app's signing secret, as it is to be stored for the app.
    pub fn signing_secret(&self) -> &str {
        &self.shared.signing_secret.0
    }

    /// The app's bot token, as it is to be stored for the app.
    pub fn bot_token(&self) -> &str {
        &self.shared.bot_token.0
    }

    /// Where clicks go from now on.
    pub fn set_interactivity_url(&self, url: &str) {
        self.shared.change(|state| state.interactivity_url = Some(url.to_owned()));
    }

    /// Adds a channel, if there is none with this id.
    pub fn add_channel(&self, channel: Channel) {
        self.shared.change(|state| {
            if state.channel(&channel.id).is_none() {
                state.channels.push(channel);
            }
        });
    }

    /// Lets coming requests fail.
    pub fn inject(&self, injection: Injection) {
        self.shared.change(|state| state.faults.push(injection));
    }

    /// Lets no request fail any more.
    pub fn recover(&self) {
        self.shared.change(|state| state.faults.clear());
    }

    /// Looks at the state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.state())
    }

    /// Waits until there is something to find. Never gives up: put a timeout around it.
    pub async fn until<T>(&self, mut find: impl FnMut(&State) -> Option<T>) -> T {
        let mut revision = self.shared.revision.subscribe();
        loop {
            if let Some(found) = self.look(&mut find) {
                return found;
            }
            // The sender lives as long as this handle.
            let _ = revision.changed().await;
        }
    }

    /// A number that changes with the state.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }
}
