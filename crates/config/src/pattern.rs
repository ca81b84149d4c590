//! Patterns: which files of an artifact are reports, which test names a rule means.

use std::fmt;

use globset::{Glob, GlobBuilder};
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

/// A pattern over the name of a test or suite, such as `web.login::*`; `*` stands for any characters, `?` for one.
///
/// Nothing else is special: test names hold slashes, braces and brackets of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    /// Where its first wildcard stands; the length of the text, if there is none.
    first_wildcard: usize,
    /// Where what follows its last wildcard begins; zero, if there is none.
    after_wildcards: usize,
}

impl NamePattern {
    /// The pattern that is written `pattern`.
    pub fn new(pattern: &str) -> Self {
        Self {
            text: pattern.to_owned(),
            first_wildcard: pattern.find(WILDCARDS).unwrap_or(pattern.len()),
            after_wildcards: pattern.rfind(WILDCARDS).map_or(0, |last| last + 1),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The only name that matches, if the pattern has no wildcard.
    pub(crate) fn literal(&self) -> Option<&str> {
        (self.first_wildcard == self.text.len()).then_some(&self.text)
    }

    /// The byte that every name that matches ends with, if the pattern does not end with a wildcard.
    pub(crate) fn last_byte(&self) -> Option<u8> {
        self.text.as_bytes()[self.after_wildcards..].last().copied()
    }

    /// Whether the name has the same bytes beside the wildcards: most names differ there.
    #[inline]
    pub(crate) fn may_match(&self, name: &[u8]) -> bool {
        let same_at = |at: usize| name.get(at) == self.text.as_bytes().get(at);
        self.first_wildcard.checked_sub(1).is_none_or(same_at)
            && self.last_byte().is_none_or(|last| name.last() == Some(&last))
    }

    /// Whether `name` matches. A name that is written like the pattern always does.
    pub fn matches(&self, name: &str) -> bool {
        if self.literal().is_some() {
            return self.text == name;
        }
        if !self.may_match(name.as_bytes()) {
            return false;
        }
        let (prefix, suffix) = (&self.text[..self.first_wildcard], &self.text[self.after_wildcards..]);
        let Some(middle) = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)) else { return false };
        match &self.text[self.first_wildcard..self.after_wildcards] {
            "*" => true,
            wildcards => matches(wildcards, middle),
        }
    }
}

/// What stands for other characters in a [`NamePattern`].
const WILDCARDS: [char; 2] = ['*', '?'];

/// Whether `name` matches `pattern`, in time that does not explode with the number of stars.
fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // What follows the last star, and the name from where that star may take one character more.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let mut rest_of_name = name.chars();
        let mut rest_of_pattern = pattern.chars();
        match (rest_of_pattern.next(), rest_of_name.next()) {
            (Some('*'), _) => {
                pattern = rest_of_pattern.as_str();
                retry = Some((pattern, name));
                continue;
            }
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                (pattern, name) = (rest_of_pattern.as_str(), rest_of_name.as_str());
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = retry else { return false };
        let mut shorter = from.chars();
        if shorter.next().is_none() {
            return false;
        }
        (pattern, name) = (after_star, shorter.as_str());
        retry = Some((pattern, name));
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(D::Error::custom("an empty pattern matches no test; write a test's or suite's name"));
        }
        Ok(Self::new(&text))
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
            ("t?st", "t\u{e4}st", true),
            ("*??", "\u{20ac}", false),
            ("*::*::c", "a::b::b::c", true),
            ("*aab", "aaaaab", true),
            ("a*b*c", "abcb", false),
            ("*", "", true),
            ("**", "a", true),
            ("?", "", false),
            ("a*", "a", true),
            ("A", "a", false),
            ("a.c", "abc", false),
            ("a*?", "a*", true),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("a?b*c", "a\u{e4}bc", true),
            ("\u{e4}*\u{e5}", "\u{e4}\u{e5}", true),
        ] {
            assert_eq!(NamePattern::new(pattern).matches(name), expected, "{pattern} against {name}");
        }
    }

    /// The definition: a star stands for nothing, or for a character and whatever it stands for behind it.
    fn by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                by_definition(rest, name) || !name.is_empty() && by_definition(pattern, &name[1..])
            }
            ([wanted, rest @ ..], [found, name @ ..]) => {
                (*wanted == '?' || wanted == found) && by_definition(rest, name)
            }
            _ => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn the_quick_way_gives_what_the_definition_says(pattern in "[ab\u{e4}*?]{0,7}", name in "[ab\u{e4}*]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = by_definition(&chars(&pattern), &chars(&name));
            proptest::prop_assert_eq!(matches(&pattern, &name), expected);
            proptest::prop_assert_eq!(NamePattern::new(&pattern).matches(&name), expected);
        }
    }
}
