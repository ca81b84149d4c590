//! Faults of the endpoint, around the service itself.

use std::io;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::{CallFault, Faults, Refusal};

/// Serves a request as the faults want it.
pub(crate) async fn faulty(faults: &dyn Faults, request: Request, next: Next) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or(target, |(_, operation)| operation);
    match faults.call(operation) {
        CallFault::None => next.run(request).await,
        CallFault::Refuse(refusal) => refused(&refusal),
        CallFault::LoseAnswer(refusal) => {
            next.run(request).await;
            refused(&refusal)
        }
        CallFault::Slow(time) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        CallFault::CutOff => cut_off(),
        CallFault::CutOffAfterwards => {
            next.run(request).await;
            cut_off()
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    let Refusal { status, code, message } = refusal;
    let headers = [
        (header::CONTENT_TYPE, "application/x-amz-json-1.1"),
        (HeaderName::from_static("x-amzn-errortype"), code.as_str()),
    ];
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, json!({"__type": code, "message": message}).to_string()).into_response()
}

/// An answer whose body breaks off, which makes the server close the connection.
fn cut_off() -> Response {
    let parts = [Ok("{\""), Err(io::Error::new(io::ErrorKind::ConnectionReset, "an injected fault"))];
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.1"), (header::CONTENT_LENGTH, "64")];
    (headers, Body::from_stream(stream::iter(parts))).into_response()
}
