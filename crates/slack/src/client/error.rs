//! Why something did not reach Slack, in words for the person who has to do something about it.

use std::fmt;
use std::time::Duration;

/// A call of Slack failed. Reads after "failed to"; never shows a token or a secret URL.
#[derive(Clone, thiserror::Error)]
#[error("call Slack's {call}: {problem}{}", outcome(*.may_have_been_done))]
pub struct SlackError {
    call: &'static str,
    problem: Problem,
    may_have_been_done: bool,
}

fn outcome(may_have_been_done: bool) -> &'static str {
    if may_have_been_done { "; it may have been done all the same" } else { "" }
}

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The token or the app's rights are not enough; the text says what to do.
    Permission,
    /// The channel, message or person is not there (any more), or cannot be written to.
    NotFound,
    /// Slack does not take what was sent.
    Rejected,
    /// Slack wants a pause that is longer than the time that was left.
    RateLimited,
    /// Slack or the network failed; the same call may succeed later.
    Unavailable,
}

impl SlackError {
    pub(crate) fn new(call: &'static str, problem: Problem, may_have_been_done: bool) -> Self {
        Self { call, problem, may_have_been_done }
    }

    /// Who can do something about it.
    pub fn kind(&self) -> ErrorKind {
        match &self.problem {
            Problem::Refused { code, .. } => kind_of(code),
            Problem::RateLimited { .. } => ErrorKind::RateLimited,
            Problem::Status { status: 401 | 403 } => ErrorKind::Permission,
            Problem::Status { status: 404 | 410 } => ErrorKind::NotFound,
            Problem::Status { status } if *status < 500 => ErrorKind::Rejected,
            Problem::Status { .. } | Problem::Unreachable(_) | Problem::Unanswered(_) | Problem::NotSlack(_) => {
                ErrorKind::Unavailable
            }
            Problem::NoToken => ErrorKind::Permission,
        }
    }

    /// Whether Slack does not take this one message, and may take others.
    pub fn is_about_the_message(&self) -> bool {
        match &self.problem {
            Problem::Refused { code, .. } => is_about_the_message(code),
            Problem::Status { status } => matches!(status, 400 | 413 | 422),
            _ => false,
        }
    }

    /// Slack's own word for it, such as `channel_not_found`.
    pub fn code(&self) -> Option<&str> {
        match &self.problem {
            Problem::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether a message cannot be changed any more: it is gone, or Slack does not allow it.
    pub fn cannot_be_changed(&self) -> bool {
        self.code()
            .is_some_and(|code| ["message_not_found", "cant_update_message", "edit_window_closed"].contains(&code))
    }

    /// Whether the same call may succeed later. Mind [`SlackError::may_have_been_done`] where it is a post.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::RateLimited | ErrorKind::Unavailable)
    }

    /// Whether Slack may have done it although it did not say so. Slack offers nothing by which a repeated post could be
    /// recognised, so whoever posts again may post twice.
    pub fn may_have_been_done(&self) -> bool {
        self.may_have_been_done
    }

    /// Whether there was an answer that is not what Slack documents.
    pub fn is_unlike(&self) -> bool {
        matches!(self.problem, Problem::NotSlack(_))
    }

    /// The HTTP status of an answer that says no more than that.
    pub fn status(&self) -> Option<u16> {
        match &self.problem {
            Problem::Status { status } => Some(*status),
            _ => None,
        }
    }

    /// How long Slack wants to be left alone, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.problem {
            Problem::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl fmt::Debug for SlackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackError").field("kind", &self.kind()).field("text", &self.to_string()).finish()
    }
}

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it answered {code}{}{}", detail_text(.detail), advice(.code))]
    Refused { code: String, detail: Option<String> },
    #[error("it asks to wait {} s, which is longer than there is time", retry_after.as_secs())]
    RateLimited { retry_after: Duration },
    #[error("it answered with HTTP status {status}")]
    Status { status: u16 },
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
    #[error("there was no complete answer ({0})")]
    Unanswered(String),
    #[error("the answer is not one of Slack's ({0}); check the URL and whatever stands between")]
    NotSlack(String),
    #[error("there is no bot token; store it in the parameter that the function reads it from")]
    NoToken,
}

fn detail_text(detail: &Option<String>) -> String {
    detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default()
}

fn kind_of(code: &str) -> ErrorKind {
    match code {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "not_allowed_token_type"
        | "access_denied"
        | "ekm_access_denied"
        | "not_in_channel"
        | "team_access_not_granted"
        | "org_login_required"
        | "restricted_action"
        | "action_prohibited"
        | "invalid_token"
        | "no_service"
        | "team_disabled" => ErrorKind::Permission,
        "channel_not_found"
        | "message_not_found"
        | "user_not_found"
        | "users_not_found"
        | "is_archived"
        | "channel_is_archived"
        | "no_such_subteam"
        | "subteam_not_found"
        | "thread_not_found"
        | "cant_update_message"
        | "edit_window_closed"
        | "expired_trigger_id"
        | "exchanged_trigger_id"
        | "not_found"
        | "view_not_found"
        | "user_not_visible"
        | "user_not_in_channel"
        | "expired_url"
        | "used_url" => ErrorKind::NotFound,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => ErrorKind::RateLimited,
        code if is_passing(code) => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    }
}

/// Codes that are about what was sent, and not about where to. A code that is not known here may be about anything.
fn is_about_the_message(code: &str) -> bool {
    matches!(
        code,
        "invalid_blocks"
            | "invalid_blocks_format"
            | "invalid_attachments"
            | "invalid_payload"
            | "invalid_arguments"
            | "invalid_json"
            | "invalid_metadata_format"
            | "invalid_metadata_schema"
            | "metadata_too_large"
            | "msg_too_long"
            | "msg_blocks_too_long"
            | "no_text"
            | "missing_text_or_fallback_or_attachments"
            | "too_many_attachments"
            | "attachment_payload_limit_exceeded"
            | "markdown_text_conflict"
    )
}

/// Codes by which Slack says that it failed itself.
pub(crate) fn is_passing(code: &str) -> bool {
    matches!(code, "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "rollup_error")
}

/// What a person can do about a code.
fn advice(code: &str) -> &'static str {
    match code {
        "not_in_channel" => "; invite the app to the channel with /invite",
        "channel_not_found" => "; check the channel's id, and invite the app where the channel is private",
        "is_archived" | "channel_is_archived" => "; name another channel in stagegate.yaml",
        "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" | "token_expired" | "invalid_token" => {
            "; install the app again and store its new bot token"
        }
        "missing_scope" => "; add the scope to the app and install it again",
        "expired_trigger_id" => "; the modal was not opened within three seconds of the click",
        "no_service" | "action_prohibited" => "; make a new incoming webhook and store its URL",
        _ => "",
    }
}
