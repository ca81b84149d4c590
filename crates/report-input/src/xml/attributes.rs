//! Start tags: names and attributes.

use std::borrow::Cow;
use std::ops::Range;

use super::{Fault, Located, references};
use crate::bounds::{cut, shortened};
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
    /// The value is what is written: it has no references, line ends or tabs.
    is_plain: bool,
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The name with its prefix.
    pub name: &'a str,
    raw: &'a str,
    is_plain: bool,
}

impl<'a> Attribute<'a> {
    /// The value, with references resolved and line ends and tabs made blanks.
    #[inline]
    pub fn value(&self) -> Cow<'a, str> {
        if self.is_plain {
            return Cow::Borrowed(self.raw);
        }
        self.resolved()
    }

    /// Appends the value, or as much of it as `limit` bytes hold.
    #[inline]
    pub fn append_to(&self, text: &mut String, limit: usize) {
        if self.is_plain {
            text.push_str(cut(self.raw, limit));
        } else {
            text.push_str(cut(&self.resolved(), limit));
        }
    }

    /// Appends the value as a name, which stays different from others where it is [`shortened`].
    #[inline]
    pub fn append_name_to(&self, text: &mut String, limit: usize) {
        if self.is_plain {
            text.push_str(&shortened(self.raw, limit));
        } else {
            text.push_str(&shortened(&self.resolved(), limit));
        }
    }

    #[cold]
    fn resolved(&self) -> Cow<'a, str> {
        let blanks = self.raw.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
        Cow::Owned(references::resolve_all(&blanks))
    }
}

impl<'a> Tag<'a> {
    pub(super) fn new(name: &'a str, raw: &'a str, spans: &'a [Span]) -> Self {
        let name = find(name.as_bytes(), b':').map_or(name, |colon| &name[colon + 1..]);
        Tag { name, raw, spans }
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let raw = self.raw;
        self.spans.iter().map(move |span| Attribute {
            name: &raw[span.name.clone()],
            raw: &raw[span.value.clone()],
            is_plain: span.is_plain,
        })
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|attribute| attribute.name == name).map(|attribute| attribute.value())
    }
}

const fn name_bytes() -> [bool; 256] {
    // All characters beyond ASCII are taken for name characters; XML excludes few of them.
    let mut table = [false; 256];
    let mut byte = 0u8;
    loop {
        table[byte as usize] =
            byte >= 0x80 || byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
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
    let all_plain = is_plain(bytes);
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
        let Some(quote @ (b'"' | b'\'')) = bytes.get(at).copied() else {
            return Err((at, Fault::malformed("an attribute's value that is not in quotes")));
        };
        let Some(length) = find(&bytes[at + 1..], quote) else {
            return Err((at, Fault::malformed("an attribute's value without its closing quote")));
        };
        let value = at + 1..at + 1 + length;
        at = value.end + 1;
        let is_plain = all_plain || check_value(raw, &value)?;
        check_place(raw, &name, spans, limit)?;
        spans.push(Span { name, value, is_plain });
    }
}

/// Whether there are no references, line ends and tabs, and no `<`.
fn is_plain(bytes: &[u8]) -> bool {
    let means = |byte: u8| (byte == b'<') | (byte == b'&') | (byte < b' ');
    let any = |bytes: &[u8; 16]| bytes.iter().fold(false, |found, byte| found | means(*byte));
    match bytes.last_chunk() {
        // The last chunk overlaps with the one before it, so that all are of one size and looked at all at once.
        Some(last) => !bytes.as_chunks().0.iter().any(any) && !any(last),
        None => !bytes.iter().any(|byte| means(*byte)),
    }
}

/// Finds a byte; values are so short that a call to `memchr` takes longer than looking at eight bytes at once.
fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let differs = u64::from_le_bytes(*chunk) ^ (ONES * u64::from(wanted));
        // The lowest bit that is set here belongs to the first byte that does not differ.
        let found = differs.wrapping_sub(ONES) & !differs & (ONES << 7);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == wanted).map(|at| chunks.len() * 8 + at)
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && matches!(bytes[at], b' ' | b'\n' | b'\t' | b'\r') {
        at += 1;
    }
    at
}

fn scan_name(bytes: &[u8], start: usize) -> Located<Range<usize>> {
    let length = bytes[start..].iter().take_while(|byte| NAME[usize::from(**byte)]).count();
    if length == 0 || !begins_name(bytes[start]) {
        return Err((start, Fault::malformed("something that is no attribute inside a tag")));
    }
    Ok(start..start + length)
}

/// Checks a value and says whether it is what is written.
fn check_value(raw: &str, value: &Range<usize>) -> Located<bool> {
    let text = &raw[value.clone()];
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'<', b'&', &text.as_bytes()[at..]) {
        at += found;
        let place = value.start + at;
        if text.as_bytes()[at] == b'<' {
            return Err((place, Fault::malformed("a `<` in an attribute's value; it is written `&lt;`")));
        }
        at += references::length(&text[at..]).map_err(|fault| (place, fault))?;
    }
    Ok(is_plain(text.as_bytes()))
}

/// Checks that there is room for an attribute and that its name is new.
fn check_place(raw: &str, name: &Range<usize>, before: &[Span], limit: usize) -> Located<()> {
    if before.len() == limit {
        return Err((
            name.start,
            Fault::new(ErrorKind::Limit, format!("an element with more than {limit} attributes")),
        ));
    }
    let bytes = raw.as_bytes();
    let is_same = |span: &Span| {
        // Names that differ mostly do so in their first byte.
        span.name.len() == name.len()
            && bytes[span.name.start] == bytes[name.start]
            && bytes[span.name.clone()] == bytes[name.clone()]
    };
    if before.iter().any(is_same) {
        return Err((name.start, Fault::malformed(format!("the attribute `{}` stands twice", &raw[name.clone()]))));
    }
    Ok(())
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
