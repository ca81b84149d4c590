//! Names of entries: decoded, checked, and brought to one form.

use std::borrow::Cow;

use super::entry::{OtherPath, flag};
use super::fault::ArchiveFault;

/// The upper half of code page 437, which names without the UTF-8 flag are in (APPNOTE D.1).
const CP437_UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) path: String,
    pub(super) is_directory: bool,
    pub(super) other: Option<OtherPath>,
}

impl Name {
    /// Decodes `raw` and brings it to a path with `/`, without `.` and empty parts.
    ///
    /// Names without the UTF-8 flag that are valid UTF-8 are taken as such: much software writes UTF-8 without the flag, and
    /// plain ASCII is the same in both.
    pub(super) fn read(raw: &[u8], flags: u16, unicode_path: Option<&[u8]>) -> Result<Self, ArchiveFault> {
        let header_name = match std::str::from_utf8(raw) {
            Ok(name) => Some(Cow::Borrowed(name)),
            Err(_) if flags & flag::UTF8 != 0 => {
                let path = String::from_utf8_lossy(raw).into_owned();
                return Err(ArchiveFault::UnsafePath { path, problem: "is marked as UTF-8 and is not" });
            }
            Err(_) => None,
        };
        let unicode_name = unicode_path.and_then(|path| std::str::from_utf8(path).ok());
        let (name, other) = match (header_name, unicode_name) {
            (Some(name), Some(unicode)) if name != unicode => {
                (name, Some((unicode.to_owned(), "its header and its Unicode path field differ")))
            }
            (Some(name), _) => (name, None),
            (None, Some(unicode)) => (Cow::Borrowed(unicode), None),
            (None, None) => (Cow::Owned(decode_cp437(raw)), None),
        };
        let other = other.or_else(|| {
            name.contains('\\').then(|| (name.replace('\\', "/"), "a backslash separates folders for some of them"))
        });
        let other = match other {
            Some((name, reason)) => Some(OtherPath { path: normalise(&name)?, reason }),
            None => None,
        };
        Ok(Self { path: normalise(&name)?, is_directory: name.ends_with('/'), other })
    }
}

/// Whether `path` may be put into an archive that this crate would read again.
pub(crate) fn check_written_path(path: &str) -> Result<(), &'static str> {
    match normalise(path) {
        Ok(normalised) if normalised == path && !path.contains('\\') => Ok(()),
        Err(ArchiveFault::UnsafePath { problem, .. }) => Err(match problem {
            "is absolute" => "the path is absolute",
            "leads out of the artifact" => "the path leads out of the artifact",
            _ => "the path is not usable",
        }),
        _ => Err("a path consists of names with one `/` between them"),
    }
}

fn normalise(name: &str) -> Result<String, ArchiveFault> {
    let refuse = |problem| Err(ArchiveFault::UnsafePath { path: name.to_owned(), problem });
    if name.contains('\0') {
        return refuse("contains a NUL character");
    }
    if name.starts_with('/') || has_drive(name) {
        return refuse("is absolute");
    }
    let mut path = String::with_capacity(name.len());
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return refuse("leads out of the artifact"),
            part => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
    }
    if path.is_empty() && !name.ends_with('/') {
        return refuse("names no file");
    }
    Ok(path)
}

/// Whether a name begins like `C:/`.
fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

fn decode_cp437(raw: &[u8]) -> String {
    raw.iter()
        .map(|&byte| match byte {
            0..=0x7F => char::from(byte),
            upper => CP437_UPPER.chars().nth(usize::from(upper) - 0x80).unwrap_or(char::REPLACEMENT_CHARACTER),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437_has_128_upper_characters() {
        assert_eq!(CP437_UPPER.chars().count(), 128);
        assert_eq!(decode_cp437(b"\x9aber\xe1.xml"), "Überß.xml");
    }

    #[test]
    fn names_become_paths_or_are_refused() {
        let cases: &[(&[u8], u16, Result<&str, &str>)] = &[
            (b"a/b.xml", 0, Ok("a/b.xml")),
            (b"./a//b.xml", 0, Ok("a/b.xml")),
            (b"a/./", 0, Ok("a")),
            (b"./", 0, Ok("")),
            (b"..a/b..", 0, Ok("..a/b..")),
            ("ü.xml".as_bytes(), 0, Ok("ü.xml")),
            ("ü.xml".as_bytes(), flag::UTF8, Ok("ü.xml")),
            (b"\x81.xml", 0, Ok("ü.xml")),
            (b"\x81.xml", flag::UTF8, Err("is marked as UTF-8 and is not")),
            (b"", 0, Err("names no file")),
            (b".", 0, Err("names no file")),
            (b"/etc/passwd", 0, Err("is absolute")),
            (b"C:/x", 0, Err("is absolute")),
            (b"c:\\x", 0, Err("is absolute")),
            (b"\\x", 0, Err("is absolute")),
            (b"a/../b", 0, Err("leads out of the artifact")),
            (b"..", 0, Err("leads out of the artifact")),
            (b"..\\b", 0, Err("leads out of the artifact")),
            (b"a\0.xml", 0, Err("contains a NUL character")),
        ];
        for &(raw, flags, expected) in cases {
            let read = Name::read(raw, flags, None);
            match (&read, expected) {
                (Ok(name), Ok(path)) => assert_eq!(name.path, path),
                (Err(ArchiveFault::UnsafePath { problem, .. }), Err(expected)) => assert_eq!(*problem, expected),
                _ => panic!("{:?}: {read:?}, expected {expected:?}", String::from_utf8_lossy(raw)),
            }
        }
    }

    #[test]
    fn a_doubtful_name_has_both_readings() {
        let cases = [
            (&b"a\\b.xml"[..], None, "a\\b.xml", Some("a/b.xml")),
            (&b"a.xml"[..], Some("b.xml"), "a.xml", Some("b.xml")),
            (&b"a.xml"[..], Some("a.xml"), "a.xml", None),
            (&b"\xfc.xml"[..], Some("ü.xml"), "ü.xml", None),
        ];
        for (raw, unicode, path, other) in cases {
            let name = Name::read(raw, 0, unicode.map(str::as_bytes)).unwrap();
            assert_eq!((name.path.as_str(), name.other.as_ref().map(|o| o.path.as_str())), (path, other));
        }
    }
}
