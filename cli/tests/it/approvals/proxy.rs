//! Between the functions and everything that they call: it counts the calls, and kills the process that makes the one that
//! a test names, before it is done or before its answer.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use http::StatusCode;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use stagegate_local_aws::Options;
use tokio::net::TcpListener;

/// The services whose endpoint can be named by itself.
const SERVICES: [&str; 6] = ["S3", "SSM", "CODEPIPELINE", "LAMBDA", "SNS", "CLOUDWATCH"];

/// A call on its way.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The function that makes it.
    pub(crate) function: String,
    /// What is called, such as `s3 PUT approvals` or `slack chat.postMessage`.
    pub(crate) name: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// The process is killed; nothing has been done.
    KillBefore,
    /// It is done; the process is killed before the answer.
    KillAfter,
}

type Decide = Box<dyn FnMut(&Call) -> Fate + Send>;

/// The proxy; it ends with the test.
#[derive(Clone)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    aws: SocketAddr,
    slack: SocketAddr,
}

struct Shared {
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
    aws: OnceLock<String>,
    slack: OnceLock<String>,
    decide: Mutex<Decide>,
    seen: Mutex<Vec<Call>>,
}

#[derive(Clone, Copy)]
enum Side {
    Aws,
    Slack,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            aws: OnceLock::new(),
            slack: OnceLock::new(),
            decide: Mutex::new(Box::new(|_| Fate::Pass)),
            seen: Mutex::default(),
        });
        let aws = serve(Arc::clone(&shared), Side::Aws).await;
        let slack = serve(Arc::clone(&shared), Side::Slack).await;
        Self { shared, aws, slack }
    }

    /// Sends the functions' calls this way.
    pub(crate) fn between(&self, mut options: Options) -> Options {
        let slack = options.environment.insert("STAGEGATE_SLACK_URL".to_owned(), format!("http://{}/api/", self.slack));
        let slack = slack.unwrap();
        self.shared.slack.set(slack.trim_end_matches("/api/").to_owned()).unwrap();
        for service in SERVICES {
            options.environment.insert(format!("AWS_ENDPOINT_URL_{service}"), format!("http://{}", self.aws));
        }
        options
    }

    /// Names the endpoint of the local AWS, as soon as it is there.
    pub(crate) fn to(&self, endpoint: &str) {
        self.shared.aws.set(endpoint.to_owned()).unwrap();
    }

    /// Decides from now on what becomes of calls.
    pub(crate) fn decide(&self, decide: impl FnMut(&Call) -> Fate + Send + 'static) {
        *self.shared.decide.lock().unwrap() = Box::new(decide);
    }

    /// The calls since this was last asked, in their order.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

async fn serve(shared: Arc<Shared>, side: Side) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Router::new().fallback(pass).with_state((shared, side)).into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Who is at the other end of a connection: a process of a function, or the test.
#[derive(Clone)]
struct Peer(Option<Process>);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let local = stream.io().local_addr().map(|address| address.port()).unwrap_or_default();
        Self(Process::of(stream.remote_addr().port(), local))
    }
}

async fn pass(
    State((shared, side)): State<(Arc<Shared>, Side)>,
    ConnectInfo(Peer(process)): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, 16 << 20).await.unwrap_or_default();
    // A test's own call, or one of a process that has just ended.
    let function = process.as_ref().map(|process| process.function.clone()).unwrap_or_default();
    let call = Call { function, name: name(side, &parts) };
    let fate = {
        let fate = (shared.decide.lock().unwrap())(&call);
        shared.seen.lock().unwrap().push(call);
        fate
    };
    if fate == Fate::KillBefore {
        return kill(process);
    }
    let upstream = match side {
        Side::Aws => &shared.aws,
        Side::Slack => &shared.slack,
    };
    // A schedule may be faster than the test that has just started everything.
    while upstream.get().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    // The header `host` stays as the caller has signed it.
    parts.uri = format!("{}{path}", upstream.get().expect("it was waited for")).parse().unwrap();
    let answer = shared.client.request(Request::from_parts(parts, Full::new(body))).await;
    if fate == Fate::KillAfter {
        // The whole answer is there: what was asked for is done.
        if let Ok(answer) = answer {
            let _ = http_body_util::BodyExt::collect(answer.into_body()).await;
        }
        return kill(process);
    }
    answer.map_or_else(
        |error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        |answer| answer.map(Body::new),
    )
}

/// What is called.
fn name(side: Side, parts: &http::request::Parts) -> String {
    let path = parts.uri.path();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    match side {
        Side::Slack => format!("slack {}", path.trim_start_matches("/api/")),
        Side::Aws => match header("x-amz-target") {
            Some(target) => {
                let (service, operation) = target.split_once('.').unwrap_or(("", target));
                let service = service.split('_').next().unwrap_or_default().to_lowercase();
                format!("{} {operation}", service.trim_start_matches("amazon"))
            }
            None if path.starts_with("/2015-03-31/") => "lambda Invoke".to_owned(),
            None if path.starts_with("/service/") => {
                format!("cloudwatch {}", path.rsplit('/').next().unwrap_or_default())
            }
            None if parts.method == http::Method::POST && path == "/" => "sns Publish".to_owned(),
            None => {
                let of_prefix = parts.uri.query().and_then(|query| query.split("prefix=").nth(1));
                let folder = path.trim_start_matches('/').split('/').nth(1).filter(|folder| !folder.is_empty());
                let folder = folder.or(of_prefix).unwrap_or_default().split(['%', '&', '/']).next().unwrap_or_default();
                format!("s3 {} {folder}", parts.method)
            }
        },
    }
}

fn kill(process: Option<Process>) -> Response {
    let process = process.expect("only a function's call is spoilt");
    let killed = Command::new("kill").args(["-9", &process.id.to_string()]).status().unwrap();
    assert!(killed.success(), "{process:?}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// The process at the other end of a connection.
#[derive(Clone, Debug)]
struct Process {
    id: u32,
    function: String,
}

impl Process {
    /// By the kernel's tables: the socket with this local port that leads to us, and the process that holds it.
    fn of(local: u16, remote: u16) -> Option<Self> {
        let (local, remote) = (format!("0100007F:{local:04X}"), format!("0100007F:{remote:04X}"));
        let sockets = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let inode = sockets.lines().find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            (fields.get(1) == Some(&local.as_str()) && fields.get(2) == Some(&remote.as_str()))
                .then(|| fields[9].to_owned())
        })?;
        let wanted = format!("socket:[{inode}]");
        for entry in std::fs::read_dir("/proc").ok()?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
            let environment = String::from_utf8_lossy(&environment);
            let function = environment.split('\0').find_map(|it| it.strip_prefix("AWS_LAMBDA_FUNCTION_NAME="));
            let Some(function) = function else { continue };
            let files = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
            let holds = |file: std::fs::DirEntry| {
                std::fs::read_link(file.path()).is_ok_and(|link| link.to_str() == Some(&wanted))
            };
            if files.into_iter().any(holds) {
                return Some(Self { id, function: function.trim_start_matches("stagegate-").to_owned() });
            }
        }
        None
    }
}
