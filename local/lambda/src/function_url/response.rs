//! From what the function answered to the HTTP response.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The response: what the function states with `statusCode`, or 200 with its whole answer as JSON.
///
/// # Errors
///
/// Why the answer is no response.
pub(super) fn response(payload: &[u8]) -> Result<Response, &'static str> {
    let answer: Value = serde_json::from_slice(payload).map_err(|_| "it is no JSON")?;
    match answer.as_object().filter(|answer| answer.contains_key("statusCode")) {
        Some(answer) => stated(answer),
        None => Ok(([(header::CONTENT_TYPE, "application/json")], Body::from(payload.to_vec())).into_response()),
    }
}

fn stated(answer: &Map<String, Value>) -> Result<Response, &'static str> {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (100..600).contains(status)).ok_or("its statusCode is none from 100 to 599")?;
    let status = StatusCode::from_u16(status).map_err(|_| "its statusCode is none from 100 to 599")?;
    let is_base64 = answer.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(body)) if is_base64 => STANDARD.decode(body).map_err(|_| "its body is no base64")?,
        Some(Value::String(body)) => body.clone().into_bytes(),
        Some(_) => return Err("its body is no text"),
    };
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| "a header's name is invalid")?;
        headers.insert(name, header_value(value)?);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    Ok(response)
}

/// A number or truth value counts as its text.
fn header_value(value: &Value) -> Result<HeaderValue, &'static str> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    HeaderValue::try_from(text).map_err(|_| "a header's value is invalid")
}
