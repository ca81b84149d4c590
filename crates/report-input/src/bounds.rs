//! What a report may ask of its reader, whatever it reports.

use std::borrow::Cow;
use std::fmt;

/// Bounds on what is read from a report; exceeding one ends the reading with an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes read from the input, after any decompression. Default 4 GiB.
    pub bytes: u64,
    /// Depth of nested elements (XML), or of arrays and objects (JSON). Default 100.
    pub depth: usize,
    /// Attributes on one element. Default 256.
    pub attributes: usize,
    /// Bytes of one piece of markup: a tag with its attributes, a processing instruction, a document type declaration;
    /// of one line in formats made of lines; of one string in JSON. Running text in XML is not bounded by it.
    /// Default 4 MiB.
    pub token: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { bytes: 4 << 30, depth: 100, attributes: 256, token: 4 << 20 }
    }
}

/// A text that names something, in at most `bytes` bytes: one that is longer ends in a digest of all of it, so that two
/// different names are different after they were cut, too. The digest of a name never changes.
#[inline]
#[must_use]
pub fn shortened(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes { Cow::Borrowed(text) } else { Cow::Owned(with_digest(text, bytes)) }
}

#[cold]
fn with_digest(text: &str, bytes: usize) -> String {
    let digest = TextDigest::of(text).to_string();
    let room = bytes.saturating_sub(digest.len());
    format!("{}{}", cut(text, room), cut(&digest, bytes))
}

/// A digest of a text that arrives in parts (FNV-1a). It need not resist an attacker: who writes the names of tests
/// writes their outcomes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextDigest(u64);

impl Default for TextDigest {
    fn default() -> Self {
        TextDigest(0xcbf2_9ce4_8422_2325)
    }
}

impl TextDigest {
    /// The digest of a whole text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut digest = Self::default();
        digest.add(text);
        digest
    }

    /// Takes in the next part.
    pub fn add(&mut self, part: &str) {
        for byte in part.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// As it stands behind a name that was cut.
impl fmt::Display for TextDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{:016x}", self.0)
    }
}

/// The longest part of `text` that has at most `bytes` bytes and ends on a character boundary.
#[inline]
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_different_when_they_are_cut() {
        for (text, bytes, expected) in [
            ("short", 5, "short"),
            ("abcdefghijklmnopqrstuvwxyz", 20, "abc~8450deb1cdc382a2"),
            ("abcdefghijklmnopqrstuvwxyZ", 20, "abc~"),
            ("ääääääääääääääääääää", 20, "ä~"),
            ("longer than the room", 3, ""),
        ] {
            let found = shortened(text, bytes);
            assert!(found.len() <= bytes && found.starts_with(expected), "{text:?}: {found:?}");
        }
        assert_ne!(
            shortened("abcdefghijklmnopqrstuvwxyz", 20),
            shortened("abcdefghijklmnopqrstuvwxyZ", 20),
            "the texts differ behind the cut"
        );
        let mut parts = TextDigest::default();
        ["abc", "", "def"].iter().for_each(|part| parts.add(part));
        assert_eq!(parts, TextDigest::of("abcdef"));
    }
}
