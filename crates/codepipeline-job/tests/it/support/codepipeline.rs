//! The part of the CodePipeline API that answers jobs: AWS JSON 1.1 over HTTP, with the limits of the API model.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// An answer as CodePipeline accepted it, or a pattern for one: texts of a pattern must be contained.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Success { summary: String, variables: Option<Value> },
    Continuation { summary: String },
    Failure { kind: String, message: String },
}

impl Answer {
    pub(crate) fn success(summary: &str) -> Self {
        Self::Success { summary: summary.to_owned(), variables: None }
    }

    pub(crate) fn failure(kind: &str, message: &str) -> Self {
        Self::Failure { kind: kind.to_owned(), message: message.to_owned() }
    }

    pub(crate) fn matches(&self, pattern: &Self) -> bool {
        match (self, pattern) {
            (Self::Success { summary, variables }, Self::Success { summary: part, variables: expected }) => {
                summary.contains(part) && expected.as_ref().is_none_or(|expected| variables.as_ref() == Some(expected))
            }
            (Self::Continuation { summary }, Self::Continuation { summary: part }) => summary.contains(part),
            (Self::Failure { kind, message }, Self::Failure { kind: expected, message: part }) => {
                kind == expected && message.contains(part)
            }
            _ => false,
        }
    }
}

/// One of the two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Success,
    Failure,
}

/// What happens to a call instead of what it asks for. One that names an operation stays; others happen once each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// An error answer, once.
    Error(u16, &'static str),
    /// An error answer without a body that says which, once.
    Bare(u16),
    /// The connection ends without an answer, once.
    Reset,
    /// The call is carried out, then the connection ends without an answer, once.
    AcceptAndReset,
    /// The call is never answered, once.
    Hang,
    /// Every call of the operation gets this error answer.
    Always(Operation, u16, &'static str),
    /// No call of the operation is ever answered.
    AlwaysHang(Operation),
    /// Every connection ends without an answer.
    Down,
}

struct Job {
    id: String,
    open: bool,
    faults: VecDeque<Fault>,
    accepted: Vec<(Answer, Instant)>,
    requests: Vec<Value>,
}

/// The endpoint, with one job.
pub(crate) struct CodePipeline {
    pub(crate) url: String,
    job: Arc<Mutex<Job>>,
}

impl CodePipeline {
    pub(crate) async fn start(job: &str, faults: &[Fault]) -> Self {
        let job = Job {
            id: job.to_owned(),
            open: true,
            faults: faults.iter().copied().collect(),
            accepted: Vec::new(),
            requests: Vec::new(),
        };
        let job = Arc::new(Mutex::new(job));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(serve)).with_state(Arc::clone(&job));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, job }
    }

    /// Answers accepted so far.
    pub(crate) fn answers(&self) -> Vec<(Answer, Instant)> {
        self.job.lock().unwrap().accepted.clone()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.job.lock().unwrap().requests.clone()
    }

    /// As CodePipeline does after a continuation: the job may be answered again.
    pub(crate) fn open_again(&self) {
        self.job.lock().unwrap().open = true;
    }

    pub(crate) async fn wait_for_answer(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        while self.answers().is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn serve(State(job): State<Arc<Mutex<Job>>>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = match headers.get("x-amz-target").map(|target| target.to_str().unwrap()) {
        Some("CodePipeline_20150709.PutJobSuccessResult") => Operation::Success,
        Some("CodePipeline_20150709.PutJobFailureResult") => Operation::Failure,
        other => return error(400, "UnknownOperationException", &format!("{other:?}")),
    };
    let request: Value = serde_json::from_slice(&body).unwrap();
    let fault = take_fault(&job, operation, &request);
    match fault {
        None => put_result(&job, operation, &request),
        Some(Fault::Error(status, code) | Fault::Always(_, status, code)) => {
            error(status, code, "as the test wants it")
        }
        Some(Fault::Bare(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Hang | Fault::AlwaysHang(_)) => std::future::pending().await,
        Some(Fault::Reset | Fault::Down) => end_connection(),
        Some(Fault::AcceptAndReset) => {
            put_result(&job, operation, &request);
            end_connection()
        }
    }
}

/// Ends the task that serves the connection, and the connection with it.
fn end_connection() -> ! {
    std::panic::resume_unwind(Box::new("the test wants the connection to end"))
}

fn take_fault(job: &Mutex<Job>, operation: Operation, request: &Value) -> Option<Fault> {
    let mut job = job.lock().unwrap();
    job.requests.push(request.clone());
    let position = job.faults.iter().position(|fault| match fault {
        Fault::Always(of, ..) | Fault::AlwaysHang(of) => *of == operation,
        _ => true,
    })?;
    match job.faults[position] {
        stays @ (Fault::Always(..) | Fault::AlwaysHang(_) | Fault::Down) => Some(stays),
        _ => job.faults.remove(position),
    }
}

fn put_result(job: &Mutex<Job>, operation: Operation, request: &Value) -> Response {
    let answer = match operation {
        Operation::Success => success(request),
        Operation::Failure => failure(request),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(problem) => return error(400, "ValidationException", &problem),
    };
    let mut job = job.lock().unwrap();
    if request["jobId"] != job.id.as_str() {
        return error(400, "JobNotFoundException", "no such job");
    }
    if !job.open {
        return error(400, "InvalidJobStateException", "the job is not in progress");
    }
    job.open = false;
    job.accepted.push((answer, Instant::now()));
    StatusCode::OK.into_response()
}

fn success(request: &Value) -> Result<Answer, String> {
    let details = &request["executionDetails"];
    let summary = text(&details["summary"], 2048)?.unwrap_or_default();
    text(&details["externalExecutionId"], 1500)?;
    if details["percentComplete"].as_i64().is_some_and(|percent| !(0..=100).contains(&percent)) {
        return Err("percentComplete must be 0 to 100".to_owned());
    }
    let variables = request.get("outputVariables").cloned();
    if let Some(Value::Object(variables)) = &variables {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_');
        if variables.keys().any(|key| key.is_empty() || !key.chars().all(allowed)) {
            return Err("a key of outputVariables must match [A-Za-z0-9@\\-_]+".to_owned());
        }
        let bytes: usize = variables.iter().map(|(key, value)| key.len() + value.as_str().unwrap().len()).sum();
        if bytes > 122_880 {
            return Err("outputVariables must have at most 122880 bytes".to_owned());
        }
    }
    match text(&request["continuationToken"], 2048)? {
        Some(_) if variables.is_some() => Err("outputVariables and continuationToken together".to_owned()),
        Some(_) => Ok(Answer::Continuation { summary }),
        None => Ok(Answer::Success { summary, variables }),
    }
}

fn failure(request: &Value) -> Result<Answer, String> {
    let details = &request["failureDetails"];
    text(&details["externalExecutionId"], 1500)?;
    let kind = text(&details["type"], 50)?.ok_or("type is required")?;
    let message = text(&details["message"], 5000)?.ok_or("message is required")?;
    Ok(Answer::Failure { kind, message })
}

/// A text of 1 to `limit` UTF-16 units, as a Java service would count it.
fn text(value: &Value, limit: usize) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if (1..=limit).contains(&text.encode_utf16().count()) => Ok(Some(text.clone())),
        other => Err(format!("must have 1 to {limit} characters: {other}")),
    }
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"__type": code, "message": message}).to_string();
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)];
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}
