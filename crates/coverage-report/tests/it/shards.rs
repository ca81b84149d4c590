//! The union of several reports.

use coverage_report::{Format, Limits, Merger, Problem, ProblemKind, Unit, read_coverage};

use crate::figures;

/// Reads reports into one merger and compares the totals and the kinds of problems.
fn check(roots: &[&str], reports: &[&str], expected: &str, problems: &[ProblemKind]) {
    let mut merger = Merger::with_roots(roots);
    for (number, report) in reports.iter().enumerate() {
        let source = format!("report {number}");
        read_coverage(&source, report.as_bytes(), None, &Limits::default(), &mut merger).unwrap();
    }
    let merged = merger.finish();
    assert_eq!(figures(merged.coverage()), expected, "{reports:?}");
    let kinds: Vec<ProblemKind> = merged.problems().iter().map(|Problem { kind, .. }| *kind).collect();
    assert_eq!(kinds, problems, "{:?}", merged.problems());
    assert_eq!(merged.problem_count(), problems.len() as u64);
}

fn lcov(path: &str, rows: &[&str]) -> String {
    format!("SF:{path}\n{}\nend_of_record\n", rows.join("\n"))
}

fn cobertura(source: &str, path: &str, lines: &str) -> String {
    format!(
        r#"<coverage line-rate="0" lines-valid-is-absent=""><sources><source>{source}</source></sources><packages>
        <class filename="{path}"><lines>{lines}</lines></class></packages></coverage>"#
    )
    .replace(" line-rate=\"0\" lines-valid-is-absent=\"\"", "")
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures");

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{FIXTURES}/{name}")).unwrap()
}

/// The tools themselves say 12/13 and 5/6 (coverage.py), 7/8 and 4/9 (nyc) when they unite these two runs.
#[test]
fn shards_unite_as_the_tools_unite_them() {
    for (one, other, expected) in [
        ("lcov/coveragepy-plain.info", "lcov/coveragepy-discount.info", "12/13 5/6"),
        ("lcov/nyc-plain.info", "lcov/nyc-discount.info", "7/8 4/9"),
        ("istanbul/nyc-plain.json", "istanbul/nyc-discount.json", "7/8 4/9"),
    ] {
        check(&[], &[&fixture(one), &fixture(other)], expected, &[]);
        check(&[], &[&fixture(other), &fixture(one)], expected, &[]);
    }
}

/// These formats do not say which outcomes of a line were taken: the union is the least that it can be.
#[test]
fn branches_without_names_unite_to_what_is_certain() {
    for (one, other, expected) in [
        ("cobertura/coveragepy-plain.xml", "cobertura/coveragepy-discount.xml", "12/13 4/6"),
        ("cobertura/nyc-plain.xml", "cobertura/nyc-discount.xml", "7/8 3/9"),
        ("clover/nyc-plain.xml", "clover/nyc-discount.xml", "7/8 3/9"),
    ] {
        check(&[], &[&fixture(one), &fixture(other)], expected, &[]);
    }
}

#[test]
fn the_same_file_is_one_file_whatever_its_format() {
    let lines =
        r#"<line number="1" hits="0"/><line number="2" hits="3" branch="true" condition-coverage="50% (1/2)"/>"#;
    check(
        &[],
        &[
            &lcov("/w/src/a.py", &["DA:1,1", "DA:2,0", "BRDA:2,0,0,1", "BRDA:2,0,1,0"]),
            &cobertura("/w", "src/a.py", lines),
        ],
        "2/2 1/2",
        &[],
    );
}

#[test]
fn different_files_stay_different() {
    let [one, other] = [lcov("/w/a/src/lib.rs", &["DA:1,1"]), lcov("/w/b/src/lib.rs", &["DA:1,0"])];
    check(&[], &[&one, &other], "1/2 0/0", &[]);
    let [one, other] = [lcov("/w/src/lib.rs", &["DA:1,1"]), lcov("src/lib.rs", &["DA:1,0"])];
    check(&[], &[&one, &other], "1/2 0/0", &[]);
    let [one, other] = [lcov("src/Lib.rs", &["DA:1,1"]), lcov("src/lib.rs", &["DA:1,0"])];
    check(&[], &[&one, &other], "1/2 0/0", &[]);
}

#[test]
fn roots_and_the_folders_of_builds_are_looked_through() {
    let [one, other] = [lcov("/w/1/src/lib.rs", &["DA:1,1"]), lcov("src/lib.rs", &["DA:1,0"])];
    check(&["/w/1"], &[&one, &other], "1/1 0/0", &[]);
    check(&["/w", "/w/1/"], &[&one, &other], "1/1 0/0", &[]);
    check(&["/w/10"], &[&one, &other], "1/2 0/0", &[]);
    let build = |number| lcov(&format!("/codebuild/output/src{number}/src/shop/lib.rs"), &["DA:1,1"]);
    check(&[], &[&build(7), &build(123_456)], "1/1 0/0", &[]);
    let [one, other] = [lcov("C:\\w\\a.cs", &["DA:1,1"]), lcov("c:/w/x/../a.cs", &["DA:1,0"])];
    check(&[], &[&one, &other], "1/1 0/0", &[]);
}

#[test]
fn what_cannot_be_united_is_a_problem() {
    let summary = |covered: u64| {
        format!(
            r#"{{"/w/a.js":{{"lines":{{"total":4,"covered":{covered},"pct":0}},"branches":{{"total":0,"covered":0}}}}}}"#
        )
    };
    let listed = lcov("/w/a.js", &["DA:1,1", "DA:2,1"]);
    check(&[], &[&summary(2), &summary(3)], "3/4 0/0", &[ProblemKind::MixedEvidence]);
    check(&[], &[&summary(2), &summary(2)], "2/4 0/0", &[]);
    check(&[], &[&summary(2), &listed], "2/4 0/0", &[ProblemKind::MixedEvidence]);
    check(&[], &[&listed, "mode: set\n/w/a.js:1.1,1.2 1 0\n"], "0/1 0/0", &[ProblemKind::MixedEvidence]);
    let total = r#"{"total":{"lines":{"total":4,"covered":2,"pct":50},"branches":{"total":0,"covered":0}}}"#;
    check(&[], &[total, &listed], "4/6 0/0", &[ProblemKind::MixedEvidence]);
}

#[test]
fn files_are_told_one_by_one() {
    let mut merger = Merger::default();
    for report in [
        lcov("b.c", &["DA:1,0", "DA:7,1", "DA:9,0"]),
        "mode: set\na.go:1.1,2.2 5 1\n".to_owned(),
        fixture("istanbul-summary/nyc-plain.json"),
    ] {
        read_coverage("report", report.as_bytes(), None, &Limits::default(), &mut merger).unwrap();
    }
    let merged = merger.finish();
    let files: Vec<_> = merged.files().map(|file| (file.path(), file.unit(), figures(file.coverage()))).collect();
    assert_eq!(
        files,
        [
            ("/home/ci/shop/shop.js", Unit::CountedOnly, "6/8 3/9".to_owned()),
            ("a.go", Unit::Statements, "5/5 0/0".to_owned()),
            ("b.c", Unit::Lines, "1/3 0/0".to_owned()),
        ]
    );
    assert!(merged.is_counted_only());
    assert_eq!(merged.file("b.c").unwrap().uncovered_lines().collect::<Vec<_>>(), [1, 9]);
    assert!(merged.file("c.c").is_none());
    assert_eq!(merged.reports(), 3);
}

#[test]
fn percentages_are_rounded_down_and_nothing_is_no_percentage() {
    use coverage_report::Count;
    for (covered, total, expected) in [
        (0, 0, None),
        (0, 3, Some("0")),
        (1, 3, Some("33.33")),
        (2, 3, Some("66.66")),
        (1, 2, Some("50")),
        (99_999, 100_000, Some("99.99")),
        (u64::MAX, u64::MAX, Some("100")),
    ] {
        let percent = Count { covered, total }.percent().map(|percent| percent.to_string());
        assert_eq!(percent.as_deref(), expected, "{covered}/{total}");
    }
}

#[test]
fn over_its_own_limit_a_merger_says_so() {
    let mut merger = Merger::default().keeping_entries(3);
    for report in
        [lcov("a.c", &["DA:1,1", "DA:2,1"]), lcov("a.c", &["DA:1,1", "DA:2,1"]), lcov("b.c", &["DA:1,0", "DA:2,0"])]
    {
        read_coverage("report", report.as_bytes(), Some(Format::Lcov), &Limits::default(), &mut merger).unwrap();
    }
    let merged = merger.finish();
    assert_eq!(figures(merged.coverage()), "2/2 0/0");
    assert_eq!(merged.problems()[0].kind, ProblemKind::OverLimit);
}
