//! The part of a document that is in memory.

use super::Fault;
use super::encoding::{Decoded, Progress};
use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

/// The size of the window, unless a single tag needs more.
const WINDOW_BYTES: usize = 256 << 10;

/// A part of a document as checked text, and where it stands.
pub(super) struct Window<'a> {
    source: Decoded<'a>,
    text: String,
    size: usize,
    ended: bool,
    lines: u64,
    column: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(input: Input<'a>) -> Result<Self, ReportError> {
        let source = Decoded::new(input)?;
        let text = String::with_capacity(WINDOW_BYTES);
        Ok(Window { source, text, size: WINDOW_BYTES, ended: false, lines: 0, column: 0 })
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.source.input().given()
    }

    /// Reads until the window is full or the document has ended.
    ///
    /// # Errors
    ///
    /// Fails on bytes that are no text, and on characters that XML does not allow in any place.
    pub(super) fn fill(&mut self) -> Result<(), ReportError> {
        while !self.ended && !self.is_full() {
            let from = self.text.len();
            let progress = self.source.read(&mut self.text, self.size - from)?;
            if let Some(at) = find_forbidden(&self.text.as_bytes()[from..]) {
                let at = from + at;
                let code = self.text[at..].chars().next().map_or(0, u32::from);
                let fault = Fault::malformed(format!("the character U+{code:04X}, which XML does not allow"));
                return Err(self.error_at(at, fault));
            }
            match progress {
                Progress::More => {}
                Progress::End => self.ended = true,
                Progress::NotUtf8 => return Err(self.error_at(self.text.len(), not_utf8())),
            }
        }
        Ok(())
    }

    /// The text of the window, and whether the document ends with it.
    pub(super) fn text(&self) -> (&str, bool) {
        (&self.text, self.ended)
    }

    pub(super) fn is_full(&self) -> bool {
        self.size.saturating_sub(self.text.len()) < 8
    }

    /// Makes room for longer pieces; `false` when that is over the limit.
    pub(super) fn grow(&mut self, limit: usize) -> bool {
        let larger = (self.size * 2).min(limit.max(WINDOW_BYTES));
        let grows = larger > self.size;
        self.size = self.size.max(larger);
        grows
    }

    /// Slides forward by `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        (self.lines, self.column) = self.position(count);
        self.text.drain(..count);
    }

    /// Consumes everything up to and including `end`, handing it out in parts.
    pub(super) fn until(
        &mut self,
        end: &str,
        mut part: impl FnMut(&str) -> Result<(), Fault>,
    ) -> Result<(), ReportError> {
        loop {
            self.fill()?;
            let (text, last) = self.text();
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
        let before = &self.text.as_bytes()[..at];
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
        let (lines, column) = self.position(at.min(self.text.len()));
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
    let (chunks, _) = bytes.as_chunks::<64>();
    let clean = chunks.iter().take_while(|chunk| !chunk.iter().fold(false, |found, byte| found | is_control(*byte)));
    let start = clean.count() * 64;
    let control = bytes[start..].iter().position(|byte| is_control(*byte)).map(|at| start + at);
    let non_character = memchr::memchr_iter(0xef, bytes)
        .find(|at| bytes[*at..].get(1) == Some(&0xbf) && bytes[*at..].get(2).is_some_and(|byte| *byte >= 0xbe));
    control.into_iter().chain(non_character).min()
}
