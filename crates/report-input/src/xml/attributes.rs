//! Start tags: names and attributes.

use std::borrow::Cow;
use std::ops::Range;

use super::{Fault, Located, references};
use crate::error::ErrorKind;

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// The name without its prefix.
    pub name: &'a str,
    raw: &'a str,
    spans: &'a [Span],
}

/// Where an attribute stands in its tag.
#[derive(Debug, Clone)]
pub(super) struct Span {
    name: Range<usize>,
    value: Range<usize>,
    has_references: bool,
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The name with its prefix.
    pub name: &'a str,
    raw: &'a str,
    has_references: bool,
}

impl<'a> Attribute<'a> {
    /// The value, with references resolved and white space made blanks.
    pub fn value(&self) -> Cow<'a, str> {
        if !self.has_references && memchr::memchr3(b'\n', b'\t', b'\r', self.raw.as_bytes()).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let blanks = self.raw.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
        Cow::Owned(references::resolve_all(&blanks))
    }
}

impl<'a> Tag<'a> {
    pub(super) fn new(name: &'a str, raw: &'a str, spans: &'a [Span]) -> Self {
        let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
        Tag { name, raw, spans }
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let raw = self.raw;
        self.spans.iter().map(move |span| Attribute {
            name: &raw[span.name.clone()],
            raw: &raw[span.value.clone()],
            has_references: span.has_references,
        })
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|attribute| attribute.name == name).map(|attribute| attribute.value())
    }
}

const fn name_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        // All characters beyond ASCII are taken for name characters; XML excludes few of them.
        table[byte] =
            byte >= 0x80 || (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_' | b':');
        byte += 1;
    }
    table
}

static NAME: [bool; 256] = name_bytes();

fn begins_name(byte: u8) -> bool {
    NAME[usize::from(byte)] && !byte.is_ascii_digit() && byte != b'-' && byte != b'.'
}

/// Checks the name of an element or a processing instruction.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let bytes = name.as_bytes();
    match bytes.first() {
        Some(first) if begins_name(*first) && bytes.iter().all(|byte| NAME[usize::from(*byte)]) => Ok(()),
        _ => Err(Fault::malformed(format!("`<{}` begins no element", name.escape_debug()))),
    }
}

/// Finds and checks the attributes in what follows the name in a tag; errors are placed in `raw`.
pub(super) fn scan(raw: &str, limit: usize, spans: &mut Vec<Span>) -> Located<()> {
    spans.clear();
    let bytes = raw.as_bytes();
    let mut at = 0;
    loop {
        let gap = at;
        at = skip_blanks(bytes, at);
        if at == bytes.len() {
            return Ok(());
        }
        if at == gap {
            return Err((at, Fault::malformed("no white space before an attribute")));
        }
        let name = scan_name(bytes, at)?;
        at = skip_blanks(bytes, name.end);
        if bytes.get(at) != Some(&b'=') {
            return Err((name.start, Fault::malformed(format!("the attribute `{}` has no value", &raw[name]))));
        }
        at = skip_blanks(bytes, at + 1);
        let (value, has_references) = scan_value(raw, at)?;
        at = value.end + 1;
        if spans.len() == limit {
            return Err((
                name.start,
                Fault::new(ErrorKind::Limit, format!("an element with more than {limit} attributes")),
            ));
        }
        if spans.iter().any(|span| raw[span.name.clone()] == raw[name.clone()]) {
            return Err((name.start, Fault::malformed(format!("the attribute `{}` stands twice", &raw[name]))));
        }
        spans.push(Span { name, value, has_references });
    }
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && matches!(bytes[at], b' ' | b'\n' | b'\t' | b'\r') {
        at += 1;
    }
    at
}

fn scan_name(bytes: &[u8], start: usize) -> Located<Range<usize>> {
    let mut end = start;
    while end < bytes.len() && NAME[usize::from(bytes[end])] {
        end += 1;
    }
    if end == start || !begins_name(bytes[start]) {
        return Err((start, Fault::malformed("something that is no attribute inside a tag")));
    }
    Ok(start..end)
}

/// Finds the value that begins with the quote at `at`; the range is without the quotes.
fn scan_value(raw: &str, at: usize) -> Located<(Range<usize>, bool)> {
    let bytes = raw.as_bytes();
    let Some(quote @ (b'"' | b'\'')) = bytes.get(at).copied() else {
        return Err((at, Fault::malformed("an attribute's value that is not in quotes")));
    };
    let start = at + 1;
    let (mut end, mut has_references) = (start, false);
    loop {
        let Some(found) = memchr::memchr3(quote, b'<', b'&', &bytes[end..]) else {
            return Err((at, Fault::malformed("an attribute's value without its closing quote")));
        };
        end += found;
        match bytes[end] {
            b'<' => return Err((end, Fault::malformed("a `<` in an attribute's value; it is written `&lt;`"))),
            b'&' => {
                end += references::length(&raw[end..]).map_err(|fault| (end, fault))?;
                has_references = true;
            }
            _ => return Ok((start..end, has_references)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Result<&[(&str, &str)], (usize, &str)>) {
        let mut spans = Vec::new();
        let scanned = scan(raw, 3, &mut spans);
        let tag = Tag::new("a", raw, &spans);
        match (scanned, expected) {
            (Ok(()), Ok(expected)) => {
                let found: Vec<_> = tag.attributes().map(|found| (found.name, found.value().into_owned())).collect();
                let found: Vec<_> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
                assert_eq!(found, expected, "{raw}");
            }
            (Err((at, fault)), Err((expected_at, part))) => {
                assert!(fault.detail.contains(part), "{raw}: {fault:?}");
                assert_eq!(at, expected_at, "{raw}");
            }
            (scanned, _) => panic!("{raw}: {scanned:?}"),
        }
    }

    #[test]
    fn attributes_are_read_strictly() {
        check("", Ok(&[]));
        check("  ", Ok(&[]));
        check(" a='1' b = \"2'\"\n", Ok(&[("a", "1"), ("b", "2'")]));
        check(" a='&lt;&#x41;&#66;' b='x\r\ny\tz\u{e4}'", Ok(&[("a", "<AB"), ("b", "x y z\u{e4}")]));
        check(" a='1'b='2'", Err((6, "no white space")));
        check("a='1'", Err((0, "no white space")));
        check(" a", Err((1, "`a` has no value")));
        check(" a b='1'", Err((1, "`a` has no value")));
        check(" a=1", Err((3, "not in quotes")));
        check(" a='1", Err((3, "closing quote")));
        check(" a='<'", Err((4, "a `<`")));
        check(" a='&x;'", Err((4, "`&x;`")));
        check(" a='&'", Err((4, "&amp;")));
        check(" a='&#0;'", Err((4, "U+0000")));
        check(" a='1' a='2'", Err((7, "stands twice")));
        check(" 1='1'", Err((1, "no attribute")));
        check(" ='1'", Err((1, "no attribute")));
        check(" a='' b='' c='' d=''", Err((16, "more than 3")));
    }
}
