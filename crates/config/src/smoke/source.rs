//! Where Hurl files come from.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// Where Hurl files and the files that they name come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The input artifacts of the action.
    Artifact,
    /// The configuration layer, beside `stagegate.yaml`.
    Layer,
    /// A ZIP file in S3, which the function's role may read.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key of the ZIP file.
        key: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Artifact => f.write_str("artifact"),
            Self::Layer => f.write_str("layer"),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "artifact" => return Ok(Self::Artifact),
            "layer" => return Ok(Self::Layer),
            _ => {}
        }
        let location = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        match location {
            Some((bucket, key)) if is_bucket(bucket) && !key.is_empty() && !key.ends_with('/') => {
                Ok(Self::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(D::Error::custom(format!(
                "{text:?} is no source of files; write artifact, layer, or the ZIP file's place such as s3://bucket/smoke.zip"
            ))),
        }
    }
}

fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
}
