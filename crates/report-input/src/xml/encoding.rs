//! From the bytes of a report to UTF-8.

use encoding_rs::{Decoder, DecoderResult, Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::attributes;
use crate::error::{ErrorKind, Place, ReportError};
use crate::input::Input;

/// A declaration of the encoding stands within this many bytes, if there is one.
const HEAD_BYTES: usize = 1024;

/// The report as UTF-8.
pub(super) struct Decoded<'a> {
    input: Input<'a>,
    decoder: Option<Decoder>,
    /// The beginning of a character whose rest was not read yet.
    carried: Vec<u8>,
    finished: bool,
}

/// What a call to [`Decoded::read`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    End,
    /// What follows is no UTF-8, although it should be.
    NotUtf8,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(mut input: Input<'a>) -> Result<Self, ReportError> {
        // The input was looked at before, so that its beginning is there at once.
        let beginning = input.peek()?;
        let detected = detect(&beginning[..beginning.len().min(HEAD_BYTES)]);
        let (encoding, mark) = detected.map_err(|detail| input.error(ErrorKind::Encoding, detail))?;
        input.consume(mark);
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Ok(Decoded { input, decoder, carried: Vec::new(), finished: false })
    }

    pub(super) fn input(&self) -> &Input<'a> {
        &self.input
    }

    /// Appends at most about `room` bytes to `text`, at least 8 of which must be free.
    pub(super) fn read(&mut self, text: &mut String, room: usize) -> Result<Progress, ReportError> {
        match self.decoder.take() {
            None => self.read_plain(text, room),
            Some(mut decoder) => {
                let progress = self.read_decoding(&mut decoder, text, room);
                self.decoder = Some(decoder);
                progress
            }
        }
    }

    fn read_plain(&mut self, text: &mut String, room: usize) -> Result<Progress, ReportError> {
        let next = self.input.peek()?;
        if next.is_empty() {
            return Ok(if self.carried.is_empty() { Progress::End } else { Progress::NotUtf8 });
        }
        if !self.carried.is_empty() {
            self.carried.push(next[0]);
            self.input.consume(1);
            return Ok(match std::str::from_utf8(&self.carried) {
                Ok(character) => {
                    text.push_str(character);
                    self.carried.clear();
                    Progress::More
                }
                Err(error) if error.error_len().is_none() => Progress::More,
                Err(_) => Progress::NotUtf8,
            });
        }
        let next = &next[..next.len().min(room)];
        let (valid, broken) = match std::str::from_utf8(next) {
            Ok(valid) => (valid, false),
            Err(error) => {
                let valid = std::str::from_utf8(&next[..error.valid_up_to()]).unwrap_or_default();
                (valid, error.error_len().is_some())
            }
        };
        text.push_str(valid);
        let consumed = if valid.is_empty() && !broken {
            self.carried.extend_from_slice(next);
            next.len()
        } else {
            valid.len()
        };
        let progress = if valid.is_empty() && broken { Progress::NotUtf8 } else { Progress::More };
        self.input.consume(consumed);
        Ok(progress)
    }

    fn read_decoding(
        &mut self,
        decoder: &mut Decoder,
        text: &mut String,
        room: usize,
    ) -> Result<Progress, ReportError> {
        if self.finished {
            return Ok(Progress::End);
        }
        text.reserve(room);
        let next = self.input.peek()?;
        let last = next.is_empty();
        let (result, read) = decoder.decode_to_string_without_replacement(next, text, last);
        self.input.consume(read);
        match result {
            DecoderResult::Malformed(..) => {
                let place = Place::Byte(self.input.given());
                let detail = format!("bytes that are no text in {}", decoder.encoding().name());
                return Err(self.input.error_at(place, ErrorKind::Encoding, detail));
            }
            DecoderResult::InputEmpty => self.finished = last,
            DecoderResult::OutputFull => {}
        }
        Ok(Progress::More)
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
