//! A Lambda Runtime API, and the function's process that asks it for events.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::CodePipeline;

/// How the function is started and how long it has.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// "one thread" or "several threads".
    pub(crate) runtime: &'static str,
    /// The function's timeout.
    pub(crate) time: Duration,
    /// Settings of the function's environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Settings {
    pub(crate) fn ample() -> Self {
        Self { runtime: "several threads", time: super::AMPLE, environment: Vec::new() }
    }
}

/// The end of an invocation, or a pattern for one: the text of a pattern must be contained.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    Response(String),
    Error(String),
}

impl Ended {
    pub(crate) fn outcome(outcome: &str) -> Self {
        Self::Response(format!("\"outcome\":\"{outcome}\""))
    }

    pub(crate) fn matches(&self, pattern: &Self) -> bool {
        match (self, pattern) {
            (Self::Response(body), Self::Response(part)) | (Self::Error(body), Self::Error(part)) => {
                body.contains(part)
            }
            _ => false,
        }
    }
}

struct Invocation {
    body: String,
    time: Duration,
    begun: oneshot::Sender<Instant>,
}

#[derive(Clone)]
struct RuntimeApi {
    invocations: Arc<Mutex<mpsc::UnboundedReceiver<Invocation>>>,
    ended: mpsc::UnboundedSender<Ended>,
}

/// A running function.
pub(crate) struct Function {
    invocations: mpsc::UnboundedSender<Invocation>,
    ended: mpsc::UnboundedReceiver<Ended>,
    child: Child,
    output: JoinHandle<String>,
}

impl Function {
    pub(crate) async fn start(codepipeline: &CodePipeline, settings: &Settings) -> Self {
        let (invocations, queue) = mpsc::unbounded_channel();
        let (ends, ended) = mpsc::unbounded_channel();
        let api = RuntimeApi { invocations: Arc::new(Mutex::new(queue)), ended: ends };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(api);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "function::process", "--ignored", "--nocapture", "--test-threads=1"])
            .env_clear()
            .env("FUNCTION_UNDER_TEST", settings.runtime)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "gate")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_ENDPOINT_URL_CODEPIPELINE", &codepipeline.url)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "ASIAFUNCTION")
            .env("AWS_SECRET_ACCESS_KEY", "function-secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let output = tokio::spawn(async move {
            let (mut printed, mut complained) = (Vec::new(), Vec::new());
            let (first, second) = tokio::join!(stdout.read_to_end(&mut printed), stderr.read_to_end(&mut complained));
            first.unwrap();
            second.unwrap();
            printed.extend(complained);
            String::from_utf8_lossy(&printed).into_owned()
        });
        Self { invocations, ended, child, output }
    }

    /// Waits until the function asks for an event, and gives it this one and the time to handle it; gives the deadline.
    pub(crate) async fn invoke(&self, event: &Value, time: Duration) -> Instant {
        let (begun, begins) = oneshot::channel();
        self.invocations.send(Invocation { body: event.to_string(), time, begun }).map_err(drop).unwrap();
        tokio::time::timeout(super::AMPLE, begins).await.expect("the function does not ask for an event").unwrap()
            + time
    }

    /// Waits for the end of an invocation.
    pub(crate) async fn ended(&mut self) -> Ended {
        tokio::time::timeout(super::AMPLE, self.ended.recv()).await.expect("the invocation does not end").unwrap()
    }

    /// Ends the process; gives what it wrote.
    pub(crate) async fn stop(mut self) -> String {
        self.child.kill().await.unwrap();
        self.output.await.unwrap()
    }
}

async fn next(State(api): State<RuntimeApi>) -> Response {
    let Some(invocation) = api.invocations.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    invocation.begun.send(Instant::now()).ok();
    let end = SystemTime::now() + invocation.time;
    let deadline = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "request-1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:111122223333:function:gate".to_owned()),
    ];
    (headers, invocation.body).into_response()
}

async fn response(State(api): State<RuntimeApi>, Path(_id): Path<String>, body: String) -> StatusCode {
    api.ended.send(Ended::Response(body)).ok();
    StatusCode::ACCEPTED
}

async fn error(State(api): State<RuntimeApi>, Path(_id): Path<String>, body: String) -> StatusCode {
    api.ended.send(Ended::Error(body)).ok();
    StatusCode::ACCEPTED
}
