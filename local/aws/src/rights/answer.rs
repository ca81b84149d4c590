//! How each protocol says that a right is missing.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use super::Denial;

const CODE: &str = "AccessDeniedException";

/// AWS JSON, and CBOR where the request was in it.
pub(super) fn denied_of_json(denial: &Denial, is_cbor: bool) -> Response {
    let Denial(message) = denial;
    if is_cbor {
        return stagegate_local_cloudwatch::refusal(CODE, message);
    }
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", CODE)];
    (StatusCode::BAD_REQUEST, headers, json!({"__type": CODE, "message": message}).to_string()).into_response()
}

/// REST JSON.
pub(super) fn denied_by_lambda(denial: &Denial) -> Response {
    let headers = [("content-type", "application/json"), ("x-amzn-errortype", CODE)];
    (StatusCode::FORBIDDEN, headers, json!({"Message": denial.0}).to_string()).into_response()
}

/// REST XML.
pub(super) fn denied_by_s3(denial: &Denial) -> Response {
    let message = escaped(&denial.0);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    );
    (StatusCode::FORBIDDEN, [("content-type", "application/xml")], body).into_response()
}

/// AWS Query.
pub(super) fn denied_by_sns(denial: &Denial) -> Response {
    let error = format!("<Type>Sender</Type><Code>AuthorizationError</Code><Message>{}</Message>", escaped(&denial.0));
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>{error}</Error><RequestId>local</RequestId></ErrorResponse>"
    );
    (StatusCode::FORBIDDEN, [("content-type", "text/xml")], body).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
