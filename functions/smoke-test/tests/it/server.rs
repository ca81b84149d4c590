//! A deployment to test: a server whose answers the test decides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

type Answer = Arc<dyn Fn(usize, &str) -> Option<u16> + Send + Sync>;

/// A running server; it ends with the runtime of the test.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) port: u16,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shared {
    hits: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    answer: Answer,
}

impl Server {
    /// Answers the request number n (from 0) of a path with a status; `None` never answers.
    pub(crate) async fn start(answer: impl Fn(usize, &str) -> Option<u16> + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Shared { hits: Arc::default(), seen: Arc::default(), answer: Arc::new(answer) };
        let app = Router::new().fallback(respond).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base: format!("http://127.0.0.1:{port}"), port, seen: shared.seen }
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn respond(State(shared): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let number = shared.hits.fetch_add(1, Ordering::SeqCst);
    shared.seen.lock().unwrap().push(request.uri().to_string());
    match (shared.answer)(number, &path) {
        Some(status) => (StatusCode::from_u16(status).unwrap(), "body").into_response(),
        None => std::future::pending().await,
    }
}
