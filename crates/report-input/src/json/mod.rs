//! Reports that are one JSON document.

mod each;

use std::io::{self, BufReader};

use serde::de::DeserializeSeed;

use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

pub use each::{EachEntry, EachItem, OnEntry, OnItem, Refusal, once, skip};

/// The bytes of a JSON document, with bounds on the depth and on the length of strings.
///
/// A string is held whole by the parser, so its length is bounded before the parser sees it.
struct Guarded<'a> {
    input: Input<'a>,
    guard: Guard,
    refusal: Option<ReportError>,
    began: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Guard {
    depth: usize,
    string: usize,
    in_string: bool,
    escaped: bool,
}

impl Guard {
    fn pass(&mut self, bytes: &[u8], depth: usize, string: usize) -> Result<(), String> {
        let mut at = 0;
        while at < bytes.len() {
            at += if self.in_string {
                self.pass_string(&bytes[at..], string)?
            } else {
                self.pass_markup(&bytes[at..], depth)?
            };
        }
        Ok(())
    }

    /// Passes what belongs to the string, its end included, and returns how many bytes that are.
    fn pass_string(&mut self, bytes: &[u8], string: usize) -> Result<usize, String> {
        let mut at = usize::from(std::mem::take(&mut self.escaped));
        let content = loop {
            let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { break bytes.len() };
            at += found;
            if bytes[at] == b'"' {
                self.in_string = false;
                break at;
            }
            // What is escaped stands behind the backslash, and perhaps in the next part of the document.
            at += 2;
            if at > bytes.len() {
                self.escaped = true;
                break bytes.len();
            }
        };
        self.string += content;
        if self.string > string {
            return Err(format!("a string of more than {string} bytes"));
        }
        Ok(content + usize::from(!self.in_string))
    }

    /// Passes what stands between strings, the beginning of the next one included.
    fn pass_markup(&mut self, bytes: &[u8], depth: usize) -> Result<usize, String> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => {
                    (self.in_string, self.string) = (true, 0);
                    return Ok(at + 1);
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > depth {
                        return Err(format!("values are nested more than {depth} deep"));
                    }
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(bytes.len())
    }
}

/// Reads the report as one JSON document into `seed`, and returns how many bytes it has.
///
/// A seed that hands on the tests while it visits them keeps memory flat; one that collects them does not.
///
/// # Errors
///
/// Fails when the document is no JSON, is cut short, is followed by something else, is over a limit, or when the seed
/// refuses it (with `serde::de::Error::custom`).
pub fn parse<'de, S: DeserializeSeed<'de>>(input: Input<'_>, seed: S) -> Result<(S::Value, u64), ReportError> {
    let guarded = Guarded { input, guard: Guard::default(), refusal: None, began: false };
    let mut reader = BufReader::with_capacity(64 << 10, guarded);
    let parsed = {
        let mut deserializer = serde_json::Deserializer::from_reader(&mut reader);
        seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value))
    };
    let guarded = reader.get_mut();
    match parsed {
        Ok(value) => Ok((value, guarded.input.given())),
        Err(error) => Err(guarded.error(&error)),
    }
}

impl Guarded<'_> {
    fn error(&mut self, error: &serde_json::Error) -> ReportError {
        if let Some(refusal) = self.refusal.take() {
            return refusal;
        }
        let kind = if error.is_eof() { ErrorKind::Truncated } else { ErrorKind::Malformed };
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let detail = text.strip_suffix(&place).unwrap_or(&text);
        if error.line() == 0 {
            return self.input.error(kind, detail);
        }
        let place = Place::Text { line: error.line() as u64, column: error.column() as u64 };
        self.input.error_at(place, kind, detail)
    }
}

impl io::Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.input.fill(buffer) {
            Ok(read) => read,
            Err(error) => {
                self.refusal = Some(error);
                return Err(io::Error::other("refused"));
            }
        };
        if !std::mem::replace(&mut self.began, true) && buffer[..read].starts_with(b"\xef\xbb\xbf") {
            // White space is what JSON allows in the place of a byte order mark.
            buffer[..3].fill(b' ');
        }
        let bounds = self.input.bounds();
        match self.guard.pass(&buffer[..read], bounds.depth, bounds.token) {
            Ok(()) => Ok(read),
            Err(detail) => {
                self.refusal = Some(self.input.error(ErrorKind::Limit, detail));
                Err(io::Error::other("refused"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rule of [`Guard::pass`], byte by byte.
    fn refuses(document: &[u8], depth: usize, string: usize) -> Option<&'static str> {
        let (mut deep, mut length, mut in_string, mut escaped) = (0usize, 0, false, false);
        for byte in document {
            match (in_string, byte) {
                (true, _) if std::mem::take(&mut escaped) => length += 1,
                (true, b'"') => in_string = false,
                (true, _) => (length, escaped) = (length + 1, *byte == b'\\'),
                (false, b'"') => (in_string, length) = (true, 0),
                (false, b'{' | b'[') => deep += 1,
                (false, b'}' | b']') => deep = deep.saturating_sub(1),
                (false, _) => {}
            }
            if deep > depth {
                return Some("values are nested");
            }
            if length > string {
                return Some("a string");
            }
        }
        None
    }

    proptest! {
        #[test]
        fn depth_and_strings_are_counted_across_parts(
            document in prop::collection::vec(prop::sample::select(&b"\"\"\"\\\\{[]}ax"[..]), 0..60),
            part in 1usize..9,
        ) {
            let mut guard = Guard::default();
            let found = document.chunks(part).find_map(|part| guard.pass(part, 3, 4).err());
            let expected = refuses(&document, 3, 4);
            prop_assert_eq!(found.is_some(), expected.is_some(), "{:?}", found);
            prop_assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()));
        }
    }
}
