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
        for byte in bytes {
            if self.in_string {
                self.string += 1;
                if self.string > string {
                    return Err(format!("a string of more than {string} bytes"));
                }
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => (self.in_string, self.string) = (true, 0),
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
        Ok(())
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
