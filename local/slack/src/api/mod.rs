//! The Web API: arguments, token, faults, and the methods.

mod arguments;
mod chat;
mod conversations;
mod users;
mod views;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State as Extract};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::fault::{self, Fault};
use crate::state::State;
use crate::validate::Refusal;

pub(crate) use chat::shown;

use arguments::Arguments;

/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// A call that reached the Web API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiCall {
    /// The method, such as `chat.postMessage`.
    pub method: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Slack's answer; `None` where it did nothing, for an injected fault.
    pub answer: Option<Value>,
}

/// Slack's word for why it refuses, with what it adds.
pub(crate) struct Refused(Value);

impl Refused {
    pub(crate) fn word(code: &str) -> Self {
        Self(json!({"ok": false, "error": code}))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let mut answer = json!({"ok": false, "error": refusal.code});
        if !refusal.errors.is_empty() {
            answer["errors"] = refusal.errors.clone().into();
            let messages = refusal.errors.iter().map(|error| format!("[ERROR] {error}"));
            answer["response_metadata"] = json!({"messages": messages.collect::<Vec<_>>()});
        }
        Self(answer)
    }
}

type Answer = Result<Value, Refused>;

/// `POST` and `GET /api/<method>`.
pub(crate) async fn call(
    Extract(shared): Extract<Arc<Shared>>,
    Path(method): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let arguments = Arguments::read(&parts, &body);
    let answer = |state: &mut State| match authorised(&shared, &parts.headers, &arguments) {
        Err(refused) => refused.0,
        Ok(()) => dispatch(&shared, state, &method, &arguments).unwrap_or_else(|refused| refused.0),
    };
    let (fault, answer) = shared.change(|state| {
        let fault = fault::take(&mut state.faults, &method);
        let is_done = !matches!(fault, Some(Fault::RateLimited { .. } | Fault::Status(_)));
        let answer = is_done.then(|| answer(state));
        let mut shown = arguments.all();
        shown.remove("token");
        state.calls.push(ApiCall { method: method.clone(), arguments: shown, answer: answer.clone() });
        (fault, answer)
    });
    respond(fault, answer.unwrap_or_default().to_string(), "application/json; charset=utf-8").await
}

/// Answers as a fault wants it.
pub(crate) async fn respond(fault: Option<Fault>, body: String, content_type: &'static str) -> Response {
    match fault {
        Some(Fault::RateLimited { retry_after }) => {
            let headers = [(RETRY_AFTER, retry_after.to_string()), (CONTENT_TYPE, content_type.to_owned())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, json!({"ok": false, "error": "ratelimited"}).to_string())
                .into_response();
        }
        Some(Fault::Status(status)) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE).into_response();
        }
        Some(Fault::Slow(pause)) => tokio::time::sleep(pause).await,
        Some(Fault::Cut) => {
            let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
            let parts = [Ok(half), Err(std::io::Error::other("cut"))];
            return Body::from_stream(futures_util::stream::iter(parts)).into_response();
        }
        None => {}
    }
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

fn authorised(shared: &Shared, headers: &HeaderMap, arguments: &Arguments) -> Result<(), Refused> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match header.or_else(|| arguments.text("token")) {
        None | Some("") => Err(Refused::word("not_authed")),
        Some(token) if token == shared.bot_token.0 => Ok(()),
        Some(_) => Err(Refused::word("invalid_auth")),
    }
}

fn dispatch(shared: &Shared, state: &mut State, method: &str, arguments: &Arguments) -> Answer {
    match method {
        "chat.postMessage" => chat::post_message(state, arguments),
        "chat.postEphemeral" => chat::post_ephemeral(state, arguments),
        "chat.update" => chat::update(state, arguments),
        "chat.getPermalink" => chat::get_permalink(shared, state, arguments),
        "conversations.history" => conversations::history(state, arguments),
        "conversations.replies" => conversations::replies(state, arguments),
        "views.open" => views::open(shared, state, arguments),
        "views.update" => views::update(state, arguments),
        "users.info" => users::info(state, arguments),
        "users.lookupByEmail" => users::lookup_by_email(state, arguments),
        "usergroups.users.list" => users::group_users(state, arguments),
        _ => Err(Refused::word("unknown_method")),
    }
}

/// What the JSON of a webhook or a response URL shows, or Slack's word for why it does not.
pub(crate) fn content_of(body: &Value) -> Result<crate::state::Message, String> {
    let arguments = Arguments::of(body.as_object().cloned().unwrap_or_default());
    chat::content(&arguments).map_err(|refused| refused.0["error"].as_str().unwrap_or_default().to_owned())
}
