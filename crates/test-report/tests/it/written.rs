//! Writers of small reports, one for each format of JSON and lines.

use std::fmt::Write;

use test_report::{Format, Outcome};

/// A test of a written report.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// How reports of a format are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) format: Format,
    /// Writes the tests of the second list under a header that counts those of the first.
    pub(crate) write: fn(&[Case], &[Case]) -> String,
    /// The header counts tests, so that one that is left out is missed.
    pub(crate) counts: bool,
    /// The report is made of lines.
    pub(crate) is_lines: bool,
}

const fn writer(format: Format, write: fn(&[Case], &[Case]) -> String, counts: bool, is_lines: bool) -> Writer {
    Writer { format, write, counts, is_lines }
}

pub(crate) const WRITERS: &[Writer] = &[
    writer(Format::Ctrf, ctrf, true, false),
    writer(Format::GoogleTest, googletest, true, false),
    writer(Format::Mocha, mocha, true, false),
    writer(Format::RSpec, rspec, true, false),
    writer(Format::Cucumber, cucumber, false, false),
    writer(Format::GoTest, go_test, false, true),
    writer(Format::Libtest, libtest, true, true),
    writer(Format::Dart, dart, false, true),
    writer(Format::Tap, tap, true, true),
    writer(Format::Tap, tap_with_plan_at_the_end, true, true),
    writer(Format::Tap, tap_with_subtests, true, true),
];

fn count(cases: &[Case], outcome: Outcome) -> usize {
    cases.iter().filter(|case| case.outcome == outcome).count()
}

fn bad(cases: &[Case]) -> usize {
    cases.iter().filter(|case| case.outcome.is_bad()).count()
}

fn joined(cases: &[Case], write: impl Fn(&Case) -> String) -> String {
    cases.iter().map(write).collect::<Vec<_>>().join(",")
}

fn ctrf(counted: &[Case], listed: &[Case]) -> String {
    let tests = joined(listed, |case| {
        let status = match case.outcome {
            Outcome::Passed => "passed",
            Outcome::Skipped => "pending",
            Outcome::Failed => "failed",
            Outcome::Errored => "other",
        };
        format!(r#"{{"name":"{}","status":"{status}","duration":1.5,"suite":["s"]}}"#, case.name)
    });
    let [passed, skipped, failed, other] =
        [Outcome::Passed, Outcome::Skipped, Outcome::Failed, Outcome::Errored].map(|outcome| count(counted, outcome));
    format!(
        r#"{{"results":{{"tool":{{"name":"t"}},"summary":{{"tests":{},"passed":{passed},"failed":{failed},"skipped":0,"pending":{skipped},"other":{other},"start":0,"stop":1}},"tests":[{tests}]}}}}"#,
        counted.len()
    )
}

fn googletest(counted: &[Case], listed: &[Case]) -> String {
    let tests = joined(listed, |case| {
        let (status, result, failures) = match case.outcome {
            Outcome::Passed => ("RUN", "COMPLETED", ""),
            Outcome::Skipped => ("NOTRUN", "SUPPRESSED", ""),
            Outcome::Failed | Outcome::Errored => ("RUN", "COMPLETED", r#","failures":[{"failure":"f","type":""}]"#),
        };
        format!(
            r#"{{"name":"{}","status":"{status}","result":"{result}","time":"0.1s","classname":"C"{failures}}}"#,
            case.name
        )
    });
    let header = format!(
        r#""tests":{},"failures":{},"disabled":{},"errors":0"#,
        counted.len(),
        bad(counted),
        count(counted, Outcome::Skipped)
    );
    format!(r#"{{{header},"name":"AllTests","testsuites":[{{"name":"C",{header},"testsuite":[{tests}]}}]}}"#)
}

fn mocha(counted: &[Case], listed: &[Case]) -> String {
    let test = |case: &Case| {
        let err = if case.outcome.is_bad() { r#"{"message":"m","stack":"s"}"# } else { "{}" };
        format!(r#"{{"title":"{0}","fullTitle":"c {0}","duration":1,"currentRetry":0,"err":{err}}}"#, case.name)
    };
    let some = |wanted: fn(Outcome) -> bool| {
        joined(&listed.iter().filter(|case| wanted(case.outcome)).cloned().collect::<Vec<_>>(), test)
    };
    format!(
        r#"{{"stats":{{"suites":1,"tests":{},"passes":{},"pending":{},"failures":{},"start":"2024-05-01T10:00:00Z"}},"tests":[{}],"pending":[{}],"failures":[{}],"passes":[{}]}}"#,
        counted.len(),
        count(counted, Outcome::Passed),
        count(counted, Outcome::Skipped),
        bad(counted),
        joined(listed, test),
        some(|outcome| outcome == Outcome::Skipped),
        some(Outcome::is_bad),
        some(|outcome| outcome == Outcome::Passed),
    )
}

fn rspec(counted: &[Case], listed: &[Case]) -> String {
    let examples = joined(listed, |case| {
        let (status, exception) = match case.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Skipped => ("pending", ""),
            Outcome::Failed | Outcome::Errored => {
                ("failed", r#","exception":{"class":"E","message":"m","backtrace":[]}"#)
            }
        };
        format!(
            r#"{{"description":"{0}","full_description":"C {0}","status":"{status}","file_path":"./a.rb","run_time":0.1{exception}}}"#,
            case.name
        )
    });
    format!(
        r#"{{"version":"3.13","examples":[{examples}],"summary":{{"example_count":{},"failure_count":{},"pending_count":{}}},"summary_line":""}}"#,
        counted.len(),
        bad(counted),
        count(counted, Outcome::Skipped)
    )
}

fn cucumber(_: &[Case], listed: &[Case]) -> String {
    let scenarios = joined(listed, |case| {
        let status = match case.outcome {
            Outcome::Passed => "passed",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
            Outcome::Errored => "undefined",
        };
        format!(
            r#"{{"type":"scenario","keyword":"Scenario","name":"{0}","id":"c;{0}","line":3,"steps":[{{"name":"a","result":{{"status":"passed","duration":1}}}},{{"name":"b","result":{{"status":"{status}"}}}}]}}"#,
            case.name
        )
    });
    format!(r#"[{{"uri":"a.feature","keyword":"Feature","name":"C","elements":[{scenarios}]}}]"#)
}

fn go_test(_: &[Case], listed: &[Case]) -> String {
    let mut lines = "{\"Action\":\"start\",\"Package\":\"p\"}\n".to_owned();
    for case in listed {
        let end = match case.outcome {
            Outcome::Passed => r#""Action":"pass","#,
            Outcome::Skipped => r#""Action":"skip","#,
            Outcome::Failed => r#""Action":"fail","#,
            Outcome::Errored => "",
        };
        let event = |action: &str| format!("{{{action}\"Package\":\"p\",\"Test\":\"{}\"}}\n", case.name);
        lines += &event(r#""Action":"run","#);
        lines += &event(r#""Action":"output","Output":"text\n","#);
        if !end.is_empty() {
            lines += &event(end);
        }
    }
    let end = if bad(listed) > 0 { "fail" } else { "pass" };
    let _ = writeln!(lines, r#"{{"Action":"{end}","Package":"p","Elapsed":0.1}}"#);
    lines
}

fn libtest(counted: &[Case], listed: &[Case]) -> String {
    let mut lines = format!("{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {} }}\n", counted.len());
    for case in listed {
        let end = match case.outcome {
            Outcome::Passed => "ok",
            Outcome::Skipped => "ignored",
            Outcome::Failed | Outcome::Errored => "failed",
        };
        let _ = writeln!(lines, r#"{{ "type": "test", "event": "started", "name": "{}" }}"#, case.name);
        let _ = writeln!(lines, r#"{{ "type": "test", "name": "{}", "event": "{end}", "exec_time": 0.1 }}"#, case.name);
    }
    let (event, bad) = (if bad(counted) > 0 { "failed" } else { "ok" }, bad(counted));
    let [passed, ignored] = [Outcome::Passed, Outcome::Skipped].map(|outcome| count(counted, outcome));
    let _ = writeln!(
        lines,
        r#"{{ "type": "suite", "event": "{event}", "passed": {passed}, "failed": {bad}, "ignored": {ignored}, "measured": 0 }}"#
    );
    lines
}

fn dart(_: &[Case], listed: &[Case]) -> String {
    let mut lines = "{\"protocolVersion\":\"0.1.1\",\"type\":\"start\",\"time\":0}\n".to_owned();
    lines += "{\"suite\":{\"id\":0,\"path\":\"a.dart\"},\"type\":\"suite\",\"time\":0}\n";
    for (number, case) in listed.iter().enumerate() {
        let id = number + 1;
        let result = match case.outcome {
            Outcome::Passed | Outcome::Skipped => "success",
            Outcome::Failed => "failure",
            Outcome::Errored => "error",
        };
        let skipped = case.outcome == Outcome::Skipped;
        let _ = writeln!(
            lines,
            r#"{{"test":{{"id":{id},"name":"{}","suiteID":0,"groupIDs":[]}},"type":"testStart","time":1}}"#,
            case.name
        );
        if case.outcome.is_bad() {
            let is_failure = case.outcome == Outcome::Failed;
            let _ =
                writeln!(lines, r#"{{"testID":{id},"error":"e","isFailure":{is_failure},"type":"error","time":2}}"#);
        }
        let _ = writeln!(
            lines,
            r#"{{"testID":{id},"result":"{result}","skipped":{skipped},"hidden":false,"type":"testDone","time":3}}"#
        );
    }
    let _ = writeln!(lines, r#"{{"success":{},"type":"done","time":4}}"#, bad(listed) == 0);
    lines
}

fn points(listed: &[Case], with_subtests: bool) -> String {
    let mut lines = String::new();
    for (number, case) in listed.iter().enumerate() {
        let (ok, directive) = match case.outcome {
            Outcome::Passed => ("ok", ""),
            Outcome::Skipped => ("ok", " # SKIP why"),
            Outcome::Failed | Outcome::Errored => ("not ok", ""),
        };
        if with_subtests {
            let _ = writeln!(lines, "# Subtest: {}\n    {ok} 1 - inside\n    1..1", case.name);
        }
        let _ = writeln!(lines, "{ok} {} - {}{directive}", number + 1, case.name);
        if ok == "not ok" {
            lines += "  ---\n  message: 'no'\n  ...\n";
        }
    }
    lines
}

fn tap(counted: &[Case], listed: &[Case]) -> String {
    format!("TAP version 14\n1..{}\n{}", counted.len(), points(listed, false))
}

fn tap_with_plan_at_the_end(counted: &[Case], listed: &[Case]) -> String {
    format!("TAP version 13\n{}1..{}\n", points(listed, false), counted.len())
}

fn tap_with_subtests(counted: &[Case], listed: &[Case]) -> String {
    format!("TAP version 14\n1..{}\n{}", counted.len(), points(listed, true))
}
