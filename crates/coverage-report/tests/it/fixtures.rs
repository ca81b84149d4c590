//! Every fixture against the figures beside it.

use std::fs;
use std::path::Path;

use coverage_report::{Format, Problem, ReportError};

use crate::{figures, read};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures"))
}

/// The rows of the table: a report and what is expected of it.
fn rows() -> Vec<(String, String)> {
    let table = fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| row.split_once('\t').unwrap())
        .map(|(file, expected)| (file.to_owned(), expected.to_owned()))
        .collect()
}

fn format_of(file: &str) -> Format {
    file.split('/').next().unwrap().parse().unwrap()
}

/// What became of a report, written as in the table.
fn outcome(bytes: &[u8], format: Option<Format>) -> Result<String, ReportError> {
    read(bytes, format).map(|(facts, merged)| {
        let mut kinds: Vec<String> = merged.problems().iter().map(|Problem { kind, .. }| format!("{kind:?}")).collect();
        kinds.sort();
        format!("{} {} {}", facts.files, figures(merged.coverage()), kinds.join(",")).trim_end().to_owned()
    })
}

fn check(file: &str, expected: &str) -> Result<(), String> {
    let bytes = fs::read(folder().join(file)).map_err(|error| error.to_string())?;
    match (expected.strip_prefix("error "), outcome(&bytes, Some(format_of(file)))) {
        (Some(expected), Err(error)) => {
            let (kind, part) = expected.split_once(": ").unwrap();
            let text = error.to_string();
            if format!("{:?}", error.kind()) != kind || !text.contains(part) {
                return Err(format!("expected {expected}, found {:?}: {text}", error.kind()));
            }
        }
        (None, Ok(found)) if found == expected => {
            let recognised = outcome(&bytes, None).map_err(|error| format!("not recognised: {error}"))?;
            if recognised != expected {
                return Err(format!("recognised as another format: {recognised}"));
            }
        }
        (_, found) => {
            let problems = read(&bytes, Some(format_of(file))).map(|(_, merged)| merged.problems().to_vec());
            return Err(format!("expected {expected}, found {found:?} {problems:?}"));
        }
    }
    Ok(())
}

#[test]
fn every_fixture_gives_its_figures() {
    let failures: Vec<String> = rows()
        .iter()
        .filter_map(|(file, expected)| Some(format!("{file}: {}", check(file, expected).err()?)))
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_fixture_is_in_the_table() {
    let rows = rows();
    for folder in fs::read_dir(folder()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let name = format!("{}/{}", folder.file_name().display(), file.file_name().display());
            assert!(rows.iter().any(|(file, _)| *file == name), "{name} is not in the table");
        }
    }
}

#[test]
fn every_format_has_good_and_bad_fixtures() {
    for format in Format::ALL {
        let of_format = |(file, _): &&(String, String)| format_of(file) == *format;
        let rows = rows();
        let (bad, good): (Vec<_>, Vec<_>) = rows.iter().filter(of_format).partition(|(file, _)| file.contains("bad-"));
        assert!(!bad.is_empty() && good.len() > 1, "{format}");
    }
}

/// Reports cut short are errors wherever the format has an end to miss; a profile of lines may end after each of them,
/// and then it only ever loses what it lists.
#[test]
fn a_report_that_is_cut_short_is_an_error() {
    for (file, expected) in rows().into_iter().filter(|(_, expected)| !expected.starts_with("error")) {
        let bytes = fs::read(folder().join(&file)).unwrap();
        let format = format_of(&file);
        let end = bytes.trim_ascii_end().len();
        // Some hundred places of a long report, every place of a short one.
        for length in (0..end).step_by(end / 300 + 1).chain(end.saturating_sub(40)..end) {
            let Ok(found) = outcome(&bytes[..length], Some(format)) else { continue };
            let complete = match format {
                Format::Lcov => {
                    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                    text.lines().last().is_none_or(|line| line == "end_of_record" || line.starts_with("TN:"))
                        || text.lines().all(|line| line.starts_with(['#', 'T']))
                }
                Format::GoCover => bytes[..length].ends_with(b"\n"),
                _ => false,
            };
            assert!(complete, "{file} cut to {length} of {end} bytes gave {found} and not {expected}");
        }
    }
}
