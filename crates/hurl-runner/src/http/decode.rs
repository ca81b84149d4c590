//! Decompresses bodies, within a limit.

use std::io::Read;

use super::HttpError;

/// Undoes the encodings of a `Content-Encoding` header, in the order in which it names them, as Hurl does.
pub(super) fn decompress(body: &[u8], encodings: &str, max_bytes: u64) -> Result<Vec<u8>, HttpError> {
    let mut body = body.to_vec();
    for encoding in encodings.split(',').map(str::trim) {
        let (reader, name): (Box<dyn Read + '_>, _) = match encoding {
            "identity" => continue,
            "gzip" => (Box::new(flate2::read::MultiGzDecoder::new(body.as_slice())), "gzip"),
            "deflate" => (Box::new(flate2::read::ZlibDecoder::new(body.as_slice())), "zlib"),
            "br" => (Box::new(brotli_decompressor::Decompressor::new(body.as_slice(), 4096)), "brotli"),
            other => {
                return Err(HttpError::new("Decompression error", format!("compression {other} is not supported")));
            }
        };
        let mut decompressed = Vec::new();
        if reader.take(max_bytes + 1).read_to_end(&mut decompressed).is_err() {
            let message = format!("could not uncompress response with {name}");
            return Err(HttpError::new("Decompression error", message));
        }
        if decompressed.len() as u64 > max_bytes {
            let message = format!("the decompressed response is longer than {max_bytes} bytes");
            return Err(HttpError::new("Decompression error", message));
        }
        body = decompressed;
    }
    Ok(body)
}
