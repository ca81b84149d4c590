//! One part of a key, made of any text.
//!
//! Pipeline names, execution ids and gate names come from events and from files. As a part of a key they can neither
//! climb out of their folder nor meet another name: what is not a letter, a digit or one of `-_.` is written as `!` and
//! two hexadecimal digits for each byte, and so is a dot in front. S3 lists `!` among the characters that are safe in
//! keys, and `%` among those to avoid (AWS S3 guide, "Naming Amazon S3 objects").

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The most bytes of one part. Longer ones are cut, and a hash stands for the whole.
pub(crate) const LONGEST: usize = 64;
/// How much of a long text stays readable.
const READABLE: usize = 20;
/// How many bytes of SHA-256 stand for a long text: as hard to meet as SHA-1 was meant to be.
const HASH_BYTES: usize = 20;
/// The part for an empty text; no other text is encoded so.
const EMPTY: &str = "!";
/// What stands before a hash; in an encoded text, two hexadecimal digits follow each `!`.
const HASH_MARK: &str = "!!";

/// Encodes a text. Different texts give different parts.
pub(crate) fn encode(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let whole = encode_up_to(text, usize::MAX);
    if whole.len() <= LONGEST {
        return whole;
    }
    let mut part = encode_up_to(text, READABLE) + HASH_MARK;
    for byte in Sha256::digest(text.as_bytes()).iter().take(HASH_BYTES) {
        let _ = write!(part, "{byte:02x}");
    }
    part
}

fn encode_up_to(text: &str, most: usize) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && !part.is_empty());
        let piece = if is_plain { char::from(byte).to_string() } else { format!("!{byte:02X}") };
        if part.len() + piece.len() > most {
            break;
        }
        part.push_str(&piece);
    }
    part
}

/// What a part stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// The text.
    Text(String),
    /// A text that was too long to be kept.
    Hashed,
}

/// Decodes a part; nothing that [`encode`] does not write is one.
pub(crate) fn decode(part: &str) -> Option<Decoded> {
    if part == EMPTY {
        return Some(Decoded::Text(String::new()));
    }
    if let Some((readable, hash)) = part.split_once(HASH_MARK) {
        let is_hash = hash.len() == 2 * HASH_BYTES && hash.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        let is_readable = readable.len() <= READABLE && decode_bytes(readable).is_some();
        return (is_hash && is_readable).then_some(Decoded::Hashed);
    }
    let text = String::from_utf8(decode_bytes(part)?).ok()?;
    (encode(&text) == part).then_some(Decoded::Text(text))
}

fn decode_bytes(part: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'!' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = (digit()?, digit()?);
        bytes.push(high << 4 | low);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_readable() {
        let cases = [
            ("web-tests", "web-tests"),
            ("Web_1.2", "Web_1.2"),
            ("", "!"),
            (".", "!2E"),
            ("..", "!2E."),
            ("../../etc", "!2E.!2F..!2Fetc"),
            ("a/b", "a!2Fb"),
            ("a b", "a!20b"),
            ("a!b", "a!21b"),
            ("!", "!21"),
            ("!2F", "!212F"),
            ("grün", "gr!C3!BCn"),
            ("a\0b", "a!00b"),
        ];
        for (text, part) in cases {
            assert_eq!(encode(text), part, "{text:?}");
            assert_eq!(decode(part), Some(Decoded::Text(text.to_owned())), "{part}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("x".repeat(100), "x".repeat(101));
        assert_ne!(encode(&one), encode(&other));
        assert!(encode(&one).starts_with("xxxxxxxxxxxxxxxxxxxx!!"), "{}", encode(&one));
        assert_eq!(decode(&encode(&one)), Some(Decoded::Hashed));
        assert_eq!(encode(&"x".repeat(LONGEST)), "x".repeat(LONGEST));
    }

    #[test]
    fn what_encode_does_not_write_is_no_part() {
        for part in ["a/b", "!zz", "!2", "a!", "!61", ".a", "gr!C3", "a b", "x!!0123", "!2e", "", "%2F"] {
            assert_eq!(decode(part), None, "{part}");
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z!./ A-F0-9]{0,12}",
            "(\\.|/|!|!2F|!!|\\.\\.){0,6}",
            any::<String>(),
            "[ab/]{60,70}",
            "\\PC{0,80}",
        ]
    }

    proptest! {
        #[test]
        fn different_texts_never_meet(one in texts(), other in texts()) {
            prop_assert_eq!(one == other, encode(&one) == encode(&other));
        }

        #[test]
        fn every_text_is_one_safe_part(text in texts()) {
            let part = encode(&text);
            prop_assert!(!part.is_empty() && part.len() <= LONGEST, "{}", part);
            prop_assert!(part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!".contains(&byte)), "{}", part);
            prop_assert!(!part.starts_with('.'), "{}", part);
            match decode(&part) {
                Some(Decoded::Text(decoded)) => prop_assert_eq!(decoded, text),
                Some(Decoded::Hashed) => prop_assert!(text.len() > READABLE),
                None => prop_assert!(false, "{} is not read back", part),
            }
        }

        #[test]
        fn a_part_is_read_in_one_way(part in "[a-zA-F0-9!.]{0,12}") {
            if let Some(Decoded::Text(text)) = decode(&part) {
                prop_assert_eq!(encode(&text), part);
            }
        }
    }
}
