//! The request that an entry describes.

use base64::Engine as _;
use bytes::Bytes;
use http::Method;
use hurl_core::ast::{Bytes as BodyLiteral, KeyValue, MultilineStringKind, MultipartParam, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::headers::Headers;
use crate::fault::Fault;
use crate::template::Scope;

/// What curl leaves as it is in a parameter: the unreserved characters of RFC 3986.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request with its templates filled in.
#[derive(Clone)]
pub(crate) struct RequestSpec {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The URL as it is written.
    pub(crate) written: String,
    pub(crate) headers: Headers,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) cookies: Vec<(String, String)>,
    form: Vec<(String, String)>,
    multipart: Vec<Part>,
    body: Bytes,
    content_type: Option<&'static str>,
    boundary: String,
}

#[derive(Clone)]
struct Part {
    name: String,
    value: Vec<u8>,
    file: Option<(String, String)>,
}

impl RequestSpec {
    /// Fills in the templates of a request.
    pub(crate) fn new(request: &Request, scope: Scope<'_>) -> Result<Self, Fault> {
        let written = scope.text(&request.url)?;
        let url = super::url::parse(&written)
            .map_err(|reason| Fault::invalid_url(request.url.source_info, &written, &reason))?;
        let method = Method::from_bytes(request.method.to_string().as_bytes()).map_err(|_| {
            Fault::new(request.source_info, "Invalid method", format!("{} is not a method", request.method))
        })?;
        let mut headers = Headers::default();
        for (name, value) in pairs(&request.headers, scope)? {
            headers.push(name, value);
        }
        if let Some(user) = request.basic_auth() {
            let user = format!("{}:{}", scope.text(&user.key)?, scope.text(&user.value)?);
            headers.push("Authorization", format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(user)));
        }
        let mut cookies = Vec::new();
        for cookie in request.cookies() {
            cookies.push((scope.text(&cookie.name)?, scope.text(&cookie.value)?));
        }
        let mut multipart = Vec::new();
        for part in request.multipart_form_data() {
            multipart.push(self::part(part, scope)?);
        }
        let body = match &request.body {
            Some(body) => Bytes::from(scope.body(&body.value)?),
            None => Bytes::new(),
        };
        Ok(Self {
            method,
            url,
            written,
            headers,
            query: pairs(request.querystring_params(), scope)?,
            cookies,
            form: pairs(request.form_params(), scope)?,
            multipart,
            body,
            content_type: request.body.as_ref().and_then(|body| implied_content_type(&body.value)),
            boundary: format!("------------------------{}", &uuid::Uuid::new_v4().simple().to_string()[..22]),
        })
    }

    /// The same request to another URL, without the parameters of the query section.
    pub(crate) fn redirected(&self, url: Url, method: Method) -> Self {
        Self { written: url.to_string(), url, method, query: Vec::new(), ..self.clone() }
    }

    /// Takes the body away, for a redirect that changes the method.
    pub(crate) fn drop_body(&mut self) {
        self.form.clear();
        self.multipart.clear();
        self.body = Bytes::new();
        self.content_type = None;
    }

    /// Whether there is something to send again along a redirect that keeps the method.
    pub(crate) fn has_body(&self) -> bool {
        !self.form.is_empty() || !self.multipart.is_empty() || !self.body.is_empty()
    }

    /// Takes away what only the first host may see.
    pub(crate) fn drop_credentials(&mut self) {
        self.headers.remove("Authorization");
        self.headers.remove("Cookie");
        self.cookies.clear();
    }

    /// The bytes of the body, and the content type that Hurl adds where none is given.
    pub(crate) fn encoded_body(&self) -> (Bytes, Option<String>) {
        if !self.form.is_empty() {
            let body = Bytes::from(encode_params(&self.form));
            return (body, Some("application/x-www-form-urlencoded".to_owned()));
        }
        if !self.multipart.is_empty() {
            let content_type = format!("multipart/form-data; boundary={}", self.boundary);
            return (Bytes::from(self.encoded_parts()), Some(content_type));
        }
        (self.body.clone(), self.content_type.map(str::to_owned))
    }

    fn encoded_parts(&self) -> Vec<u8> {
        let mut encoded = Vec::new();
        for part in &self.multipart {
            let mut head =
                format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"", self.boundary, quoted(&part.name));
            if let Some((filename, content_type)) = &part.file {
                head.push_str(&format!("; filename=\"{}\"\r\nContent-Type: {content_type}", quoted(filename)));
            }
            head.push_str("\r\n\r\n");
            encoded.extend_from_slice(head.as_bytes());
            encoded.extend_from_slice(&part.value);
            encoded.extend_from_slice(b"\r\n");
        }
        encoded.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        encoded
    }
}

/// A name between quotes, as the HTML standard and curl escape it.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// `name=value` pairs; as in Hurl, names stay as they are written.
pub(crate) fn encode_params(params: &[(String, String)]) -> String {
    let encoded = params.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, PARAMETER)));
    encoded.collect::<Vec<_>>().join("&")
}

fn pairs(pairs: &[KeyValue], scope: Scope<'_>) -> Result<Vec<(String, String)>, Fault> {
    pairs.iter().map(|pair| Ok((scope.text(&pair.key)?, scope.text(&pair.value)?))).collect()
}

fn part(part: &MultipartParam, scope: Scope<'_>) -> Result<Part, Fault> {
    match part {
        MultipartParam::Param(pair) => {
            Ok(Part { name: scope.text(&pair.key)?, value: scope.text(&pair.value)?.into_bytes(), file: None })
        }
        MultipartParam::FilenameParam(param) => {
            let filename = scope.text(&param.value.filename)?;
            let content_type = match &param.value.content_type {
                Some(content_type) => scope.text(content_type)?.replace(['\r', '\n'], " "),
                None => content_type_of(&filename).to_owned(),
            };
            let value = scope.file(&param.value.filename)?;
            // As in curl, a server gets to see the name of the file and not its folders.
            let name = filename.rsplit('/').next().unwrap_or_default().to_owned();
            Ok(Part { name: scope.text(&param.key)?, value, file: Some((name, content_type)) })
        }
    }
}

/// The content types that Hurl knows by the extension of a file.
fn content_type_of(filename: &str) -> &'static str {
    match filename.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "htm" | "html" => "text/html",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

fn implied_content_type(body: &BodyLiteral) -> Option<&'static str> {
    match body {
        BodyLiteral::Json(_) => Some("application/json"),
        BodyLiteral::Xml(_) => Some("application/xml"),
        BodyLiteral::MultilineString(text) => match &text.kind {
            MultilineStringKind::GraphQl(_) | MultilineStringKind::Json(_) => Some("application/json"),
            MultilineStringKind::Xml(_) => Some("application/xml"),
            MultilineStringKind::Text(_) | MultilineStringKind::Raw(_) => None,
        },
        _ => None,
    }
}
