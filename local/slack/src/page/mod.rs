//! The page: channels as Slack shows them, rendered here and kept up to date by server-sent events.
//!
//! Everything that a person sees comes as HTML; the script only exchanges the parts that have changed. Its pieces can
//! stand on another page: [`router`] serves the actions below a path of its own, and [`render`] gives the parts.

mod blocks;
mod guard;
mod message;
mod modal;
mod mrkdwn;
pub mod render;

use std::collections::HashMap;
use std::convert::Infallible;

use axum::Router;
use axum::extract::{Form, Path, Query, State as Extract};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::{HeaderMap, StatusCode};

use crate::Slack;

pub use guard::same_origin;
use render::Place;

/// The style of messages and modals, with the colours of the whole page.
pub const STYLE: &str = include_str!("../../assets/slack.css");

/// Exchanges the parts of a page that have changed. Works for any page whose body names a stream of events in
/// `data-events`, and whose parts carry `data-part` and `data-version`.
pub const SCRIPT: &str = include_str!("../../assets/live.js");

#[derive(Clone)]
struct Page {
    slack: Slack,
    base: String,
}

/// The page and its actions below the path `base`, which is empty or begins with a slash.
pub fn router(slack: Slack, base: &str) -> Router {
    let page = Page { slack, base: base.to_owned() };
    Router::new()
        .route("/", get(show))
        .route("/archives/{channel}/{message}", get(permalink))
        .route("/events", get(events))
        .route("/click", post(click))
        .route("/submit", post(submit))
        .route("/close", post(close))
        .route("/slack.css", get(|| async { ([("content-type", "text/css; charset=utf-8")], STYLE) }))
        .route("/live.js", get(|| async { ([("content-type", "text/javascript; charset=utf-8")], SCRIPT) }))
        .layer(axum::middleware::from_fn(same_origin))
        .with_state(page)
}

type Fields = HashMap<String, String>;

async fn show(Extract(page): Extract<Page>, Query(query): Query<Fields>) -> Html<String> {
    let place = page.slack.look(|state| Place::new(state, &page.base, &format!("{}/", page.base), &query));
    Html(page.slack.look(|state| render::page(state, &place)).into_string())
}

/// A link to a message leads to it on the page.
async fn permalink(Extract(page): Extract<Page>, Path((channel, message)): Path<(String, String)>) -> Redirect {
    let digits: String = message.chars().filter(char::is_ascii_digit).collect();
    let channel: String = channel.chars().filter(char::is_ascii_alphanumeric).collect();
    Redirect::to(&format!("{}/?channel={channel}#m{digits}", page.base))
}

async fn events(Extract(page): Extract<Page>) -> impl IntoResponse {
    let changes = stream::unfold((page.slack.changes(), true), |(mut changes, is_first)| async move {
        if !is_first {
            changes.changed().await.ok()?;
        }
        let revision = *changes.borrow_and_update();
        Some((Ok::<_, Infallible>(Event::default().data(revision.to_string())), (changes, false)))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

async fn click(Extract(page): Extract<Page>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let clicked = page.slack.click(field("as"), field("channel"), field("ts"), field("action_id")).await;
    done(&page, &headers, &fields, clicked.map(|_| ()))
}

/// The fields of the inputs are named by block and element, with a blank between them.
async fn submit(Extract(page): Extract<Page>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let user = fields.get("as").map_or("", String::as_str);
    let values: Vec<_> = fields
        .iter()
        .filter_map(|(name, value)| name.split_once(' ').map(|(block, action)| (block, action, value.as_str())))
        .collect();
    let submitted = match page.slack.submit(user, &values).await {
        // The modal shows what is wrong.
        Ok(_) | Err(crate::ClickError::Incomplete(_)) => Ok(()),
        Err(error) => Err(error),
    };
    done(&page, &headers, &fields, submitted)
}

async fn close(Extract(page): Extract<Page>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let closed = page.slack.close(fields.get("as").map_or("", String::as_str)).await;
    done(&page, &headers, &fields, closed.map(|_| ()))
}

/// The script exchanges what has changed; without it the page is shown again.
fn done(page: &Page, headers: &HeaderMap, fields: &Fields, result: Result<(), crate::ClickError>) -> Response {
    if let Err(error) = result {
        return (StatusCode::CONFLICT, format!("failed to {error}")).into_response();
    }
    if headers.contains_key("x-live") {
        return StatusCode::NO_CONTENT.into_response();
    }
    let back = page.slack.look(|state| Place::new(state, &page.base, &format!("{}/", page.base), fields).here());
    Redirect::to(&back).into_response()
}
