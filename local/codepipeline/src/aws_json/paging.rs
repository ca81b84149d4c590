//! Lists in pages. A page begins after the last key of the one before, so that entries that come and go between two
//! calls neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Service;
use crate::error::ApiError;

/// What a list operation gives back.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The operation's name.
    pub operation: &'static str,
    /// The member of the output that holds the list.
    pub output: &'static str,
    /// The number of entries where the caller does not say.
    pub default_size: usize,
}

/// Cuts the page that `input` asks for by `maxResults` and `nextToken` out of `entries`, each with a key that is
/// unique in the list.
///
/// # Errors
///
/// If the token is none that this operation has given, or its entry is gone.
pub fn page(
    service: &Service,
    request: &Page,
    input: &Value,
    entries: impl Iterator<Item = (String, Value)>,
) -> Result<Value, ApiError> {
    let asked = input["maxResults"].as_u64().and_then(|size| usize::try_from(size).ok());
    let size = asked.unwrap_or(request.default_size);
    let mut entries = entries.peekable();
    if let Some(token) = input["nextToken"].as_str() {
        let last = read_token(request.operation, token).ok_or_else(|| invalid_token(service))?;
        if !entries.by_ref().any(|(key, _)| key == last) {
            return Err(invalid_token(service));
        }
    }
    let mut list = Vec::new();
    let mut last = None;
    while list.len() < size
        && let Some((key, entry)) = entries.next()
    {
        list.push(entry);
        last = Some(key);
    }
    let mut output = Map::new();
    output.insert(request.output.to_owned(), list.into());
    if let (Some(last), true) = (last, entries.peek().is_some()) {
        output.insert("nextToken".to_owned(), write_token(request.operation, &last).into());
    }
    Ok(Value::Object(output))
}

fn write_token(operation: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{operation}\n{last}"))
}

fn read_token(operation: &str, token: &str) -> Option<String> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let last = text.as_deref().and_then(|text| text.strip_prefix(operation)?.strip_prefix('\n'));
    last.map(str::to_owned)
}

fn invalid_token(service: &Service) -> ApiError {
    ApiError::new(service.invalid_token, "the nextToken is none that this list has given; start without one")
}
