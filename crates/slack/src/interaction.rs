//! Clicks and submitted modals, as Slack sends them to the app's interactivity URL.
//!
//! What decides something is read strictly: a payload without it is refused with its name. Everything else may be missing,
//! and what is new is not looked at.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use crate::signature::VerifiedBody;
use crate::{AppId, ChannelId, MessageTs, ResponseUrl, TeamId, UserId};

/// The longest body that is read, in bytes. A view may have 250 KB, and percent encoding triples that.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Why a payload is not understood. Reads after "failed to". Never shows what the payload contains.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InteractionError {
    /// The body is too large.
    #[error("read the interaction: its body has {length} bytes, and {MAX_BODY_BYTES} are allowed")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// The body is no form with one field `payload`.
    #[error("read the interaction: a form with one field \"payload\" is expected, and there are {found}")]
    NoPayload {
        /// How many fields of that name there are.
        found: usize,
    },
    /// The payload is no JSON.
    #[error("read the interaction: its payload is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A field that is needed is missing or has another form.
    #[error("read the interaction: {0} is missing or is not what Slack sends there")]
    Field(&'static str),
}

/// What a person did.
#[derive(Clone, Debug, PartialEq)]
pub enum Interaction {
    /// A click on an element of a message or of a modal.
    BlockActions(BlockActions),
    /// A modal was submitted.
    ViewSubmission(Submission),
    /// A modal was closed without being submitted.
    ViewClosed(Submission),
    /// Something else; its type.
    Other(String),
}

/// Who did it, and where the app is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The app whose element it was.
    pub app: AppId,
    /// The workspace.
    pub team: TeamId,
    /// The person.
    pub user: UserId,
    /// The person's name in Slack, for logs only.
    pub user_name: Option<String>,
}

/// A click.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockActions {
    /// Who and where.
    pub origin: Origin,
    /// The message that was clicked in, if it was one.
    pub message: Option<ClickedMessage>,
    /// What was clicked. There is at least one.
    pub actions: Vec<Action>,
    /// With it a modal can be opened, within three seconds and once.
    pub trigger_id: String,
    /// Where to answer without a token, five times within 30 minutes.
    pub response_url: Option<ResponseUrl>,
}

/// The message that an element was clicked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickedMessage {
    /// Its channel.
    pub channel: ChannelId,
    /// The message.
    pub ts: MessageTs,
    /// Whether only the clicker sees it.
    pub is_ephemeral: bool,
}

/// One clicked element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The element.
    pub action_id: String,
    /// Its block.
    pub block_id: String,
    /// What the element carries.
    pub value: Option<String>,
}

/// A modal that was submitted or closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// Who and where.
    pub origin: Origin,
    /// The view.
    pub view_id: String,
    /// Which modal it was.
    pub callback_id: String,
    /// What the app gave it.
    pub private_metadata: String,
    /// The state of the view, so that an update does not overwrite a newer one.
    pub hash: Option<String>,
    /// What was filled in, by block and element. Fields that stayed empty are missing.
    pub values: BTreeMap<(String, String), String>,
}

impl Submission {
    /// What was written into a field, without blanks around it; `None` where that is nothing.
    pub fn value(&self, block_id: &str, action_id: &str) -> Option<&str> {
        let value = self.values.get(&(block_id.to_owned(), action_id.to_owned()))?.trim();
        (!value.is_empty()).then_some(value)
    }
}

impl Interaction {
    /// Reads a body whose signature was verified.
    ///
    /// # Errors
    ///
    /// If it is not what Slack sends.
    pub fn parse(body: VerifiedBody<'_>) -> Result<Self, InteractionError> {
        let payload = payload(body.bytes())?;
        match text(&payload, "/type").ok_or(InteractionError::Field("type"))? {
            "block_actions" => block_actions(&payload).map(Self::BlockActions),
            "view_submission" => submission(&payload).map(Self::ViewSubmission),
            "view_closed" => submission(&payload).map(Self::ViewClosed),
            other => Ok(Self::Other(other.chars().filter(|c| c.is_ascii_graphic()).take(50).collect())),
        }
    }
}

fn payload(body: &[u8]) -> Result<Value, InteractionError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(InteractionError::TooLarge { length: body.len() });
    }
    let mut payloads: Vec<_> = form_urlencoded::parse(body).filter(|(name, _)| name == "payload").collect();
    match (payloads.pop(), payloads.len()) {
        (Some((_, payload)), 0) => serde_json::from_str(&payload)
            .map_err(|error| InteractionError::NotJson { line: error.line(), column: error.column() }),
        (last, others) => Err(InteractionError::NoPayload { found: others + usize::from(last.is_some()) }),
    }
}

fn block_actions(payload: &Value) -> Result<BlockActions, InteractionError> {
    let actions = payload["actions"].as_array().into_iter().flatten().map(action).collect::<Result<Vec<_>, _>>()?;
    if actions.is_empty() {
        return Err(InteractionError::Field("actions"));
    }
    Ok(BlockActions {
        origin: origin(payload)?,
        message: clicked_message(payload)?,
        actions,
        trigger_id: text(payload, "/trigger_id").ok_or(InteractionError::Field("trigger_id"))?.to_owned(),
        response_url: match text(payload, "/response_url") {
            None | Some("") => None,
            Some(url) => Some(ResponseUrl::new(url).map_err(|_| InteractionError::Field("response_url"))?),
        },
    })
}

fn action(action: &Value) -> Result<Action, InteractionError> {
    let needed =
        |name: &'static str, place| text(action, place).map(str::to_owned).ok_or(InteractionError::Field(name));
    Ok(Action {
        action_id: needed("actions[].action_id", "/action_id")?,
        block_id: needed("actions[].block_id", "/block_id")?,
        value: text(action, "/value").map(str::to_owned),
    })
}

/// Slack names the message in `container`; `channel` and `message` say the same where they are there.
fn clicked_message(payload: &Value) -> Result<Option<ClickedMessage>, InteractionError> {
    let first = |places: [&str; 2]| places.into_iter().find_map(|place| text(payload, place));
    let channel = first(["/container/channel_id", "/channel/id"]);
    let ts = first(["/container/message_ts", "/message/ts"]);
    let agrees = |place, taken: Option<&str>| text(payload, place).is_none_or(|other| taken == Some(other));
    if !agrees("/channel/id", channel) {
        return Err(InteractionError::Field("channel.id"));
    }
    if !agrees("/message/ts", ts) {
        return Err(InteractionError::Field("message.ts"));
    }
    match (channel, ts) {
        (None, None) => Ok(None),
        (channel, ts) => Ok(Some(ClickedMessage {
            channel: parse(channel, "container.channel_id")?,
            ts: parse(ts, "container.message_ts")?,
            is_ephemeral: payload["container"]["is_ephemeral"].as_bool().unwrap_or(false),
        })),
    }
}

fn submission(payload: &Value) -> Result<Submission, InteractionError> {
    let needed =
        |name: &'static str, place| text(payload, place).map(str::to_owned).ok_or(InteractionError::Field(name));
    let mut values = BTreeMap::new();
    for (block_id, elements) in payload["view"]["state"]["values"].as_object().into_iter().flatten() {
        for (action_id, state) in elements.as_object().into_iter().flatten() {
            if let Some(value) = text(state, "/value") {
                values.insert((block_id.clone(), action_id.clone()), value.to_owned());
            }
        }
    }
    Ok(Submission {
        origin: origin(payload)?,
        view_id: needed("view.id", "/view/id")?,
        callback_id: needed("view.callback_id", "/view/callback_id")?,
        private_metadata: needed("view.private_metadata", "/view/private_metadata")?,
        hash: text(payload, "/view/hash").map(str::to_owned),
        values,
    })
}

/// Of an app that is installed in a whole organisation, Slack names no team, only that of the person.
fn origin(payload: &Value) -> Result<Origin, InteractionError> {
    let team = text(payload, "/team/id").or_else(|| text(payload, "/user/team_id"));
    Ok(Origin {
        app: parse(text(payload, "/api_app_id").or_else(|| text(payload, "/view/app_id")), "api_app_id")?,
        team: parse(team, "team.id")?,
        user: parse(text(payload, "/user/id"), "user.id")?,
        user_name: text(payload, "/user/username").or_else(|| text(payload, "/user/name")).map(str::to_owned),
    })
}

fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str()
}

fn parse<T: FromStr>(text: Option<&str>, name: &'static str) -> Result<T, InteractionError> {
    text.and_then(|text| text.parse().ok()).ok_or(InteractionError::Field(name))
}
