//! The local Slack beside the local AWS: its channels are those of `stagegate.yaml`, its secrets lie where the functions
//! read them, and its clicks go to the function that answers them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use stagegate_config::{Channel as Configured, Config};
use stagegate_local_aws::LocalAws;
use stagegate_local_slack::{Channel, Options, Slack};
use stagegate_slack::SLACK_URL_VARIABLE;

use crate::exit::CommandError;

/// The parameters in which the functions find the app's secrets.
const BOT_TOKEN: &str = "/stagegate/slack/bot-token";
const SIGNING_SECRET: &str = "/stagegate/slack/signing-secret";

/// The function that clicks go to.
const ANSWERING: &str = "approval-response";

/// Where the configuration lies, seen from the folder of the template.
const CONFIG: &str = "config/stagegate.yaml";

/// Starts a Slack with the channels of the configuration beside the template.
pub(crate) async fn start(port: u16, template: &Path) -> Result<Slack, CommandError> {
    let defaults = Options::default();
    let configured = slack_channels(template);
    let channels = if configured.is_empty() { defaults.channels } else { configured };
    let slack = Slack::start(Options { port, channels, ..defaults }).await;
    slack.map_err(|error| CommandError::unavailable(error.to_string()))
}

/// The app and the workspace of the local Slack.
const APP: &str = "A0001";
const TEAM: &str = "T0001";

/// The parameters by which the template is deployed with Slack, where it is one that has them.
pub(crate) fn parameters(template: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(template).unwrap_or_default();
    let has = |name: &str| text.lines().any(|line| line.trim_end() == format!("  {name}:"));
    let known = [("SlackAppId", APP), ("SlackTeamId", TEAM)].into_iter().filter(|(name, _)| has(name));
    known.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the functions have to know of it.
pub(crate) fn environment(slack: &Slack) -> BTreeMap<String, String> {
    BTreeMap::from([(SLACK_URL_VARIABLE.to_owned(), slack.api_url())])
}

/// Stores the app's secrets and its webhooks, and sends clicks to the function that answers them, where there is one.
pub(crate) fn connect(slack: &Slack, aws: &LocalAws, template: &Path) -> Result<(), CommandError> {
    let put = |name: &str, value: &str| {
        let input = json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
        let stored = aws.ssm().call("PutParameter", &input);
        stored.map_err(|error| CommandError::unavailable(format!("store the parameter {name}: {error}")))
    };
    put(BOT_TOKEN, slack.bot_token())?;
    put(SIGNING_SECRET, slack.signing_secret())?;
    for (number, (name, parameter)) in webhooks(template).into_iter().enumerate() {
        let id = format!("C0WEBHOOK{number}");
        slack.add_channel(Channel::new(&id, &name));
        put(&parameter, &slack.webhook_url(&id))?;
    }
    if let Some((_, url)) = aws.function_urls().into_iter().find(|(name, _)| name.ends_with(ANSWERING)) {
        slack.set_interactivity_url(&url);
    }
    Ok(())
}

/// A configuration that cannot be read is the functions' to complain about, with its place.
pub(crate) fn config(template: &Path) -> Option<Config> {
    Config::load(&template.parent()?.join(CONFIG)).ok()
}

fn slack_channels(template: &Path) -> Vec<Channel> {
    let config = config(template);
    let channels = config.iter().flat_map(Config::channels).filter_map(|(name, channel)| match channel {
        Configured::Slack(id) => Some(Channel::new(id, name)),
        _ => None,
    });
    channels.collect()
}

/// The names of the channels with a webhook of Slack, and the parameters that hold its URL.
fn webhooks(template: &Path) -> Vec<(String, String)> {
    let config = config(template);
    let channels = config.iter().flat_map(Config::channels).filter_map(|(name, channel)| match channel {
        Configured::SlackWebhook(parameter) => Some((name.to_owned(), parameter.clone())),
        _ => None,
    });
    channels.collect()
}
