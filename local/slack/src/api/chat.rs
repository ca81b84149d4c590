//! `chat.*`.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::Shared;
use crate::state::{BOT, BOT_USER, Message, State, TEAM, secret};
use crate::validate;

/// Longer texts are cut.
const MAX_TEXT: usize = 40_000;

pub(crate) fn post_message(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = writable(state, arguments)?;
    let thread = thread(state, &channel, arguments)?;
    let message = content(arguments)?;
    let is_cut = arguments.text("text").is_some_and(|text| text.chars().count() > MAX_TEXT);
    let ts = state.post(&channel, Message { thread, ..message });
    let mut answer = json!({"ok": true, "channel": channel, "ts": ts, "message": shown(state, &channel, &ts)});
    if is_cut {
        answer["warning"] = "message_truncated".into();
    }
    Ok(answer)
}

pub(crate) fn post_ephemeral(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = writable(state, arguments)?;
    let user = arguments.needed("user")?.to_owned();
    if state.person(&user).is_none() {
        return Err(Refused::word("user_not_in_channel"));
    }
    let thread = thread(state, &channel, arguments)?;
    let message = content(arguments)?;
    let ts = state.post(&channel, Message { thread, only_for: Some(user), ..message });
    Ok(json!({"ok": true, "message_ts": ts}))
}

/// A text without blocks removes the blocks of before; where neither is given nothing changes; an empty list removes them.
pub(crate) fn update(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = writable(state, arguments)?;
    let ts = arguments.needed("ts")?;
    let (text, blocks) = (arguments.text("text").map(cut), arguments.blocks()?);
    if let Some(blocks) = &blocks {
        validate::message_blocks(blocks)?;
    }
    let message = state.channel_mut(&channel).and_then(|channel| channel.messages.iter_mut().find(|m| m.ts == ts));
    let message = message.filter(|message| message.only_for.is_none());
    let message = message.ok_or_else(|| Refused::word("message_not_found"))?;
    if message.by_webhook {
        return Err(Refused::word("cant_update_message"));
    }
    let blocks = match (&text, blocks) {
        (_, Some(blocks)) => with_ids(blocks),
        (Some(_), None) => Vec::new(),
        (None, None) => message.blocks.clone(),
    };
    let text = text.unwrap_or_else(|| message.text.clone());
    if text.is_empty() && blocks.is_empty() {
        return Err(Refused::word("no_text"));
    }
    (message.text, message.blocks) = (text.clone(), blocks);
    message.updates += 1;
    Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": text, "message": shown(state, &channel, ts)}))
}

pub(crate) fn get_permalink(shared: &Shared, state: &State, arguments: &Arguments) -> Answer {
    let channel = arguments.needed("channel")?;
    let ts = arguments.needed("message_ts")?;
    if state.channel(channel).is_none() {
        return Err(Refused::word("channel_not_found"));
    }
    let message = state.message(channel, ts).ok_or_else(|| Refused::word("message_not_found"))?;
    let permalink = shared.url(&permalink(channel, &message.ts));
    Ok(json!({"ok": true, "channel": channel, "permalink": permalink}))
}

/// The path of a link to a message.
fn permalink(channel: &str, ts: &str) -> String {
    format!("/archives/{channel}/p{}", ts.replace('.', ""))
}

/// The channel, if the app may write to it.
fn writable(state: &State, arguments: &Arguments) -> Result<String, Refused> {
    let id = arguments.text("channel").unwrap_or_default();
    let channel = state.channel(id).ok_or_else(|| Refused::word("channel_not_found"))?;
    match channel {
        channel if channel.is_archived => Err(Refused::word("is_archived")),
        channel if !channel.has_app => Err(Refused::word("not_in_channel")),
        channel => Ok(channel.id.clone()),
    }
}

fn thread(state: &State, channel: &str, arguments: &Arguments) -> Result<Option<String>, Refused> {
    let Some(ts) = arguments.text("thread_ts") else { return Ok(None) };
    let parent = state.message(channel, ts).ok_or_else(|| Refused::word("thread_not_found"))?;
    Ok(Some(parent.thread.clone().unwrap_or_else(|| parent.ts.clone())))
}

/// What a message shows, if Slack takes it.
pub(crate) fn content(arguments: &Arguments) -> Result<Message, Refused> {
    let text = arguments.text("text").map(cut).unwrap_or_default();
    let blocks = arguments.blocks()?.unwrap_or_default();
    if text.is_empty() && blocks.is_empty() {
        return Err(Refused::word("no_text"));
    }
    validate::message_blocks(&blocks)?;
    Ok(Message {
        ts: String::new(),
        thread: None,
        text,
        blocks: with_ids(blocks),
        updates: 0,
        only_for: None,
        by_webhook: false,
        metadata: arguments.get("metadata").cloned(),
    })
}

/// Slack gives an identifier to every block that has none.
fn with_ids(mut blocks: Vec<Value>) -> Vec<Value> {
    for block in &mut blocks {
        if block["block_id"].is_null() {
            block["block_id"] = secret(5).into();
        }
    }
    blocks
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// The message as it stands in answers and payloads.
pub(crate) fn shown(state: &State, channel: &str, ts: &str) -> Value {
    let Some(message) = state.message(channel, ts) else { return Value::Null };
    let mut json = json!({
        "type": "message", "user": BOT_USER, "bot_id": BOT, "team": TEAM,
        "ts": message.ts, "text": message.text, "blocks": message.blocks,
    });
    if let Some(thread) = &message.thread {
        json["thread_ts"] = thread.clone().into();
    }
    json
}
