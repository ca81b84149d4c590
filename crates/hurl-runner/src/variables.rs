//! Variables of a run, and the secrets among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::value::Value;

/// How many characters a line of a secret has that is kept out of reports by itself: shorter ones stand in many texts.
const LONG_LINE: usize = 8;

/// What templates are filled with. Values of secrets never appear in a report or in `Debug`.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    secrets: BTreeSet<String>,
}

impl Variables {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// Sets a variable whose value is replaced by `***` in everything that is reported, wherever it appears. An empty
    /// secret is a variable like any other.
    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let value = value.into();
        self.keep_secret(&value);
        self.values.insert(name.into(), Value::String(value));
    }

    /// Keeps `value` out of everything that is reported, without a variable for it. Of one with several lines, such as a
    /// key, each line of more than a few characters is kept out by itself, too.
    pub fn keep_secret(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        self.secrets.insert(value.to_owned());
        if value.contains('\n') {
            let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= LONG_LINE);
            self.secrets.extend(lines.map(str::to_owned));
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// `text` with every secret replaced by `***`, also where its characters are escaped as in a URL, a form body or
    /// JSON, and in hexadecimal digits.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let digits = self.secrets.iter().map(|secret| crate::value::hex(secret.as_bytes()));
        let mut secrets: Vec<String> = self.secrets.iter().cloned().chain(digits).collect();
        // The longest first, so that a secret within another does not leave the rest of the longer one behind.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| redact_one(&text, secret))
    }
}

fn redact_one(text: &str, secret: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let spelled = [false, true].into_iter().find_map(|doubled| escaped_length(rest.as_bytes(), secret, doubled));
        if let Some(length) = spelled {
            redacted.push_str("***");
            rest = &rest[length..];
        } else {
            redacted.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    redacted
}

/// The number of bytes at the beginning of `text` that spell `secret`, each character of it as it is or escaped. A
/// backslash is its own escape: with `doubled`, two of them are one.
fn escaped_length(text: &[u8], secret: &str, doubled: bool) -> Option<usize> {
    let mut at = 0;
    for character in secret.chars() {
        let rest = text.get(at..)?;
        at += json_escape_length(rest, character).or_else(|| bytes_length(rest, character, doubled))?;
    }
    Some(at)
}

/// The number of bytes at the beginning of `text` that spell a character as JSON escapes it: `\u00e9`, and two of these
/// beyond the first 65,536 characters.
fn json_escape_length(text: &[u8], character: char) -> Option<usize> {
    let mut units = [0; 2];
    let mut at = 0;
    for unit in character.encode_utf16(&mut units) {
        let [high, low] = unit.to_be_bytes();
        match text.get(at..)? {
            [b'\\', b'u', one, two, three, four, ..] if is_hex(*one, *two, high) && is_hex(*three, *four, low) => {
                at += 6;
            }
            _ => return None,
        }
    }
    Some(at)
}

/// The number of bytes at the beginning of `text` that spell a character, each byte of it as it is or escaped.
fn bytes_length(text: &[u8], character: char, doubled: bool) -> Option<usize> {
    let mut at = 0;
    for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
        at += match (text.get(at..)?, byte) {
            ([b'\\', b'\\', ..], b'\\') if doubled => 2,
            ([first, ..], _) if *first == byte => 1,
            ([b'+', ..], b' ') => 1,
            ([b'%', high, low, ..], _) if is_hex(*high, *low, byte) => 3,
            ([b'\\', b'n', ..], b'\n') | ([b'\\', b'r', ..], b'\r') | ([b'\\', b't', ..], b'\t') => 2,
            ([b'\\', second, ..], b'"' | b'/') if *second == byte => 2,
            _ => return None,
        };
    }
    Some(at)
}

fn is_hex(high: u8, low: u8, byte: u8) -> bool {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    matches!((digit(high), digit(low)), (Some(high), Some(low)) if high * 16 + low == u32::from(byte))
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(name, value)| (name, self.redact(&value.to_string())));
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_in_every_form() {
        let mut variables = Variables::new();
        variables.set_secret("token", "a b/c");
        variables.set_secret("longer", "a b/c+d");
        variables.set("name", "Bob");
        variables.set_secret("empty", "");
        variables.set_secret("quoted", "say \"hi\"");
        variables.set_secret("accent", "café");
        variables.set_secret("path", r"C:\\x\y");
        variables.set_secret("key", "-----BEGIN\nMIIBVgIBADANBg\nx=\n");
        variables.set_secret("rocket", "a🚀b");
        for (text, expected) in [
            ("x a b/c y", "x *** y"),
            ("?t=a+b%2Fc&u=Bob", "?t=***&u=Bob"),
            ("/a%20b%2Fc", "/***"),
            ("a b/c+d", "***"),
            ("6120622f63", "***"),
            ("/a%20b/c?x=a%20b%2fc", "/***?x=***"),
            ("{\"t\":\"a b\\/c\",\"q\":\"say \\\"hi\\\"\"}", "{\"t\":\"***\",\"q\":\"***\"}"),
            ("caf%C3%A9 café caf\\u00e", "*** *** caf\\u00e"),
            ("a b/", "a b/"),
            (r"C:\\x\y C:\\\\x\\y", "*** ***"),
            (r"caf\u00e9 caf\u00E9 caf\u00ea", r"*** *** caf\u00ea"),
            (r"a\ud83d\ude80b a\ud83d b a🚀b", r"*** a\ud83d b ***"),
            // A line of a secret, and one that is too short to be told from others.
            ("-MIIBVgIBADANBg\n+x=", "-***\n+x="),
            ("-----BEGIN\\nMIIBVgIBADANBg\\nx=\\n!", "***!"),
        ] {
            assert_eq!(variables.redact(text), expected);
        }
        assert_eq!(
            format!("{variables:?}"),
            r#"{"accent": "***", "empty": "", "key": "***", "longer": "***", "name": "Bob", "path": "***", "quoted": "***", "rocket": "***", "token": "***"}"#
        );
    }
}
