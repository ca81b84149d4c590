//! A web server for smoke tests and probes.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio_util::task::AbortOnDropHandle;

/// A server on a loopback port; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/ok", get(async || "ok"))
            .route("/bad", get(async || (StatusCode::INTERNAL_SERVER_ERROR, "bad")))
            .route("/hang", get(async || std::future::pending::<()>().await))
            .route("/big", get(async || ([("content-type", "application/json")], big())));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, _task: AbortOnDropHandle::new(task) }
    }
}

/// Much to look through for a JSONPath expression.
fn big() -> String {
    let item = r#"{"a":{"b":{"c":[1,2,3,{"d":"e"}]}},"name":"item"}"#;
    format!("[{}]", vec![item; 20_000].join(","))
}
