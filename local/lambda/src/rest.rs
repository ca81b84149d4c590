//! The part of the Lambda REST API that invokes and describes functions, their versions and their aliases (AWS Lambda
//! API reference).

mod update;
mod versions;

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::config::FunctionConfig;
use crate::error::InvokeError;
use crate::host::{LambdaHost, MAX_SYNC_PAYLOAD_BYTES};
use crate::invocation::InvocationType;
use crate::version::LATEST;

/// The greatest client context, in bytes of base64 (AWS Lambda API reference, Invoke).
const MAX_CLIENT_CONTEXT_BYTES: usize = 3583;

/// An error in the form of the Lambda API.
struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// The routes `Invoke`, `GetFunction`, `GetFunctionConfiguration`, `UpdateFunctionConfiguration`, `ListFunctions`, and those of versions and aliases,
/// below `/2015-03-31/functions`.
pub fn router(host: LambdaHost) -> Router {
    // The host checks the payload's exact size; a little more is let through to get its message.
    let body_limit = DefaultBodyLimit::max(MAX_SYNC_PAYLOAD_BYTES + 1024 * 1024);
    Router::new()
        .route("/2015-03-31/functions", get(list))
        .route("/2015-03-31/functions/", get(list))
        .route("/2015-03-31/functions/{name}", get(describe))
        .route("/2015-03-31/functions/{name}/configuration", get(describe_configuration).put(update::configure))
        .route("/2015-03-31/functions/{name}/invocations", post(invoke).layer(body_limit))
        .route("/2015-03-31/functions/{name}/versions", get(versions::list).post(versions::publish))
        .route("/2015-03-31/functions/{name}/aliases", get(versions::aliases).post(versions::create_alias))
        .route("/2015-03-31/functions/{name}/aliases/{alias}", get(versions::get_alias).put(versions::update_alias))
        .with_state(host)
}

async fn invoke(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, ApiError> {
    let payload = body.map_err(|rejection| body_error(&rejection))?;
    let invocation_type = match header(&headers, "x-amz-invocation-type") {
        None => InvocationType::RequestResponse,
        Some(name) => InvocationType::from_name(name).ok_or_else(|| {
            let allowed = "RequestResponse, Event or DryRun";
            ApiError::invalid(format!("the invocation type `{name}` is unknown; use {allowed}"))
        })?,
    };
    let wants_tail = match header(&headers, "x-amz-log-type") {
        None | Some("None") => false,
        Some("Tail") => true,
        Some(other) => return Err(ApiError::invalid(format!("the log type `{other}` is unknown; use None or Tail"))),
    };
    let context = header(&headers, "x-amz-client-context").map(client_context).transpose()?;
    let reference = qualified(name, &query);
    let result = host.invoke_with_context(&reference, payload, invocation_type, context).await?;

    let mut answer =
        (StatusCode::from_u16(invocation_type.status()).unwrap_or_default(), result.payload).into_response();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("x-amzn-requestid", &result.request_id);
    if invocation_type == InvocationType::RequestResponse {
        set("content-type", "application/json");
        set("x-amz-executed-version", &result.executed_version);
        if result.function_error.is_some() {
            set("x-amz-function-error", "Unhandled");
        }
        if wants_tail {
            set("x-amz-log-result", &STANDARD.encode(&result.log_tail));
        }
    }
    Ok(answer)
}

/// The function with the version or alias that the query names.
fn qualified(name: String, query: &HashMap<String, String>) -> String {
    query.get("Qualifier").map_or(name.clone(), |qualifier| format!("{name}:{qualifier}"))
}

async fn describe(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let config = find(&host, &qualified(name, &query))?;
    Ok(Json(json!({
        "Configuration": configuration(&config),
        "Code": {"RepositoryType": "local", "Location": config.command.program},
    })))
}

async fn describe_configuration(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(configuration(&find(&host, &qualified(name, &query))?)))
}

async fn list(State(host): State<LambdaHost>) -> Json<Value> {
    let names = host.function_names();
    let functions: Vec<Value> = names.iter().filter_map(|name| Some(configuration(&host.function(name)?))).collect();
    Json(json!({"Functions": functions}))
}

fn find(host: &LambdaHost, name: &str) -> Result<FunctionConfig, ApiError> {
    let not_found =
        || InvokeError::ResourceNotFound { reference: name.to_owned(), known: host.function_names() }.into();
    host.function(name).ok_or_else(not_found)
}

/// `FunctionConfiguration` of the AWS model. Environment variables are shown, as Lambda shows them.
fn configuration(config: &FunctionConfig) -> Value {
    json!({
        "FunctionName": config.name,
        "FunctionArn": if config.version == LATEST { config.arn.clone() } else { config.qualified_arn() },
        "Version": config.version,
        "Runtime": "provided.al2023",
        "PackageType": "Zip",
        "Handler": config.handler,
        "Timeout": config.timeout.as_secs_f64().ceil(),
        "MemorySize": config.memory_mb,
        "Environment": {"Variables": config.environment},
        "LoggingConfig": {"LogFormat": config.logging.format.name(), "LogGroup": config.log_group()},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The client context comes as base64 of a JSON text; the function gets the text in a header.
fn client_context(encoded: &str) -> Result<String, ApiError> {
    let invalid = |what: &str| ApiError::invalid(format!("the client context {what}"));
    if encoded.len() > MAX_CLIENT_CONTEXT_BYTES {
        return Err(invalid("is longer than 3583 bytes"));
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| invalid("is no base64"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid("is no JSON"))?;
    let text = value.to_string();
    if HeaderValue::from_str(&text).is_err() { Err(invalid("has control characters")) } else { Ok(text) }
}

fn body_error(rejection: &axum::extract::rejection::BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the payload is larger than {MAX_SYNC_PAYLOAD_BYTES} bytes");
        return ApiError { status: StatusCode::PAYLOAD_TOO_LARGE, code: "RequestTooLargeException", message };
    }
    let message = "the request ended before its body did".to_owned();
    ApiError { status: StatusCode::BAD_REQUEST, code: "InvalidRequestContentException", message }
}

impl ApiError {
    fn invalid(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "InvalidParameterValueException", message }
    }
}

impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: error.code(), message: error.to_string() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = if self.status.is_server_error() { "Service" } else { "User" };
        // `TooManyRequestsException` has a reason of its own in the model; `message` is spelled both ways by clients.
        let mut body = json!({"Type": kind, "Message": self.message, "message": self.message});
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            body["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded".into();
        }
        (self.status, [("x-amzn-errortype", self.code)], Json(body)).into_response()
    }
}
