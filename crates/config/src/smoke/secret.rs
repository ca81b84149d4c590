//! Names of SSM parameters.

use serde::de::{Deserialize, Deserializer, Error};

/// The name of an SSM parameter that holds a secret, with a version or label where one is wanted: `/stagegate/token:3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterName(String);

impl ParameterName {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without a version or label.
    pub fn base(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(base, _)| base)
    }
}

impl<'de> Deserialize<'de> for ParameterName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/'))
        };
        let parts: Vec<_> = text.split(':').collect();
        if parts.len() <= 2 && parts.iter().all(|part| is_part(part)) {
            return Ok(Self(text));
        }
        Err(D::Error::custom(
            "this is no name of an SSM parameter; write one such as /stagegate/smoke/token, never the secret itself",
        ))
    }
}
