//! Finding a message again that may have been posted (Slack API: `conversations.history`, `conversations.replies`).

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::api::{HISTORY, Posted, REPLIES, SlackClient, unlike};
use super::error::SlackError;
use crate::blocks::MARK;
use crate::{ChannelId, MessageTs};

/// How many pages are read, the newest first where Slack gives them so.
const PAGES: usize = 10;
/// The messages of a page. Slack recommends no more than this.
const PAGE: &str = "200";

impl SlackClient {
    /// The message with this [mark](crate::blocks::Message::marked) in a channel, or in a thread of it, that was posted at
    /// `oldest` (seconds since 1970) or after it.
    ///
    /// # Errors
    ///
    /// Why Slack does not say: the app needs the scope `channels:history`, in private channels `groups:history`.
    pub async fn find_marked(
        &self,
        channel: &ChannelId,
        thread: Option<&MessageTs>,
        mark: &str,
        oldest: i64,
        deadline: Instant,
    ) -> Result<Option<Posted>, SlackError> {
        let method = if thread.is_some() { REPLIES } else { HISTORY };
        let oldest = format!("{oldest}.000000");
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = vec![
                ("channel", channel.as_str()),
                ("oldest", &oldest),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", PAGE),
            ];
            query.extend(thread.map(|thread| ("ts", thread.as_str())));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = self.get(method, &query, deadline).await?;
            let messages =
                answer.get("messages").and_then(Value::as_array).ok_or_else(|| unlike(method, "messages"))?;
            if let Some(found) = messages.iter().find(|message| is_marked(message, mark)) {
                let ts = found["ts"].as_str().and_then(|ts| ts.parse().ok()).ok_or_else(|| unlike(method, "ts"))?;
                return Ok(Some(Posted { channel: channel.clone(), ts }));
            }
            cursor = next(&answer);
            if cursor.is_none() {
                return Ok(None);
            }
        }
        // A message that stands behind so many others is not known not to be there.
        Err(unlike(method, "end"))
    }
}

fn is_marked(message: &Value, mark: &str) -> bool {
    let metadata = &message["metadata"];
    metadata["event_type"] == MARK && metadata["event_payload"]["id"] == mark
}

fn next(answer: &Map<String, Value>) -> Option<String> {
    let cursor = answer.get("response_metadata")?.get("next_cursor")?.as_str()?;
    (!cursor.is_empty()).then(|| cursor.to_owned())
}
