//! A verdict as JUnit XML, for tools that show test reports: one test a rule.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::render::one_line;
use crate::{Outcome, Verdict};

impl Verdict {
    /// The verdict as a JUnit report: a suite named after the gate, with a test for each rule. A rule that failed or is
    /// inconclusive is a failed test, a shadow rule that did not pass is a skipped one.
    pub fn to_junit(&self) -> String {
        let count = |state: State| self.findings().iter().filter(|finding| State::of(finding) == state).count();
        let (failed, skipped) = (count(State::Failed), count(State::Skipped));
        let (gate, at) = (escape(self.gate()), self.at().strftime("%Y-%m-%dT%H:%M:%SZ"));
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{gate}\" tests=\"{}\" \
             failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" timestamp=\"{at}\">\n",
            self.findings().len()
        );
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in self.findings() {
            // Readers take a failure and a later success of one name for a rerun.
            let times = seen.entry(&finding.rule).and_modify(|times| *times += 1).or_insert(1);
            let number = if *times > 1 { format!(" ({times})") } else { String::new() };
            let (rule, message) = (escape(&finding.rule) + &number, escape(&finding.message));
            let _ = write!(xml, "    <testcase classname=\"{gate}\" name=\"{rule}\"");
            let subjects: Vec<_> = finding.subjects.iter().map(|subject| escape(subject)).collect();
            let _ = match State::of(finding) {
                State::Passed => writeln!(xml, "/>"),
                State::Skipped => writeln!(xml, "><skipped message=\"{message}\"/></testcase>"),
                State::Failed => writeln!(
                    xml,
                    "><failure message=\"{message}\" type=\"{}\">{}</failure></testcase>",
                    finding.outcome,
                    subjects.join("\n")
                ),
            };
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    Failed,
    Skipped,
}

impl State {
    fn of(finding: &crate::Finding) -> Self {
        match (finding.outcome, finding.shadow) {
            (Outcome::Passed, _) => Self::Passed,
            (_, true) => Self::Skipped,
            (_, false) => Self::Failed,
        }
    }
}

/// Text for an attribute or an element. Control characters, which XML does not allow, become blanks.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
