//! A server that tells what it was sent, over axum.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

/// A running server; it ends with the runtime of the test.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) port: u16,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) slow: Slow,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Clone)]
struct Shared {
    hits: Arc<AtomicUsize>,
    slow: Slow,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// How many slow requests are under way, and how many were at the most.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Slow {
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    pub(crate) async fn start_on(address: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared { hits: Arc::default(), slow: Slow::default(), seen: Arc::default() };
        let recording = axum::middleware::from_fn_with_state(shared.clone(), record);
        let app = router().layer(recording).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base: format!("http://{address}"), port: address.port(), seen: shared.seen, slow: shared.slow }
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().cloned().unwrap()
    }
}

fn router() -> Router<Shared> {
    Router::new()
        .route("/echo", any(|| async { "echo" }))
        .route("/json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], JSON) }))
        .route("/xml", get(|| async { ([(header::CONTENT_TYPE, "application/xml")], XML) }))
        .route("/html", get(|| async { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], HTML) }))
        .route(
            "/latin1",
            get(|| async { ([(header::CONTENT_TYPE, "text/plain; charset=ISO-8859-1")], &b"caf\xe9"[..]) }),
        )
        .route("/bytes", get(|| async { ([(header::CONTENT_TYPE, "application/octet-stream")], &b"\x01\x02\xff"[..]) }))
        .route("/gzip", get(gzip))
        .route("/bomb", get(bomb))
        .route("/cookies", get(cookies))
        .route("/redirect/{status}/{*target}", any(redirect))
        .route("/loop", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/loop")]) }))
        .route("/flaky/{good}", get(flaky))
        .route("/slow/{ms}", get(slow))
        .route("/together/{count}/{ms}", get(together))
        .route("/status/{status}", get(status))
        .fallback(any(|| async { StatusCode::NOT_FOUND }))
}

/// Keeps what came before it is answered.
async fn record(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let head = format!("{} {} {:?}", parts.method, parts.uri, parts.version);
    let text = String::from_utf8_lossy(&body).into_owned();
    shared.seen.lock().unwrap().push(Seen { head, headers: parts.headers.clone(), body: text });
    next.run(Request::from_parts(parts, body.into())).await
}

const JSON: &str = r#"{"name":"Bob","age":30,"big":12345678901234567890,"score":1.5,"ok":true,"none":null,
"tags":["a","b"],"empty":[],"id":"0e8f2e3c-6c1c-4e5a-9a07-2b2f5d7a9c11","date":"2024-02-03T04:05:06.789Z",
"ip":"10.0.0.1","ip6":"::1","html":"a &lt; b","enc":"a%20b","b64":"SGk=","url":"https://a.b/?q=x%20y&p=1","token":"s3cr3t"}"#;
const XML: &str = "<r xmlns:n='urn:n'><n:a id='1'>x</n:a><n:a id='2'>y</n:a></r>";
const HTML: &str = "<html><head><title>T</title></head><body><table><tr><td>1<td>2</table></body></html>";

async fn gzip() -> impl IntoResponse {
    use std::io::Write as _;
    let mut encoder = flate2_encoder();
    encoder.write_all(b"compressed").unwrap();
    ([(header::CONTENT_ENCODING, "gzip")], encoder.finish().unwrap())
}

async fn bomb() -> impl IntoResponse {
    use std::io::Write as _;
    let mut encoder = flate2_encoder();
    encoder.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    ([(header::CONTENT_ENCODING, "gzip")], encoder.finish().unwrap())
}

fn flate2_encoder() -> flate2::write::GzEncoder<Vec<u8>> {
    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default())
}

async fn cookies() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    for cookie in [
        "a=1; Path=/; HttpOnly; Max-Age=60",
        "b=2; Expires=Wed, 13 Jan 2100 22:23:01 GMT; SameSite=Lax; Secure",
        "c=3; Path=/elsewhere",
    ] {
        headers.append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    headers
}

async fn redirect(Path((status, target)): Path<(u16, String)>, uri: Uri) -> impl IntoResponse {
    let target = target.replacen("http/", "http://", 1);
    let target = if target.starts_with("http") { target } else { format!("/{target}") };
    let target = uri.query().map_or(target.clone(), |query| format!("{target}?{query}"));
    (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, target)])
}

async fn flaky(State(shared): State<Shared>, Path(good): Path<usize>) -> StatusCode {
    let hit = shared.hits.fetch_add(1, Ordering::SeqCst) + 1;
    if hit >= good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn slow(state: State<Shared>, Path(ms): Path<u64>) -> &'static str {
    together(state, Path((1, ms))).await
}

/// Slow, and not before as many requests have been under way at the same time.
async fn together(State(shared): State<Shared>, Path((count, ms)): Path<(usize, u64)>) -> &'static str {
    let now = shared.slow.now.fetch_add(1, Ordering::SeqCst) + 1;
    shared.slow.most.fetch_max(now, Ordering::SeqCst);
    while shared.slow.most() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(ms)).await;
    shared.slow.now.fetch_sub(1, Ordering::SeqCst);
    "slow"
}

async fn status(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}
