//! What holds for the formats of JSON and lines.

use proptest::prelude::*;
use test_report::{ErrorKind, Format, Limits, Outcome, Summary, Tests, read_report};

use crate::fixtures::read;
use crate::written::{Case, WRITERS, Writer};

fn cases(at_least: usize) -> impl Strategy<Value = Vec<Case>> {
    cases_up_to(at_least, 8)
}

fn cases_up_to(at_least: usize, less_than: usize) -> impl Strategy<Value = Vec<Case>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Passed),
        1 => Just(Outcome::Skipped),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::Errored),
    ];
    prop::collection::vec(outcome, at_least..less_than).prop_map(|outcomes| {
        let case = |(number, outcome)| Case { name: format!("n{number}"), outcome };
        outcomes.into_iter().enumerate().map(case).collect()
    })
}

fn bad(tests: Tests) -> u64 {
    tests.failed + tests.errored
}

fn bad_of(cases: &[Case]) -> u64 {
    cases.iter().filter(|case| case.outcome.is_bad()).count() as u64
}

/// Whether what was read says less about failures than there was, without any sign that something is wrong.
fn is_greener(read: Result<Summary, test_report::ReportError>, full: &[Case]) -> bool {
    read.is_ok_and(|summary| summary.problem_count() == 0 && bad(summary.tests()) < bad_of(full))
}

fn each_way(writer: &Writer) -> [Option<Format>; 2] {
    [None, Some(writer.format)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn generated_reports_are_read_as_they_were_meant(cases in cases(0)) {
        for writer in WRITERS {
            let text = (writer.write)(&cases, &cases);
            for format in each_way(writer) {
                let summary = read("r", text.as_bytes(), format).unwrap();
                let tests = summary.tests();
                prop_assert_eq!(summary.problems(), [], "{}", text);
                prop_assert_eq!(tests.total, cases.len() as u64, "{}", text);
                prop_assert_eq!(bad(tests), bad_of(&cases), "{}", text);
                let skipped = cases.iter().filter(|case| case.outcome == Outcome::Skipped).count() as u64;
                prop_assert_eq!(tests.skipped, skipped, "{}", text);
            }
            let mut summary = Summary::default();
            let facts = read_report("r", text.as_bytes(), None, &Limits::default(), &mut summary).unwrap();
            prop_assert_eq!(facts.format, writer.format);
            prop_assert_eq!(facts.bytes, text.len() as u64);
        }
    }

    #[test]
    fn another_failing_case_is_never_greener(
        cases in cases(1), place: prop::sample::Index, same_name: bool, errored: bool,
    ) {
        let place = place.index(cases.len() + 1);
        let name = if same_name { cases[0].name.clone() } else { "another".to_owned() };
        let mut worse = cases.clone();
        worse.insert(place, Case { name, outcome: if errored { Outcome::Errored } else { Outcome::Failed } });
        for writer in WRITERS {
            let after = read("r", (writer.write)(&worse, &worse).as_bytes(), None).unwrap();
            prop_assert!(
                after.problem_count() > 0 || bad(after.tests()) > bad_of(&cases),
                "{:?}: {:?}", writer.format, after.tests()
            );
        }
    }

    #[test]
    fn a_lost_test_is_a_problem_where_tests_are_counted(cases in cases(1), lost: prop::sample::Index) {
        let lost = lost.index(cases.len());
        let mut listed = cases.clone();
        let lost = listed.remove(lost);
        for writer in WRITERS.iter().filter(|writer| writer.counts) {
            // libtest repeats no count of all tests at the end, and nobody misses a test that was ignored.
            if writer.format == Format::Libtest && lost.outcome == Outcome::Skipped {
                continue;
            }
            let found = read("r", (writer.write)(&cases, &listed).as_bytes(), None).unwrap();
            prop_assert!(found.problem_count() > 0, "{:?} without {lost:?}: {:?}", writer.format, found.tests());
        }
    }

    #[test]
    fn any_change_of_bytes_is_answered(
        cases in cases(1), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for writer in WRITERS {
            let mut text = (writer.write)(&cases, &cases).into_bytes();
            for (at, byte) in &changes {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            for format in each_way(writer) {
                let _ = read("r", &text, format);
            }
        }
    }

    #[test]
    fn the_parts_in_which_a_report_arrives_change_nothing(cases in cases(1), capacity in 1usize..70) {
        for writer in WRITERS {
            let text = (writer.write)(&cases, &cases).replace('\n', "\r\n");
            let mut summary = Summary::default();
            let input = std::io::BufReader::with_capacity(capacity, text.as_bytes());
            read_report("r", input, None, &Limits::default(), &mut summary).unwrap();
            prop_assert_eq!(summary.tests(), read("r", text.as_bytes(), None).unwrap().tests());
            prop_assert_eq!(bad(summary.tests()), bad_of(&cases));
        }
    }
}

proptest! {
    // Each of these reads a report again and again.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) })]

    #[test]
    fn a_report_cut_at_any_byte_is_never_greener(cases in cases_up_to(1, 4)) {
        for writer in WRITERS {
            let text = (writer.write)(&cases, &cases);
            for at in 0..text.len() {
                for format in each_way(writer) {
                    let cut = read("r", &text.as_bytes()[..at], format);
                    prop_assert!(!is_greener(cut, &cases), "{:?} at {}: {}", writer.format, at, &text[..at]);
                }
            }
        }
    }

    #[test]
    fn a_lost_line_is_never_greener(cases in cases(1)) {
        for writer in WRITERS.iter().filter(|writer| writer.is_lines) {
            let text = (writer.write)(&cases, &cases);
            let lines: Vec<&str> = text.lines().collect();
            for lost in 0..lines.len() {
                if writer.format == Format::GoTest && lines[lost].contains(r#""Action":"run""#) {
                    // Filtered reports have no such events, and a test that died has no other of its own.
                    continue;
                }
                let rest: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| *line).collect();
                for format in each_way(writer) {
                    let found = read("r", rest.join("\n").as_bytes(), format);
                    prop_assert!(!is_greener(found, &cases), "{:?} without {}", writer.format, lines[lost]);
                }
            }
        }
    }
}

fn many(count: usize) -> Vec<Case> {
    (0..count).map(|number| Case { name: format!("n{number}"), outcome: Outcome::Passed }).collect()
}

#[test]
fn more_tests_than_the_limit_are_refused() {
    let cases = many(11);
    for writer in WRITERS {
        let text = (writer.write)(&cases, &cases);
        for (tests, is_over) in [(10, true), (11, false)] {
            let limits = Limits { tests, ..Limits::default() };
            let found = read_report("r", text.as_bytes(), None, &limits, &mut Summary::default());
            assert_eq!(found.is_err(), is_over, "{:?} of {tests}", writer.format);
            if let Err(error) = found {
                assert_eq!(error.kind(), ErrorKind::Limit, "{:?}: {error}", writer.format);
                assert!(error.detail().contains("more than 10 tests"), "{:?}: {error}", writer.format);
            }
        }
    }
}

#[test]
fn more_bytes_than_the_limit_are_refused() {
    let cases = many(50);
    for writer in WRITERS {
        let text = (writer.write)(&cases, &cases);
        let limits = Limits { bytes: text.len() as u64 - 1, ..Limits::default() };
        let error = read_report("r", text.as_bytes(), None, &limits, &mut Summary::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{:?}: {error}", writer.format);
    }
}

#[test]
fn values_nested_too_deep_are_refused() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for text in [
        format!(r#"{{"results":{{"tool":{deep}}}}}"#),
        format!(r#"{{"tests":1,"x":{deep},"testsuites":[]}}"#),
        format!(r#"{{"stats":{{}},"tests":[{{"err":{deep}}}]}}"#),
        format!(r#"{{"version":"3","examples":[{{"x":{deep}}}]}}"#),
        format!(r#"[{{"uri":"a","keyword":"Feature","elements":[{deep}]}}]"#),
    ] {
        let error = read("r", text.as_bytes(), None).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit | ErrorKind::Malformed), "{error}");
    }
}

#[test]
fn pictures_of_any_size_are_passed_over() {
    let picture = "iVBORw0KGgo\\/".repeat(700_000);
    for text in [
        format!(
            r#"[{{"uri":"a","keyword":"Feature","name":"A","elements":[{{"type":"scenario","name":"b","steps":[{{"name":"c","result":{{"status":"failed"}},"embeddings":[{{"mime_type":"image/png","data":"{picture}"}}]}}]}}]}}]"#
        ),
        format!(
            r#"{{"results":{{"tool":{{"name":"t"}},"summary":{{"tests":1,"failed":1}},"tests":[{{"name":"a","status":"failed","screenshot":"{picture}"}}]}}}}"#
        ),
    ] {
        let summary = read("r", text.as_bytes(), None).unwrap();
        assert_eq!((summary.tests().total, summary.tests().failed, summary.problem_count()), (1, 1, 0));
    }
}
