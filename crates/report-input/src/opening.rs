//! The beginning of a report, from which its format is recognised.

use crate::input::lossy;

/// The beginning of a report, at most 64 KiB of it, prepared for recognising its format.
#[derive(Debug, Clone)]
pub struct Opening {
    text: String,
}

/// A start tag near the beginning of an XML document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpeningTag<'a> {
    /// The name without its prefix.
    pub name: &'a str,
    /// What stands between the name and the end of the tag, as written.
    pub attributes: &'a str,
}

impl OpeningTag<'_> {
    /// Whether the tag has an attribute of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.attributes.match_indices(name).any(|(at, _)| {
            self.attributes[..at].ends_with(|c: char| c.is_ascii_whitespace())
                && self.attributes[at + name.len()..].trim_start().starts_with('=')
        })
    }
}

impl Opening {
    /// The beginning `bytes` of a report.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Opening { text: lossy(bytes).into_owned() }
    }

    /// The text, with undecodable bytes replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the content looks like, for a message about a report of no known format.
    #[must_use]
    pub fn describe(&self) -> String {
        let start: String = self.text.trim_start().chars().take(60).collect();
        let start = start.escape_debug();
        match self.root() {
            Some(root) => {
                format!("the root element is <{}>, the file begins with \"{start}\"", root.name.escape_debug())
            }
            None => format!("the file begins with \"{start}\""),
        }
    }

    /// The first start tags of an XML document, in order: the root, then what is inside. Empty for anything but XML.
    pub fn tags(&self) -> impl Iterator<Item = OpeningTag<'_>> {
        let mut rest = self.text.trim_start();
        if !rest.starts_with('<') {
            rest = "";
        }
        std::iter::from_fn(move || next_tag(&mut rest))
    }

    /// The root element of an XML document.
    #[must_use]
    pub fn root(&self) -> Option<OpeningTag<'_>> {
        self.tags().next()
    }

    /// The keys of the first object of a JSON document or of JSON lines: of the document itself, or of the first
    /// element of an outer array. Nested objects are skipped. Empty for anything but JSON.
    #[must_use]
    pub fn json_keys(&self) -> Vec<&str> {
        let text = self.text.trim_start();
        let inner = text.strip_prefix('[').unwrap_or(text).trim_start();
        inner.strip_prefix('{').map(keys).unwrap_or_default()
    }
}

fn next_tag<'a>(rest: &mut &'a str) -> Option<OpeningTag<'a>> {
    loop {
        *rest = &rest[rest.find('<')? + 1..];
        let skipped = if rest.starts_with("!--") {
            "-->"
        } else if rest.starts_with("![CDATA[") {
            "]]>"
        } else if rest.starts_with('?') {
            "?>"
        } else if rest.starts_with('!') {
            if rest[..rest.find('>')?].contains('[') { "]>" } else { ">" }
        } else if rest.starts_with('/') {
            ">"
        } else {
            break;
        };
        *rest = &rest[rest.find(skipped)? + skipped.len()..];
    }
    let tag = rest.split('>').next().unwrap_or(rest);
    let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
    let name = &tag[..name_end];
    *rest = &rest[tag.len()..];
    Some(OpeningTag { name: name.rsplit(':').next().unwrap_or(name), attributes: &tag[name_end..] })
}

fn keys(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut at, mut before) = (Vec::new(), 1usize, 0, b'{');
    let bytes = text.as_bytes();
    while at < bytes.len() && depth > 0 {
        let byte = bytes[at];
        match byte {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                if depth == 1 && matches!(before, b'{' | b',') && at < bytes.len() {
                    found.push(&text[start..at]);
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<String> {
        Opening::new(text.as_bytes()).tags().map(|tag| format!("{}|{}", tag.name, tag.attributes)).collect()
    }

    #[test]
    fn tags_are_found_behind_everything_that_may_precede_them() {
        for (text, expected) in [
            ("<a/>", &["a|/"][..]),
            (
                "\u{feff} <?xml version='1.0'?><!-- <b> --><!DOCTYPE c [<!ENTITY d '>'>]>\n<e:f x='1'><g>",
                &["f| x='1'", "g|"],
            ),
            ("{\"a\": \"<b>\"}", &[]),
            ("<a", &["a|"]),
            ("<", &["|"]),
            ("<!", &[]),
            ("<!--", &[]),
            ("", &[]),
        ] {
            assert_eq!(tags(text), expected, "{text}");
        }
    }

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let tag = OpeningTag { name: "a", attributes: " testname = '1' x='name='" };
        assert!(tag.has("testname"));
        assert!(!tag.has("name"));
    }

    #[test]
    fn keys_are_those_of_the_first_object() {
        for (text, expected) in [
            (r#"{"a": {"b": 1}, "c": ["d", {"e": 1}], "f\"": "g,\"h"}"#, &["a", "c", "f\\\""][..]),
            (r#" [ {"a": 1}, {"b": 2}]"#, &["a"]),
            ("{\"a\":1}\n{\"b\":2}", &["a"]),
            (r#"{"a": 1, "b"#, &["a"]),
            (r#"{"a\"#, &[]),
            ("<a/>", &[]),
        ] {
            assert_eq!(Opening::new(text.as_bytes()).json_keys(), expected, "{text}");
        }
    }
}
