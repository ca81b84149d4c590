//! What is sent.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use http_body_util::Full;
use url::Url;

const AGENT: &str = concat!("stagegate/", env!("CARGO_PKG_VERSION"));

/// A request.
#[derive(Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where it goes. It may be a secret.
    pub url: Url,
    /// The headers beside `User-Agent`. Mark secrets as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent.
    pub body: Bytes,
}

impl Call {
    pub(crate) fn request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(&self.method).uri(self.url.as_str()).header(USER_AGENT, AGENT);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.clone()))
    }
}
