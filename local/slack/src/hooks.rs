//! Incoming webhooks and response URLs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State as Extract};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Shared;
use crate::api::{self, MAX_BODY};
use crate::fault::{self, Fault};
use crate::state::{Message, State};

/// How often and how long a response URL can be used.
const RESPONSES: u32 = 5;
const RESPONSE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The answer of a hook: a status and a word, or JSON.
type Answer = (StatusCode, String);

fn word(status: StatusCode, word: &str) -> Answer {
    (status, word.to_owned())
}

/// `POST /services/<team>/<app>/<secret>`: an incoming webhook.
pub(crate) async fn webhook(
    Extract(shared): Extract<Arc<Shared>>,
    Path((_, _, secret)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    hook(&shared, "webhook", request, |state, body| {
        let Some(channel) = state.webhooks.get(&secret).cloned() else {
            return word(StatusCode::NOT_FOUND, "no_service");
        };
        match state.channel(&channel) {
            None => return word(StatusCode::NOT_FOUND, "channel_not_found"),
            Some(channel) if channel.is_archived => return word(StatusCode::GONE, "channel_is_archived"),
            Some(_) => {}
        }
        match api::content_of(body) {
            Ok(message) => {
                state.post(&channel, Message { by_webhook: true, ..message });
                word(StatusCode::OK, "ok")
            }
            Err(code) => word(StatusCode::BAD_REQUEST, &code),
        }
    })
    .await
}

/// `POST /actions/<team>/<number>/<secret>`: the answer to an interaction.
pub(crate) async fn response_url(
    Extract(shared): Extract<Arc<Shared>>,
    Path((_, _, secret)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    hook(&shared, "response_url", request, |state, body| respond(state, &secret, body)).await
}

fn respond(state: &mut State, secret: &str, body: &Value) -> Answer {
    let refused = |code: &str| (StatusCode::NOT_FOUND, json!({"ok": false, "error": code}).to_string());
    let Some(url) = state.response_urls.get_mut(secret) else { return refused("invalid_url") };
    if url.made.elapsed() > RESPONSE_LIFETIME {
        return refused("expired_url");
    }
    if url.uses >= RESPONSES {
        return refused("used_url");
    }
    url.uses += 1;
    let (user, channel, ts, thread) = (url.user.clone(), url.channel.clone(), url.ts.clone(), url.thread.clone());
    if body["delete_original"] == true {
        if let Some(channel) = state.channel_mut(&channel) {
            channel.messages.retain(|message| message.ts != ts);
        }
        return word(StatusCode::OK, "ok");
    }
    let content = match api::content_of(body) {
        Ok(content) => content,
        Err(code) => return (StatusCode::BAD_REQUEST, json!({"ok": false, "error": code}).to_string()),
    };
    if body["replace_original"] == true {
        let message = state.channel_mut(&channel).and_then(|channel| channel.messages.iter_mut().find(|m| m.ts == ts));
        let Some(message) = message else { return refused("message_not_found") };
        (message.text, message.blocks) = (content.text, content.blocks);
        message.updates += 1;
    } else {
        let only_for = (body["response_type"] != "in_channel").then_some(user);
        state.post(&channel, Message { only_for, thread, ..content });
    }
    word(StatusCode::OK, "ok")
}

async fn hook(
    shared: &Shared,
    name: &str,
    request: Request,
    answer: impl FnOnce(&mut State, &Value) -> Answer,
) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (fault, answer) = shared.change(|state| {
        let fault = fault::take(&mut state.faults, name);
        let is_done = !matches!(fault, Some(Fault::RateLimited { .. } | Fault::Status(_)));
        let answer = is_done.then(|| match serde_json::from_slice::<Value>(&body) {
            Ok(json) if json.is_object() => answer(state, &json),
            _ => word(StatusCode::BAD_REQUEST, "invalid_payload"),
        });
        (fault, answer)
    });
    let (status, body) = answer.unwrap_or_default();
    let mut response = api::respond(fault, body, "text/plain; charset=utf-8").await;
    if fault.is_none() {
        *response.status_mut() = status;
    }
    response
}
