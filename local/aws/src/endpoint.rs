//! The one endpoint: a request finds its service by what it carries, as at a gateway in front of AWS.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use s3s::service::S3Service;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tower_service::Service;

use crate::calls::Calls;

/// The services behind the endpoint.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) codepipeline: Router,
    pub(crate) codebuild: Router,
    pub(crate) lambda: Router,
    pub(crate) ssm: Router,
    pub(crate) s3: S3Service,
    pub(crate) calls: Calls,
}

/// A server on a loopback port; it ends when this is dropped.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

impl Endpoint {
    /// Takes a loopback port, 0 for any free one, without serving anything yet.
    ///
    /// # Errors
    ///
    /// If the port is not free.
    pub(crate) async fn bind(port: u16) -> Result<TcpListener, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpListener::bind(address).await.map_err(|error| {
            format!("serve the AWS endpoint on port {port}: {error}; choose another with --port, or 0 for any free one")
        })
    }

    /// Serves on a bound port.
    ///
    /// # Errors
    ///
    /// If the address of the port cannot be found out.
    pub(crate) fn serve(listener: TcpListener, services: Services) -> Result<Self, String> {
        let address = listener.local_addr().map_err(|error| format!("serve the AWS endpoint: {error}"))?;
        let router = Router::new().fallback(dispatch).with_state(services);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the AWS endpoint has ended");
            }
        });
        Ok(Self { address, _server: AbortOnDropHandle::new(server) })
    }
}

/// JSON services name their operation in a header, Lambda has paths of its own, and everything else is S3.
async fn dispatch(State(services): State<Services>, request: Request) -> Response {
    let Services { mut codepipeline, mut codebuild, mut lambda, mut ssm, s3, calls } = services;
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    let is_lambda = request.uri().path().starts_with("/2015-03-31/");
    let is_cbor = request.headers().contains_key("smithy-protocol");
    let method = request.method().as_str();
    match target.as_deref() {
        Some(target) if target.starts_with("CodePipeline_") => {
            calls.note("codepipeline", operation(target), request.headers());
            infallible(codepipeline.call(request).await)
        }
        Some(target) if target.starts_with("CodeBuild_") => {
            calls.note("codebuild", operation(target), request.headers());
            infallible(codebuild.call(request).await)
        }
        Some(target) if target.starts_with("AmazonSSM.") => {
            calls.note("ssm", operation(target), request.headers());
            infallible(ssm.call(request).await)
        }
        Some(target) => unknown_service(target),
        None if is_lambda => {
            calls.note("lambda", method, request.headers());
            infallible(lambda.call(request).await)
        }
        // CodePipeline's own router explains why it speaks no CBOR.
        None if is_cbor => infallible(codepipeline.call(request).await),
        None => {
            calls.note("s3", method, request.headers());
            serve_s3(State(s3), request).await
        }
    }
}

/// The operation of a header `X-Amz-Target`.
fn operation(target: &str) -> &str {
    target.split_once('.').map_or(target, |(_, operation)| operation)
}

fn infallible(response: Result<Response, std::convert::Infallible>) -> Response {
    match response {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

pub(crate) async fn serve_s3(State(s3): State<S3Service>, request: Request) -> Response {
    match s3.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("the local S3 failed: {error:?}")).into_response(),
    }
}

fn unknown_service(target: &str) -> Response {
    let message = format!(
        "the local AWS has no service for the operation {target}; it serves CodePipeline, CodeBuild, Lambda, SSM and S3"
    );
    let body = serde_json::json!({"__type": "UnknownOperationException", "message": message});
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body.to_string()).into_response()
}
