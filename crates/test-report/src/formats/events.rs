//! Reports whose lines are JSON objects, one event each.

use report_input::{ErrorKind, Lines, Opening, ReportError};
use serde::Deserialize;

use super::members::Text;

/// Tests that have begun and not ended, of which a report may have so many at once.
pub(super) const OPEN_TESTS: usize = 1 << 20;

/// Whether one of the first lines is an object with members that `is_event` knows.
///
/// Other lines may stand before it: what a build tool prints, for example.
pub(super) fn has_event(opening: &Opening, is_event: fn(&[&str], &str) -> bool) -> bool {
    let lines = opening.text().lines().map(str::trim_start).filter(|line| line.starts_with('{'));
    lines.take(100).any(|line| {
        let line = Opening::new(line.as_bytes());
        is_event(&line.json_keys(), line.text())
    })
}

/// Whether the text holds the member, however it is spaced.
pub(super) fn has_member(text: &str, name: &str, value: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let rest = text[at + name.len()..].strip_prefix('"').map(str::trim_start);
        let rest = rest.and_then(|rest| rest.strip_prefix(':')).map(str::trim_start);
        text[..at].ends_with('"')
            && rest.and_then(|rest| rest.strip_prefix('"')).is_some_and(|rest| rest.starts_with(value))
    })
}

/// A line of a report.
pub(super) enum Line<E> {
    /// An event.
    Event(E),
    /// Something that does not look like an event.
    Other(String),
}

/// The next line that is not blank; `None` at the end of the report.
///
/// # Errors
///
/// Fails on a line that begins like an object and is none, for example because the report is cut short within it.
pub(super) fn next<E: for<'de> Deserialize<'de>>(lines: &mut Lines<'_>) -> Result<Option<Line<E>>, ReportError> {
    let parsed = loop {
        let Some(line) = lines.next_line()? else { return Ok(None) };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if !line.starts_with('{') {
            return Ok(Some(Line::Other(line.to_owned())));
        }
        break serde_json::from_str::<E>(line);
    };
    match parsed {
        Ok(event) => Ok(Some(Line::Event(event))),
        Err(error) if error.is_eof() => Err(lines.error(ErrorKind::Truncated, "an event that is cut short")),
        Err(error) => {
            let text = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let detail = text.strip_suffix(&place).unwrap_or(&text);
            Err(lines.error(ErrorKind::Malformed, format!("an event that cannot be read: {detail}")))
        }
    }
}

/// The refusal of a report with too many tests that have begun and not ended.
pub(super) fn too_many_open(lines: &Lines<'_>) -> ReportError {
    lines.error(ErrorKind::Limit, format!("more than {OPEN_TESTS} tests have begun and not ended"))
}

/// Appends `text` as far as there is room for it.
pub(super) fn push(message: &mut String, text: &str, limit: usize) {
    message.push_str(report_input::cut(text, limit.saturating_sub(message.len())));
}

/// The first text that is not blank.
pub(super) fn first<'a>(texts: &[&'a Text]) -> &'a str {
    texts.iter().copied().map(|text| &**text).find(|text| !text.trim().is_empty()).unwrap_or_default()
}
