//! The arguments of a method: JSON, a form, or the query.

use axum::body::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use super::Refused;

/// Methods that read take no JSON; of a form, these fields hold it.
const JSON_FIELDS: [&str; 3] = ["blocks", "view", "metadata"];

/// The arguments of one call.
pub(crate) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(crate) fn read(parts: &Parts, body: &Bytes) -> Self {
        let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut all = form(parts.uri.query().unwrap_or_default().as_bytes());
        if content_type.starts_with("application/json") {
            all.extend(serde_json::from_slice::<Map<String, Value>>(body).unwrap_or_default());
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            all.extend(form(body));
        }
        Self(all)
    }

    pub(crate) fn of(all: Map<String, Value>) -> Self {
        Self(all)
    }

    pub(crate) fn all(&self) -> Map<String, Value> {
        self.0.clone()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The text of a field that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Refused> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| Refused::word("invalid_arguments"))
    }

    /// The blocks, where some were given.
    pub(crate) fn blocks(&self) -> Result<Option<Vec<Value>>, Refused> {
        match self.get("blocks") {
            None => Ok(None),
            Some(Value::Array(blocks)) => Ok(Some(blocks.clone())),
            Some(_) => Err(Refused::word("invalid_blocks_format")),
        }
    }
}

fn form(text: &[u8]) -> Map<String, Value> {
    let fields = form_urlencoded::parse(text).map(|(name, value)| {
        let json = JSON_FIELDS.contains(&&*name).then(|| serde_json::from_str(&value).ok()).flatten();
        (name.into_owned(), json.unwrap_or_else(|| Value::String(value.into_owned())))
    });
    fields.collect()
}
