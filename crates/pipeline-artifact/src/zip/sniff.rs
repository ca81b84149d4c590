//! What an object that is no ZIP looks like, so that the message says more than "invalid".

/// First bytes of an object that tell what it is; the mark of a tar archive stands at byte 257.
pub(crate) const SNIFFED_BYTES: u64 = 265;

/// Words for what begins with `start`.
pub(crate) fn looks_like(start: &[u8]) -> String {
    let text = std::str::from_utf8(start).map_or_else(|error| &start[..error.valid_up_to()], str::as_bytes);
    let is_text =
        text.len() + 4 > start.len() && !text.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    let trimmed = text.trim_ascii_start();
    let kind = match start {
        [0x1f, 0x8b, ..] => "a gzip file (perhaps .tar.gz)",
        [b'B', b'Z', b'h', ..] => "a bzip2 file",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an xz file",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a Zstandard file",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7z archive",
        [b'R', b'a', b'r', b'!', ..] => "a RAR archive",
        [0x7f, b'E', b'L', b'F', ..] => "a Linux program",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        _ if start.get(257..262) == Some(b"ustar") => "a tar archive",
        _ if is_text && matches!(trimmed.first(), Some(b'{' | b'[')) => "JSON",
        _ if is_text && trimmed.first() == Some(&b'<') => "XML or HTML",
        _ if is_text => "text",
        _ => "something unknown",
    };
    let shown = &start[..start.len().min(16)];
    if is_text {
        format!("{kind}, beginning with \"{}\"", shown.escape_ascii())
    } else {
        let hex: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{kind}, beginning with the bytes {}", hex.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn says_what_the_first_bytes_look_like() {
        let mut tar = vec![0; 265];
        tar[..5].copy_from_slice(b"a.txt");
        tar[257..262].copy_from_slice(b"ustar");
        let cases: &[(&[u8], &str)] = &[
            (&[0x1f, 0x8b, 8, 0], "a gzip file (perhaps .tar.gz), beginning with the bytes 1f 8b 08 00"),
            (&tar, "a tar archive, beginning with the bytes 61 2e 74 78 74 00 00 00 00 00 00 00 00 00 00 00"),
            (b"  {\"a\": 1}", "JSON, beginning with \"  {\\\"a\\\": 1}\""),
            (b"<?xml version='1.0'?>", "XML or HTML, beginning with \"<?xml version=\\'1\""),
            (b"hello", "text, beginning with \"hello\""),
            (&[0, 1, 2, 3], "something unknown, beginning with the bytes 00 01 02 03"),
        ];
        for (start, expected) in cases {
            assert_eq!(looks_like(start), *expected);
        }
    }
}
