//! Patterns: which files of an artifact are reports, which test names a rule means.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// Which files of the input artifacts hold reports: a glob, or a map with `files`, `min_files` and `format`.
///
/// `**` crosses folders, `*` and `?` do not.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportFiles {
    /// The glob; paths have forward slashes and no leading slash.
    pub files: Glob,
    /// How many files must match at the least; `None` where the policy's own `min_files` holds.
    pub min_files: Option<u64>,
    /// The format's name, where it is not to be recognised from the content.
    pub format: Option<String>,
}

impl ReportFiles {
    /// The files that match `pattern`, with no minimum of its own.
    ///
    /// # Errors
    ///
    /// If `pattern` is no valid glob.
    pub fn new(pattern: &str) -> Result<Self, globset::Error> {
        Ok(Self { files: GlobBuilder::new(pattern).literal_separator(true).build()?, min_files: None, format: None })
    }
}

impl<'de> Deserialize<'de> for ReportFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReportFilesVisitor)
    }
}

struct ReportFilesVisitor;

impl<'de> Visitor<'de> for ReportFilesVisitor {
    type Value = ReportFiles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a glob such as \"**/TEST-*.xml\", or a map with `files`, `min_files` and `format`")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        if value.is_empty() {
            return Err(E::custom("an empty glob matches no file; write one such as \"**/TEST-*.xml\""));
        }
        if value.starts_with('/') || value.starts_with("./") {
            let relative = value.trim_start_matches("./").trim_start_matches('/');
            return Err(E::custom(format!("paths in an artifact start without a slash or dot; write {relative:?}")));
        }
        ReportFiles::new(value).map_err(|error| E::custom(format!("{value:?} is no glob: {}", error.kind())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut files, mut min_files, mut format) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "files" => files = Some(ReportFilesVisitor.visit_str(&map.next_value::<String>()?)?),
                "min_files" => min_files = Some(map.next_value()?),
                "format" => format = Some(map.next_value()?),
                unknown => return Err(A::Error::unknown_field(unknown, &["files", "min_files", "format"])),
            }
        }
        let files: ReportFiles = files.ok_or_else(|| A::Error::missing_field("files"))?;
        Ok(ReportFiles { min_files, format, ..files })
    }
}

pub(crate) fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ReportFiles>, D::Error> {
    let patterns = Vec::deserialize(deserializer)?;
    if patterns.is_empty() {
        return Err(D::Error::custom("`reports` names no file; write at least one glob such as \"**/TEST-*.xml\""));
    }
    Ok(patterns)
}

/// A pattern over the name of a test or suite, such as `web.login::*`; `*` matches any characters.
#[derive(Clone)]
pub struct NamePattern {
    text: String,
    matcher: GlobMatcher,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// If `pattern` is no valid glob.
    pub fn new(pattern: &str) -> Result<Self, globset::Error> {
        // Test names hold slashes, braces and brackets of their own: only `*` and `?` are special.
        let literal: String = pattern
            .chars()
            .flat_map(|c| match c {
                '[' | ']' | '{' | '}' | '\\' | '!' => vec!['[', c, ']'],
                other => vec![other],
            })
            .collect::<String>()
            .replace("[\\]", "\\\\")
            .replace("[!]", "!");
        let matcher = GlobBuilder::new(&literal).literal_separator(false).backslash_escape(true).build()?;
        Ok(Self { text: pattern.to_owned(), matcher: matcher.compile_matcher() })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        self.text == name || self.matcher.is_match(name)
    }
}

// The compiled matcher would fill a page of a log.
impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamePattern").field(&self.text).finish()
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(D::Error::custom("an empty pattern matches no test; write a test's or suite's name"));
        }
        Self::new(&text).map_err(|error| D::Error::custom(format!("{text:?} is no pattern: {}", error.kind())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_names_match_literally_but_for_star_and_question_mark() {
        for (pattern, name, expected) in [
            ("web.login::*", "web.login::rejects_empty_password", true),
            ("web.login::*", "web.logout::works", false),
            ("suite/a", "suite/a", true),
            ("suite/*", "suite/a/b", true),
            ("param[1]", "param[1]", true),
            ("param[1]", "param1", false),
            ("param[*]", "param[x, y]", true),
            ("{a,b}", "{a,b}", true),
            ("{a,b}", "a", false),
            ("a\\b*", "a\\bc", true),
            ("!a*", "!ab", true),
            ("t?st", "test", true),
        ] {
            assert_eq!(NamePattern::new(pattern).unwrap().matches(name), expected, "{pattern} against {name}");
        }
    }
}
