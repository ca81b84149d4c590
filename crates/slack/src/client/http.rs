//! HTTP over the stack that the AWS SDK brings along: hyper, and rustls with its provider.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use ::http::{HeaderValue, Method, Request, Response};
use ::url::Url;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;

use super::error::Problem;
use super::patience::{DEFAULT_RETRY_AFTER, Patience};
use super::url::is_loopback;

/// A connection is not used again after so long without use: a function may have been frozen, and Slack have hung up.
const IDLE: Duration = Duration::from_secs(20);

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

const AGENT: &str = concat!("stagegate/", env!("CARGO_PKG_VERSION"));

/// Connections to Slack. Make one when the function starts and keep it: clones share the connections.
#[derive(Clone)]
pub struct HttpClient {
    secure: Arc<OnceLock<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>>,
    loopback: Client<HttpConnector, Full<Bytes>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// No connection yet; not even the certificates of the system are read.
    pub fn new() -> Self {
        Self { secure: Arc::default(), loopback: client(HttpConnector::new()) }
    }

    /// Reads the certificates of the system, so that the first request does not have to.
    ///
    /// # Errors
    ///
    /// If there are none. Reads after "failed to".
    pub fn warm(&self) -> Result<(), String> {
        self.secure().map(|_| ())
    }

    fn secure(&self) -> Result<&Client<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(aws_lc_rs::default_provider());
        let builder = builder.map_err(|error| format!("read the certificates of the system: {error}"))?;
        let connector = builder.https_only().enable_http1().build();
        Ok(self.secure.get_or_init(|| client(connector)))
    }

    /// Sends a request until it is answered or the patience is at its end.
    ///
    /// What may be done twice is tried again after every passing failure. What may not is tried again only where it was
    /// certainly not done. Gives the failure, and whether it may have been done.
    pub(crate) async fn send(&self, call: &Call, patience: &mut Patience) -> Result<Answer, (Problem, bool)> {
        let mut may_have_been_done = false;
        loop {
            let failure = match self.attempt(call, patience.left()).await {
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
            tracing::debug!(call = call.name, problem = %failure.problem, "the call of Slack is tried again");
        }
    }

    async fn attempt(&self, call: &Call, within: Duration) -> Result<Answer, Failure> {
        let response = tokio::time::timeout(within, self.exchange(call)).await;
        response.unwrap_or_else(|_| {
            Err(Failure::after_sending(Problem::Unanswered(format!("nothing within {:.1} s", within.as_secs_f64()))))
        })
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Failure> {
        let before = |detail: String| Failure::before_sending(Problem::Unreachable(detail));
        let request = call.request().map_err(|error| before(error.to_string()))?;
        let response = if call.url.scheme() == "https" {
            self.secure().map_err(|error| before(format!("failed to {error}")))?.request(request).await
        } else if is_loopback(&call.url) {
            self.loopback.request(request).await
        } else {
            return Err(before("only https leaves this machine".to_owned()));
        };
        Answer::read(response.map_err(|error| unsent_or_unanswered(&error))?).await
    }
}

/// A request that never left is tried again without danger; of any other one Slack may have got hold.
fn unsent_or_unanswered(error: &ClientError) -> Failure {
    if error.is_connect() {
        return Failure::before_sending(Problem::Unreachable(causes(error)));
    }
    Failure::after_sending(Problem::Unanswered(causes(error)))
}

/// An error and what caused it. Neither names the URL.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn client<C>(connector: C) -> Client<C, Full<Bytes>>
where
    C: hyper_util::client::legacy::connect::Connect + Clone,
{
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(4).build(connector)
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
    fn request(&self) -> Result<Request<Full<Bytes>>, ::http::Error> {
        let mut request = Request::builder().method(&self.method).uri(self.url.as_str());
        request = request.header(USER_AGENT, AGENT).header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        }
        request.body(Full::new(self.body.clone()))
    }
}

/// An attempt that was not answered as it should be.
struct Failure {
    problem: Problem,
    was_sent: bool,
    retry_after: Option<Duration>,
}

impl Failure {
    fn before_sending(problem: Problem) -> Self {
        Self { problem, was_sent: false, retry_after: None }
    }

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
    async fn read(response: Response<Incoming>) -> Result<Self, Failure> {
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        // The status of a refusal is certain, also where its body is cut off.
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(_) if status == 429 => Bytes::new(),
            Err(error) => return Err(Failure::after_sending(Problem::Unanswered(causes(&*error)))),
        };
        let json = serde_json::from_slice(&body).ok();
        Ok(Self { status, retry_after: retry_after.map(Duration::from_secs), body, json })
    }

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
