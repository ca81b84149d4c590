//! Queries: what an assert or a capture takes from a response.

use hurl_core::ast::{
    CertificateAttributeName as Attribute, CookieAttributeName, CookiePath, Query, QueryValue, SourceInfo,
};
use md5::Digest as _;

use crate::fault::Fault;
use crate::filter::{self, structure};
use crate::http::HttpError;
use crate::http::client::Call;
use crate::http::cookies;
use crate::http::response::{Documents, Response, ResponseCookie};
use crate::template::Scope;
use crate::value::Value;

/// What queries look at: the calls of a request along its redirects, and the documents of the last one.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'a> {
    calls: &'a [Call],
    last: &'a Response,
    documents: &'a Documents,
}

impl<'a> Answer<'a> {
    /// The answer that calls gave; `None` without a call.
    pub(crate) fn new(calls: &'a [Call], documents: &'a Documents) -> Option<Self> {
        let last = &calls.last()?.response;
        Some(Self { calls, last, documents })
    }

    pub(crate) fn response(&self) -> &'a Response {
        self.last
    }

    /// The value of a query; `None` where there is nothing.
    pub(crate) fn query(&self, query: &Query, scope: Scope<'_>) -> Result<Option<Value>, Fault> {
        let response = self.last;
        let at = query.source_info;
        let http = |error: HttpError| Fault::new(at, error.title, error.message);
        Ok(match &query.value {
            QueryValue::Status => Some(Value::from(i64::from(response.status))),
            QueryValue::Version => Some(Value::from(response.version.trim_start_matches("HTTP/"))),
            QueryValue::Url => Some(Value::from(response.url.as_str())),
            QueryValue::Header { name, .. } => header(response, &scope.text(name)?),
            QueryValue::Cookie { expr, .. } => cookie(response, expr, scope)?,
            QueryValue::Body => Some(Value::String(response.text().map_err(http)?)),
            QueryValue::Xpath { expr, .. } => {
                let document = self.documents.markup(response).map_err(http)?;
                let document =
                    document.ok_or_else(|| Fault::new(at, "Invalid XML", "HTTP response is not a valid XML"))?;
                structure::evaluate(document, expr, scope)?
            }
            QueryValue::Jsonpath { expr, .. } => {
                let document = self.documents.json(response).map_err(http)?;
                let document =
                    document.ok_or_else(|| Fault::new(at, "Invalid JSON", "HTTP response is not a valid JSON"))?;
                structure::select(document, expr, scope)?
            }
            QueryValue::Regex { value, .. } => {
                let text = response.text().map_err(http)?;
                let regex = filter::regex(value, scope)?;
                let group = regex.captures(&text).and_then(|captures| captures.get(1));
                group.map(|group| Value::from(group.as_str()))
            }
            QueryValue::Variable { name, .. } => scope.variables.get(&scope.text(name)?).cloned(),
            QueryValue::Duration => Some(Value::from(i64::try_from(response.duration.as_millis()).unwrap_or(i64::MAX))),
            QueryValue::Bytes => Some(Value::Bytes(response.bytes().map_err(http)?)),
            QueryValue::RawBytes => Some(Value::Bytes(response.body.to_vec())),
            QueryValue::Sha256 => {
                Some(Value::Bytes(sha2::Sha256::digest(response.bytes().map_err(http)?).as_slice().to_vec()))
            }
            QueryValue::Md5 => {
                Some(Value::Bytes(md5::Md5::digest(response.bytes().map_err(http)?).as_slice().to_vec()))
            }
            QueryValue::Certificate { attribute_name, .. } => certificate(response, *attribute_name),
            QueryValue::Ip => Some(Value::String(response.ip.to_string())),
            QueryValue::Redirects => Some(self.redirects()),
        })
    }

    fn redirects(&self) -> Value {
        let pairs = self.calls.iter().zip(self.calls.iter().skip(1));
        let responses = pairs.map(|(call, next)| Value::HttpResponse {
            location: next.response.url.to_string(),
            status: call.response.status,
        });
        Value::List(responses.collect())
    }
}

fn header(response: &Response, name: &str) -> Option<Value> {
    match response.headers.values(name).as_slice() {
        [] => None,
        [value] => Some(Value::from(*value)),
        values => Some(Value::List(values.iter().copied().map(Value::from).collect())),
    }
}

fn cookie(response: &Response, path: &CookiePath, scope: Scope<'_>) -> Result<Option<Value>, Fault> {
    let name = scope.text(&path.name)?;
    let Some(cookie) = ResponseCookie::find(response, &name) else { return Ok(None) };
    let Some(attribute) = &path.attribute else { return Ok(Some(Value::from(cookie.value))) };
    let text = |name| cookie.attribute(name).flatten().map(Value::from);
    let presence = |name| cookie.attribute(name).filter(Option::is_none).map(|_| Value::Unit);
    Ok(match &attribute.name {
        CookieAttributeName::Value(_) => Some(Value::from(cookie.value)),
        CookieAttributeName::Expires(_) => match cookie.attribute("Expires").flatten() {
            Some(expires) => Some(expiry(expires, path.name.source_info)?),
            None => None,
        },
        CookieAttributeName::MaxAge(_) => {
            cookie.attribute("Max-Age").flatten().and_then(|age| age.parse().ok()).map(|age: i64| Value::from(age))
        }
        CookieAttributeName::Domain(_) => text("Domain"),
        CookieAttributeName::Path(_) => text("Path"),
        CookieAttributeName::Secure(_) => presence("Secure"),
        CookieAttributeName::HttpOnly(_) => presence("HttpOnly"),
        CookieAttributeName::SameSite(_) => text("SameSite"),
    })
}

fn expiry(text: &str, at: SourceInfo) -> Result<Value, Fault> {
    let message = || format!("could not parse Cookie Expires attribute value <{text}>");
    cookies::parse_date(text).map(Value::Date).ok_or_else(|| Fault::new(at, "HTTP connection", message()))
}

fn certificate(response: &Response, attribute: Attribute) -> Option<Value> {
    let certificate = response.certificate.as_ref()?;
    Some(match attribute {
        Attribute::Subject => Value::from(certificate.subject.as_str()),
        Attribute::Issuer => Value::from(certificate.issuer.as_str()),
        Attribute::StartDate => Value::Date(certificate.start_date),
        Attribute::ExpireDate => Value::Date(certificate.expire_date),
        Attribute::SerialNumber => Value::from(certificate.serial_number.as_str()),
        Attribute::SubjectAltName => Value::from(certificate.subject_alt_name.as_deref()?),
        Attribute::Value => Value::from(certificate.pem.as_str()),
    })
}
