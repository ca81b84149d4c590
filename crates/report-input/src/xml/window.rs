//! The part of a document that is in memory.

use super::Fault;
use super::encoding::Decoded;
use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

/// The size of the window, unless a single tag needs more.
const WINDOW_BYTES: usize = 256 << 10;

/// A part of a document as checked text, and where it stands.
pub(super) struct Window<'a> {
    source: Decoded<'a>,
    buffer: Vec<u8>,
    length: usize,
    /// How much of the buffer is known to hold no forbidden character.
    checked: usize,
    ended: bool,
    lines: u64,
    column: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(input: Input<'a>) -> Result<Self, ReportError> {
        let source = Decoded::new(input)?;
        Ok(Window { source, buffer: vec![0; WINDOW_BYTES], length: 0, checked: 0, ended: false, lines: 0, column: 0 })
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.source.input().given()
    }

    /// Reads until the buffer is full or the document has ended.
    pub(super) fn fill(&mut self) -> Result<(), ReportError> {
        // A decoder needs room for one character to make progress.
        while !self.ended && self.buffer.len() - self.length >= 8 {
            let read = self.source.read(&mut self.buffer[self.length..])?;
            self.ended = read == 0;
            self.length += read;
        }
        Ok(())
    }

    /// The complete characters of the window, and whether the document ends with them.
    pub(super) fn text(&mut self) -> Result<(&str, bool), ReportError> {
        let valid = match std::str::from_utf8(&self.buffer[..self.length]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.ended => error.valid_up_to(),
            Err(error) => {
                self.check(error.valid_up_to())?;
                return Err(self.error_at(error.valid_up_to(), not_utf8()));
            }
        };
        self.check(valid)?;
        match std::str::from_utf8(&self.buffer[..valid]) {
            Ok(text) => Ok((text, self.ended)),
            Err(error) => Err(self.error_at(error.valid_up_to(), not_utf8())),
        }
    }

    /// Refuses what XML does not allow in any place.
    fn check(&mut self, valid: usize) -> Result<(), ReportError> {
        let from = self.checked.min(valid);
        if let Some(at) = find_forbidden(&self.buffer[from..valid]) {
            let at = from + at;
            let code = match self.buffer[at] {
                byte @ 0..0x20 => u32::from(byte),
                _ => 0xff00 | u32::from(self.buffer[at + 2] | 0xc0),
            };
            let fault = Fault::malformed(format!("the character U+{code:04X}, which XML does not allow"));
            return Err(self.error_at(at, fault));
        }
        self.checked = valid;
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        !self.ended && self.buffer.len() - self.length < 8
    }

    /// Makes room for longer pieces; `false` when that is over the limit.
    pub(super) fn grow(&mut self, limit: usize) -> bool {
        let larger = (self.buffer.len() * 2).min(limit.max(WINDOW_BYTES));
        let grows = larger > self.buffer.len();
        self.buffer.resize(larger.max(self.buffer.len()), 0);
        grows
    }

    /// Slides forward by `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        let (lines, column) = self.position(count);
        (self.lines, self.column) = (lines, column);
        self.buffer.copy_within(count..self.length, 0);
        self.length -= count;
        self.checked = self.checked.saturating_sub(count);
    }

    /// Consumes everything up to and including `end`, handing it out in parts.
    pub(super) fn until(
        &mut self,
        end: &str,
        mut part: impl FnMut(&str) -> Result<(), Fault>,
    ) -> Result<(), ReportError> {
        loop {
            self.fill()?;
            let (text, last) = self.text()?;
            let found = text.find(end);
            // The end may be half in the window.
            let until = found.unwrap_or_else(|| text.floor_char_boundary(text.len().saturating_sub(end.len() - 1)));
            let accepted = part(&text[..until]);
            if let Err(fault) = accepted {
                return Err(self.error_at(0, fault));
            }
            if found.is_some() {
                self.consume(until + end.len());
                return Ok(());
            }
            if last {
                let fault = Fault::new(ErrorKind::Truncated, format!("the file ends before `{end}`"));
                return Err(self.error_at(until, fault));
            }
            self.consume(until);
        }
    }

    /// Lines before `at`, and characters before it in its line.
    fn position(&self, at: usize) -> (u64, u64) {
        let before = &self.buffer[..at];
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let (start, column) = match memchr::memrchr(b'\n', before) {
            Some(newline) => (newline + 1, 0),
            None => (0, self.column),
        };
        let characters = before[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
        (self.lines + lines, column + characters)
    }

    /// An error at a place in the window.
    pub(super) fn error_at(&self, at: usize, fault: Fault) -> ReportError {
        let (lines, column) = self.position(at.min(self.length));
        let place = Place::Text { line: lines + 1, column: column + 1 };
        self.source.input().error_at(place, fault.kind, fault.detail)
    }
}

fn not_utf8() -> Fault {
    Fault::new(
        ErrorKind::Encoding,
        "bytes that are no UTF-8; write the report in UTF-8 or name its encoding in the XML declaration",
    )
}

/// The first character that XML forbids: a control character other than tab and line ends, U+FFFE or U+FFFF.
fn find_forbidden(bytes: &[u8]) -> Option<usize> {
    let is_control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let control = bytes
        .chunks(128)
        .position(|chunk| chunk.iter().fold(false, |found, byte| found | is_control(*byte)))
        .and_then(|chunk| bytes[chunk * 128..].iter().position(|byte| is_control(*byte)).map(|at| chunk * 128 + at));
    let non_character = memchr::memchr_iter(0xef, bytes)
        .find(|at| bytes[*at..].get(1) == Some(&0xbf) && bytes[*at..].get(2).is_some_and(|byte| *byte >= 0xbe));
    control.into_iter().chain(non_character).min()
}
