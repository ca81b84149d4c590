//! What readers of most formats need: counting what was handed on, and buffers for one test.

use std::time::Duration;

use report_input::xml::Fault;
use report_input::{ErrorKind, cut};

use crate::format::Format;
use crate::limits::Limits;
use crate::model::{CountedOnly, Outcome, Problem, ProblemKind, ReportFacts, Sink, TestCase};

/// The name of what failed outside of any test.
pub(crate) const OUTSIDE: &str = "(outside of any test)";

/// Hands tests on and remembers what was seen, for the facts and for comparing a header with what is listed.
pub(crate) struct Reporter<'a> {
    source: &'a str,
    pub(crate) limits: &'a Limits,
    sink: &'a mut dyn Sink,
    /// Executions handed on.
    pub(crate) cases: u64,
    /// Those of them that failed or errored.
    pub(crate) bad: u64,
    /// Suites of any kind that were seen.
    pub(crate) suites: u64,
    timestamp: String,
    /// The first suite that counts tests and lists none.
    header_only: Option<String>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(source: &'a str, limits: &'a Limits, sink: &'a mut dyn Sink) -> Self {
        Reporter { source, limits, sink, cases: 0, bad: 0, suites: 0, timestamp: String::new(), header_only: None }
    }

    /// Hands one test on.
    ///
    /// # Errors
    ///
    /// Fails when there are more tests than [`Limits::tests`].
    pub(crate) fn case(&mut self, case: &TestCase<'_>) -> Result<(), Fault> {
        self.cases += 1;
        self.bad += u64::from(case.outcome.is_bad());
        if self.cases > self.limits.tests {
            let detail = format!("the report has more than {} tests", self.limits.tests);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        self.timestamp(case.timestamp);
        self.sink.case(case);
        Ok(())
    }

    /// Hands on tests that are counted but not listed; they are not part of [`Reporter::so_far`].
    pub(crate) fn counted_only(&mut self, counted: &CountedOnly<'_>) {
        self.sink.counted_only(counted);
    }

    /// Hands on the tests of a suite that counts `claimed` ones and lists none: its counters are all the evidence there
    /// is. In a report that lists other tests, they are missing; see [`Reporter::finish`].
    pub(crate) fn header_only(&mut self, suite: &str, claimed: Claimed, skipped: u64) {
        let Claimed { total, bad } = claimed;
        self.counted_only(&CountedOnly { suite, total, failed: bad, errored: 0, skipped, duration: None });
        self.header_only.get_or_insert_with(|| suite.to_owned());
    }

    /// Reports a value that the format does not know, in a test that is errored for it.
    pub(crate) fn unknown_value(&mut self, test: &str, what: &str, value: &str) {
        let (test, value) = (cut(test, 200), cut(value, 60).escape_debug());
        self.problem(ProblemKind::UnknownValue, format!("test {test}: the {what} \"{value}\" is not known"));
    }

    pub(crate) fn problem(&mut self, kind: ProblemKind, message: impl Into<String>) {
        self.sink.problem(Problem { source: self.source.to_owned(), kind, message: message.into() });
    }

    /// Reports that something failed outside of any test: a problem, and an errored test beside those that are listed,
    /// so that nobody who looks at the totals only takes the report for a good one. It is not part of
    /// [`Reporter::so_far`], because headers do not count it.
    pub(crate) fn suite_failed(&mut self, suite: &str, why: &str, message: impl Into<String>) {
        self.outside(suite, why);
        self.problem(ProblemKind::SuiteFailed, message);
    }

    /// As [`Reporter::suite_failed`], where what failed has a name of its own.
    pub(crate) fn configuration_failed(&mut self, method: &TestCase<'_>, message: String) {
        self.sink.case(method);
        self.problem(ProblemKind::SuiteFailed, message);
    }

    /// The errored test of [`Reporter::suite_failed`], where the problem is reported already.
    pub(crate) fn outside(&mut self, suite: &str, why: &str) {
        let message = cut(why.trim(), self.limits.message);
        self.sink.case(&TestCase { suite, message, ..TestCase::new(OUTSIDE, Outcome::Errored) });
    }

    /// Keeps the first time stamp.
    pub(crate) fn timestamp(&mut self, timestamp: &str) {
        if self.timestamp.is_empty() {
            self.timestamp.push_str(cut(timestamp, 64));
        }
    }

    /// Compares what `whose` header claims with what was handed on since `before`.
    pub(crate) fn compare(&mut self, whose: &str, claimed: Claimed, before: Claimed) {
        let (total, bad) = (self.cases - before.total, self.bad - before.bad);
        if claimed.total > total {
            let message = format!("{whose} counts {} tests, but {total} are listed", claimed.total);
            self.problem(ProblemKind::CountersDisagree, message);
        } else if claimed.bad > bad {
            let message = format!("{whose} counts {} failures, but the tests show {bad}", claimed.bad);
            self.problem(ProblemKind::CountersDisagree, message);
        }
    }

    /// What was handed on so far.
    pub(crate) fn so_far(&self) -> Claimed {
        Claimed { total: self.cases, bad: self.bad }
    }

    /// What is known about the report at its end.
    pub(crate) fn finish(mut self, format: Format, bytes: u64) -> ReportFacts {
        if let Some(suite) = self.header_only.take().filter(|_| self.cases > 0) {
            let message =
                format!("suite {suite}: the header counts tests, but none are listed, while other suites list theirs");
            self.problem(ProblemKind::CountersDisagree, message);
        }
        ReportFacts { format, bytes, cases: self.cases, suites: self.suites, timestamp: self.timestamp }
    }
}

/// Tests and failures that a header claims, or that were seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Claimed {
    pub(crate) total: u64,
    pub(crate) bad: u64,
}

/// The texts of one test while it is read; the buffers are used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) name: String,
    pub(crate) class_name: String,
    pub(crate) message: String,
    pub(crate) timestamp: String,
    pub(crate) duration: Option<Duration>,
}

impl Scratch {
    pub(crate) fn clear(&mut self) {
        for text in [&mut self.name, &mut self.class_name, &mut self.message, &mut self.timestamp] {
            text.clear();
        }
        self.duration = None;
    }

    /// Takes the class from the front of a qualified name where it is not known otherwise.
    pub(crate) fn split_name(&mut self) {
        if self.class_name.is_empty()
            && let Some(dot) = class_end(&self.name)
        {
            self.class_name.push_str(&self.name[..dot]);
            self.name.drain(..=dot);
        }
    }

    pub(crate) fn as_case<'a>(&'a self, outcome: Outcome, suite: &'a str, suite_number: u64) -> TestCase<'a> {
        TestCase {
            class_name: &self.class_name,
            suite,
            suite_number,
            duration: self.duration,
            message: self.message.trim(),
            timestamp: &self.timestamp,
            ..TestCase::new(&self.name, outcome)
        }
    }
}

/// Where the class ends in a name such as `Shop.Tests.BasketTest.Adds("a.b")`: at the last dot before any argument.
fn class_end(name: &str) -> Option<usize> {
    let head = &name[..name.find(['(', '<', '"', '[', ' ']).unwrap_or(name.len())];
    head.rfind('.').filter(|dot| *dot > 0 && dot + 1 < name.len())
}

/// The names of the open suites, joined by ` > `.
#[derive(Debug, Default)]
pub(crate) struct SuitePath {
    text: String,
    lengths: Vec<usize>,
}

impl SuitePath {
    /// Enters a suite; one without a name leaves the path as it is.
    pub(crate) fn enter(&mut self, name: &str) {
        self.lengths.push(self.text.len());
        if !name.is_empty() {
            if !self.text.is_empty() {
                self.text.push_str(" > ");
            }
            self.text.push_str(name);
        }
    }

    pub(crate) fn leave(&mut self) {
        self.text.truncate(self.lengths.pop().unwrap_or(0));
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Appends `text` as far as there is room for it; leading white space is left out.
pub(crate) fn push_text(message: &mut String, text: &str, limit: usize) {
    let text = if message.is_empty() { text.trim_start() } else { text };
    message.push_str(cut(text, limit.saturating_sub(message.len())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_taken_from_qualified_names() {
        for (name, expected) in [
            ("A.B.C", ("A.B", "C")),
            ("A.B.C(\"x.y\")", ("A.B", "C(\"x.y\")")),
            ("A.B<C.D>.E", ("A", "B<C.D>.E")),
            ("a sentence. With dots", ("", "a sentence. With dots")),
            ("Ends.", ("", "Ends.")),
            (".hidden", ("", ".hidden")),
            ("plain", ("", "plain")),
        ] {
            let mut scratch = Scratch { name: name.to_owned(), ..Scratch::default() };
            scratch.split_name();
            assert_eq!((scratch.class_name.as_str(), scratch.name.as_str()), expected, "{name}");
        }
    }
}
