//! Function URLs: a function behind an HTTP port of its own (AWS Lambda guide, "Invoking Lambda function URLs").

mod request;
mod response;

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::error::InvokeError;
use crate::host::{LambdaHost, MAX_SYNC_PAYLOAD_BYTES};
use crate::invocation::InvocationType;

/// Who may call a function URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UrlAuth {
    /// Everybody.
    #[default]
    None,
    /// Callers that sign their requests. Here a signature must be there; whether it is right is not checked.
    AwsIam,
}

/// How the body of a form reaches the function. AWS does not document it for function URLs, so both must work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormBody {
    /// In base64, as API Gateway's HTTP APIs are reported to do.
    #[default]
    Base64,
    /// As text.
    Text,
}

/// A function served at a URL of its own; it ends when this is dropped.
pub struct FunctionUrl {
    address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

#[derive(Clone)]
struct Served {
    host: LambdaHost,
    function: String,
    auth: UrlAuth,
    form_body: FormBody,
}

impl FunctionUrl {
    /// Serves a function of the host on a bound port.
    ///
    /// # Errors
    ///
    /// If the address of the port cannot be found out.
    pub fn serve(
        host: LambdaHost,
        function: impl Into<String>,
        auth: UrlAuth,
        form_body: FormBody,
        listener: TcpListener,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let served = Served { host, function: function.into(), auth, form_body };
        let router = Router::new().fallback(answer).with_state(served);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "a function URL has ended");
            }
        });
        Ok(Self { address, _server: AbortOnDropHandle::new(server) })
    }

    /// The URL, with a slash at its end as on AWS.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn answer(
    State(served): State<Served>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if served.auth == UrlAuth::AwsIam && !is_signed(&request) {
        return message(StatusCode::FORBIDDEN, "Forbidden");
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_SYNC_PAYLOAD_BYTES).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let now = served.host.inner.clock.now();
    let event = request::event(&parts, &body, served.form_body, caller, now).to_string();
    match served.host.invoke(&served.function, event, InvocationType::RequestResponse).await {
        // What went wrong inside is the business of the log, not of whoever called.
        Ok(result) if result.function_error.is_some() => failed(),
        Ok(result) => response::response(&result.payload).unwrap_or_else(|why| {
            tracing::warn!(function = %served.function, why, "the response of a function URL cannot be sent");
            failed()
        }),
        Err(InvokeError::TooManyRequests { .. }) => message(StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded."),
        Err(InvokeError::RequestTooLarge { .. }) => message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Err(error) => {
            tracing::warn!(function = %served.function, %error, "a function URL could not be answered");
            failed()
        }
    }
}

fn is_signed(request: &Request) -> bool {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential="))
}

fn failed() -> Response {
    (StatusCode::BAD_GATEWAY, Body::from("Internal Server Error")).into_response()
}

fn message(status: StatusCode, text: &str) -> Response {
    let body = json!({"Message": text}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
