//! A server on loopback that answers as Slack does, and fails as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// How one request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With a status and a body.
    Plain(u16, String),
    /// 429, with the seconds of `Retry-After` where there are some.
    Limited(Option<u64>),
    /// Not within the time of any test.
    Never,
    /// With the start of an answer, after doing what was asked.
    Cut,
}

impl Reply {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Plain(200, value.to_string())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Log {
    replies: VecDeque<Option<Reply>>,
    received: Vec<Received>,
    /// The texts of the messages that were taken, in the order in which they were.
    taken: Vec<String>,
}

/// The server. What has no scripted reply is answered as Slack answers a post.
#[derive(Clone, Default)]
pub(crate) struct Server {
    log: Arc<Mutex<Log>>,
    /// The address, once it is served.
    base: String,
}

impl Server {
    /// Answers the first requests with these replies.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::start_with(replies.into_iter().map(Some)).await
    }

    /// Answers the first requests with these replies; `None` takes the message.
    pub(crate) async fn start_with(replies: impl IntoIterator<Item = Option<Reply>>) -> Self {
        let mut server = Self::default();
        server.log().replies = replies.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        server.base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.log().received.clone()
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.log().taken.clone()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let target = parts.uri.to_string();
    let (authorization, content_type) = (header("authorization"), header("content-type"));
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = body["text"].as_str().unwrap_or_default().to_owned();
    let reply = {
        let mut log = server.log();
        log.received.push(Received { target, authorization, content_type, body });
        log.replies.pop_front().flatten()
    };
    let taken = |text: String| {
        let mut log = server.log();
        log.taken.push(text);
        format!("1700000000.{:06}", log.taken.len())
    };
    match reply {
        None => {
            let ts = taken(text);
            (StatusCode::OK, json!({"ok": true, "channel": "C0001", "ts": ts}).to_string()).into_response()
        }
        Some(Reply::Plain(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Reply::Limited(seconds)) => {
            let mut response = (StatusCode::TOO_MANY_REQUESTS, "").into_response();
            if let Some(seconds) = seconds {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            response
        }
        Some(Reply::Never) => std::future::pending().await,
        Some(Reply::Cut) => {
            taken(text);
            let parts = [Ok(Bytes::from_static(b"{\"ok\": tr")), Err(std::io::Error::other("cut"))];
            Body::from_stream(futures_util::stream::iter(parts)).into_response()
        }
    }
}

/// A deadline that no test reaches unless it waits for it.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
