//! Requests on their way to a service, refused where the function that signed them has no right to what they ask for.
#![expect(clippy::result_large_err, reason = "the answer to a refused request is passed on at once, by value")]

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::answer::{denied_by_lambda, denied_by_s3, denied_by_sns, denied_of_json};
use super::{Denial, Rights};

/// More than the greatest request of a JSON service.
const MAX_JSON_BYTES: usize = 8 * 1024 * 1024;

impl Rights {
    /// A request to a JSON service, which may speak CBOR; the answer where it is refused.
    pub(crate) async fn json(
        &self,
        service: &str,
        operation: &str,
        is_cbor: bool,
        request: Request,
    ) -> Result<Request, Response> {
        let Some(holder) = self.holder(request.headers()) else { return Ok(request) };
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_JSON_BYTES).await else {
            let message = "the request is too large, or it ended too soon";
            return Err((StatusCode::PAYLOAD_TOO_LARGE, message).into_response());
        };
        // CBOR is only sent where no right depends on what is in it, and what is no JSON gets its answer from the service.
        let input = serde_json::from_slice(&body).unwrap_or_default();
        let asks = self.inner.scope.json(service, operation, &input);
        self.check(holder, &asks).map_err(|denial| denied_of_json(&denial, is_cbor))?;
        Ok(Request::from_parts(parts, Body::from(body)))
    }

    /// A request to Lambda.
    pub(crate) fn lambda(&self, request: Request) -> Result<Request, Response> {
        let asks = self.inner.scope.lambda(request.method(), request.uri());
        self.pass(request, &asks, denied_by_lambda)
    }

    /// A form sent to SNS.
    pub(crate) fn sns(&self, action: &str, form: &[u8], request: Request) -> Result<Request, Response> {
        self.pass(request, &self.inner.scope.sns(action, form), denied_by_sns)
    }

    /// A request to S3, served by `serve` if it may be. S3 tells that an object is missing only to who may list the bucket.
    pub(crate) async fn s3(&self, request: Request, serve: impl AsyncFnOnce(Request) -> Response) -> Response {
        let Some(holder) = self.holder(request.headers()) else { return serve(request).await };
        let scope = &self.inner.scope;
        let asks = scope.s3(request.method(), request.uri(), request.headers());
        let list = scope.s3_list(request.uri());
        if let Err(denial) = self.check(holder, &asks) {
            return denied_by_s3(&denial);
        }
        let response = serve(request).await;
        if response.status() == StatusCode::NOT_FOUND
            && let Err(denial) = self.check(holder, &[list])
        {
            return denied_by_s3(&denial);
        }
        response
    }

    fn pass(
        &self,
        request: Request,
        asks: &[super::Ask],
        denied: fn(&Denial) -> Response,
    ) -> Result<Request, Response> {
        match self.holder(request.headers()).map(|holder| self.check(holder, asks)) {
            Some(Err(denial)) => Err(denied(&denial)),
            _ => Ok(request),
        }
    }
}
