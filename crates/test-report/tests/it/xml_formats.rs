//! What holds for the reports of CTest, Boost.Test, CppUnit, CUnit, Qt Test and PHPUnit's TestDox.

use proptest::prelude::*;
use test_report::{Format, Outcome, Tests};

use crate::fixtures::read;

/// A format's writer, with what becomes of outcomes that the format cannot express.
#[derive(Debug)]
struct Writer {
    format: Format,
    write: fn(&[Outcome]) -> String,
    expressed: fn(Outcome) -> Outcome,
    /// The report says how many tests it lists.
    has_counters: bool,
}

const WRITERS: [Writer; 7] = [
    Writer { format: Format::CTest, write: ctest, expressed: |outcome| outcome, has_counters: true },
    Writer { format: Format::Boost, write: boost_report, expressed: |outcome| outcome, has_counters: true },
    Writer { format: Format::Boost, write: boost_log, expressed: |outcome| outcome, has_counters: false },
    Writer { format: Format::CppUnit, write: cppunit, expressed: |outcome| outcome, has_counters: true },
    Writer { format: Format::CUnit, write: cunit, expressed: errored_is_failed, has_counters: true },
    Writer { format: Format::QtTest, write: qttest, expressed: |outcome| outcome, has_counters: false },
    Writer { format: Format::PhpUnit, write: testdox, expressed: |outcome| outcome, has_counters: false },
];

fn errored_is_failed(outcome: Outcome) -> Outcome {
    if outcome == Outcome::Errored { Outcome::Failed } else { outcome }
}

/// One line for each test, numbered from 0.
fn lines(outcomes: &[Outcome], line: impl Fn(usize, Outcome) -> String) -> String {
    outcomes.iter().enumerate().map(|(number, outcome)| line(number, *outcome) + "\n").collect()
}

fn count(outcomes: &[Outcome], outcome: Outcome) -> usize {
    outcomes.iter().filter(|other| **other == outcome).count()
}

fn ctest(outcomes: &[Outcome]) -> String {
    let named = lines(outcomes, |number, _| format!("<Test>./t{number}</Test>")).replace('\n', " ");
    let results = lines(outcomes, |number, outcome| {
        let (status, completion) = match outcome {
            Outcome::Passed => ("passed", "Completed"),
            Outcome::Failed => ("failed", "Completed"),
            Outcome::Errored => ("notrun", "Unable to find executable"),
            Outcome::Skipped => ("notrun", "Disabled"),
        };
        format!(
            "<Test Status=\"{status}\"><Name>t{number}</Name><Results><NamedMeasurement type=\"text/string\" \
             name=\"Completion Status\"><Value>{completion}</Value></NamedMeasurement></Results></Test>"
        )
    });
    format!(
        "<Site BuildName=\"b\"><Testing><StartTestTime>1</StartTestTime><TestList>{named}</TestList>\n{results}\
         <EndTestTime>2</EndTestTime></Testing></Site>"
    )
}

fn boost_report(outcomes: &[Outcome]) -> String {
    let cases = lines(outcomes, |number, outcome| {
        let result = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Errored => "aborted",
            Outcome::Skipped => "skipped",
        };
        format!("<TestCase name=\"t{number}\" result=\"{result}\"></TestCase>")
    });
    let [passed, failed, aborted, skipped] =
        [Outcome::Passed, Outcome::Failed, Outcome::Errored, Outcome::Skipped].map(|outcome| count(outcomes, outcome));
    let result = if failed + aborted > 0 { "failed" } else { "passed" };
    let failed = failed + aborted;
    format!(
        "<TestResult><TestSuite name=\"m\" result=\"{result}\" test_cases_passed=\"{passed}\" \
         test_cases_failed=\"{failed}\" test_cases_skipped=\"{skipped}\" test_cases_aborted=\"{aborted}\">\n{cases}\
         </TestSuite></TestResult>"
    )
}

fn boost_log(outcomes: &[Outcome]) -> String {
    let cases = lines(outcomes, |number, outcome| {
        let entry = match outcome {
            Outcome::Skipped => return format!("<TestCase name=\"t{number}\" skipped=\"yes\"/>"),
            Outcome::Passed => "<Message line=\"1\"><![CDATA[Error]]></Message>",
            Outcome::Failed => "<Error line=\"1\"><![CDATA[a < b]]></Error>",
            Outcome::Errored => "<Exception line=\"1\"><![CDATA[x]]></Exception>",
        };
        format!("<TestCase name=\"t{number}\">{entry}<TestingTime>7</TestingTime></TestCase>")
    });
    format!("<TestLog><TestSuite name=\"m\">\n{cases}</TestSuite></TestLog>")
}

fn cppunit(outcomes: &[Outcome]) -> String {
    let name = |number| format!("<Name>A::t{number}</Name>");
    let failed = lines(outcomes, |number, outcome| match outcome {
        Outcome::Passed => String::new(),
        Outcome::Skipped => format!("<KnownFailedTest>{}</KnownFailedTest>", name(number)),
        Outcome::Failed => format!("<FailedTest>{}<FailureType>Assertion</FailureType></FailedTest>", name(number)),
        Outcome::Errored => format!("<FailedTest>{}<FailureType>Error</FailureType></FailedTest>", name(number)),
    });
    let good = lines(outcomes, |number, outcome| {
        if outcome == Outcome::Passed { format!("<Test>{}</Test>", name(number)) } else { String::new() }
    });
    let (tests, failures) = (outcomes.len(), count(outcomes, Outcome::Failed) + count(outcomes, Outcome::Errored));
    format!(
        "<TestRun><FailedTests>\n{failed}</FailedTests><SuccessfulTests>\n{good}</SuccessfulTests>\
         <Statistics><Tests>{tests}</Tests><FailuresTotal>{failures}</FailuresTotal></Statistics></TestRun>"
    )
}

fn cunit(outcomes: &[Outcome]) -> String {
    let records = lines(outcomes, |number, outcome| {
        let kind = match outcome {
            Outcome::Passed => "SUCCESS",
            Outcome::Failed | Outcome::Errored => "FAILURE",
            Outcome::Skipped => "SKIPPED",
        };
        let name = format!("<TEST_NAME> t{number} </TEST_NAME>");
        let record = format!("<CUNIT_RUN_TEST_{kind}>{name}</CUNIT_RUN_TEST_{kind}>");
        format!("<CUNIT_RUN_TEST_RECORD>{record}</CUNIT_RUN_TEST_RECORD>")
    });
    let (run, failed) = (outcomes.len(), count(outcomes, Outcome::Failed) + count(outcomes, Outcome::Errored));
    format!(
        "<!DOCTYPE CUNIT_TEST_RUN_REPORT SYSTEM \"CUnit-Run.dtd\"><CUNIT_TEST_RUN_REPORT><CUNIT_RESULT_LISTING>\
         <CUNIT_RUN_SUITE><CUNIT_RUN_SUITE_SUCCESS><SUITE_NAME>s</SUITE_NAME>\n{records}</CUNIT_RUN_SUITE_SUCCESS>\
         </CUNIT_RUN_SUITE></CUNIT_RESULT_LISTING><CUNIT_RUN_SUMMARY>\
         <CUNIT_RUN_SUMMARY_RECORD><TYPE>Suites</TYPE><FAILED>0</FAILED></CUNIT_RUN_SUMMARY_RECORD>\
         <CUNIT_RUN_SUMMARY_RECORD><TYPE>Test Cases</TYPE><RUN>{run}</RUN><FAILED>{failed}</FAILED>\
         </CUNIT_RUN_SUMMARY_RECORD></CUNIT_RUN_SUMMARY></CUNIT_TEST_RUN_REPORT>"
    )
}

fn qttest(outcomes: &[Outcome]) -> String {
    let rows = lines(outcomes, |number, outcome| {
        let tag = format!("<DataTag><![CDATA[t{number}]]></DataTag>");
        let (element, kind) = match outcome {
            Outcome::Passed => ("Incident", "pass"),
            Outcome::Failed => ("Incident", "fail"),
            Outcome::Errored => ("Message", "qfatal"),
            Outcome::Skipped => ("Incident", "skip"),
        };
        format!("<{element} type=\"{kind}\" file=\"\" line=\"0\">{tag}</{element}>")
    });
    let rows =
        if outcomes.is_empty() { String::new() } else { format!("<TestFunction name=\"f\">\n{rows}</TestFunction>") };
    format!("<TestCase name=\"m\"><Environment></Environment>{rows}<Duration msecs=\"1\"/></TestCase>")
}

fn testdox(outcomes: &[Outcome]) -> String {
    let tests = lines(outcomes, |number, outcome| {
        let status = match outcome {
            Outcome::Passed => 0,
            Outcome::Skipped => 1,
            Outcome::Failed => 3,
            Outcome::Errored => 4,
        };
        format!("<test className=\"A\" methodName=\"t{number}\" prettifiedMethodName=\"t\" status=\"{status}\"/>")
    });
    format!("<tests>\n{tests}</tests>")
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Passed),
        1 => Just(Outcome::Skipped),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::Errored),
    ];
    prop::collection::vec(outcome, 0..12)
}

fn writer() -> impl Strategy<Value = &'static Writer> {
    (0..WRITERS.len()).prop_map(|number| &WRITERS[number])
}

fn tests(writer: &Writer, outcomes: &[Outcome]) -> Tests {
    let xml = (writer.write)(outcomes);
    let summary = read("r.xml", xml.as_bytes(), None).unwrap_or_else(|error| panic!("{xml}\n{error}"));
    let forced = read("r.xml", xml.as_bytes(), Some(writer.format)).map(|summary| summary.tests());
    assert_eq!(summary.problems(), [], "{xml}");
    assert_eq!(forced, Ok(summary.tests()), "{xml}");
    summary.tests()
}

fn expected(writer: &Writer, outcomes: &[Outcome]) -> Tests {
    let expressed: Vec<Outcome> = outcomes.iter().map(|outcome| (writer.expressed)(*outcome)).collect();
    let [passed, failed, errored, skipped] = [Outcome::Passed, Outcome::Failed, Outcome::Errored, Outcome::Skipped]
        .map(|outcome| count(&expressed, outcome) as u64);
    let mut tests = Tests::default();
    (tests.total, tests.passed, tests.failed) = (expressed.len() as u64, passed, failed);
    (tests.errored, tests.skipped) = (errored, skipped);
    tests
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn generated_reports_are_read_as_they_were_meant(writer in writer(), outcomes in outcomes()) {
        prop_assert_eq!(tests(writer, &outcomes), expected(writer, &outcomes));
    }

    #[test]
    fn another_bad_test_makes_one_more(
        writer in writer(), before in outcomes(), place: prop::sample::Index, errored: bool,
    ) {
        let mut after = before.clone();
        let bad = if errored { Outcome::Errored } else { Outcome::Failed };
        after.insert(place.index(before.len() + 1), bad);
        let (before, after) = (tests(writer, &before), tests(writer, &after));
        prop_assert_eq!(after.failed + after.errored, before.failed + before.errored + 1);
        prop_assert_eq!(after.passed, before.passed);
        prop_assert_eq!(after.flaky, 0);
    }

    #[test]
    fn a_test_that_is_lost_is_a_problem_where_tests_are_counted(
        writer in writer(), outcomes in outcomes(), place: prop::sample::Index,
    ) {
        prop_assume!(writer.has_counters && outcomes.len() > 1);
        let xml = (writer.write)(&outcomes);
        let is_of_test = |line: &str| {
            line.match_indices('t').any(|(at, _)| line.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))
        };
        let all: Vec<&str> = xml.lines().collect();
        let candidates: Vec<usize> = (1..all.len() - 1).filter(|line| is_of_test(all[*line])).collect();
        let lost = candidates[place.index(candidates.len())];
        let rest: Vec<&str> = all.iter().enumerate().filter(|(line, _)| *line != lost).map(|(_, line)| *line).collect();
        let summary = read("r.xml", rest.join("\n").as_bytes(), None).unwrap();
        prop_assert!(summary.problem_count() > 0, "{}", rest.join("\n"));
    }

    #[test]
    fn any_change_of_bytes_is_answered(
        writer in writer(), outcomes in outcomes(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut xml = (writer.write)(&outcomes).into_bytes();
        for (at, byte) in changes {
            let at = at.index(xml.len());
            xml[at] = byte;
        }
        let _ = read("r.xml", &xml, None);
        let _ = read("r.xml", &xml, Some(writer.format));
    }
}

#[test]
fn a_report_cut_at_any_byte_is_an_error() {
    let outcomes = [Outcome::Passed, Outcome::Failed, Outcome::Errored, Outcome::Skipped];
    for writer in &WRITERS {
        let xml = (writer.write)(&outcomes);
        for at in 0..xml.len() {
            for format in [None, Some(writer.format)] {
                assert!(read("r.xml", &xml.as_bytes()[..at], format).is_err(), "{}", &xml[..at]);
            }
        }
    }
}

#[test]
fn the_report_of_one_format_is_no_other() {
    let outcomes = [Outcome::Passed, Outcome::Failed];
    for writer in &WRITERS {
        let xml = (writer.write)(&outcomes);
        for format in Format::ALL.iter().filter(|format| **format != writer.format) {
            let read = read("r.xml", xml.as_bytes(), Some(*format));
            let is_silent =
                read.as_ref().is_ok_and(|summary| summary.tests().total > 0 && summary.problems().is_empty());
            assert!(!is_silent, "a report of {} is read as {format}: {read:?}", writer.format);
        }
    }
}
