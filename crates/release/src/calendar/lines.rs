//! Content lines and components of an iCalendar file (RFC 5545, section 3.1).

use std::borrow::Cow;

use super::error::{CalendarError, Problem};

/// The most bytes of a calendar file.
pub const MAX_BYTES: usize = 1 << 20;
/// The most components within each other; files nest three at the most.
const MAX_DEPTH: usize = 16;

/// One property: `NAME;PARAMETER=VALUE:VALUE`.
#[derive(Clone, Debug)]
pub(super) struct Property<'t> {
    pub(super) line: usize,
    pub(super) name: String,
    parameters: Vec<(String, String)>,
    pub(super) value: Cow<'t, str>,
}

impl Property<'_> {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn fault(&self, problem: Problem) -> CalendarError {
        CalendarError::at(self.line, problem)
    }
}

/// The properties of every `VEVENT`, those of components within it aside.
pub(super) fn events(bytes: &[u8]) -> Result<Vec<(usize, Vec<Property<'_>>)>, CalendarError> {
    if bytes.len() > MAX_BYTES {
        return Err(CalendarError::whole(Problem::TooLarge(bytes.len())));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut events = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut calendars = 0;
    for (line, content) in unfolded(bytes) {
        let property = property(line, text(line, content)?)?;
        match property.name.as_str() {
            "BEGIN" => {
                let name = property.value.trim().to_ascii_uppercase();
                match (within.is_empty(), name == "VCALENDAR") {
                    (true, true) => calendars += 1,
                    (false, false) => {}
                    _ => return Err(property.fault(Problem::NoCalendar)),
                }
                if within.len() >= MAX_DEPTH {
                    return Err(property.fault(Problem::TooDeep));
                }
                if name == "VEVENT" {
                    events.push((line, Vec::new()));
                }
                within.push(name);
            }
            "END" => {
                let name = property.value.trim().to_ascii_uppercase();
                if within.pop().as_deref() != Some(name.as_str()) {
                    return Err(property.fault(Problem::Unbalanced(name)));
                }
            }
            _ if within.is_empty() => return Err(property.fault(Problem::NoCalendar)),
            _ if within.last().is_some_and(|name| name == "VEVENT") => {
                if let Some((_, properties)) = events.last_mut() {
                    properties.push(property);
                }
            }
            _ => {}
        }
    }
    match within.pop() {
        Some(open) => Err(CalendarError::whole(Problem::Truncated(open))),
        None if calendars == 0 => Err(CalendarError::whole(Problem::NoCalendar)),
        None => Ok(events),
    }
}

/// The lines, each with its number; a line that begins with a blank goes on with the one before. A fold may lie within a
/// character, so these are bytes yet.
fn unfolded(bytes: &[u8]) -> Vec<(usize, Cow<'_, [u8]>)> {
    let mut lines: Vec<(usize, Cow<'_, [u8]>)> = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, lines.last_mut()) {
            ([b' ' | b'\t', rest @ ..], Some((_, before))) => before.to_mut().extend_from_slice(rest),
            ([], _) => {}
            _ => lines.push((index + 1, line.into())),
        }
    }
    lines
}

fn text(line: usize, content: Cow<'_, [u8]>) -> Result<Cow<'_, str>, CalendarError> {
    let no_text = || CalendarError::at(line, Problem::NoText);
    match content {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| no_text()),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| no_text()),
    }
}

fn property(line: usize, content: Cow<'_, str>) -> Result<Property<'_>, CalendarError> {
    let fault = || CalendarError::at(line, Problem::NoProperty);
    let end = content.find([';', ':']).filter(|end| *end > 0).ok_or_else(fault)?;
    let name = content[..end].to_ascii_uppercase();
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(fault());
    }
    let mut parameters = Vec::new();
    let mut at = end;
    while content[at..].starts_with(';') {
        let rest = &content[at + 1..];
        let equals = rest.find('=').ok_or_else(fault)?;
        let key = rest[..equals].to_ascii_uppercase();
        let (value, length) = parameter_value(&rest[equals + 1..]).ok_or_else(fault)?;
        parameters.push((key, value));
        at += 1 + equals + 1 + length;
    }
    if !content[at..].starts_with(':') {
        return Err(fault());
    }
    let value = match content {
        Cow::Borrowed(text) => text[at + 1..].into(),
        Cow::Owned(text) => text[at + 1..].to_owned().into(),
    };
    Ok(Property { line, name, parameters, value })
}

/// A value, in quotes or not, and how many bytes it takes up to the next `;` or `:`.
fn parameter_value(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            ';' | ':' if !is_quoted => return Some((value, at)),
            c => value.push(c),
        }
    }
    None
}
