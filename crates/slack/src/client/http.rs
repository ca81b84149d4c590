//! What is tried again, and what is not.

use std::time::Duration;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method};
use ::url::Url;
use bytes::Bytes;
use stagegate_http_client::{DEFAULT_RETRY_AFTER, HttpClient, Patience};

use super::error::Problem;

/// Sends a request until it is answered or the patience is at its end.
///
/// What may be done twice is tried again after every passing failure. What may not is tried again only where it was
/// certainly not done. Gives the failure, and whether it may have been done.
pub(crate) async fn send(http: &HttpClient, call: &Call, patience: &mut Patience) -> Result<Answer, (Problem, bool)> {
    let mut may_have_been_done = false;
    loop {
        let failure = match attempt(http, call, patience.left()).await {
            Ok(answer) if answer.status == 429 => Failure::wait(answer.retry_after),
            Ok(answer) if answer.status >= 500 => Failure::after_sending(Problem::Status { status: answer.status }),
            Ok(answer) if answer.is_passing() => Failure::after_sending(answer.refusal(None)),
            Ok(answer) if answer.is_rate_limited() => Failure::wait(answer.retry_after),
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        may_have_been_done |= failure.was_sent && !call.is_repeatable;
        let goes_on = match failure.retry_after {
            _ if may_have_been_done => false,
            Some(retry_after) => patience.wait(retry_after).await,
            None => patience.pause().await,
        };
        if !goes_on {
            return Err((failure.problem, may_have_been_done));
        }
        tracing::info!(call = call.name, problem = %failure.problem, "the call of Slack is tried again");
    }
}

async fn attempt(http: &HttpClient, call: &Call, within: Duration) -> Result<Answer, Failure> {
    let answer = http.attempt(&call.request(), within).await.map_err(|failure| {
        let was_sent = failure.was_sent();
        let detail = failure.detail().to_owned();
        let problem = if was_sent { Problem::Unanswered(detail) } else { Problem::Unreachable(detail) };
        Failure { problem, was_sent, retry_after: None }
    })?;
    let (status, retry_after) = (answer.status, answer.retry_after);
    let body = match answer.body {
        Ok(body) => body,
        // The status of a refusal is certain, also where its body is cut off.
        Err(_) if status == 429 => Bytes::new(),
        Err(cut) => return Err(Failure::after_sending(Problem::Unanswered(cut))),
    };
    let json = serde_json::from_slice(&body).ok();
    Ok(Answer { status, retry_after, body, json })
}

/// What is sent.
pub(crate) struct Call {
    /// What it is called in errors.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The header `Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
    /// JSON.
    pub(crate) body: Bytes,
    /// Whether doing it twice is the same as doing it once.
    pub(crate) is_repeatable: bool,
}

impl Call {
    fn request(&self) -> stagegate_http_client::Call {
        let mut headers = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        if !self.body.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")));
        }
        let (method, url, body) = (self.method.clone(), self.url.clone(), self.body.clone());
        stagegate_http_client::Call { method, url, headers, body }
    }
}

/// An attempt that was not answered as it should be.
struct Failure {
    problem: Problem,
    was_sent: bool,
    retry_after: Option<Duration>,
}

impl Failure {
    fn after_sending(problem: Problem) -> Self {
        Self { problem, was_sent: true, retry_after: None }
    }

    /// Slack did nothing and wants a pause.
    fn wait(retry_after: Option<Duration>) -> Self {
        let retry_after = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
        Self { problem: Problem::RateLimited { retry_after }, was_sent: false, retry_after: Some(retry_after) }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
    /// The body as JSON, if it is an object.
    pub(crate) json: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Answer {
    /// Slack's word for what went wrong, from the JSON of a method.
    pub(crate) fn code(&self) -> String {
        let code = self.json.as_ref().and_then(|json| json.get("error")?.as_str());
        code.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect()
    }

    /// That Slack refused, with its word for it.
    pub(crate) fn refusal(&self, detail: Option<String>) -> Problem {
        Problem::Refused { code: self.code(), detail }
    }

    fn is_passing(&self) -> bool {
        super::error::is_passing(&self.code())
    }

    fn is_rate_limited(&self) -> bool {
        matches!(self.code().as_str(), "ratelimited" | "rate_limited")
    }
}
