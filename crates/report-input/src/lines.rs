//! Reports that are made of lines.

use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

const CHUNK_BYTES: usize = 64 << 10;

/// The lines of a report, decoded as UTF-8, without their ends.
pub struct Lines<'a> {
    input: Input<'a>,
    buffer: Vec<u8>,
    start: usize,
    /// No line end stands before this place, counted from `start`.
    searched: usize,
    ended: bool,
    number: u64,
    terminated: bool,
}

impl<'a> Lines<'a> {
    /// The lines of `input`.
    #[must_use]
    pub fn new(input: Input<'a>) -> Self {
        Lines { input, buffer: Vec::new(), start: 0, searched: 0, ended: false, number: 0, terminated: true }
    }

    /// The next line; `None` at the end of the report.
    ///
    /// # Errors
    ///
    /// Fails on a line longer than [`Bounds::token`](crate::Bounds::token) and on what is not UTF-8.
    pub fn next_line(&mut self) -> Result<Option<&str>, ReportError> {
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
                self.terminated = false;
                break rest.len();
            }
            if rest.len() > self.input.bounds().token {
                self.number += 1;
                let detail = format!("a line of more than {} bytes", self.input.bounds().token);
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

    /// Whether the lines read so far all ended with a newline.
    #[must_use]
    pub fn ends_with_newline(&self) -> bool {
        self.terminated
    }

    /// The number of the line that was read last, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.input.given()
    }

    /// The report's name.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.input.source()
    }

    /// An error in the line that was read last.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> ReportError {
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
