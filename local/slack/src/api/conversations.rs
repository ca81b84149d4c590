//! `conversations.*`: what stands in a channel.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::api::shown;
use crate::state::{Message, State};

/// The messages of a channel that are no replies, the newest first.
pub(crate) fn history(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = readable(state, arguments)?;
    let mut found: Vec<_> = state.messages(&channel).iter().filter(|message| message.thread.is_none()).collect();
    found.reverse();
    page(state, &channel, &found, arguments)
}

/// A message and its replies, the oldest first.
pub(crate) fn replies(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = readable(state, arguments)?;
    let ts = arguments.needed("ts")?;
    if state.message(&channel, ts).is_none() {
        return Err(Refused::word("thread_not_found"));
    }
    let is_of = |message: &&Message| message.ts == ts || message.thread.as_deref() == Some(ts);
    let found: Vec<_> = state.messages(&channel).iter().filter(is_of).collect();
    page(state, &channel, &found, arguments)
}

fn readable(state: &State, arguments: &Arguments) -> Result<String, Refused> {
    let channel = state.channel(arguments.needed("channel")?).ok_or_else(|| Refused::word("channel_not_found"))?;
    if channel.has_app { Ok(channel.id.clone()) } else { Err(Refused::word("not_in_channel")) }
}

/// A page: `limit` messages after the cursor, which is the number of those before it.
fn page(state: &State, channel: &str, found: &[&Message], arguments: &Arguments) -> Answer {
    let number = |name: &str| arguments.text(name).and_then(|text| text.parse::<usize>().ok());
    let (limit, from) = (number("limit").unwrap_or(100).clamp(1, 999), number("cursor").unwrap_or(0));
    let oldest = arguments.text("oldest").unwrap_or_default();
    let seen = found.iter().filter(|message| message.only_for.is_none() && message.ts.as_str() >= oldest);
    let seen: Vec<_> = seen.collect();
    let with_metadata = arguments.text("include_all_metadata") == Some("true");
    let messages: Vec<Value> = seen
        .iter()
        .skip(from)
        .take(limit)
        .map(|message| {
            let mut json = shown(state, channel, &message.ts);
            if let Some(metadata) = message.metadata.as_ref().filter(|_| with_metadata) {
                json["metadata"] = metadata.clone();
            }
            json
        })
        .collect();
    let has_more = from + messages.len() < seen.len();
    let cursor = if has_more { (from + messages.len()).to_string() } else { String::new() };
    Ok(json!({
        "ok": true, "messages": messages, "has_more": has_more, "response_metadata": {"next_cursor": cursor},
    }))
}
