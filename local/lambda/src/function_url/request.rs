//! From an HTTP request to the event that the function gets: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use uuid::Uuid;

use super::FormBody;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn event(parts: &Parts, body: &[u8], forms: FormBody, caller: SocketAddr, now: Timestamp) -> Value {
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let host = text(&parts.headers, header::HOST.as_str());
    let prefix = host.split(['.', ':']).next().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": prefix,
            "authentication": null,
            "authorizer": null,
            "domainName": host,
            "domainPrefix": prefix,
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": caller.ip().to_string(),
                "userAgent": text(&parts.headers, header::USER_AGENT.as_str()),
            },
            "requestId": Uuid::new_v4().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "pathParameters": null,
        "stageVariables": null,
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    let parameters = parameters(query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        let content_type = text(&parts.headers, header::CONTENT_TYPE.as_str());
        let as_text = std::str::from_utf8(body).ok().filter(|_| is_text(&content_type, forms));
        event["isBase64Encoded"] = as_text.is_none().into();
        event["body"] = as_text.map_or_else(|| STANDARD.encode(body), str::to_owned).into();
    }
    event
}

/// The values of a header, as one text.
fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(",")
}

/// Names come in lower case, and a header that is there twice has its values joined.
fn headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    headers.keys().map(|name| (name.as_str(), text(headers, name.as_str()))).collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let given = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|line| line.split(';')).map(|cookie| cookie.trim().to_owned()).filter(|c| !c.is_empty()).collect()
}

/// Parameters that are there twice have their values joined with a comma.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        parameters
            .entry(decoded(name))
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Whether a body of this type is handed over as text. "Binary" is all that AWS's guide says of the others.
fn is_text(content_type: &str, forms: FormBody) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        FORM => forms == FormBody::Text,
        "application/json" | "application/xml" | "application/javascript" => true,
        _ => kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml"),
    }
}
