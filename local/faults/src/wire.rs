//! What faults look like on the wire.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::{CallFault, Refusal};

/// How long an answer that is cut off waits after its last byte.
const FLUSH: Duration = Duration::from_millis(20);

/// How a service writes its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// AWS JSON and Lambda's REST: the code is in the header `x-amzn-errortype` and in `__type`.
    Json,
    /// S3: an XML document; nothing for HEAD.
    S3,
    /// The Query protocol, in XML.
    Query,
    /// Smithy RPC v2 CBOR: a map with `__type`.
    Cbor,
}

/// Serves a request as a fault wants it; `serve` is the service itself.
///
/// An answer to HEAD has no body within which the connection could end, so a cut off one is a 500 there.
pub async fn spoil(
    fault: CallFault,
    wire: Wire,
    request: Request,
    serve: impl AsyncFnOnce(Request) -> axum::response::Response,
) -> axum::response::Response {
    let is_head = request.method() == Method::HEAD;
    match fault {
        CallFault::None => serve(request).await,
        CallFault::Refuse(refusal) => refused(&refusal, wire, is_head),
        CallFault::LoseAnswer(refusal) => {
            serve(request).await;
            refused(&refusal, wire, is_head)
        }
        CallFault::Slow(time) => {
            tokio::time::sleep(time).await;
            serve(request).await
        }
        CallFault::CutOff if is_head => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        CallFault::CutOff => cut_off(Response::default(), Bytes::new()),
        CallFault::CutOffAfterwards => {
            let (parts, body) = serve(request).await.into_parts();
            if is_head {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            cut_off(Response::from_parts(parts, ()), body)
        }
    }
}

fn refused(refusal: &Refusal, wire: Wire, is_head: bool) -> axum::response::Response {
    let Refusal { status, code, message } = refusal;
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if is_head {
        return status.into_response();
    }
    match wire {
        Wire::Json => {
            let headers = [
                (header::CONTENT_TYPE, "application/x-amz-json-1.1"),
                (HeaderName::from_static("x-amzn-errortype"), code.as_str()),
            ];
            (status, headers, json!({"__type": code, "message": message}).to_string()).into_response()
        }
        Wire::S3 => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                 <RequestId>injected</RequestId></Error>"
            );
            (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
        }
        Wire::Query => {
            let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
            let body = format!(
                "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>injected</RequestId></ErrorResponse>"
            );
            (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
        }
        Wire::Cbor => {
            let headers = [
                (header::CONTENT_TYPE, "application/cbor"),
                (HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor"),
            ];
            (status, headers, cbor_error(code, message)).into_response()
        }
    }
}

/// A map of two texts (RFC 8949): `0xA2` begins a map of two, `0x79` a text with its length in two bytes.
fn cbor_error(code: &str, message: &str) -> Vec<u8> {
    let mut bytes = vec![0xa2];
    for text in ["__type", code, "message", message] {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.push(0x79);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&text.as_bytes()[..usize::from(length)]);
    }
    bytes
}

/// An answer whose body breaks off: the first half of it, and more bytes promised than there are. Where there is no body
/// the connection ends without a word.
fn cut_off(head: Response<()>, body: Bytes) -> axum::response::Response {
    let (mut parts, ()) = head.into_parts();
    let (promised, sent) = if body.is_empty() { (64, None) } else { (body.len(), Some(body.slice(..body.len() / 2))) };
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.insert(header::CONTENT_LENGTH, promised.into());
    if parts.status == StatusCode::NO_CONTENT {
        // Such an answer cannot have a body, and so none that breaks off.
        parts.status = StatusCode::OK;
    }
    let is_silent = sent.is_none();
    let end = stream::once(async move {
        if !is_silent {
            // The server sends what it has when it has to wait for more; what it has at an error it throws away.
            tokio::time::sleep(FLUSH).await;
        }
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "an injected fault"))
    });
    let chunks = stream::iter(sent.map(Ok)).chain(end);
    Response::from_parts(parts, Body::from_stream(chunks))
}
