//! The one endpoint: a request finds its service by what it carries, as at a gateway in front of AWS.

mod requests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use http::{Method, StatusCode, header};
use s3s::service::S3Service;
use stagegate_local_faults::{ApiCall, CallFaults, Wire, spoil};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;
use tower_service::Service;

use crate::calls::Calls;
use crate::rights::Rights;

/// More than ten messages of the greatest size with every byte escaped.
const MAX_FORM_BYTES: usize = 8 * 1024 * 1024;

/// More than any input of a JSON service may have; the service itself says where its limit is.
const MAX_INPUT_BYTES: usize = 32 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Clone)]
pub(crate) struct Services {
    /// CodePipeline is the first of them.
    pub(crate) json: Vec<JsonService>,
    pub(crate) lambda: Router,
    pub(crate) sns: Router,
    pub(crate) s3: S3Service,
    pub(crate) calls: Calls,
    pub(crate) faults: Option<Arc<dyn CallFaults>>,
    pub(crate) rights: Rights,
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
        let listener = listener.tap_io(at_once);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the AWS endpoint has ended");
            }
        });
        Ok(Self { address, _server: AbortOnDropHandle::new(server) })
    }
}

/// JSON services name their operation in a header, CBOR services in the path, Lambda has paths of its own, SNS takes
/// forms, and everything else is S3. What a function has no right to do is refused.
async fn dispatch(State(services): State<Services>, request: Request) -> Response {
    let header = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    let wire = if header.is_some() { Wire::Json } else { Wire::Cbor };
    if let Some(target) = header.or_else(|| cbor_target(&request)) {
        let Some(service) = services.json.iter().find(|service| target.starts_with(service.prefix)) else {
            return unknown_service(&target, &services.json);
        };
        let mut router = service.router.clone();
        let call = Called { service: service.name, operation: operation(&target), resource: "", wire };
        services.calls.note(service.name, call.operation, request.headers());
        let rights = &services.rights;
        return services
            .serve(&call, request, async |request| {
                match rights.json(call.service, call.operation, wire == Wire::Cbor, request).await {
                    Ok(request) => infallible(router.call(request).await),
                    Err(denied) => denied,
                }
            })
            .await;
    }
    if request.uri().path().starts_with("/2015-03-31/") {
        services.calls.note("lambda", request.method().as_str(), request.headers());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (operation, resource) = requests::lambda(&method, &path);
        let call = Called { service: "lambda", operation, resource, wire: Wire::Json };
        let (mut lambda, rights) = (services.lambda.clone(), &services.rights);
        return services
            .serve(&call, request, async |request| match rights.lambda(request) {
                Ok(request) => infallible(lambda.call(request).await),
                Err(denied) => denied,
            })
            .await;
    }
    // Of the services here only SNS speaks the Query protocol. An upload to S3 by a form is multipart.
    if is_form(&request) {
        return serve_sns(&services, request).await;
    }
    services.calls.note("s3", request.method().as_str(), request.headers());
    let (method, path) = (request.method().clone(), requests::decoded(request.uri().path()));
    let operation = requests::s3(&method, request.uri(), request.headers(), &path);
    let call = Called { service: "s3", operation, resource: path.trim_start_matches('/'), wire: Wire::S3 };
    let (s3, rights) = (services.s3.clone(), &services.rights);
    services
        .serve(&call, request, async |request| {
            rights.s3(request, async |request| serve_s3(State(s3), request).await).await
        })
        .await
}

async fn serve_sns(services: &Services, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_FORM_BYTES).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the form is too large, or it ended too soon").into_response();
    };
    let action = action(&body);
    services.calls.note("sns", &action, &parts.headers);
    let call = Called { service: "sns", operation: &action, resource: "", wire: Wire::Query };
    let (mut sns, rights) = (services.sns.clone(), &services.rights);
    let request = Request::from_parts(parts, Body::from(body.clone()));
    services
        .serve(&call, request, async |request| match rights.sns(&action, &body, request) {
            Ok(request) => infallible(sns.call(request).await),
            Err(denied) => denied,
        })
        .await
}

/// What a request turned out to be.
struct Called<'a> {
    service: &'static str,
    operation: &'a str,
    resource: &'a str,
    wire: Wire,
}

impl Services {
    /// Serves a call, as the faults want it where there are any.
    async fn serve(
        &self,
        called: &Called<'_>,
        request: Request,
        serve: impl AsyncFnOnce(Request) -> Response,
    ) -> Response {
        let Some(faults) = &self.faults else { return serve(request).await };
        let Called { service, operation, resource, wire } = *called;
        let function = self.calls.function(request.headers()).map(str::to_owned);
        let (parts, body) = request.into_parts();
        let (input, body) = match wire {
            Wire::Json if service != "lambda" => {
                let Ok(input) = to_bytes(body, MAX_INPUT_BYTES).await else {
                    return (StatusCode::PAYLOAD_TOO_LARGE, "the input is too large, or it ended too soon")
                        .into_response();
                };
                (input.clone(), Body::from(input))
            }
            _ => (Bytes::new(), body),
        };
        let call = ApiCall { service, operation, resource, function: function.as_deref(), input: &input };
        let fault = faults.call(&call);
        spoil(fault, wire, Request::from_parts(parts, body), serve).await
    }
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

/// Sends what there is without waiting for more: a body that follows its head would come 40 ms later.
fn at_once(stream: &mut TcpStream) {
    // A connection on which it fails is slower, and that is all.
    let _ = stream.set_nodelay(true);
}
