//! The Lambda Runtime API of one environment, on a port of its own (AWS Lambda guide, "Runtime API").
//!
//! A port each, because `AWS_LAMBDA_RUNTIME_API` is a host and a port by definition: runtimes do not agree on what to
//! do with a path in it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::invocation::FunctionError;
use crate::memory;

/// The greatest response of a function, in bytes (AWS: 6 MB and 100 KB for the envelope).
pub(crate) const MAX_RESPONSE_BYTES: usize = 6_291_556;

const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// What the runtime of a function has told.
#[derive(Debug)]
pub(crate) enum RuntimeEvent {
    /// It asks for the next event: the environment is idle.
    Ready,
    /// It has answered the invocation.
    Response(Bytes),
    /// Its handler has failed.
    Error { error: FunctionError, payload: Bytes },
    /// It could not start.
    InitError { error: FunctionError, payload: Bytes },
    /// It has answered with more than [`MAX_RESPONSE_BYTES`].
    ResponseTooLarge,
}

/// An event on its way to a function.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
    /// How much time the function has.
    pub(crate) timeout: Duration,
    /// Whether it has a trace id.
    pub(crate) is_traced: bool,
}

/// The server of one environment. It ends when this is dropped.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    link: Arc<Link>,
    events: mpsc::Sender<Event>,
    server: JoinHandle<()>,
}

struct Link {
    to_runtime: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    from_runtime: mpsc::UnboundedSender<RuntimeEvent>,
    current: Mutex<Option<Current>>,
    pid: OnceLock<u32>,
    peak_kb: AtomicU64,
}

/// The invocation that the runtime has taken and not answered yet.
struct Current {
    request_id: String,
    invocation_id: String,
}

impl RuntimeApi {
    pub(crate) async fn start() -> std::io::Result<(Self, mpsc::UnboundedReceiver<RuntimeEvent>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, to_runtime) = mpsc::channel(1);
        let (from_runtime, received) = mpsc::unbounded_channel();
        let link = Arc::new(Link {
            to_runtime: tokio::sync::Mutex::new(to_runtime),
            from_runtime,
            current: Mutex::default(),
            pid: OnceLock::new(),
            peak_kb: AtomicU64::new(0),
        });
        let router = router(Arc::clone(&link));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the Runtime API of an environment has ended");
            }
        });
        Ok((Self { address, link, events, server }, received))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the peak memory of this process is looked at.
    pub(crate) fn watch(&self, pid: u32) {
        let _ = self.link.pid.set(pid);
    }

    /// Hands an event to the runtime. Only to be called while the runtime waits for one.
    pub(crate) async fn send(&self, event: Event) {
        // The receiver lives as long as this.
        let _ = self.events.send(event).await;
    }

    /// Looks at the memory again; the peak so far in KiB.
    pub(crate) fn sample_memory(&self) -> Option<u64> {
        self.link.sample_memory()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Link {
    fn sample_memory(&self) -> Option<u64> {
        if let Some(peak) = self.pid.get().and_then(|pid| memory::peak_kb(*pid)) {
            self.peak_kb.fetch_max(peak, Ordering::Relaxed);
        }
        Some(self.peak_kb.load(Ordering::Relaxed)).filter(|peak| *peak > 0)
    }

    fn tell(&self, event: RuntimeEvent) {
        self.sample_memory();
        let _ = self.from_runtime.send(event);
    }

    /// Ends the current invocation if the call is for it.
    fn answer(&self, request_id: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut current = self.current.lock().expect("no holder of this lock can panic");
        let Some(invocation) = current.as_ref() else {
            return Err(Refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "no invocation waits for an answer"));
        };
        if invocation.request_id != request_id {
            return Err(Refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "invalid request id"));
        }
        if headers.get(INVOCATION_ID).is_some_and(|id| id.as_bytes() != invocation.invocation_id.as_bytes()) {
            return Err(Refusal(StatusCode::BAD_REQUEST, "InvalidInvocationId", "the invocation id is another one"));
        }
        *current = None;
        Ok(())
    }
}

/// An error answer of the Runtime API.
struct Refusal(StatusCode, &'static str, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"errorType": self.1, "errorMessage": self.2}))).into_response()
    }
}

fn router(link: Arc<Link>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(link)
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

async fn next(State(link): State<Arc<Link>>) -> Result<Response, Refusal> {
    if link.current.lock().expect("no holder of this lock can panic").is_some() {
        let message = "the last invocation has not been answered";
        return Err(Refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", message));
    }
    link.tell(RuntimeEvent::Ready);
    let Some(event) = link.to_runtime.lock().await.recv().await else {
        return Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", "the environment has ended"));
    };
    let invocation_id = Uuid::new_v4().to_string();
    let headers = event_headers(&event, &invocation_id);
    let current = Current { request_id: event.request_id, invocation_id };
    *link.current.lock().expect("no holder of this lock can panic") = Some(current);
    Ok((headers, event.payload).into_response())
}

fn event_headers(event: &Event, invocation_id: &str) -> HeaderMap {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (since_epoch + event.timeout).as_millis().to_string();
    let trace = event.is_traced.then(|| trace_id(since_epoch));
    let mut headers = HeaderMap::new();
    headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", Some(event.request_id.as_str())),
        ("lambda-runtime-deadline-ms", Some(&deadline)),
        ("lambda-runtime-invoked-function-arn", Some(&event.function_arn)),
        ("lambda-runtime-trace-id", trace.as_deref()),
        ("lambda-runtime-invocation-id", Some(invocation_id)),
        ("lambda-runtime-client-context", event.client_context.as_deref()),
    ] {
        // A client context that is no header value was refused when the invocation came in.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// One that X-Ray does not record.
fn trace_id(since_epoch: Duration) -> String {
    let (root, parent) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
    format!("Root=1-{:08x}-{};Parent={};Sampled=0", since_epoch.as_secs(), &root[..24], &parent[..16])
}

async fn response(
    State(link): State<Arc<Link>>,
    Path(request_id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let read = read_body(body).await;
    link.answer(&request_id, &parts.headers)?;
    let Some(body) = read else {
        link.tell(RuntimeEvent::ResponseTooLarge);
        let message = "exceeded maximum allowed payload size (6291556 bytes)";
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
    };
    link.tell(RuntimeEvent::Response(body));
    Ok(accepted())
}

async fn error(
    State(link): State<Arc<Link>>,
    Path(request_id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (headers, error, payload) = read_error(request).await;
    link.answer(&request_id, &headers)?;
    link.tell(RuntimeEvent::Error { error, payload });
    Ok(accepted())
}

async fn init_error(State(link): State<Arc<Link>>, request: Request) -> Response {
    let (_, error, payload) = read_error(request).await;
    link.tell(RuntimeEvent::InitError { error, payload });
    accepted()
}

/// Reads a body. `None` if it is over the limit: then the rest is read and dropped, so that the runtime, which is
/// still writing, gets the answer and not a broken connection.
async fn read_body(mut body: Body) -> Option<Bytes> {
    let mut read = BytesMut::new();
    let mut too_large = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        too_large |= read.len() + data.len() > MAX_RESPONSE_BYTES;
        if !too_large {
            read.extend_from_slice(&data);
        }
    }
    (!too_large).then(|| read.freeze())
}

/// The error and the payload that the caller of the function gets. What is no JSON object, or too large, is replaced.
async fn read_error(request: Request) -> (HeaderMap, FunctionError, Bytes) {
    let (parts, body) = request.into_parts();
    let body = read_body(body).await.unwrap_or_default();
    let header = parts.headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    let error = FunctionError::from_payload(&body, header);
    let is_object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&body).is_ok();
    let payload = if is_object { body } else { error.payload() };
    (parts.headers, error, payload)
}
