//! Every fixture against the figures beside it.

use std::fs;
use std::path::Path;

use sarif_report::{Counts, ReportError, Uncounted, Which, is_sarif};

use crate::read;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures"))
}

/// The rows of the table: a log and what is expected of it.
fn rows() -> Vec<(String, String)> {
    let table = fs::read_to_string(folder().join("expected.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| row.split_once('\t').unwrap())
        .map(|(file, expected)| (file.to_owned(), expected.to_owned()))
        .collect()
}

/// What became of a log, written as in the table.
fn outcome(bytes: &[u8]) -> Result<String, ReportError> {
    let levels = |counts: Counts| format!("{}/{}/{}/{}", counts.error, counts.warning, counts.note, counts.none);
    let (_, all) = read(bytes, Which::All)?;
    let (_, new) = read(bytes, Which::OnlyNew)?;
    let Counts { critical, high, medium, low, .. } = all.counts();
    let Uncounted { suppressed, absent, not_failed, undecided, .. } = all.uncounted();
    let mut kinds: Vec<String> = all.problems().iter().map(|problem| format!("{:?}", problem.kind)).collect();
    kinds.sort();
    let text = format!(
        "{} {critical}/{high}/{medium}/{low} {suppressed}/{absent}/{not_failed}/{undecided} {} {}",
        levels(all.counts()),
        levels(new.counts()),
        kinds.join(",")
    );
    Ok(text.trim_end().to_owned())
}

fn check(file: &str, expected: &str) -> Result<(), String> {
    let bytes = fs::read(folder().join(file)).map_err(|error| error.to_string())?;
    match (expected.strip_prefix("error "), outcome(&bytes)) {
        (Some(expected), Err(error)) => {
            let (kind, part) = expected.split_once(": ").unwrap();
            let text = error.to_string();
            if format!("{:?}", error.kind()) != kind || !text.contains(part) {
                return Err(format!("expected {expected}, found {:?}: {text}", error.kind()));
            }
        }
        (None, Ok(found)) if found == expected => {
            if !is_sarif(&bytes) {
                return Err("not recognised".to_owned());
            }
        }
        (_, found) => {
            let problems = read(&bytes, Which::All).map(|(_, summary)| summary.problems().to_vec());
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
    for file in fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        let name = file.file_name().display().to_string();
        assert!(name == "expected.tsv" || rows.iter().any(|(file, _)| *file == name), "{name} is not in the table");
    }
}

#[test]
fn a_log_that_is_cut_short_is_an_error() {
    for (file, expected) in rows().into_iter().filter(|(_, expected)| !expected.starts_with("error")) {
        let bytes = fs::read(folder().join(&file)).unwrap();
        for length in 0..bytes.trim_ascii_end().len() {
            assert!(read(&bytes[..length], Which::All).is_err(), "{file} ({expected}) cut to {length} bytes");
        }
    }
}

#[test]
fn other_documents_are_not_taken_for_sarif() {
    for text in [
        "",
        "[]",
        "hello",
        r#"{"version": "2.1.0"}"#,
        r#"{"version": 3, "results": {"tool": {}}}"#,
        r#"{"data": [], "type": "llvm.coverage.json.export", "version": "2.0.1"}"#,
        r#"{"$schema": "https://json.schemastore.org/package.json", "version": "1.0.0"}"#,
    ] {
        assert!(!is_sarif(text.as_bytes()), "{text}");
    }
}
