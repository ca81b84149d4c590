//! One test while it is read.

use std::time::Duration;

use report_input::xml::Tag;

use super::reader::push_text;
use crate::limits::Limits;
use crate::model::{Outcome, TestCase};
use crate::time::seconds;

/// What an element inside a test says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultKind {
    Failure,
    Error,
    Skipped,
    /// An attempt that failed before the test passed (Surefire, Gradle, nextest).
    Flaky,
    /// An attempt that failed after the test had failed.
    Rerun,
}

/// A test while it is read; the buffers are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Case {
    name: String,
    class_name: String,
    file: String,
    pub(super) timestamp: String,
    duration: Option<Duration>,
    /// What `status` and `result` say.
    stated: Option<Outcome>,
    message: String,
    /// What the message is about; a worse result replaces it.
    message_of: Option<ResultKind>,
    /// The message is an attribute, so that the text is not needed.
    has_message: bool,
    /// The class of the failure, for a result without any other word.
    type_name: String,
    failures: u32,
    errors: u32,
    skips: u32,
    flaky: u32,
    reruns: u32,
}

impl Case {
    pub(super) fn clear(&mut self) {
        for text in [&mut self.name, &mut self.class_name, &mut self.file, &mut self.timestamp, &mut self.message] {
            text.clear();
        }
        self.type_name.clear();
        (self.duration, self.stated, self.message_of, self.has_message) = (None, None, None, false);
        (self.failures, self.errors, self.skips, self.flaky, self.reruns) = (0, 0, 0, 0, 0);
    }

    pub(super) fn begin(&mut self, tag: &Tag<'_>, limits: &Limits) {
        self.clear();
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_name_to(&mut self.name, limits.name),
                "classname" => attribute.append_name_to(&mut self.class_name, limits.name),
                "time" | "duration" => self.duration = self.duration.or_else(|| seconds(&attribute.value())),
                "status" | "result" => self.stated = self.stated.max(stated(&attribute.value())),
                "file" => attribute.append_to(&mut self.file, limits.name),
                "timestamp" => attribute.append_to(&mut self.timestamp, 64),
                _ => {}
            }
        }
    }

    pub(super) fn add_result(&mut self, kind: ResultKind, message: &str, type_name: &str) {
        let count = match kind {
            ResultKind::Failure => &mut self.failures,
            ResultKind::Error => &mut self.errors,
            ResultKind::Skipped => &mut self.skips,
            ResultKind::Flaky => &mut self.flaky,
            ResultKind::Rerun => &mut self.reruns,
        };
        *count = count.saturating_add(1);
        if self.message_of.is_none_or(|before| weight(kind) > weight(before)) {
            self.message_of = Some(kind);
            self.message.clear();
            self.message.push_str(message);
            self.has_message = !message.is_empty();
            self.type_name.clear();
            self.type_name.push_str(type_name);
        }
    }

    /// A part of the text inside a result; it is the message where there is no attribute for it.
    pub(super) fn add_text(&mut self, kind: ResultKind, text: &str, limit: usize) {
        if !self.has_message && self.message_of == Some(kind) {
            push_text(&mut self.message, text, limit);
        }
    }

    /// What the elements say; where there are none, what the attributes say.
    ///
    /// The worst element wins: a test that is both failed and skipped has failed. A repeated attempt that failed,
    /// without a word about a final success, leaves the test failed.
    fn outcome(&self) -> Outcome {
        let elements = if self.errors > 0 {
            Outcome::Errored
        } else if self.failures > 0 || self.reruns > 0 {
            Outcome::Failed
        } else if self.skips > 0 {
            Outcome::Skipped
        } else {
            Outcome::Passed
        };
        match self.stated {
            // An element is more exact than a word about how bad it is.
            Some(stated) if !elements.is_bad() => elements.worse(stated),
            _ => elements,
        }
    }

    pub(super) fn as_test_case<'a>(&'a self, suite: &'a str, suite_number: u64) -> TestCase<'a> {
        TestCase {
            name: &self.name,
            class_name: &self.class_name,
            suite,
            suite_number,
            may_be_attempt: true,
            file: &self.file,
            outcome: self.outcome(),
            duration: self.duration,
            message: self.why(),
            failed_attempts: self.attempts(),
            timestamp: &self.timestamp,
        }
    }

    /// The message; else the text, without the line in which PHPUnit repeats the test; else the class of the failure.
    pub(super) fn why(&self) -> &str {
        let why = self.message.trim_end();
        if why.is_empty() {
            return &self.type_name;
        }
        let rest = why.split_once('\n').filter(|_| !self.has_message).and_then(|(first, rest)| {
            let (_, test) = first.split_once("::")?;
            (!self.name.is_empty() && test.starts_with(&self.name)).then(|| rest.trim_start())
        });
        rest.filter(|rest| !rest.is_empty()).unwrap_or(why)
    }

    /// Failed attempts beside the result that counts.
    pub(super) fn attempts(&self) -> u32 {
        self.flaky.saturating_add(self.reruns)
    }

    pub(super) fn bad_elements(&self) -> u32 {
        self.failures.saturating_add(self.errors)
    }

    pub(super) fn error_elements(&self) -> u32 {
        self.errors
    }

    /// Whether the class is the name of a source file in C++, as doctest writes it.
    pub(super) fn is_like_doctest(&self) -> bool {
        let extension = self.class_name.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| {
            ["cpp", "cc", "cxx", "c++", "c", "h", "hpp", "hh", "hxx", "ipp", "inl", "mm", "m"].contains(&extension)
        })
    }
}

fn weight(kind: ResultKind) -> u8 {
    match kind {
        ResultKind::Error => 4,
        ResultKind::Failure => 3,
        ResultKind::Rerun => 2,
        ResultKind::Skipped => 1,
        ResultKind::Flaky => 0,
    }
}

/// What the words in `status` (googletest, CTest, many others) and `result` (googletest) mean; `None` for words such as
/// `run` and `completed` that say nothing about the outcome.
fn stated(word: &str) -> Option<Outcome> {
    let known = [
        ("notrun", Outcome::Skipped),
        ("not_run", Outcome::Skipped),
        ("not run", Outcome::Skipped),
        ("suppressed", Outcome::Skipped),
        ("skipped", Outcome::Skipped),
        ("skip", Outcome::Skipped),
        ("disabled", Outcome::Skipped),
        ("ignored", Outcome::Skipped),
        ("pending", Outcome::Skipped),
        ("untested", Outcome::Skipped),
        ("blocked", Outcome::Skipped),
        ("inconclusive", Outcome::Skipped),
        ("failed", Outcome::Failed),
        ("fail", Outcome::Failed),
        ("failure", Outcome::Failed),
        ("errored", Outcome::Errored),
        ("error", Outcome::Errored),
        ("broken", Outcome::Errored),
        ("crashed", Outcome::Errored),
        ("timeout", Outcome::Errored),
        ("aborted", Outcome::Errored),
        ("interrupted", Outcome::Errored),
        ("cancelled", Outcome::Errored),
        ("canceled", Outcome::Errored),
        ("undefined", Outcome::Errored),
    ];
    known.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim())).map(|(_, outcome)| *outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean_in_other_formats() {
        for (words, expected) in [
            (&["run", "completed", "passed", "PASSED", "ok", ""][..], None),
            (&["notrun", "Skipped", " disabled ", "Inconclusive", "blocked"], Some(Outcome::Skipped)),
            (&["fail", "FAILED", "failure"], Some(Outcome::Failed)),
            (&["error", "crashed", "interrupted", "Cancelled", "canceled", "undefined"], Some(Outcome::Errored)),
        ] {
            for word in words {
                assert_eq!(stated(word), expected, "{word:?}");
            }
        }
    }
}
