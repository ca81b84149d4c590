//! Lengths as Slack may count them, and cutting between characters.
//!
//! Slack speaks of characters and does not say which. UTF-16 units are never fewer than characters, so what keeps a limit
//! in them keeps it in any count.

/// The sign that something was cut.
pub(crate) const ELLIPSIS: char = '…';

/// The length of a text in UTF-16 units.
pub(crate) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The start of a text that has at most `max` units, never ending inside a character or a reference such as `&amp;`.
pub(crate) fn prefix(text: &str, max: usize) -> &str {
    let mut units = 0;
    let mut end = 0;
    while let Some(next) = character(&text[end..]) {
        units += length(next);
        if units > max {
            break;
        }
        end += next.len();
    }
    &text[..end]
}

/// The first character of escaped text; a reference is one.
fn character(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let reference = ["&amp;", "&lt;", "&gt;"].into_iter().find(|reference| text.starts_with(reference));
    Some(reference.unwrap_or(&text[..first.len_utf8()]))
}

/// The text, or its start and an ellipsis where it is longer than `max` units.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut cut = prefix(text, max.saturating_sub(1)).trim_end().to_owned();
    if max > 0 {
        cut.push(ELLIPSIS);
    }
    cut
}
