//! S3 on loopback: counts what it sends and fails on demand.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{ETagCondition, GetObjectInput, GetObjectOutput, PutObjectInput, PutObjectOutput, Range};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use stagegate_pipeline_artifact::{ArtifactClients, ArtifactError, ArtifactLocation, ArtifactStore, Limits};
use tempfile::TempDir;
use tokio::net::TcpListener;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Error>;

pub(crate) const BUCKET: &str = "artifacts";
const ACCESS_KEY: &str = "ASIAEXAMPLE";
pub(crate) const SECRET_KEY: &str = "secret-of-the-job";

pub(crate) fn job_credentials(secret: &str) -> Credentials {
    Credentials::new(ACCESS_KEY, secret, Some("token-of-the-job".to_owned()), None, "job")
}

/// What happens to one request instead of a proper answer.
pub(crate) enum Fault {
    /// No fault: lets a request pass in a sequence of faults.
    None,
    /// An error answer: status, code.
    Answer(u16, &'static str),
    /// The connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// Nothing comes after so many bytes of the body, and the connection stays open.
    StallAfter(usize),
    /// No answer comes, and the connection stays open.
    Silence,
    /// A pause before each chunk of the body.
    Slow(Duration),
    /// The object gets this content before the request is answered.
    Replace(Vec<u8>),
}

#[derive(Default)]
struct State {
    bytes_sent: AtomicU64,
    connections: AtomicU64,
    requests: Mutex<Vec<(Method, HeaderMap)>>,
    faults: Mutex<VecDeque<Fault>>,
}

pub(crate) struct Server {
    root: TempDir,
    sdk: SdkConfig,
    state: Arc<State>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let root = TempDir::new().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(LikeS3 {
            files: FileSystem::new(root.path()).unwrap(),
            root: root.path().to_owned(),
        });
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let state = Arc::new(State::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, builder.build(), Arc::clone(&state), root.path().join(BUCKET)));
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(format!("http://{address}"))
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(10)))
            .no_credentials()
            .load()
            .await;
        Self { root, sdk, state }
    }

    pub(crate) fn store(&self) -> ArtifactStore {
        self.store_with_secret(SECRET_KEY)
    }

    pub(crate) fn store_with_secret(&self, secret: &str) -> ArtifactStore {
        self.clients().for_job(job_credentials(secret))
    }

    pub(crate) fn clients(&self) -> ArtifactClients {
        ArtifactClients::new(&self.sdk)
    }

    /// A store that waits only shortly for an answer.
    pub(crate) fn impatient_store(&self) -> ArtifactStore {
        let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_millis(300)).build();
        let sdk = self.sdk.to_builder().timeout_config(timeouts).build();
        ArtifactClients::new(&sdk).for_job(job_credentials(SECRET_KEY))
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.root.path().join(BUCKET).join(key)
    }

    /// Puts an object without any traffic.
    pub(crate) fn place(&self, key: &str, content: &[u8]) -> ArtifactLocation {
        std::fs::write(self.path(key), content).unwrap();
        ArtifactLocation::new(BUCKET, key)
    }

    /// Gives an object an ETag, so that the server need not read the whole of it for its MD5.
    pub(crate) fn set_etag(&self, key: &str) {
        let encode = |text: &str| {
            // Base64 without padding, as the server names its files.
            const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
            bits.chunks(6)
                .map(|six| six.iter().chain([0; 6].iter()).take(6).fold(0, |value, bit| value * 2 + bit))
                .map(|value| char::from(ALPHABET[usize::from(value)]))
                .collect::<String>()
        };
        let name = format!(".bucket-{}.object-{}.internal.json", encode(BUCKET), encode(key));
        std::fs::write(self.root.path().join(name), r#"{"e_tag":"0123456789abcdef0123456789abcdef"}"#).unwrap();
    }

    pub(crate) async fn open(
        &self,
        location: &ArtifactLocation,
    ) -> Result<stagegate_pipeline_artifact::Artifact, ArtifactError> {
        self.store().open(location.clone(), Limits::default()).await
    }

    /// Faults for the next requests, one each.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.faults.lock().unwrap().extend(faults);
    }

    pub(crate) fn bytes_sent(&self) -> u64 {
        self.state.bytes_sent.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<(Method, HeaderMap)> {
        self.state.requests.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, service: S3Service, state: Arc<State>, bucket: PathBuf) {
    while let Ok((connection, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        let (service, state, bucket) = (service.clone(), Arc::clone(&state), bucket.clone());
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, service.clone(), Arc::clone(&state), &bucket));
            // A cut connection is an error here, and what the test wants.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    service: S3Service,
    state: Arc<State>,
    bucket: &Path,
) -> Result<Response<Body>, Error> {
    state.requests.lock().unwrap().push((request.method().clone(), request.headers().clone()));
    let fault = state.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
    if matches!(fault, Fault::Silence) {
        std::future::pending::<()>().await;
    }
    if let Fault::Answer(status, code) = fault {
        let body = format!("<Error><Code>{code}</Code><Message>made by the test</Message></Error>");
        let body = Full::from(body).map_err(Error::from).boxed_unsync();
        return Ok(Response::builder().status(status).body(body)?);
    }
    if let Fault::Replace(content) = &fault {
        let key = request.uri().path().rsplit('/').next().unwrap_or_default();
        std::fs::write(bucket.join(key), content)?;
    }
    let response =
        hyper::service::Service::call(&service, request).await.map_err(|error| Error::from(format!("{error:?}")))?;
    Ok(response.map(|body| spoil(body, fault, state)))
}

fn spoil(body: s3s::Body, fault: Fault, state: Arc<State>) -> Body {
    let stalls = matches!(fault, Fault::StallAfter(_));
    let mut left = match fault {
        Fault::CutAfter(bytes) | Fault::StallAfter(bytes) => bytes,
        _ => usize::MAX,
    };
    let pause = match fault {
        Fault::Slow(pause) => Some(pause),
        _ => None,
    };
    let chunks = body.into_data_stream().map_err(|error| Error::from(format!("{error:?}")));
    let chunks = chunks.then(move |chunk| async move {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        chunk
    });
    let chunks = chunks.flat_map(move |chunk| {
        let mut sent: Vec<Result<Frame<Bytes>, Error>> = Vec::new();
        match chunk {
            Ok(chunk) if chunk.len() < left => {
                left -= if left == usize::MAX { 0 } else { chunk.len() };
                state.bytes_sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                sent.push(Ok(Frame::data(chunk)));
            }
            Ok(chunk) => {
                state.bytes_sent.fetch_add(left as u64, Ordering::SeqCst);
                sent.push(Ok(Frame::data(chunk.slice(..left))));
                left = 0;
                sent.push(Err("cut by the test".into()));
            }
            Err(error) => sent.push(Err(error)),
        }
        futures_util::stream::iter(sent)
    });
    let chunks = chunks.then(move |chunk| async move {
        if chunk.is_err() && stalls {
            std::future::pending::<()>().await;
        }
        if chunk.is_err() {
            // Give the headers, and what was sent before, time to leave: the cut is to be in the body.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        chunk
    });
    BodyExt::boxed_unsync(StreamBody::new(chunks))
}

/// `s3s-fs`, with what the real S3 does and it does not: suffix ranges longer than the object, and If-Match on reads.
struct LikeS3 {
    files: FileSystem,
    root: PathBuf,
}

#[async_trait::async_trait]
impl S3 for LikeS3 {
    async fn get_object(&self, mut request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let path = self.root.join(&request.input.bucket).join(&request.input.key);
        let length = std::fs::metadata(path).map_err(|_| s3_error!(NoSuchKey))?.len();
        if let Some(Range::Suffix { length: suffix }) = request.input.range {
            if length == 0 {
                return Err(s3_error!(InvalidRange));
            }
            request.input.range = Some(Range::Suffix { length: suffix.min(length) });
        }
        let condition = request.input.if_match.clone();
        let response = self.files.get_object(request).await?;
        match (condition, &response.output.e_tag) {
            (Some(ETagCondition::ETag(wanted)), Some(found)) if wanted != *found => Err(s3_error!(PreconditionFailed)),
            _ => Ok(response),
        }
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.files.put_object(request).await
    }
}
