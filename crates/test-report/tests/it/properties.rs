//! What holds for all reports.

use proptest::prelude::*;
use test_report::{Format, Outcome, Tests};

use crate::fixtures::read;

/// A test of a generated report: a small name, so that names repeat, and how it ended.
#[derive(Debug, Clone)]
struct Case {
    name: u8,
    outcome: Outcome,
}

fn cases() -> impl Strategy<Value = Vec<Vec<Case>>> {
    let outcome = prop_oneof![
        6 => Just(Outcome::Passed),
        1 => Just(Outcome::Skipped),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::Errored),
    ];
    let case = (0u8..12, outcome).prop_map(|(name, outcome)| Case { name, outcome });
    prop::collection::vec(prop::collection::vec(case, 0..12), 0..4)
}

fn write(suites: &[Vec<Case>], with_headers: bool) -> String {
    let count = |suite: &[Case], outcome| suite.iter().filter(|case| case.outcome == outcome).count();
    let mut xml = "<?xml version=\"1.0\"?>\n<testsuites>\n".to_owned();
    for suite in suites {
        xml.push_str("<testsuite name=\"s\u{e4}\"");
        if with_headers {
            let [failed, errored, skipped] =
                [Outcome::Failed, Outcome::Errored, Outcome::Skipped].map(|outcome| count(suite, outcome));
            xml.push_str(&format!(
                " tests='{}' failures='{failed}' errors='{errored}' skipped='{skipped}'",
                suite.len()
            ));
        }
        xml.push_str(">\n");
        for case in suite {
            let result = match case.outcome {
                Outcome::Passed => "",
                Outcome::Skipped => "<skipped/>",
                Outcome::Failed => "<failure message=\"a &gt; b\"><![CDATA[ <x> ]]></failure>",
                Outcome::Errored => "<error>&#228; <!-- c --></error>",
            };
            xml.push_str(&format!("  <testcase classname='c' name='n{}' time='0.5'>{result}</testcase>\n", case.name));
        }
        xml.push_str("</testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Whether a gate could find the first more to its liking than the second: fewer bad tests, a higher rate of passed
/// ones, or fewer flaky ones without more bad ones.
fn is_greener(one: Tests, other: Tests) -> bool {
    let bad = |tests: Tests| tests.failed + tests.errored;
    let higher_rate = one.passed * other.total > other.passed * one.total;
    bad(one) < bad(other) || (other.total > 0 && higher_rate) || (bad(one) == bad(other) && one.flaky < other.flaky)
}

fn tests(xml: &str) -> Tests {
    let summary = read("r.xml", xml.as_bytes(), None).expect("is well formed");
    assert_eq!(summary.problems(), []);
    summary.tests()
}

/// The rule about repeated names, written down a second time and in another way.
fn expected(suites: &[Vec<Case>]) -> Tests {
    let mut tests = Tests::default();
    for suite in suites {
        for name in 0..12 {
            let runs: Vec<Outcome> = suite.iter().filter(|case| case.name == name).map(|case| case.outcome).collect();
            let recovered = runs.len() > 1
                && runs[..runs.len() - 1].iter().all(|outcome| outcome.is_bad())
                && runs.last() == Some(&Outcome::Passed);
            let counted = if recovered { &[Outcome::Passed][..] } else { &runs };
            tests.flaky += u64::from(recovered);
            for outcome in counted {
                tests.total += 1;
                *match outcome {
                    Outcome::Passed => &mut tests.passed,
                    Outcome::Skipped => &mut tests.skipped,
                    Outcome::Failed => &mut tests.failed,
                    Outcome::Errored => &mut tests.errored,
                } += 1;
            }
        }
    }
    tests
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn generated_reports_are_read_as_they_were_meant(suites in cases(), with_headers: bool) {
        prop_assert_eq!(tests(&write(&suites, with_headers)), expected(&suites));
    }

    #[test]
    fn another_failing_case_is_never_greener(
        suites in cases(), suite: prop::sample::Index, place: prop::sample::Index, name in 0u8..12, errored: bool,
    ) {
        prop_assume!(!suites.is_empty());
        let before = tests(&write(&suites, true));
        let mut worse = suites.clone();
        let suite = suite.get(&suites).clone();
        let at = suites.iter().position(|other| std::ptr::eq(other.as_ptr(), suite.as_ptr())).unwrap_or(0);
        let place = place.index(worse[at].len() + 1);
        worse[at].insert(place, Case { name, outcome: if errored { Outcome::Errored } else { Outcome::Failed } });
        let after = tests(&write(&worse, true));
        prop_assert!(!is_greener(after, before), "{before:?} -> {after:?}");
    }

    #[test]
    fn a_report_cut_anywhere_is_an_error(suites in cases(), with_headers: bool, at: prop::sample::Index) {
        let xml = write(&suites, with_headers);
        let at = at.index(xml.trim_end().len());
        let cut = read("r.xml", &xml.as_bytes()[..at], None);
        prop_assert!(cut.is_err(), "{:?}", &xml[..xml.floor_char_boundary(at)]);
        prop_assert!(read("r.xml", &xml.as_bytes()[..at], Some(Format::JUnit)).is_err());
    }

    #[test]
    fn a_case_that_is_lost_is_a_problem(suites in cases(), suite: prop::sample::Index, place: prop::sample::Index) {
        prop_assume!(suites.iter().any(|suite| suite.len() > 1));
        let full: Vec<_> = suites.into_iter().filter(|suite| suite.len() > 1).collect();
        // A header that counts an errored test may count it twice.
        prop_assume!(full.iter().flatten().all(|case| case.outcome != Outcome::Errored));
        let xml = write(&full, true);
        let lines: Vec<&str> = xml.lines().collect();
        let starts: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].contains("<testsuite ")).collect();
        let suite = suite.index(full.len());
        let lost = starts[suite] + 1 + place.index(full[suite].len());
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(line, _)| *line != lost).map(|(_, line)| *line).collect();
        let summary = read("r.xml", rest.join("\n").as_bytes(), None).unwrap();
        let before = tests(&xml);
        let skipped_only = lines[lost].contains("<skipped/>");
        prop_assert!(skipped_only || summary.problem_count() > 0, "{before:?} -> {:?}", summary.tests());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read("r.xml", &bytes, None);
        for format in Format::ALL {
            let _ = read("r.xml", &bytes, Some(*format));
        }
    }

    #[test]
    fn any_change_of_a_byte_is_answered(
        suites in cases(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut xml = write(&suites, true).into_bytes();
        for (at, byte) in changes {
            let at = at.index(xml.len());
            xml[at] = byte;
        }
        let _ = read("r.xml", &xml, None);
        let _ = read("r.xml", &xml, Some(Format::JUnit));
    }

    #[test]
    fn the_parts_in_which_a_report_arrives_change_nothing(suites in cases(), capacity in 1usize..70) {
        let xml = write(&suites, true);
        for bytes in [xml.clone().into_bytes(), xml.encode_utf16().flat_map(u16::to_le_bytes).collect()] {
            let mut summary = test_report::Summary::default();
            let input = std::io::BufReader::with_capacity(capacity, bytes.as_slice());
            let limits = test_report::Limits::default();
            test_report::read_report("r.xml", input, None, &limits, &mut summary).unwrap();
            prop_assert_eq!(summary.tests(), tests(&xml));
        }
    }
}
