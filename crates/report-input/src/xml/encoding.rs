//! From the bytes of a report to UTF-8.

use encoding_rs::{Decoder, DecoderResult, Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::attributes;
use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

/// A declaration of the encoding stands within this many bytes, if there is one.
const HEAD_BYTES: usize = 1024;
const CHUNK_BYTES: usize = 64 << 10;

/// The report as UTF-8. Reports in UTF-8 are passed on unchecked; the window checks them.
pub(super) struct Decoded<'a> {
    input: Input<'a>,
    /// Raw bytes that were read and not passed on.
    pending: Vec<u8>,
    at: usize,
    decoder: Option<Decoder>,
    ended: bool,
    finished: bool,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(mut input: Input<'a>) -> Result<Self, ReportError> {
        let mut head = vec![0; HEAD_BYTES];
        let mut length = 0;
        let mut ended = false;
        while length < HEAD_BYTES && !ended {
            let read = input.fill(&mut head[length..])?;
            length += read;
            ended = read == 0;
        }
        head.truncate(length);
        let (encoding, skipped) = detect(&head).map_err(|detail| input.error(ErrorKind::Encoding, detail))?;
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Ok(Decoded { input, pending: head, at: skipped, decoder, ended, finished: false })
    }

    pub(super) fn input(&self) -> &Input<'a> {
        &self.input
    }

    /// Fills the front of `buffer`, which has room for a character; 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReportError> {
        let Some(mut decoder) = self.decoder.take() else {
            return self.read_plain(buffer);
        };
        let read = self.read_decoding(&mut decoder, buffer);
        self.decoder = Some(decoder);
        read
    }

    fn read_plain(&mut self, buffer: &mut [u8]) -> Result<usize, ReportError> {
        let rest = &self.pending[self.at..];
        if rest.is_empty() {
            return if self.ended { Ok(0) } else { self.input.fill(buffer) };
        }
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }

    fn read_decoding(&mut self, decoder: &mut Decoder, buffer: &mut [u8]) -> Result<usize, ReportError> {
        loop {
            if self.finished {
                return Ok(0);
            }
            if self.at == self.pending.len() && !self.ended {
                self.pending.resize(CHUNK_BYTES, 0);
                let read = self.input.fill(&mut self.pending)?;
                self.pending.truncate(read);
                self.at = 0;
                self.ended = read == 0;
            }
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(&self.pending[self.at..], buffer, self.ended);
            self.at += read;
            match result {
                DecoderResult::Malformed(..) => return Err(self.undecodable(decoder.encoding())),
                DecoderResult::InputEmpty => self.finished = self.ended,
                DecoderResult::OutputFull => {}
            }
            if written > 0 || matches!(result, DecoderResult::OutputFull) {
                return Ok(written);
            }
        }
    }

    fn undecodable(&self, encoding: &'static Encoding) -> ReportError {
        let place = Place::Byte(self.input.given() - (self.pending.len() - self.at) as u64);
        let detail = format!("bytes that are no text in {}", encoding.name());
        self.input.error_at(place, ErrorKind::Encoding, detail)
    }
}

/// The encoding of a document and the length of its byte order mark.
fn detect(head: &[u8]) -> Result<(&'static Encoding, usize), String> {
    if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) || head.starts_with(b"\0\0\0<") {
        return Err("UTF-32 is not supported; write the report in UTF-8".to_owned());
    }
    if let Some((encoding, length)) = Encoding::for_bom(head) {
        // The mark is certain. A declaration that says otherwise was left over when the file was written anew.
        return Ok((encoding, length));
    }
    if head.starts_with(b"<\0") {
        return Ok((UTF_16LE, 0));
    }
    if head.starts_with(b"\0<") {
        return Ok((UTF_16BE, 0));
    }
    let Some(label) = declared(head) else {
        return Ok((UTF_8, 0));
    };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            Err(format!("the XML declaration says {label}, but the file is not written in UTF-16"))
        }
        Some(encoding) if encoding != REPLACEMENT => Ok((encoding, 0)),
        _ => {
            let label = label.chars().take(40).collect::<String>();
            Err(format!("the encoding \"{}\" is not known; write the report in UTF-8", label.escape_debug()))
        }
    }
}

/// The encoding that the XML declaration names.
fn declared(head: &[u8]) -> Option<String> {
    let text = head.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'?', text)?;
    let text = std::str::from_utf8(&text[..end]).ok()?;
    let mut spans = Vec::new();
    attributes::scan(text, 3, &mut spans).ok()?;
    attributes::Tag::new("xml", text, &spans).get("encoding").map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_found() {
        for (head, expected) in [
            (&b"<a/>"[..], Ok(("UTF-8", 0))),
            (b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?>", Ok(("UTF-8", 3))),
            (b"\xff\xfe<\0", Ok(("UTF-16LE", 2))),
            (b"\xfe\xff\0<", Ok(("UTF-16BE", 2))),
            (b"<\0?\0", Ok(("UTF-16LE", 0))),
            (b"\0<\0?", Ok(("UTF-16BE", 0))),
            (b"<?xml version='1.0' encoding='latin1'?>", Ok(("windows-1252", 0))),
            (b"<?xml version=\"1.0\" encoding = \"Shift_JIS\"?>", Ok(("Shift_JIS", 0))),
            (b"<?xml version='1.0' encoding='utf-16'?>", Err("not written in UTF-16")),
            (b"<?xml version='1.0' encoding='klingon'?>", Err("\"klingon\" is not known")),
            (b"<?xml version='1.0' encoding='hz-gb-2312'?>", Err("is not known")),
            (b"\xff\xfe\0\0", Err("UTF-32")),
        ] {
            match (detect(head), expected) {
                (Ok((encoding, length)), Ok(expected)) => assert_eq!((encoding.name(), length), expected),
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (found, _) => panic!("{head:?}: {found:?}"),
            }
        }
    }
}
