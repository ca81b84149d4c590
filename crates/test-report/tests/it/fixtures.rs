//! Every file under `fixtures/<format>/` is read, and its figures are compared with `expected.tsv` beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use test_report::{Format, Limits, ProblemKind, ReportError, Summary, read_report};

/// Reads a report as a file is read: in small parts.
pub(crate) fn read(source: &str, bytes: &[u8], format: Option<Format>) -> Result<Summary, ReportError> {
    let mut summary = Summary::default();
    let input = std::io::BufReader::with_capacity(1000, bytes);
    read_report(source, input, format, &Limits::default(), &mut summary)?;
    Ok(summary)
}

pub(crate) fn figures(summary: &Summary) -> String {
    let tests = summary.tests();
    assert_eq!(tests.total, tests.passed + tests.failed + tests.errored + tests.skipped);
    format!("{}/{}/{}/{}/{}", tests.total, tests.failed, tests.errored, tests.skipped, tests.flaky)
}

/// Says how a file differs from its row.
fn check(folder: &Path, row: &str) -> Result<(), String> {
    let mut columns = row.split('\t');
    let [file, expected, part] = [(); 3].map(|()| columns.next().unwrap_or_default());
    let bytes = fs::read(folder.join(file)).map_err(|error| error.to_string())?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let format: Format = name.parse().map_err(|error| format!("{error}"))?;
    let forced = read(file, &bytes, Some(format)).map(|summary| figures(&summary));
    match read(file, &bytes, None) {
        Ok(summary) => {
            let problems: Vec<String> = summary.problems().iter().map(ToString::to_string).collect();
            let problems = problems.join("; ");
            let agree = if part.is_empty() { problems.is_empty() } else { problems.contains(part) };
            let found = figures(&summary);
            let failed_outside = summary.problems().iter().any(|problem| problem.kind == ProblemKind::SuiteFailed);
            if failed_outside && summary.tests().failed + summary.tests().errored == 0 {
                return Err(format!("{found} is read as green although something failed: {problems}"));
            }
            if found != expected || !agree || summary.problem_count() > 1 || forced.as_ref() != Ok(&found) {
                return Err(format!("{found}, problems: {problems}; read as {format}: {forced:?}"));
            }
        }
        Err(error) => {
            let text = error.to_string();
            if expected != "error" || !text.contains(part) || !text.starts_with(&format!("read {file}")) {
                return Err(text);
            }
            if forced.is_ok() {
                return Err(format!("{text}; but read as {format}: {forced:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_fixture_gives_its_figures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures");
    let mut wrong = Vec::new();
    for folder in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let table = fs::read_to_string(folder.join("expected.tsv")).unwrap();
        let rows: Vec<&str> = table.lines().filter(|row| !row.starts_with('#')).collect();
        let named: BTreeSet<String> = rows.iter().map(|row| row.split('\t').next().unwrap().to_owned()).collect();
        let there: BTreeSet<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "expected.tsv")
            .collect();
        assert_eq!(named, there, "the table in {} is not about its files", folder.display());
        for row in rows {
            if let Err(found) = check(&folder, row) {
                wrong.push(format!("expected {row}\n   found {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} fixtures are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
