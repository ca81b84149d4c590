//! What a redirect leads to.

use http::Method;
use url::Url;

use super::HttpError;
use super::response::Response;
use super::url::parse;

/// The URL that a response redirects to, if it does.
pub(super) fn location(response: &Response) -> Result<Option<Url>, HttpError> {
    if !(300..400).contains(&response.status) {
        return Ok(None);
    }
    let Some(location) = response.headers.first("Location") else { return Ok(None) };
    let invalid = |reason: &str| HttpError::new("Invalid URL", format!("invalid URL <{location}> ({reason})"));
    let url = response.url.join(location).map_err(|_| invalid("it can not be joined to the URL of the request"))?;
    parse(url.as_str()).map(Some).map_err(|reason| invalid(&reason))
}

/// The method of the next request: 301, 302 and 303 make a GET of it.
pub(super) fn method(status: u16, method: &Method) -> Method {
    if (301..=303).contains(&status) { Method::GET } else { method.clone() }
}
