//! The one endpoint: a request finds its service by what it carries, as at a gateway in front of AWS.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use s3s::service::S3Service;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tower_service::Service;

use crate::calls::Calls;

/// More than ten messages of the greatest size with every byte escaped.
const MAX_FORM_BYTES: usize = 8 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Clone)]
pub(crate) struct Services {
    /// CodePipeline is the first of them.
    pub(crate) json: Vec<JsonService>,
    pub(crate) lambda: Router,
    pub(crate) sns: Router,
    pub(crate) s3: S3Service,
    pub(crate) calls: Calls,
}

/// A service whose requests name their operation in the header `X-Amz-Target`.
#[derive(Clone)]
pub(crate) struct JsonService {
    /// What the header begins with.
    pub(crate) prefix: &'static str,
    /// The name in [`Call::service`](crate::Call::service).
    pub(crate) name: &'static str,
    pub(crate) router: Router,
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

/// JSON services name their operation in a header, CBOR services in the path, Lambda has paths of its own, SNS takes forms, and everything else is
/// S3.
async fn dispatch(State(services): State<Services>, request: Request) -> Response {
    let Services { json, mut lambda, mut sns, s3, calls } = services;
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    let is_lambda = request.uri().path().starts_with("/2015-03-31/");
    let target = target.or_else(|| cbor_target(&request));
    let method = request.method().clone();
    let method = method.as_str();
    if let Some(target) = target {
        let Some(mut service) = json.iter().find(|service| target.starts_with(service.prefix)).cloned() else {
            return unknown_service(&target, &json);
        };
        calls.note(service.name, operation(&target), request.headers());
        return infallible(service.router.call(request).await);
    }
    if is_lambda {
        calls.note("lambda", method, request.headers());
        return infallible(lambda.call(request).await);
    }
    // Of the services here only SNS speaks the Query protocol. An upload to S3 by a form is multipart.
    if is_form(&request) {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_FORM_BYTES).await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the form is too large, or it ended too soon").into_response();
        };
        calls.note("sns", &action(&body), &parts.headers);
        return infallible(sns.call(Request::from_parts(parts, Body::from(body))).await);
    }
    calls.note("s3", method, request.headers());
    serve_s3(State(s3), request).await
}

/// The service and the operation in a path of Smithy RPC v2 CBOR, written like `X-Amz-Target`. A service that speaks
/// no CBOR explains itself.
fn cbor_target(request: &Request) -> Option<String> {
    let path = request.uri().path().strip_prefix("/service/")?;
    let (service, operation) = path.split_once("/operation/")?;
    Some(format!("{service}.{operation}"))
}

fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    is_form && request.method() == Method::POST && request.uri().path() == "/"
}

/// The operation of a form of the Query protocol.
fn action(form: &[u8]) -> String {
    let mut fields = url::form_urlencoded::parse(form);
    fields.find(|(name, _)| name == "Action").map(|(_, action)| action.into_owned()).unwrap_or_default()
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

fn unknown_service(target: &str, json: &[JsonService]) -> Response {
    let known: Vec<&str> = json.iter().map(|service| service.name).collect();
    let message = format!(
        "the local AWS has no service for the operation {target}; it serves {}, lambda, s3 and sns",
        known.join(", ")
    );
    let body = serde_json::json!({"__type": "UnknownOperationException", "message": message});
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body.to_string()).into_response()
}
