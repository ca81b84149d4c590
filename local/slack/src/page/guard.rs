//! Keeps other web pages that a person has open from clicking here.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};

/// Lets through what comes from this page: the host is this machine, and the origin, where one is named, is the host.
pub async fn same_origin(request: Request, next: Next) -> Response {
    if is_ours(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this page is for this machine only, and is not used from other pages").into_response()
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_local = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    is_local && text(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"))
}
