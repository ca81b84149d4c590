//! Faults of the endpoint, around the service itself.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use stagegate_local_faults::{Wire, spoil};

use super::Faults;

/// Serves a request as the faults want it.
pub(crate) async fn faulty(faults: &dyn Faults, request: Request, next: Next) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or(target, |(_, operation)| operation);
    let fault = faults.call(operation);
    spoil(fault, Wire::Json, request, |request| next.run(request)).await
}
