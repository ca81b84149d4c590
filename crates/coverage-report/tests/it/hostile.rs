//! Reports that ask for too much.

use std::time::{Duration, Instant};

use coverage_report::{ErrorKind, Format, Limits, Merger, read_coverage};

use crate::{figures, read};

/// Reads within five seconds.
fn check(what: &str, bytes: &[u8], format: Option<Format>, expected: Result<&str, ErrorKind>) {
    let started = Instant::now();
    let found = read(bytes, format);
    assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
    match (found, expected) {
        (Ok((_, merged)), Ok(expected)) => assert_eq!(figures(merged.coverage()), expected, "{what}"),
        (Err(error), Err(expected)) => assert_eq!(error.kind(), expected, "{what}: {error}"),
        (found, _) => panic!("{what}: {found:?}"),
    }
}

#[test]
fn depth_is_bounded() {
    let arrays = "[".repeat(1_000_000);
    let deep = format!(r#"{{"a":{{"statementMap":{arrays}"#);
    check("arrays", deep.as_bytes(), None, Err(ErrorKind::Limit));
    let groups = format!("<report><group>{}", "<group name='g'>".repeat(1_000_000));
    check("groups", groups.as_bytes(), None, Err(ErrorKind::Limit));
    let llvm = format!(r#"{{"data":[{{"functions":{arrays}"#);
    check("skipped values", llvm.as_bytes(), Some(Format::LlvmCov), Err(ErrorKind::Limit));
}

#[test]
fn numbers_do_not_allocate() {
    check("the last line", b"SF:a\nDA:2147483647,1\nend_of_record\n", None, Ok("1/1 0/0"));
    check("beyond it", b"SF:a\nDA:2147483648,1\nend_of_record\n", None, Err(ErrorKind::Malformed));
    check("a huge count", &[b"SF:a\nDA:1,", &[b'9'; 100_000][..], b"\nend_of_record\n"].concat(), None, Ok("1/1 0/0"));
    check("a huge exponent", b"SF:a\nDA:1,1e999999\nend_of_record\n", None, Err(ErrorKind::Malformed));
    let block = b"mode: set\na.go:1.1,2147483647.9 4294967295 1\n";
    check("a huge block", block, None, Ok("4294967295/4294967295 0/0"));
    check("too many statements", b"mode: set\na.go:1.1,2.9 4294967296 1\n", None, Err(ErrorKind::Malformed));
    let point =
        br#"<CoverageSession><Modules><Module><Files><File uid="1" fullPath="a"/></Files><Method><FileRef uid="1"/>
        <SequencePoint vc="1" sl="1" el="2147483647"/></Method></Module></Modules></CoverageSession>"#;
    check("a huge span", point, None, Ok("1/1 0/0"));
    let branches =
        br#"<report><package name="p"><sourcefile name="a"><line nr="1" ci="1" mb="4294967295" cb="1"/></sourcefile>
        </package></report>"#;
    check("too many branches", branches, None, Err(ErrorKind::Malformed));
}

#[test]
fn entities_and_other_encodings_are_refused_or_read() {
    let bomb =
        br#"<!DOCTYPE coverage [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><coverage line-rate="1"><sources/></coverage>"#;
    check("an entity bomb", bomb, None, Err(ErrorKind::Forbidden));
    let utf16: Vec<u8> =
        "\u{feff}<coverage line-rate='1'><packages/></coverage>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("UTF-16", &utf16, None, Ok("0/0 0/0"));
    check("a byte order mark", "\u{feff}SF:a\nDA:1,1\nend_of_record\n".as_bytes(), None, Ok("1/1 0/0"));
    check("a byte order mark in JSON", "\u{feff}{\"a\":{\"statementMap\":{}}}".as_bytes(), None, Ok("0/0 0/0"));
    check("a NUL", b"SF:a\0\nDA:1,1\nend_of_record\n", None, Ok("1/1 0/0"));
    check("no text", b"SF:\xff\nDA:1,1\nend_of_record\n", None, Err(ErrorKind::Encoding));
    check("nothing", b"", None, Err(ErrorKind::Empty));
    check("white space", b" \n\t", None, Err(ErrorKind::Empty));
    check("something else", b"hello", None, Err(ErrorKind::Unrecognised));
    check("another object", b"{\"a\": 1}", None, Err(ErrorKind::Unrecognised));
}

#[test]
fn limits_are_errors() {
    let limits = Limits { files: 1, entries: 2, path: 8, ..Limits::default() };
    refuses_all(&limits);
    refuses_all(&Limits { entries: u64::MAX, file_entries: 2, ..limits });
}

fn refuses_all(limits: &Limits) {
    for (what, report) in [
        ("two files", "SF:a\nend_of_record\nSF:b\nend_of_record\n"),
        ("three lines", "SF:a\nDA:1,1\nDA:2,1\nDA:3,1\nend_of_record\n"),
        ("a long path", "SF:a/long/path\nend_of_record\n"),
        ("three lines in JSON", r#"{"RSpec":{"coverage":{"a":{"lines":[1,1,1]}},"timestamp":1}}"#),
        ("two files in JSON", r#"{"RSpec":{"coverage":{"a":{"lines":[1]},"b":{"lines":[1]}},"timestamp":1}}"#),
    ] {
        let error = read_coverage("report", report.as_bytes(), None, limits, &mut Merger::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}");
    }
}

/// What a source file may have counts for each mention of it, not for the report.
#[test]
fn many_small_files_are_no_large_one() {
    let limits = Limits { file_entries: 2, ..Limits::default() };
    for (what, one) in [
        ("LCOV", "SF:a\nDA:1,1\nDA:2,1\nend_of_record\n"),
        ("LCOV with a test name", "TN:\nSF:a\nDA:1,1\nDA:2,0\nend_of_record\n"),
    ] {
        let result = read_coverage("report", one.repeat(50).as_bytes(), None, &limits, &mut Merger::default());
        assert_eq!(result.map(|facts| facts.entries), Ok(100), "{what}");
    }
    let class = r#"<class name="a" filename="a.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class>"#;
    let xml = format!(
        "<coverage line-rate=\"0.5\"><packages><package><classes>{}</classes></package></packages></coverage>",
        class.repeat(50)
    );
    let result = read_coverage("report", xml.as_bytes(), None, &limits, &mut Merger::default());
    assert_eq!(result.map(|facts| facts.entries), Ok(100), "Cobertura");
    let file = r#"<sourcefile name="a"><line nr="1" ci="1" mi="0"/><line nr="2" ci="0" mi="1"/></sourcefile>"#;
    let xml = format!(r#"<report name="r"><package name="p">{}</package></report>"#, file.repeat(50));
    let result = read_coverage("report", xml.as_bytes(), None, &limits, &mut Merger::default());
    assert_eq!(result.map(|facts| facts.entries), Ok(100), "JaCoCo");
}

/// Many mentions of one file in small parts must not cost the square of their number.
#[test]
fn a_file_in_many_parts_is_read_in_time() {
    let mut profile = String::from("mode: set\n");
    for number in 0..200_000u32 {
        let line = number.wrapping_mul(2_654_435_761) % 1_000_000;
        profile.push_str(&format!("{}.go:{line}.1,{line}.9 1 {}\n", number % 2, number % 3));
    }
    let started = Instant::now();
    let (facts, merged) = read(profile.as_bytes(), None).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    assert_eq!((facts.entries, merged.files().len()), (200_000, 2));
}

/// Which of several faults is named must not depend on how a process hashes names.
#[test]
fn the_same_fault_is_named_every_time() {
    let counts: Vec<String> = (0..30).map(|id| format!("\"s{id:02}\": 1")).collect();
    let report = format!(r#"{{"a.js": {{"path": "a.js", "statementMap": {{}}, "s": {{{}}}}}}}"#, counts.join(","));
    for _ in 0..5 {
        let error = read(report.as_bytes(), Some(Format::Istanbul)).unwrap_err();
        assert!(error.detail().contains("the statement `s00`"), "{error}");
    }
}
