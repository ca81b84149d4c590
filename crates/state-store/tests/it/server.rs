//! S3 on loopback that fails on demand.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use stagegate_local_aws::LocalS3;
use stagegate_state_store::{Document, StateStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tower_service::Service;

pub(crate) const BUCKET: &str = "state";
const ACCESS_KEY: &str = "ASIASTATE";
pub(crate) const SECRET_KEY: &str = "secret-of-the-function";

/// A document for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) count: u64,
    /// Who has counted, in order.
    #[serde(default)]
    pub(crate) by: Vec<String>,
}

impl Document for Counter {
    const KIND: &'static str = "counter";
    const VERSION: u32 = 1;
}

/// A request that waits for the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hold {
    /// Told when the request is there.
    pub(crate) reached: Arc<Notify>,
    /// Lets it go on.
    pub(crate) release: Arc<Notify>,
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reached, &other.reached)
    }
}

/// What happens to one request in place of a proper answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing: lets a request pass in a sequence of faults.
    None,
    /// An error answer, without anything done.
    Answer(u16, &'static str),
    /// The connection is closed without anything done.
    ResetBefore,
    /// It is done, and the connection is closed without an answer.
    ResetAfter,
    /// It is done, and the answer is an internal error.
    ErrorAfter,
    /// Nothing is done for so long; then it is done, whether anybody still waits or not.
    DoneLate(Duration),
    /// It is done after a pause.
    Slow(Duration),
    /// It is done when the test says so.
    Held(Hold),
}

/// Decides about each request that writes.
type Faults = Arc<Mutex<dyn FnMut(&Method) -> Fault + Send>>;

pub(crate) struct Server {
    _root: TempDir,
    pub(crate) s3: LocalS3,
    sdk: SdkConfig,
    faults: Arc<Mutex<Faults>>,
    requests: Arc<Mutex<Vec<Method>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let root = TempDir::new().unwrap();
        let s3 = LocalS3::open(root.path()).unwrap();
        s3.create_bucket(BUCKET).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let none: Faults = Arc::new(Mutex::new(|_: &Method| Fault::None));
        let (faults, requests) = (Arc::new(Mutex::new(none)), Arc::default());
        let front = Front {
            s3: s3.router(ACCESS_KEY, SECRET_KEY),
            faults: Arc::clone(&faults),
            requests: Arc::clone(&requests),
        };
        tokio::spawn(serve(listener, front));
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(credentials(SECRET_KEY))
            .build();
        Self { _root: root, s3, sdk, faults, requests }
    }

    pub(crate) fn store(&self) -> StateStore {
        self.store_of(BUCKET, SECRET_KEY)
    }

    /// A store with an HTTP client of its own.
    pub(crate) fn store_of(&self, bucket: &str, secret: &str) -> StateStore {
        let sdk = self.sdk.to_builder().credentials_provider(credentials(secret)).build();
        StateStore::new(&sdk, bucket, None)
    }

    /// Has these faults happen to the requests of one method, one after the other.
    pub(crate) fn fail(&self, method: &Method, faults: impl IntoIterator<Item = Fault>) {
        let (method, mut faults) = (method.clone(), faults.into_iter().collect::<VecDeque<_>>());
        self.decide(move |asked| {
            let next = if *asked == method { faults.pop_front() } else { None };
            next.unwrap_or(Fault::None)
        });
    }

    /// Has `decide` called for each request.
    pub(crate) fn decide(&self, decide: impl FnMut(&Method) -> Fault + Send + 'static) {
        *self.faults.lock().unwrap() = Arc::new(Mutex::new(decide));
    }

    /// How many requests of a method came.
    pub(crate) fn requests(&self, method: &Method) -> usize {
        self.requests.lock().unwrap().iter().filter(|asked| *asked == method).count()
    }
}

fn credentials(secret: &str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(ACCESS_KEY, secret, None, None, "test"))
}

#[derive(Clone)]
struct Front {
    s3: Router,
    faults: Arc<Mutex<Faults>>,
    requests: Arc<Mutex<Vec<Method>>>,
}

#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is to be closed")
    }
}

impl std::error::Error for Reset {}

async fn serve(listener: TcpListener, front: Front) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let front = front.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| front.clone().answer(request));
            // An error here is a fault that was asked for.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Front {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
        self.requests.lock().unwrap().push(request.method().clone());
        let decide = Arc::clone(&self.faults.lock().unwrap());
        let fault = (decide.lock().unwrap())(request.method());
        // The whole request is here before anything fails, so that nothing but the answer is missing.
        let request = whole(request).await;
        match fault {
            Fault::None => Ok(self.pass(request).await),
            Fault::Answer(status, code) => Ok(error(status, code)),
            Fault::ResetBefore => Err(Reset),
            Fault::ResetAfter => {
                self.pass(request).await;
                Err(Reset)
            }
            Fault::ErrorAfter => {
                self.pass(request).await;
                Ok(error(500, "InternalError"))
            }
            Fault::DoneLate(pause) => {
                let done = tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    self.pass(request).await
                });
                done.await.map_err(|_| Reset)
            }
            Fault::Slow(pause) => {
                tokio::time::sleep(pause).await;
                Ok(self.pass(request).await)
            }
            Fault::Held(hold) => {
                hold.reached.notify_one();
                hold.release.notified().await;
                Ok(self.pass(request).await)
            }
        }
    }

    async fn pass(&self, request: Request<Body>) -> Response<Body> {
        let answer: Result<_, Infallible> = self.s3.clone().call(request).await;
        answer.unwrap()
    }
}

async fn whole(request: Request<Incoming>) -> Request<Body> {
    let (parts, body) = request.into_parts();
    let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    Request::from_parts(parts, Body::from(body))
}

fn error(status: u16, code: &str) -> Response<Body> {
    let body =
        format!(r#"<?xml version="1.0"?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>"#);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
