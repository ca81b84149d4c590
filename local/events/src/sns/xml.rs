//! The answers of an AWS Query API.

use std::fmt::Write;

use quick_xml::escape::escape;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// An element with what is inside of it, which is XML already.
pub(super) fn element(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

/// An element with a text.
pub(super) fn text(name: &str, text: &str) -> String {
    element(name, &escape(text))
}

/// The answer of an operation.
pub(super) fn answer(operation: &str, result: &str, request_id: &str) -> String {
    let mut xml = format!("<{operation}Response xmlns=\"{NAMESPACE}\">");
    let metadata = element("ResponseMetadata", &text("RequestId", request_id));
    let _ = write!(xml, "{}{metadata}</{operation}Response>", element(&format!("{operation}Result"), result));
    xml
}

/// The answer of an operation that failed.
pub(super) fn error(code: &str, message: &str, request_id: &str) -> String {
    let error =
        element("Error", &format!("{}{}{}", text("Type", "Sender"), text("Code", code), text("Message", message)));
    format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{error}{}</ErrorResponse>", text("RequestId", request_id))
}
