//! The methods of Slack's Web API that Stagegate uses.

use ::http::{HeaderValue, Method as HttpMethod};
use ::url::Url;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use stagegate_http_client::{HttpClient, Patience};
use tokio::time::Instant;

use super::error::{Problem, SlackError};
use super::http::{Answer, Call, send};
use super::url::ApiUrl;
use crate::blocks::{Message, Modal};
use crate::{BotToken, ChannelId, GroupId, MessageTs, UserId};

/// A method of the Web API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// The scopes that the bot token needs for it.
    pub scopes: &'static [&'static str],
    /// Whether doing it twice is the same as doing it once.
    is_repeatable: bool,
}

impl Method {
    const fn once(name: &'static str, scopes: &'static [&'static str]) -> Self {
        Self { name, scopes, is_repeatable: false }
    }

    const fn repeatable(name: &'static str, scopes: &'static [&'static str]) -> Self {
        Self { name, scopes, is_repeatable: true }
    }
}

const POST_MESSAGE: Method = Method::once("chat.postMessage", &["chat:write"]);
const POST_EPHEMERAL: Method = Method::once("chat.postEphemeral", &["chat:write"]);
const UPDATE: Method = Method::repeatable("chat.update", &["chat:write"]);
const GET_PERMALINK: Method = Method::repeatable("chat.getPermalink", &[]);
const VIEWS_OPEN: Method = Method::once("views.open", &[]);
const VIEWS_UPDATE: Method = Method::repeatable("views.update", &[]);
const USERS_INFO: Method = Method::repeatable("users.info", &["users:read", "users:read.email"]);
const USERS_LOOKUP: Method = Method::repeatable("users.lookupByEmail", &["users:read.email"]);
const GROUP_USERS: Method = Method::repeatable("usergroups.users.list", &["usergroups:read"]);

/// The first depends on the kind of the channel; without the last one, marks may not be seen, and what is there be missed.
const HISTORY_SCOPES: &[&str] = &["channels:history", "groups:history", "metadata.message:read"];
pub(super) const HISTORY: Method = Method::repeatable("conversations.history", HISTORY_SCOPES);
pub(super) const REPLIES: Method = Method::repeatable("conversations.replies", HISTORY_SCOPES);

/// Every method that is called, so that the app's manifest can name exactly the scopes that are needed.
pub const METHODS: [Method; 11] = [
    POST_MESSAGE,
    POST_EPHEMERAL,
    UPDATE,
    GET_PERMALINK,
    VIEWS_OPEN,
    VIEWS_UPDATE,
    USERS_INFO,
    USERS_LOOKUP,
    GROUP_USERS,
    HISTORY,
    REPLIES,
];

/// A message that Slack has taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Posted {
    /// The channel.
    pub channel: ChannelId,
    /// The message in it.
    pub ts: MessageTs,
}

/// An open modal view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: String,
    /// Its state.
    pub hash: Option<String>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// What to call them.
    pub name: String,
    /// The address, where the person's workspace shows it. Slack has confirmed it where `is_email_confirmed` says so.
    pub email: Option<String>,
    /// Whether Slack says that the address was confirmed.
    pub is_email_confirmed: bool,
    /// A program.
    pub is_bot: bool,
    /// Deactivated.
    pub is_deleted: bool,
    /// A guest, of one or more channels.
    pub is_guest: bool,
    /// From another workspace.
    pub is_stranger: bool,
}

/// Who sees a reply to an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody in the channel.
    Channel,
    /// The person who acted.
    Ephemeral,
}

/// The Web API with a bot token.
///
/// Every call ends at its deadline at the latest. Until then, what Slack limits is sent again after the pause that Slack
/// asks for, and passing failures are tried again where that cannot do anything twice.
#[derive(Clone, Debug)]
pub struct SlackClient {
    http: HttpClient,
    base: ApiUrl,
    token: BotToken,
}

impl SlackClient {
    /// A client. Make it once and keep it, with its connections.
    pub fn new(http: HttpClient, base: ApiUrl, token: BotToken) -> Self {
        Self { http, base, token }
    }

    /// Posts a message, in a thread where one is given.
    ///
    /// # Errors
    ///
    /// Why Slack has not taken it, or that this is not known.
    pub async fn post_message(
        &self,
        channel: &ChannelId,
        thread: Option<&MessageTs>,
        message: &Message,
        deadline: Instant,
    ) -> Result<Posted, SlackError> {
        let mut body = quiet(message, channel);
        if let Some(thread) = thread {
            body.insert("thread_ts".into(), thread.as_str().into());
        }
        let answer = self.post(POST_MESSAGE, body, deadline).await?;
        posted(POST_MESSAGE, &answer, channel)
    }

    /// Replaces a message.
    ///
    /// # Errors
    ///
    /// Why Slack has not done it.
    pub async fn update(&self, posted: &Posted, message: &Message, deadline: Instant) -> Result<(), SlackError> {
        let mut body = quiet(message, &posted.channel);
        body.insert("ts".into(), posted.ts.as_str().into());
        self.post(UPDATE, body, deadline).await.map(|_| ())
    }

    /// Shows a message to one person in a channel, until they reload. Slack does not say whether they saw it.
    ///
    /// # Errors
    ///
    /// Why Slack has not taken it, or that this is not known.
    pub async fn post_ephemeral(
        &self,
        channel: &ChannelId,
        user: &UserId,
        message: &Message,
        deadline: Instant,
    ) -> Result<(), SlackError> {
        let mut body = quiet(message, channel);
        body.insert("user".into(), user.as_str().into());
        self.post(POST_EPHEMERAL, body, deadline).await.map(|_| ())
    }

    /// Opens a modal for the person who clicked, within three seconds of the click.
    ///
    /// # Errors
    ///
    /// Why Slack has not done it.
    pub async fn open_view(&self, trigger_id: &str, modal: &Modal, deadline: Instant) -> Result<View, SlackError> {
        let body = json!({"trigger_id": trigger_id, "view": modal.to_json()});
        let answer = self.post(VIEWS_OPEN, object(body), deadline).await?;
        view(VIEWS_OPEN, &answer)
    }

    /// Replaces what a modal shows, if its state is still that of `hash` where one is given.
    ///
    /// # Errors
    ///
    /// Why Slack has not done it.
    pub async fn update_view(
        &self,
        id: &str,
        hash: Option<&str>,
        modal: &Modal,
        deadline: Instant,
    ) -> Result<View, SlackError> {
        let mut body = object(json!({"view_id": id, "view": modal.to_json()}));
        if let Some(hash) = hash {
            body.insert("hash".into(), hash.into());
        }
        let answer = self.post(VIEWS_UPDATE, body, deadline).await?;
        view(VIEWS_UPDATE, &answer)
    }

    /// Who a person is.
    ///
    /// # Errors
    ///
    /// Why Slack does not say.
    pub async fn user(&self, id: &UserId, deadline: Instant) -> Result<User, SlackError> {
        let answer = self.get(USERS_INFO, &[("user", id.as_str())], deadline).await?;
        user(USERS_INFO, &answer)
    }

    /// The person with an e-mail address; `None` where the workspace has nobody with it.
    ///
    /// # Errors
    ///
    /// Why Slack does not say.
    pub async fn user_by_email(&self, email: &str, deadline: Instant) -> Result<Option<User>, SlackError> {
        match self.get(USERS_LOOKUP, &[("email", email)], deadline).await {
            Ok(answer) => user(USERS_LOOKUP, &answer).map(Some),
            Err(error) if error.code() == Some("users_not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The people of a user group.
    ///
    /// # Errors
    ///
    /// Why Slack does not say.
    pub async fn group_users(&self, group: &GroupId, deadline: Instant) -> Result<Vec<UserId>, SlackError> {
        let answer = self.get(GROUP_USERS, &[("usergroup", group.as_str())], deadline).await?;
        let users = answer.get("users").and_then(Value::as_array).ok_or_else(|| unlike(GROUP_USERS, "users"))?;
        let ids = users.iter().map(|id| id.as_str()?.parse().ok());
        ids.collect::<Option<_>>().ok_or_else(|| unlike(GROUP_USERS, "users"))
    }

    /// A link to a message.
    ///
    /// # Errors
    ///
    /// Why Slack does not give one.
    pub async fn permalink(&self, posted: &Posted, deadline: Instant) -> Result<Url, SlackError> {
        let query = [("channel", posted.channel.as_str()), ("message_ts", posted.ts.as_str())];
        let answer = self.get(GET_PERMALINK, &query, deadline).await?;
        let link = answer.get("permalink").and_then(Value::as_str).and_then(|link| link.parse().ok());
        link.ok_or_else(|| unlike(GET_PERMALINK, "permalink"))
    }

    async fn post(
        &self,
        method: Method,
        body: Map<String, Value>,
        deadline: Instant,
    ) -> Result<Map<String, Value>, SlackError> {
        let body = Bytes::from(Value::Object(body).to_string());
        self.call(method, HttpMethod::POST, self.base.method(method.name), body, deadline).await
    }

    /// Slack's methods that read take no JSON.
    pub(super) async fn get(
        &self,
        method: Method,
        query: &[(&str, &str)],
        deadline: Instant,
    ) -> Result<Map<String, Value>, SlackError> {
        let mut url = self.base.method(method.name);
        url.query_pairs_mut().extend_pairs(query);
        self.call(method, HttpMethod::GET, url, Bytes::new(), deadline).await
    }

    async fn call(
        &self,
        method: Method,
        http_method: HttpMethod,
        url: Url,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Map<String, Value>, SlackError> {
        let failed = |problem, may_have_been_done| SlackError::new(method.name, problem, may_have_been_done);
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token.expose()));
        let Some(mut bearer) = bearer.ok().filter(|_| !self.token.is_empty()) else {
            return Err(failed(Problem::NoToken, false));
        };
        bearer.set_sensitive(true);
        let is_repeatable = method.is_repeatable;
        let authorization = Some(bearer);
        let call = Call { name: method.name, method: http_method, url, authorization, body, is_repeatable };
        let answer = send(&self.http, &call, &mut Patience::until(deadline)).await;
        let answer = answer.map_err(|(problem, may_have_been_done)| failed(problem, may_have_been_done))?;
        accepted(&answer).map_err(|problem| {
            // An answer that is not Slack's says nothing about what was done.
            let is_unknown = matches!(problem, Problem::NotSlack(_)) && !is_repeatable;
            failed(problem, is_unknown)
        })
    }
}

/// The JSON of an answer with `"ok": true`.
fn accepted(answer: &Answer) -> Result<Map<String, Value>, Problem> {
    if answer.status != 200 {
        return Err(Problem::Status { status: answer.status });
    }
    let Some(json) = &answer.json else {
        return Err(Problem::NotSlack("it is no JSON object".to_owned()));
    };
    match json.get("ok") {
        Some(Value::Bool(true)) => Ok(json.clone()),
        Some(Value::Bool(false)) if !answer.code().is_empty() => Err(answer.refusal(detail(json))),
        _ => Err(Problem::NotSlack("it has no \"ok\"".to_owned())),
    }
}

/// What Slack adds to its word: the scope that is missing, or the places of blocks that it does not take.
fn detail(json: &Map<String, Value>) -> Option<String> {
    let needed = json.get("needed").and_then(Value::as_str).map(|scope| format!("needed: {scope}"));
    let errors = json.get("errors").or_else(|| json.get("response_metadata")?.get("messages"));
    let errors = errors.and_then(Value::as_array).map(|errors| errors.iter().filter_map(Value::as_str));
    let detail = needed.or_else(|| errors.map(|errors| errors.collect::<Vec<_>>().join(", ")))?;
    Some(detail.chars().filter(|c| !c.is_control()).take(300).collect())
}

/// The fields of a message for a channel, with which Slack finds no links or names in it and shows no previews.
fn quiet(message: &Message, channel: &ChannelId) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("channel".into(), channel.as_str().into());
    body.extend(message.to_fields());
    body.insert("parse".into(), "none".into());
    body.insert("link_names".into(), false.into());
    body.insert("unfurl_links".into(), false.into());
    body.insert("unfurl_media".into(), false.into());
    body
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Slack said yes, and the answer lacks what it should have. The thing was done.
pub(super) fn unlike(method: Method, field: &str) -> SlackError {
    let problem = Problem::NotSlack(format!("its \"{field}\" is missing or has another form"));
    SlackError::new(method.name, problem, !method.is_repeatable)
}

fn posted(method: Method, answer: &Map<String, Value>, channel: &ChannelId) -> Result<Posted, SlackError> {
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    let ts = field("ts").and_then(|ts| ts.parse().ok()).ok_or_else(|| unlike(method, "ts"))?;
    let channel = field("channel").and_then(|id| id.parse().ok()).unwrap_or_else(|| channel.clone());
    Ok(Posted { channel, ts })
}

fn view(method: Method, answer: &Map<String, Value>) -> Result<View, SlackError> {
    let view = answer.get("view").unwrap_or(&Value::Null);
    let id = view["id"].as_str().ok_or_else(|| unlike(method, "view"))?.to_owned();
    Ok(View { id, hash: view["hash"].as_str().map(str::to_owned) })
}

fn user(method: Method, answer: &Map<String, Value>) -> Result<User, SlackError> {
    let user = answer.get("user").unwrap_or(&Value::Null);
    let id = user["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| unlike(method, "user"))?;
    let profile = &user["profile"];
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let names = [&profile["display_name"], &profile["real_name"], &user["real_name"], &user["name"]];
    let flag = |name: &str| user[name].as_bool().unwrap_or(false);
    Ok(User {
        name: names.into_iter().find_map(text).unwrap_or_default(),
        id,
        email: text(&profile["email"]),
        is_email_confirmed: flag("is_email_confirmed"),
        is_bot: flag("is_bot"),
        is_deleted: flag("deleted"),
        is_guest: flag("is_restricted") || flag("is_ultra_restricted"),
        is_stranger: flag("is_stranger"),
    })
}
