//! `stagegate.yaml` by itself: everything that the reader refuses, and what it takes but cannot be meant.

use std::fmt::Display;

use jiff::civil::Date;
use stagegate_config::{Config, Gate, Places, ReportFiles, SmokeGate, TestGate};

use super::problem::{Position, Problems};
use super::release;

/// Checks the text of a configuration, and gives it where it is not broken; `at` is the day by which a quarantine is over or not.
pub(crate) fn check(file: &str, text: &str, at: Date, problems: &mut Problems) -> Option<Config> {
    let places = Places::read(text);
    let config = match Config::parse(file, text) {
        Ok(config) => config,
        Err(first) => {
            let mut errors: Vec<_> =
                alone(text, &places).iter().filter_map(|text| Config::parse(file, text).err()).collect();
            // What stands outside of the gates, or in front of all of them, is found by the whole.
            if !errors.contains(&first) {
                errors.insert(0, first);
            }
            for error in errors {
                problems.error(error.place.position, error.message);
            }
            return None;
        }
    };
    release::check_around(file, &config, &places, problems);
    for (name, gate) in config.gates() {
        check_gate(&|path| places.of(&[&["gates", name], path].concat()), gate, at, problems);
    }
    Some(config)
}

/// The text once for each gate, with the lines of all other gates left blank, so that an error in one does not hide
/// the errors of the others. Nothing where gates share lines or parts.
fn alone(text: &str, places: &Places) -> Vec<String> {
    let line_of = |gate: &str| places.of(&["gates", gate]).map(|(line, _)| line);
    let mut starts: Vec<_> = places.below(&["gates"]).filter_map(line_of).collect();
    starts.sort_unstable();
    let shared = starts.windows(2).any(|pair| pair[0] == pair[1])
        || places.of(&["gates"]).map(|at| at.0) == starts.first().copied();
    let anchored = text.split([' ', '\n']).any(|word| word.starts_with('&'));
    if shared || anchored {
        return Vec::new();
    }
    let (Some(first), sections) = (starts.first(), starts.len()) else { return Vec::new() };
    // What follows the gates at the margin belongs to no gate.
    let end = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number as u64 + 1, line))
        .find(|(number, line)| number > first && line.starts_with(|c: char| !c.is_whitespace() && c != '#'));
    let end = end.map_or(u64::MAX, |(number, _)| number);
    let keep = |section: usize| {
        let from = starts[section];
        let to = starts.get(section + 1).copied().unwrap_or(end);
        let kept = |number: u64| number < *first || number >= end || (from..to).contains(&number);
        let lines = text.lines().enumerate().map(|(number, line)| if kept(number as u64 + 1) { line } else { "" });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    (0..sections).map(keep).collect()
}

/// The place of a key or of an item of a list (by its number) in one gate.
pub(super) type PlaceInGate<'a> = &'a dyn Fn(&[&str]) -> Option<Position>;

/// Checks what the reader takes but cannot be meant, in a gate of the file or in a policy that stands in parameters.
pub(super) fn check_gate(place: PlaceInGate<'_>, gate: &Gate, at: Date, problems: &mut Problems) {
    match gate {
        Gate::Test(gate) => check_test_gate(place, gate, at, problems),
        Gate::Smoke(gate) => check_smoke_gate(place, gate, problems),
        Gate::Release(gate) => release::check_gate(place, gate, at, problems),
    }
}

fn check_test_gate(place: PlaceInGate<'_>, gate: &TestGate, at: Date, problems: &mut Problems) {
    if let Some(tests) = &gate.tests {
        let known = |name: &str| name.parse::<test_report::Format>().map(drop);
        check_reports(place, "tests", &tests.reports, known, problems);
        for (number, quarantine) in tests.quarantine.iter().enumerate().filter(|(_, quarantine)| quarantine.until < at)
        {
            let position = place(&["tests", "quarantine", &number.to_string(), "until"]);
            let (test, until, owner) = (quarantine.test.as_str(), quarantine.until, &quarantine.owner);
            let message = format!(
                "the quarantine of {test:?} ended on {until}: its tests count again; ask {owner}, then repair them or name a later day"
            );
            problems.warning(position, message);
        }
    }
    if let Some(coverage) = &gate.coverage {
        let known = |name: &str| name.parse::<coverage_report::Format>().map(drop);
        check_reports(place, "coverage", &coverage.reports, known, problems);
    }
    if let Some(sarif) = &gate.sarif {
        let known = |name: &str| match name.eq_ignore_ascii_case("sarif") {
            true => Ok(()),
            false => Err(format!("know the format {name:?}; the only one here is sarif")),
        };
        check_reports(place, "sarif", &sarif.reports, known, problems);
    }
}

fn check_smoke_gate(place: PlaceInGate<'_>, gate: &SmokeGate, problems: &mut Problems) {
    let hurl = gate.hurl.iter().map(|files| files.files.glob().glob());
    let always = gate.always.iter().map(|pattern| pattern.glob().glob());
    for (number, glob) in hurl.enumerate() {
        if let Some(reason) = matches_nothing(glob) {
            let position = place(&["hurl", &number.to_string(), "files"]);
            problems.error(position, format!("{glob:?} matches no file: {reason}"));
        }
    }
    for (number, glob) in always.enumerate() {
        if let Some(reason) = matches_nothing(glob) {
            problems.error(place(&["always", &number.to_string()]), format!("{glob:?} matches no file: {reason}"));
        }
    }
}

fn check_reports<E: Display>(
    place: PlaceInGate<'_>,
    policy: &str,
    reports: &[ReportFiles],
    known_format: impl Fn(&str) -> Result<(), E>,
    problems: &mut Problems,
) {
    for (number, files) in reports.iter().enumerate() {
        let index = number.to_string();
        let place = |key: &str| place(&[policy, "reports", &index, key]);
        let glob = files.files.glob();
        if let Some(reason) = matches_nothing(glob) {
            problems.error(place("files"), format!("{glob:?} matches no file: {reason}"));
        }
        if let Some(min_files) = files.min_files.filter(|min_files| *min_files > 1 && is_literal(glob)) {
            let message =
                format!("{glob:?} names one file, so {min_files} of them are there only with as many input artifacts");
            problems.warning(place("min_files"), message);
        }
        if reports[..number].iter().any(|earlier| earlier.files.glob() == glob) {
            problems.warning(place("files"), format!("{glob:?} stands here twice; a file is read once"));
        }
        if let Some(Err(error)) = files.format.as_deref().map(&known_format) {
            problems.error(place("format"), format!("failed to {error}"));
        }
    }
}

/// Why no path in an artifact can match a glob. Such a path is relative, has forward slashes, and no dots or nothing
/// between them.
fn matches_nothing(glob: &str) -> Option<&'static str> {
    let segments: Vec<_> = glob.split('/').collect();
    match segments.as_slice() {
        [.., ""] => Some("it ends with a slash, as a folder does; add ** to mean all files below it"),
        [head @ .., _] if head.contains(&"") => Some("it has two slashes in a row"),
        all if all.iter().any(|segment| [".", ".."].contains(segment)) => {
            Some("paths in an artifact are relative to its root and hold no \".\" or \"..\"")
        }
        _ if glob.trim() != glob => Some("it begins or ends with a blank"),
        [first, ..] if first.len() == 2 && first.ends_with(':') => Some("paths in an artifact have no drive letter"),
        _ => None,
    }
}

fn is_literal(glob: &str) -> bool {
    !glob.contains(['*', '?', '[', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_that_match_no_path_are_told_from_those_that_may() {
        for (glob, some) in [
            ("**/TEST-*.xml", false),
            ("a.xml", false),
            ("**", false),
            ("a b/c.xml", false),
            ("{a,b}/..c/*.xml", false),
            ("reports/", true),
            ("reports//a.xml", true),
            ("../a.xml", true),
            ("a/./b.xml", true),
            (" a.xml", true),
            ("C:/a.xml", true),
        ] {
            assert_eq!(matches_nothing(glob).is_some(), some, "{glob}");
        }
    }

    #[test]
    fn each_gate_is_read_alone_where_lines_divide_them() {
        let text = "# top\ngates:\n  a:\n    x: 1\n  # of b\n  b:\n    y: 2\nmore: 1\n";
        let places = Places::read(text);
        assert_eq!(
            alone(text, &places),
            [
                "# top\ngates:\n  a:\n    x: 1\n  # of b\n\n\nmore: 1\n",
                "# top\ngates:\n\n\n\n  b:\n    y: 2\nmore: 1\n",
            ]
        );
        for text in ["gates: {a: {}, b: {}}", "gates:\n  a: &x {}\n  b: *x\n", "gates: [", ""] {
            assert_eq!(alone(text, &Places::read(text)), Vec::<String>::new(), "{text}");
        }
    }
}
