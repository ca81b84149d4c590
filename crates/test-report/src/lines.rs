//! Reports that are made of lines.

use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

const CHUNK_BYTES: usize = 64 << 10;

/// The lines of a report, decoded as UTF-8, without their ends.
pub(crate) struct Lines<'a> {
    input: Input<'a>,
    buffer: Vec<u8>,
    start: usize,
    /// No line end stands before this place, counted from `start`.
    searched: usize,
    ended: bool,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: Input<'a>) -> Self {
        Lines { input, buffer: Vec::new(), start: 0, searched: 0, ended: false, number: 0 }
    }

    /// The next line; `None` at the end of the report.
    ///
    /// # Errors
    ///
    /// Fails on a line longer than [`Limits::token`](crate::Limits::token) and on what is not UTF-8.
    pub(crate) fn next(&mut self) -> Result<Option<&str>, ReportError> {
        let length = loop {
            let rest = &self.buffer[self.start..];
            if let Some(found) = memchr::memchr(b'\n', &rest[self.searched..]) {
                break self.searched + found;
            }
            self.searched = rest.len();
            if self.ended {
                if rest.is_empty() {
                    return Ok(None);
                }
                break rest.len();
            }
            if rest.len() > self.input.limits.token {
                self.number += 1;
                let detail = format!("a line of more than {} bytes", self.input.limits.token);
                return Err(self.error(ErrorKind::Limit, detail));
            }
            self.read()?;
        };
        let line = self.start..self.start + length;
        self.start = (line.end + 1).min(self.buffer.len());
        self.searched = 0;
        self.number += 1;
        let first = self.number == 1;
        match std::str::from_utf8(&self.buffer[line.clone()]) {
            Ok(text) => {
                let text = if first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
                Ok(Some(text.strip_suffix('\r').unwrap_or(text)))
            }
            Err(_) => Err(self.error(ErrorKind::Encoding, "a line that is no UTF-8")),
        }
    }

    /// Bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.input.given()
    }

    /// An error in the line that was read last.
    pub(crate) fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> ReportError {
        self.input.error_at(Place::Text { line: self.number, column: 1 }, kind, detail)
    }

    fn read(&mut self) -> Result<(), ReportError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK_BYTES, 0);
        let read = self.input.fill(&mut self.buffer[length..])?;
        self.buffer.truncate(length + read);
        self.ended = read == 0;
        Ok(())
    }
}
