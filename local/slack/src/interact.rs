//! Clicks and modals: what Slack's client does when a person acts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_slack::signature::{self, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use url::Url;

use crate::Slack;
use crate::api::shown;
use crate::state::{APP, Message, ResponseUrl, State, TEAM, Trigger, secret};
use crate::validate;
use crate::view::{MAX_STACK, View};

/// The largest answer of the app that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Why nobody can click there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClickError {
    /// There is no such person.
    #[error("act as {0}: there is no such person in this Slack")]
    NoPerson(String),
    /// There is no such message, or the person does not see it.
    #[error("click in the message {0}: it is not there")]
    NoMessage(String),
    /// The message has no such button (any more).
    #[error("click {0}: the message has no such button")]
    NoButton(String),
    /// The person sees no modal.
    #[error("use a modal: {0} sees none")]
    NoModal(String),
    /// The modal has no such input.
    #[error("fill in {0}: the modal has no such input")]
    NoInput(String),
    /// The modal cannot be submitted like this; Slack's client says why, by block.
    #[error("submit the modal: {0:?}")]
    Incomplete(BTreeMap<String, String>),
}

/// What became of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The app acknowledged it in time.
    Acknowledged {
        /// Its answer.
        body: String,
        /// How long that took.
        took: Duration,
    },
    /// It did not; what the person is told.
    Failed(String),
}

impl Delivery {
    /// Whether the app acknowledged it in time.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Acknowledged { .. })
    }
}

impl Slack {
    /// Clicks a button of a message as a person, and waits until the app has acknowledged it or has failed to.
    ///
    /// # Errors
    ///
    /// If the person does not see such a button.
    pub async fn click(&self, user: &str, channel: &str, ts: &str, action_id: &str) -> Result<Delivery, ClickError> {
        let payload = self.shared.change(|state| self.click_payload(state, user, channel, ts, action_id))?;
        Ok(self.deliver(user, &payload).await)
    }

    /// Writes into the inputs of the modal that a person sees (block, element, text), and submits it. What the app
    /// answers is carried out: the modal closes, changes, or shows what is wrong.
    ///
    /// # Errors
    ///
    /// If the person sees no such modal, or Slack's client would not let it be submitted.
    pub async fn submit(&self, user: &str, values: &[(&str, &str, &str)]) -> Result<Delivery, ClickError> {
        let (id, payload) = self.shared.change(|state| self.submission(state, user, values))?;
        let delivery = self.deliver(user, &payload).await;
        if let Delivery::Acknowledged { body, .. } = &delivery {
            self.shared.change(|state| carry_out(state, user, &id, body));
        }
        Ok(delivery)
    }

    /// Closes the modal that a person sees, and tells the app where it has asked for that.
    ///
    /// # Errors
    ///
    /// If the person sees none.
    pub async fn close(&self, user: &str) -> Result<Option<Delivery>, ClickError> {
        let closed = self.shared.change(|state| {
            let place = state.views.iter().rposition(|view| view.user == user);
            place.map(|place| state.views.remove(place))
        });
        let view = closed.ok_or_else(|| ClickError::NoModal(user.to_owned()))?;
        if view.view["notify_on_close"] != true {
            return Ok(None);
        }
        let mut payload = self.look(|state| envelope(state, user, "view_closed"));
        payload["view"] = view.to_json();
        payload["is_cleared"] = false.into();
        Ok(Some(self.deliver(user, &payload).await))
    }

    fn click_payload(
        &self,
        state: &mut State,
        user: &str,
        channel: &str,
        ts: &str,
        action_id: &str,
    ) -> Result<Value, ClickError> {
        if state.person(user).is_none() {
            return Err(ClickError::NoPerson(user.to_owned()));
        }
        let sees = |message: &&Message| message.only_for.as_deref().is_none_or(|only| only == user);
        let message = state.message(channel, ts).filter(sees).ok_or_else(|| ClickError::NoMessage(ts.to_owned()))?;
        let button = message.buttons().into_iter().find(|button| button.action_id == action_id);
        let button = button.ok_or_else(|| ClickError::NoButton(action_id.to_owned()))?;
        let (thread, is_ephemeral) = (message.thread.clone(), message.only_for.is_some());
        let mut action = button.element;
        action["block_id"] = button.block_id.into();
        action["action_ts"] = now_ts().into();
        let mut payload = envelope(state, user, "block_actions");
        payload["container"] =
            json!({"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": is_ephemeral});
        if let Some(found) = state.channel(channel) {
            payload["channel"] = json!({"id": channel, "name": found.name});
        }
        if !is_ephemeral {
            payload["message"] = shown(state, channel, ts);
        }
        payload["state"] = json!({"values": {}});
        payload["actions"] = json!([action]);
        payload["trigger_id"] = trigger(state, user).into();
        let path_secret = secret(24);
        payload["response_url"] = self.shared.url(&format!("/actions/{TEAM}/1/{path_secret}")).into();
        let url = ResponseUrl {
            user: user.to_owned(),
            channel: channel.to_owned(),
            ts: ts.to_owned(),
            thread,
            made: Instant::now(),
            uses: 0,
        };
        state.response_urls.insert(path_secret, url);
        Ok(payload)
    }

    fn submission(
        &self,
        state: &mut State,
        user: &str,
        values: &[(&str, &str, &str)],
    ) -> Result<(String, Value), ClickError> {
        let mut payload = envelope(state, user, "view_submission");
        payload["trigger_id"] = trigger(state, user).into();
        let view = state.views.iter_mut().rev().find(|view| view.user == user);
        let view = view.ok_or_else(|| ClickError::NoModal(user.to_owned()))?;
        for (block_id, action_id, text) in values {
            if !view.inputs().any(|(block, action, _)| block == *block_id && action == *action_id) {
                return Err(ClickError::NoInput(format!("{block_id}/{action_id}")));
            }
            view.values.insert(((*block_id).to_owned(), (*action_id).to_owned()), (*text).to_owned());
        }
        view.errors = view.complaints();
        if !view.errors.is_empty() {
            return Err(ClickError::Incomplete(view.errors.clone()));
        }
        payload["view"] = view.to_json();
        payload["response_urls"] = json!([]);
        Ok((view.id.clone(), payload))
    }

    /// Sends a payload to the app, and tells the person where that failed.
    async fn deliver(&self, user: &str, payload: &Value) -> Delivery {
        let url = self.look(|state| state.interactivity_url.clone());
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let begin = Instant::now();
        let within = self.shared.acknowledge_within;
        let sent = tokio::time::timeout(within, self.send(url, form)).await;
        let sent = sent.unwrap_or_else(|_| Err(format!("it did not answer within {:.1} s", within.as_secs_f64())));
        match sent {
            Ok(body) => Delivery::Acknowledged { body, took: begin.elapsed() },
            Err(why) => {
                let text = format!("{} is not responding: {why}.", crate::state::APP_NAME);
                self.shared.change(|state| state.notify(user, text.clone()));
                Delivery::Failed(text)
            }
        }
    }

    async fn send(&self, url: Option<String>, form: String) -> Result<String, String> {
        let url = url.ok_or("no interactivity URL is set")?;
        let url = Url::parse(&url).map_err(|error| format!("the interactivity URL is not usable ({error})"))?;
        let now = Timestamp::now();
        let signed = signature::sign(&self.shared.signing_secret.1, now, form.as_bytes());
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header(TIMESTAMP_HEADER, now.as_second().to_string())
            .header(SIGNATURE_HEADER, signed)
            .body(Full::from(form))
            .map_err(|error| format!("the request cannot be made ({error})"))?;
        let client: Client<HttpConnector, Full<axum::body::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.map_err(|error| format!("it cannot be reached ({error})"))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| format!("its answer was cut off ({error})"))?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("it answered with HTTP status {}", status.as_u16()));
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

fn envelope(state: &State, user: &str, kind: &str) -> Value {
    let handle = state.person(user).map(|person| person.handle()).unwrap_or_default();
    json!({
        "type": kind,
        "user": {"id": user, "username": handle, "name": handle, "team_id": TEAM},
        "api_app_id": APP,
        "token": "not-a-secret-any-more",
        "team": {"id": TEAM, "domain": "local"},
        "enterprise": null,
        "is_enterprise_install": false,
    })
}

fn trigger(state: &mut State, user: &str) -> String {
    let id = format!("1.2.{}", secret(24));
    state.triggers.insert(id.clone(), Trigger { user: user.to_owned(), made: Instant::now(), is_used: false });
    id
}

fn now_ts() -> String {
    let now = Timestamp::now();
    format!("{}.{:06}", now.as_second(), now.subsec_microsecond().unsigned_abs())
}

/// Does with the modals what the app's answer to a submission says.
fn carry_out(state: &mut State, user: &str, id: &str, body: &str) {
    let Some(place) = state.views.iter().position(|view| view.id == id) else { return };
    if body.trim().is_empty() {
        state.views.remove(place);
        return;
    }
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let view = &answer["view"];
    match answer["response_action"].as_str() {
        None if answer == json!({}) => drop(state.views.remove(place)),
        Some("clear") => state.views.retain(|view| view.user != user),
        Some("errors") => {
            let errors = answer["errors"].as_object().into_iter().flatten();
            let errors = errors.map(|(block, text)| (block.clone(), text.as_str().unwrap_or_default().to_owned()));
            let errors: BTreeMap<_, _> = errors.collect();
            let blocks: Vec<_> = state.views[place].inputs().map(|(block, _, _)| block.to_owned()).collect();
            if errors.is_empty() || errors.keys().any(|block| !blocks.contains(block)) {
                state.notify(user, "We had some trouble connecting: the app's errors name no input of the modal.");
            }
            state.views[place].errors = errors;
        }
        Some(action @ ("update" | "push")) => match validate::view(view) {
            Ok(()) if action == "update" => state.views[place].replace(view.clone()),
            Ok(()) if state.views.iter().filter(|view| view.user == user).count() < MAX_STACK => {
                state.views.push(View::new(user, view.clone()));
            }
            Ok(()) => state.notify(user, "We had some trouble connecting: there are too many modals."),
            Err(refusal) => {
                state.notify(user, format!("We had some trouble connecting: {} {:?}.", refusal.code, refusal.errors));
            }
        },
        _ => {
            state.notify(user, "We had some trouble connecting: the app's answer to the submission is not understood.")
        }
    }
}
