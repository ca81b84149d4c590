//! The bytes of one report, bounded and with their beginning looked at in advance.

use std::borrow::Cow;
use std::io::{self, BufRead, ErrorKind as IoKind, Read};

use crate::Bounds;
use crate::error::{ErrorKind, Place, ReportError};
use crate::opening::Opening;

/// How much of a report is looked at to recognise its format.
const OPENING_BYTES: usize = 64 << 10;

/// The bytes of one report.
pub struct Input<'a> {
    source: &'a str,
    bounds: Bounds,
    reader: &'a mut dyn BufRead,
    opening: Vec<u8>,
    given_of_opening: usize,
    given: u64,
}

impl<'a> Input<'a> {
    /// A report that is called `source` in errors.
    #[must_use]
    pub fn new(source: &'a str, reader: &'a mut dyn BufRead, bounds: Bounds) -> Self {
        Input { source, bounds, reader, opening: Vec::new(), given_of_opening: 0, given: 0 }
    }

    /// Looks at the beginning without consuming it.
    ///
    /// # Errors
    ///
    /// Fails when the input fails, or when it holds nothing but white space.
    pub fn opening(&mut self) -> Result<Opening, ReportError> {
        let mut opening = Vec::new();
        match (&mut self.reader).take(OPENING_BYTES as u64).read_to_end(&mut opening) {
            Ok(_) => {}
            Err(error) => return Err(self.input_error(&error)),
        }
        if opening.is_empty() {
            return Err(self.error(ErrorKind::Empty, "the file is empty"));
        }
        let found = Opening::new(&opening);
        if found.text().trim().is_empty() && opening.len() < OPENING_BYTES {
            return Err(self.error(ErrorKind::Empty, "the file holds nothing but white space"));
        }
        self.opening = opening;
        Ok(found)
    }

    /// The report's name.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The bounds within which it is read.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Bytes handed out so far.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.given
    }

    /// The bytes that come next, without consuming them; empty at the end of the report.
    ///
    /// # Errors
    ///
    /// Fails when the input fails, and when there are more bytes than the bounds allow.
    pub fn peek(&mut self) -> Result<&[u8], ReportError> {
        if self.given > self.bounds.bytes {
            let detail = format!("the report has more than {} bytes; split it or raise the limit", self.bounds.bytes);
            return Err(self.error(ErrorKind::Limit, detail));
        }
        if self.given_of_opening < self.opening.len() {
            return Ok(&self.opening[self.given_of_opening..]);
        }
        let source = self.source;
        loop {
            match self.reader.fill_buf() {
                // A buffer that was returned by an earlier call is asked for again, because of how borrows are checked.
                Ok(_) => break,
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) => return Err(ReportError::new(source, None, ErrorKind::Input, error.to_string())),
            }
        }
        self.reader.fill_buf().map_err(|error| ReportError::new(source, None, ErrorKind::Input, error.to_string()))
    }

    /// Consumes bytes that [`Input::peek`] returned.
    pub fn consume(&mut self, count: usize) {
        self.given += count as u64;
        if self.given_of_opening < self.opening.len() {
            self.given_of_opening += count;
            if self.given_of_opening == self.opening.len() {
                self.opening = Vec::new();
                self.given_of_opening = 0;
            }
        } else {
            self.reader.consume(count);
        }
    }

    /// Fills the front of `buffer` and returns how much was filled; 0 at the end of the report.
    ///
    /// # Errors
    ///
    /// Fails when the input fails, and when there are more bytes than the bounds allow.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReportError> {
        let next = self.peek()?;
        let length = next.len().min(buffer.len());
        buffer[..length].copy_from_slice(&next[..length]);
        self.consume(length);
        Ok(length)
    }

    /// An error about the report as a whole.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> ReportError {
        ReportError::new(self.source, None, kind, detail)
    }

    /// An error about a place in the report.
    #[must_use]
    pub fn error_at(&self, place: Place, kind: ErrorKind, detail: impl Into<String>) -> ReportError {
        ReportError::new(self.source, Some(place), kind, detail)
    }

    fn input_error(&self, error: &io::Error) -> ReportError {
        self.error(ErrorKind::Input, error.to_string())
    }
}

/// The text of `bytes` as far as it can be told from a byte order mark; only good for recognising a format.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]).0,
        None if bytes.starts_with(b"<\0") => encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0,
        None if bytes.starts_with(b"\0<") => encoding_rs::UTF_16BE.decode_without_bom_handling(bytes).0,
        None => String::from_utf8_lossy(bytes),
    }
}
