//! The endpoint: AWS JSON 1.0 and 1.1 over HTTP. Which of the two a service speaks is in the content type and nowhere else.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Service;
use crate::error::ApiError;

/// A version of the protocol, of which only the content type differs here.
#[derive(Clone, Copy)]
struct Version {
    name: &'static str,
    content_type: &'static str,
}

const VERSION_1_0: Version = Version { name: "AWS JSON 1.0", content_type: "application/x-amz-json-1.0" };
const VERSION_1_1: Version = Version { name: "AWS JSON 1.1", content_type: "application/x-amz-json-1.1" };

/// More than any request that the limits of the AWS model allow in practice.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Serves a service at `/`, as the AWS SDKs and `aws --endpoint-url` call it: `call` gets the operation and its input,
/// unchecked. Signatures are not checked.
pub fn router<C, F>(service: &'static Service, call: C) -> Router
where
    C: Fn(String, Value) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Value, ApiError>> + Send + 'static,
{
    router_of(VERSION_1_1, service, call)
}

/// [`router`] for a service that speaks AWS JSON 1.0.
pub fn router_1_0<C, F>(service: &'static Service, call: C) -> Router
where
    C: Fn(String, Value) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Value, ApiError>> + Send + 'static,
{
    router_of(VERSION_1_0, service, call)
}

fn router_of<C, F>(version: Version, service: &'static Service, call: C) -> Router
where
    C: Fn(String, Value) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Value, ApiError>> + Send + 'static,
{
    let elsewhere = move |uri: Uri| async move { elsewhere(version, service, &uri) };
    let serve = move |headers: HeaderMap, body: Result<Bytes, BytesRejection>| async move {
        let answer = match read_request(version, service, &headers, body) {
            Ok((operation, input)) => call(operation, input).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(output) => respond(version, StatusCode::OK, None, &output),
            Err(error) => respond_error(version, &error),
        }
    };
    Router::new()
        .route("/", post(serve).fallback(elsewhere))
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// Answers what is no call of AWS JSON 1.1, for example the paths of the Smithy RPC v2 CBOR protocol.
fn elsewhere(version: Version, service: &Service, uri: &Uri) -> Response {
    let (path, spoken) = (uri.path(), version.name);
    let message = if path.starts_with("/service/") {
        format!("the path {path} belongs to the CBOR protocol; the local {} speaks {spoken}", service.name)
    } else {
        format!("there is nothing at {path}; calls of {spoken} are a POST to /")
    };
    respond_error(version, &ApiError::new("UnknownOperationException", message))
}

fn read_request(
    version: Version,
    service: &Service,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(String, Value), ApiError> {
    let Service { name, target_prefix, .. } = service;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = header("content-type").split(';').next().unwrap_or_default().trim();
    if !content_type.eq_ignore_ascii_case(version.content_type) {
        let taken = version.content_type;
        let message = format!("the content type is '{content_type}'; the local {name} takes {taken} only");
        return Err(ApiError::new("UnknownOperationException", message));
    }
    let target = header("x-amz-target");
    let Some(operation) = target.strip_prefix(target_prefix) else {
        let message = format!("the header X-Amz-Target is '{target}'; it must be {target_prefix} and an operation");
        return Err(ApiError::new("UnknownOperationException", message));
    };
    let body = body.map_err(|error| {
        ApiError::new("SerializationException", format!("the body could not be read: {}", error.body_text()))
    })?;
    // A client may send no body where an operation has no required input.
    let input = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    let input = input.map_err(|error| {
        // The error tells the place, not the text around it, which may hold a secret.
        let (line, column) = (error.line(), error.column());
        ApiError::new("SerializationException", format!("the body is no JSON at line {line}, column {column}"))
    })?;
    Ok((operation.to_owned(), input))
}

fn respond_error(version: Version, error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"__type": error.code, "message": error.message});
    respond(version, status, Some(error.code), &body)
}

fn respond(version: Version, status: StatusCode, error_type: Option<&'static str>, body: &Value) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let content_type = version.content_type.to_owned();
    let headers = [(header::CONTENT_TYPE, content_type), (HeaderName::from_static("x-amzn-requestid"), request_id)];
    let error_type = error_type.map(|code| [(HeaderName::from_static("x-amzn-errortype"), code)]);
    (status, headers, error_type, body.to_string()).into_response()
}
