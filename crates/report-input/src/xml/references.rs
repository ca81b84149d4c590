//! References: the five predefined entities and character numbers.

use super::Fault;
use crate::error::ErrorKind;

/// Longer names are not looked at.
const LONGEST: usize = 64;

/// The character that `&name;` stands for.
pub(super) fn resolve(name: &str) -> Result<char, Fault> {
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match name.strip_prefix('#') {
            Some(number) => resolve_number(number, name),
            None => Err(unknown(name)),
        },
    }
}

fn unknown(name: &str) -> Fault {
    let known = !name.is_empty() && name.len() <= LONGEST && !name.contains([' ', '\n', '\t', '\r']);
    if known {
        let detail = format!(
            "the entity `&{}` is not one of the five that XML predefines; no other is expanded",
            format_args!("{};", name.escape_debug())
        );
        Fault::new(ErrorKind::Forbidden, detail)
    } else {
        Fault::malformed("an `&` that begins no reference; it is written `&amp;`")
    }
}

fn resolve_number(number: &str, name: &str) -> Result<char, Fault> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || digits.len() > LONGEST || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Fault::malformed("a character reference that is no number"));
    }
    let code = u32::from_str_radix(digits.trim_start_matches('0'), radix)
        .unwrap_or(if digits.trim_start_matches('0').is_empty() { 0 } else { u32::MAX });
    match char::from_u32(code).filter(|character| is_allowed(*character)) {
        Some(character) => Ok(character),
        None => Err(Fault::malformed(format!("`&{name};` stands for U+{code:04X}, which XML does not allow"))),
    }
}

/// Whether XML 1.0 allows the character.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// How long the reference is that `text` begins with, which begins with `&`.
pub(super) fn length(text: &str) -> Result<usize, Fault> {
    let window = &text.as_bytes()[..text.len().min(LONGEST + 8)];
    let Some(end) = memchr::memchr(b';', window) else {
        return Err(unknown(""));
    };
    resolve(&text[1..end])?;
    Ok(end + 1)
}

/// `text` with its references resolved; all of them were checked before.
pub(super) fn resolve_all(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').map_or(rest.len(), |end| end + 1);
        if let Ok(character) = resolve(rest[..end].trim_start_matches('&').trim_end_matches(';')) {
            resolved.push(character);
        }
        rest = &rest[end..];
    }
    resolved.push_str(rest);
    resolved
}
