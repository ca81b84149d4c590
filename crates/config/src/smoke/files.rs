//! Which files of the source are run.

use globset::Glob;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::thresholds::{Degraded, Share, Thresholds, repeat};
use crate::{Length, ReportFiles};

/// A glob over the paths of the source; `**` crosses folders, `*` and `?` do not. It must match a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePattern(Glob);

impl FilePattern {
    /// The glob.
    pub fn glob(&self) -> &Glob {
        &self.0
    }

    fn read<E: Error>(text: &str) -> Result<Self, E> {
        if text.is_empty() {
            return Err(E::custom("an empty glob matches no file; write one such as \"smoke/*.hurl\""));
        }
        if text.starts_with('/') || text.starts_with("./") {
            let relative = text.trim_start_matches("./").trim_start_matches('/');
            return Err(E::custom(format!("paths of Hurl files start without a slash or dot; write {relative:?}")));
        }
        let files =
            ReportFiles::new(text).map_err(|error| E::custom(format!("{text:?} is no glob: {}", error.kind())))?;
        Ok(Self(files.files))
    }
}

impl<'de> Deserialize<'de> for FilePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?)
    }
}

/// Hurl files that must pass: a glob, or a map that says how often and how fast.
#[derive(Clone, Debug, PartialEq)]
pub struct HurlFiles {
    /// The files.
    pub files: FilePattern,
    /// How often each of them runs, and what its runs must keep to.
    pub thresholds: Thresholds,
}

/// The map.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::thresholds))]
#[serde(deny_unknown_fields)]
pub(crate) struct HurlFilesMap {
    /// The files.
    files: FilePattern,
    /// How many times each file runs.
    #[serde(default, deserialize_with = "repeat")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::repeat"))]
    repeat: Option<u32>,
    /// The longest that 95 of 100 runs which passed may take.
    #[serde(default)]
    p95: Option<Length>,
    /// The share of runs that may fail, from 0 to 1; none may where it is absent.
    #[serde(default)]
    error_rate: Option<Share>,
    /// Limits beyond which a person is asked instead.
    #[serde(default)]
    degraded: Option<Degraded>,
}

impl<'de> Deserialize<'de> for HurlFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HurlFilesVisitor)
    }
}

struct HurlFilesVisitor;

impl<'de> Visitor<'de> for HurlFilesVisitor {
    type Value = HurlFiles;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a glob such as \"smoke/*.hurl\", or a map with `files`, `repeat`, `p95` and `error_rate`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HurlFiles, E> {
        Ok(HurlFiles { files: FilePattern::read(text)?, thresholds: Thresholds::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HurlFiles, A::Error> {
        let HurlFilesMap { files, repeat, p95, error_rate, degraded } =
            HurlFilesMap::deserialize(MapAccessDeserializer::new(map))?;
        let thresholds = Thresholds::new(repeat, p95, error_rate, degraded).map_err(A::Error::custom)?;
        Ok(HurlFiles { files, thresholds })
    }
}
