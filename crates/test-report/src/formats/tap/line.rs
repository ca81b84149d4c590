//! One line of TAP.

use std::borrow::Cow;

/// What a line without its indentation is.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'a> {
    Version,
    Plan(Plan),
    Point(Point<'a>),
    BailOut(&'a str),
    Pragma(&'a str),
    Comment(&'a str),
    Blank,
    Other,
}

/// `1..5`, in old reports with a list of the tests that are expected to fail: `1..5 todo 2 4;`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) todo: Vec<u64>,
}

impl Plan {
    pub(super) fn count(&self) -> u64 {
        self.last.checked_sub(self.first).map_or(0, |more| more.saturating_add(1))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Skip,
    Todo,
}

/// `ok 1 - description # directive`.
#[derive(Debug, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) is_ok: bool,
    pub(super) number: Option<u64>,
    pub(super) description: Cow<'a, str>,
    pub(super) directive: Option<Directive>,
    /// What follows the directive.
    pub(super) reason: &'a str,
    /// `# time=12.5ms`, in seconds.
    pub(super) seconds: Option<f64>,
    /// A block of subtests in braces follows.
    pub(super) opens_block: bool,
}

pub(super) fn parse(line: &str) -> Line<'_> {
    let line = line.trim_end();
    if line.is_empty() {
        return Line::Blank;
    }
    if let Some(comment) = line.strip_prefix('#') {
        return Line::Comment(comment);
    }
    if let Some(rest) = line.strip_prefix("not ok").and_then(at_boundary) {
        return Line::Point(point(false, rest));
    }
    if let Some(rest) = line.strip_prefix("ok").and_then(at_boundary) {
        return Line::Point(point(true, rest));
    }
    if let Some(reason) = line.strip_prefix("Bail out!") {
        return Line::BailOut(reason.trim());
    }
    if strip_prefix_ignoring_case(line, "TAP version ").is_some_and(|version| version.trim().parse::<u64>().is_ok()) {
        return Line::Version;
    }
    if let Some(pragma) = line.strip_prefix("pragma ") {
        return Line::Pragma(pragma);
    }
    plan(line).map_or(Line::Other, Line::Plan)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// What follows a word, if the word ends here.
fn at_boundary(rest: &str) -> Option<&str> {
    (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(rest)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn plan(line: &str) -> Option<Plan> {
    let (first, rest) = digits(line);
    let (last, rest) = digits(rest.strip_prefix("..")?);
    let plan = Plan { first: first.parse().ok()?, last: last.parse().ok()?, todo: Vec::new() };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        return Some(plan);
    }
    let list = rest.strip_prefix("todo ")?.trim_end_matches(';');
    let todo = list.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Plan { todo, ..plan })
}

fn point(is_ok: bool, rest: &str) -> Point<'_> {
    let rest = rest.trim_start();
    let (number, after) = digits(rest);
    // `ok 2nd try` has no number.
    let (number, rest) = match number.parse() {
        Ok(number) if after.is_empty() || after.starts_with([' ', '\t', '-', '#', '{', ':']) => (Some(number), after),
        _ => (None, rest),
    };
    let mut point = Point {
        is_ok,
        number,
        description: Cow::Borrowed(""),
        directive: None,
        reason: "",
        seconds: None,
        opens_block: false,
    };
    let mut text = rest.trim();
    if let Some(before) = text.strip_suffix('{').filter(|before| before.is_empty() || before.ends_with([' ', '\t'])) {
        point.opens_block = true;
        text = before.trim_end();
    }
    let mut description = text;
    let mut is_first = true;
    for (at, note) in notes(text) {
        if let Some(time) = note.strip_prefix("time=") {
            point.seconds = time_of(time);
        } else if let Some((directive, reason)) = directive(note, is_ok, is_first) {
            (point.directive, point.reason) = (Some(directive), reason);
            description = description.get(..at).unwrap_or(description);
            break;
        } else {
            is_first = false;
            continue;
        }
        description = description.get(..at).unwrap_or(description);
    }
    let description = description.trim();
    let description =
        description.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' ')).unwrap_or(description);
    point.description = unescape(description.trim());
    point
}

/// The places in a text where an unescaped `#` follows white space, and what follows it.
fn notes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_escaped = |at: usize| text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
    text.match_indices('#')
        .filter(move |(at, _)| !is_escaped(*at) && (*at == 0 || text[..*at].ends_with([' ', '\t', '-'])))
        .map(|(at, _)| (at, text[at + 1..].trim_start()))
}

/// The directive that a note is. `SKIP` may be a longer word ("skipped"), where the test is ok anyway. `TODO` pardons a
/// failure, so it must be the whole word and the first note.
fn directive(note: &str, is_ok: bool, is_first: bool) -> Option<(Directive, &str)> {
    if let Some(rest) = strip_prefix_ignoring_case(note, "skip") {
        let reason = rest.split_once(char::is_whitespace).map_or("", |(_, reason)| reason);
        return (is_ok || at_boundary(rest).is_some()).then_some((Directive::Skip, reason.trim()));
    }
    let rest = at_boundary(strip_prefix_ignoring_case(note, "todo")?)?;
    is_first.then_some((Directive::Todo, rest.trim_start_matches(':').trim()))
}

fn time_of(text: &str) -> Option<f64> {
    let text = text.split_whitespace().next()?;
    match text.strip_suffix("ms") {
        Some(milliseconds) => milliseconds.parse::<f64>().ok().map(|milliseconds| milliseconds / 1000.0),
        None => text.strip_suffix('s').unwrap_or(text).parse().ok(),
    }
}

fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains("\\#") || text.contains("\\\\") {
        return Cow::Owned(text.replace("\\#", "#").replace("\\\\", "\\"));
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        match parse(line) {
            Line::Point(point) => format!(
                "{} {:?} {:?} {:?} {:?}{}",
                if point.is_ok { "ok" } else { "not" },
                point.number,
                point.description,
                point.directive,
                point.reason,
                if point.opens_block { " {" } else { "" },
            ),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_what_the_protocol_says() {
        for (line, expected) in [
            ("ok", r#"ok None "" None """#),
            ("ok 1", r#"ok Some(1) "" None """#),
            ("not ok 2 - a b", r#"not Some(2) "a b" None """#),
            ("ok 3 a # SKIP why not", r#"ok Some(3) "a" Some(Skip) "why not""#),
            ("ok 3 # skipped on foobar", r#"ok Some(3) "" Some(Skip) "on foobar""#),
            ("not ok 3 # skipped", r##"not Some(3) "# skipped" None """##),
            ("not ok 4  # TODO later", r#"not Some(4) "" Some(Todo) "later""#),
            ("not ok 4 - # TODO: later", r#"not Some(4) "" Some(Todo) "later""#),
            ("not ok 1 Hamlette # TODOORNOTTODO", r##"not Some(1) "Hamlette # TODOORNOTTODO" None """##),
            ("not ok 1 fix bug#todo", r##"not Some(1) "fix bug#todo" None """##),
            ("not ok 1 issue #7 # TODO x", r##"not Some(1) "issue #7 # TODO x" None """##),
            ("ok 1 Not a \\# TODO", r##"ok Some(1) "Not a # TODO" None """##),
            ("ok 1 a \\\\# b", r#"ok Some(1) "a \\# b" None """#),
            ("ok 1 - a # time=12.5ms {", r#"ok Some(1) "a" None "" {"#),
            ("not ok 1 - a # time=12.5ms # TODO b", r#"not Some(1) "a" Some(Todo) "b""#),
            ("ok 2nd try", r#"ok None "2nd try" None """#),
            ("okay", "Other"),
            ("not okay", "Other"),
            ("TAP version 13", "Version"),
            ("TAP Version 14", "Version"),
            ("TAP version x", "Other"),
            ("1..3", "Plan(Plan { first: 1, last: 3, todo: [] })"),
            ("1..0 # skip no", "Plan(Plan { first: 1, last: 0, todo: [] })"),
            ("1..5 todo 3 2;", "Plan(Plan { first: 1, last: 5, todo: [3, 2] })"),
            ("1..5 a", "Other"),
            ("1..99999999999999999999", "Other"),
            ("Bail out! because", "BailOut(\"because\")"),
            ("pragma +strict", "Pragma(\"+strict\")"),
            ("# a", "Comment(\" a\")"),
            ("  ", "Blank"),
        ] {
            assert_eq!(show(line), expected, "{line}");
        }
    }
}
