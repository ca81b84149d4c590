//! What an entry expects of its response: the implicit asserts of its head and body, and the explicit ones.

use hurl_core::ast::{Assert, Body, Bytes, Response as Expected, SourceInfo, StatusValue, VersionValue};

use crate::fault::Fault;
use crate::files::FileRoot;
use crate::filter;
use crate::predicate;
use crate::query::Answer;
use crate::template::Scope;
use crate::value::Value;
use crate::variables::Variables;

/// The faults of version and status. Where there is one, nothing else is looked at: the answer is another one than
/// the entry is about.
pub(crate) fn status_faults(expected: &Expected, answer: &Answer<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let response = answer.response();
    let version = &expected.version;
    if version.value != VersionValue::VersionAny && version.value.to_string() != response.version {
        let (actual, wanted) = (response.version.to_owned(), version.value.to_string());
        faults.push(Fault::implicit(version.source_info, "Assert HTTP version", actual, wanted));
    }
    if let StatusValue::Specific(status) = expected.status.value
        && status != u64::from(response.status)
    {
        let (actual, wanted) = (response.status.to_string(), status.to_string());
        faults.push(Fault::implicit(expected.status.source_info, "Assert status code", actual, wanted));
    }
    faults
}

/// A value that was captured.
#[derive(Clone)]
pub(crate) struct Captured {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) is_redacted: bool,
}

/// Evaluates the captures in order. Each is set in `variables`, so that the next one and what follows can use it.
pub(crate) fn capture(
    expected: &Expected,
    answer: &Answer<'_>,
    variables: &mut Variables,
    files: &FileRoot,
    jsonpath_coercion: bool,
) -> Result<Vec<Captured>, Fault> {
    let mut captured = Vec::new();
    for capture in expected.captures() {
        let scope = Scope { variables, files, jsonpath_coercion };
        let name = scope.text(&capture.name)?;
        let Some(value) = answer.query(&capture.query, scope)? else {
            let at = capture.query.source_info;
            return Err(Fault::new(at, "No query result", "query didn't return any result"));
        };
        let value = match filter::apply(&capture.filters, Some(value), scope)? {
            Some(value) => value,
            None => {
                let at = capture.filters.first().map_or(capture.query.source_info, |(_, filter)| filter.source_info);
                return Err(Fault::new(at, "Filter error", "a filter didn't return any result"));
            }
        };
        match (&value, capture.redacted) {
            (Value::String(secret), true) => variables.set_secret(name.clone(), secret.clone()),
            (other, true) => {
                let message = format!("secret must be string, actual value is <{}>", other.kind());
                return Err(Fault::new(capture.name.source_info, "Invalid secret type", message));
            }
            (value, false) => variables.set(name.clone(), value.clone()),
        }
        captured.push(Captured { name, value, is_redacted: capture.redacted });
    }
    Ok(captured)
}

/// The faults of headers, body and explicit asserts, all of them.
pub(crate) fn faults(expected: &Expected, answer: &Answer<'_>, scope: Scope<'_>) -> Vec<Fault> {
    let headers = expected.headers.iter().map(|header| {
        let wanted = scope.text(&header.value)?;
        let name = scope.text(&header.key)?;
        implicit_header(answer, &name, &wanted, header.key.source_info, header.value.source_info)
    });
    let body = expected.body.iter().map(|body| implicit_body(body, answer, scope));
    let asserts = expected.asserts().iter().map(|assert| explicit(assert, answer, scope));
    headers.chain(body).chain(asserts).filter_map(Result::err).collect()
}

fn implicit_header(
    answer: &Answer<'_>,
    name: &str,
    wanted: &str,
    name_at: SourceInfo,
    value_at: SourceInfo,
) -> Result<(), Fault> {
    let values = answer.response().headers.values(name);
    let actual = match values.as_slice() {
        [] => return Err(Fault::new(name_at, "Header not found", "this header has not been found in the response")),
        values if values.contains(&wanted) => return Ok(()),
        [value] => (*value).to_owned(),
        values => format!("[{}]", values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")),
    };
    Err(Fault::implicit(value_at, "Assert header value", actual, wanted.to_owned()))
}

fn implicit_body(body: &Body, answer: &Answer<'_>, scope: Scope<'_>) -> Result<(), Fault> {
    let at = body.space0.source_info;
    let response = answer.response();
    let http = |error: crate::http::HttpError| Fault::new(at, error.title, error.message);
    let (actual, expected, at) = match &body.value {
        Bytes::Base64(literal) => (
            Value::Bytes(response.bytes().map_err(http)?),
            Value::Bytes(literal.value.clone()),
            literal.space0.source_info,
        ),
        Bytes::Hex(literal) => (
            Value::Bytes(response.bytes().map_err(http)?),
            Value::Bytes(literal.value.clone()),
            literal.space0.source_info,
        ),
        Bytes::File(_) => (Value::Bytes(response.bytes().map_err(http)?), Value::Bytes(scope.body(&body.value)?), at),
        text => {
            let expected = match text {
                Bytes::MultilineString(text) => scope.multiline(text)?,
                Bytes::OnelineString(text) => scope.text(text)?,
                Bytes::Json(json) => scope.json(json, true)?,
                Bytes::Xml(text) => text.clone(),
                Bytes::Base64(_) | Bytes::Hex(_) | Bytes::File(_) => String::new(),
            };
            let at = match text {
                Bytes::MultilineString(text) => text.value().source_info,
                Bytes::OnelineString(text) => text.source_info,
                _ => at,
            };
            (Value::String(response.text().map_err(http)?), Value::String(expected), at)
        }
    };
    if actual == expected {
        return Ok(());
    }
    let (actual, expected) = (actual.to_string(), expected.to_string());
    match first_difference(&actual, &expected) {
        Some((line, message)) => {
            let mut at = at;
            at.start.line += line;
            at.start.column = 1;
            let fault = Fault::implicit(at, "Assert body value", actual, expected);
            Err(Fault { message, ..fault })
        }
        None => Err(Fault::implicit(at, "Assert body value", actual, expected)),
    }
}

/// Of texts with several lines, the first line in which they differ, counted from 0, and the two lines.
fn first_difference(actual: &str, expected: &str) -> Option<(usize, String)> {
    if !actual.contains('\n') && !expected.contains('\n') {
        return None;
    }
    let (mut actual, mut expected) = (actual.split('\n'), expected.split('\n'));
    for line in 0.. {
        match (actual.next(), expected.next()) {
            (None, None) => return None,
            (actual, expected) if actual == expected => {}
            (actual, expected) => {
                let expected = expected.map(|text| format!("-{text}"));
                let actual = actual.map(|text| format!("+{text}"));
                let lines: Vec<String> = expected.into_iter().chain(actual).collect();
                return Some((line, lines.join("\n")));
            }
        }
    }
    None
}

fn explicit(assert: &Assert, answer: &Answer<'_>, scope: Scope<'_>) -> Result<(), Fault> {
    let value = answer.query(&assert.query, scope)?;
    let value = filter::apply(&assert.filters, value, scope)?;
    predicate::evaluate(&assert.predicate, scope, value.as_ref())
}
