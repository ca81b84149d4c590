//! What is published, checked as SNS does (Amazon SNS API reference, Publish).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sqs::MessageAttribute;

/// The greatest message, with its attributes, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 262_144;

/// What a caller of Publish gives.
#[derive(Clone, Default)]
pub(crate) struct Publication {
    pub(crate) subject: Option<String>,
    /// The text for every protocol, or the JSON of `MessageStructure`.
    pub(crate) message: String,
    /// Whether `MessageStructure` is `json`.
    pub(crate) is_structured: bool,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
}

/// An error with the code of the SNS API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct PublishError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// The texts of a message by protocol.
pub(crate) struct Texts {
    default: String,
    by_protocol: BTreeMap<String, String>,
}

impl PublishError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: "InvalidParameter", message: format!("Invalid parameter: {}", message.into()) }
    }
}

impl Publication {
    /// A message without anything else.
    pub(crate) fn of(message: String) -> Self {
        Self { message, ..Self::default() }
    }

    pub(crate) fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, a)| name.len() + a.data_type.len() + a.value.len());
        self.message.len() + attributes.sum::<usize>()
    }

    /// Checks it; gives its texts.
    pub(crate) fn texts(&self) -> Result<Texts, PublishError> {
        if self.message.is_empty() {
            return Err(PublishError::invalid("Empty message"));
        }
        if self.size() > MAX_MESSAGE_BYTES {
            let size = self.size();
            return Err(PublishError::invalid(format!(
                "Message too long: {size} bytes, {MAX_MESSAGE_BYTES} are allowed"
            )));
        }
        if let Some(subject) = &self.subject {
            let fits = (1..=100).contains(&subject.chars().count()) && !subject.chars().any(char::is_control);
            if !fits {
                let message = "Subject must be 1 to 100 characters without line breaks and control characters";
                return Err(PublishError::invalid(message));
            }
        }
        for (name, attribute) in &self.attributes {
            check_attribute(name, attribute)?;
        }
        if self.is_structured { structured(&self.message) } else { Ok(Texts::same(self.message.clone())) }
    }
}

fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), PublishError> {
    let kind = attribute.data_type.split_once('.').map_or(attribute.data_type.as_str(), |(kind, _)| kind);
    let is_valid = match kind {
        "Number" => attribute.value.parse::<f64>().is_ok(),
        "String" if attribute.data_type == "String.Array" => {
            serde_json::from_str::<Vec<Value>>(&attribute.value).is_ok()
        }
        "String" | "Binary" => !attribute.value.is_empty(),
        _ => false,
    };
    if is_valid {
        return Ok(());
    }
    let data_type = &attribute.data_type;
    Err(PublishError::invalid(format!("the value of the message attribute '{name}' is none of the type {data_type}")))
}

/// `MessageStructure=json`: an object with `default` and a text for each protocol that has one of its own.
fn structured(message: &str) -> Result<Texts, PublishError> {
    let wrong = |what: &str| PublishError::invalid(format!("Message Structure - {what}"));
    let parsed: Value = serde_json::from_str(message).map_err(|_| wrong("JSON message body failed to parse"))?;
    let members = parsed.as_object().ok_or_else(|| wrong("the JSON message body is no object"))?;
    let texts = members.iter().filter_map(|(protocol, text)| Some((protocol.clone(), text.as_str()?.to_owned())));
    let mut by_protocol: BTreeMap<String, String> = texts.collect();
    let default = by_protocol.remove("default");
    let default = default.ok_or_else(|| wrong("No default entry in JSON message body"))?;
    Ok(Texts { default, by_protocol })
}

impl Texts {
    fn same(default: String) -> Self {
        Self { default, by_protocol: BTreeMap::new() }
    }

    pub(crate) fn of(&self, protocol: &str) -> &str {
        self.by_protocol.get(protocol).unwrap_or(&self.default)
    }
}
