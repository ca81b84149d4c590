//! A JSON document whose long strings are shortened before they are parsed.
//!
//! Reports hold pictures and videos as base64. A parser holds a string whole even if nobody wants it, so most of such
//! a string is dropped on its way to the parser: what is left of a name or message is longer than what is kept of it.

use std::io::{self, BufReader, Read};

use report_input::json;
use report_input::{Input, ReportError};
use serde::de::DeserializeSeed;

/// How much of a string reaches the parser at least.
const KEPT: usize = 256 << 10;

/// Reads the report as one JSON document into `seed`, and returns how many bytes it has. See [`json::parse`].
pub(super) fn parse<'de, S: DeserializeSeed<'de>>(input: Input<'_>, seed: S) -> Result<(S::Value, u64), ReportError> {
    let (source, bounds) = (input.source(), input.bounds());
    let kept = KEPT.min(bounds.token / 2);
    let mut reader =
        BufReader::new(Shortened { input, strings: Strings { kept, ..Strings::default() }, refusal: None });
    let parsed = json::parse(Input::new(source, &mut reader, bounds), seed);
    let shortened = reader.into_inner();
    match (parsed, shortened.refusal) {
        (_, Some(refusal)) => Err(refusal),
        (Ok((value, _)), None) => Ok((value, shortened.input.given())),
        (Err(error), None) => Err(error),
    }
}

struct Shortened<'a> {
    input: Input<'a>,
    strings: Strings,
    refusal: Option<ReportError>,
}

impl Read for Shortened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let filled = match self.input.fill(buffer) {
                Ok(filled) => filled,
                Err(error) => {
                    self.refusal = Some(error);
                    return Err(io::Error::other("refused"));
                }
            };
            let left = self.strings.shorten(&mut buffer[..filled]);
            if left > 0 || filled == 0 {
                return Ok(left);
            }
        }
    }
}

/// Where in the strings of a document the reading is.
#[derive(Debug, Clone, Copy, Default)]
struct Strings {
    kept: usize,
    inside: bool,
    length: usize,
    /// Bytes of an escape sequence that are still to come.
    escape: u8,
    /// The byte before was an ordinary one, so that nothing is cut apart behind it.
    plain: bool,
    dropping: bool,
}

impl Strings {
    /// Drops what is too much, and returns how many bytes are left at the front of the buffer.
    fn shorten(&mut self, buffer: &mut [u8]) -> usize {
        let mut left = 0;
        for at in 0..buffer.len() {
            let byte = buffer[at];
            if self.keeps(byte) {
                buffer[left] = byte;
                left += 1;
            }
        }
        left
    }

    fn keeps(&mut self, byte: u8) -> bool {
        if !self.inside {
            self.inside = byte == b'"';
            (self.length, self.escape, self.plain, self.dropping) = (0, 0, false, false);
            return true;
        }
        self.length += 1;
        if self.escape > 0 {
            self.escape = if self.escape == 5 && byte != b'u' { 0 } else { self.escape - 1 };
            return !self.dropping;
        }
        match byte {
            b'"' => {
                self.inside = false;
                return true;
            }
            b'\\' => (self.escape, self.plain) = (5, false),
            b' '..=0x7f => {
                self.dropping |= self.plain && self.length > self.kept;
                self.plain = true;
            }
            // A control character is an error, which the parser must see.
            0..=0x1f => return true,
            _ => self.plain = false,
        }
        !self.dropping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        for part in 1..text.len() + 1 {
            let mut strings = Strings { kept: 4, ..Strings::default() };
            let mut left = Vec::new();
            for bytes in text.as_bytes().chunks(part) {
                let mut bytes = bytes.to_vec();
                let length = strings.shorten(&mut bytes);
                left.extend_from_slice(&bytes[..length]);
            }
            assert_eq!(String::from_utf8(left).unwrap(), expected, "in parts of {part}");
        }
    }

    #[test]
    fn long_strings_are_cut_where_nothing_is_cut_apart() {
        check(r#"{"a": "1234", "b": [1, "x"]}"#, r#"{"a": "1234", "b": [1, "x"]}"#);
        check(r#"["123456789", "a"]"#, r#"["1234", "a"]"#);
        check(r#"["123\"456789\\"]"#, r#"["123\"4"]"#);
        check(r#"["\ud83d\ude00\ud83d\ude00abc\"d\""]"#, r#"["\ud83d\ude00\ud83d\ude00a"]"#);
        check("[\"äöüab\\\\\", 1]", "[\"äöüa\", 1]");
        check("[\"123456\u{1}78\"]", "[\"1234\u{1}\"]");
        check(r#"["1234567"#, r#"["1234"#);
    }
}
