//! From lines to tests.

use super::document::Document;
use super::line::{self, Directive, Line, Plan, Point};
use super::subtests::Subtests;
use crate::formats::events::push;
use crate::formats::tally::{Bad, Tally, seconds};
use crate::model::{Outcome, ProblemKind, TestCase};

/// Reads lines of TAP.
pub(super) struct Reader<'a> {
    pub(super) tally: Tally<'a>,
    document: Document,
    subtests: Subtests,
    /// The last test point: what follows may still explain it.
    pending: Option<Pending>,
    /// The indentation of the test point in the line before.
    point_before: Option<usize>,
    /// The indentation of the YAML block that is being read, and whether it belongs to the pending test.
    yaml: Option<(usize, bool)>,
    /// Test points that are not ok and not indented.
    not_ok: u64,
    footer: Footer,
    found_something: bool,
}

#[derive(Debug)]
struct Pending {
    name: String,
    number: u64,
    outcome: Outcome,
    directive: Option<Directive>,
    opens_block: bool,
    message: String,
    /// The message is the one that the YAML block calls so.
    has_reason: bool,
    seconds: Option<f64>,
}

/// Counts in the comments at the end.
#[derive(Debug, Default, Clone, Copy)]
struct Footer {
    tests: Option<u64>,
    fail: Option<u64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(mut tally: Tally<'a>) -> Self {
        tally.suites = 1;
        Reader {
            tally,
            document: Document::default(),
            subtests: Subtests::default(),
            pending: None,
            point_before: None,
            yaml: None,
            not_ok: 0,
            footer: Footer::default(),
            found_something: false,
        }
    }

    pub(super) fn found_something(&self) -> bool {
        self.found_something
    }

    pub(super) fn take(&mut self, line: &str) -> Result<(), String> {
        let text = line.trim_start_matches([' ', '\t']);
        let indentation = line.len() - text.len();
        if self.is_yaml(indentation, text) {
            return Ok(());
        }
        let point_before = self.point_before.take();
        match text.trim_end() {
            "}" => {
                self.close_block(indentation);
                return Ok(());
            }
            "{" => {
                self.open_block(indentation);
                return Ok(());
            }
            _ => {}
        }
        let line = line::parse(text);
        match line {
            Line::Blank => self.point_before = point_before,
            Line::BailOut(reason) => self.bail_out(reason),
            Line::Point(_) | Line::Plan(_) if indentation > 0 => {
                self.found_something = true;
                self.point_before = matches!(line, Line::Point(_)).then_some(indentation);
                self.subtests.take(indentation, &line);
            }
            _ if indentation > 0 => self.explain(text),
            Line::Version => self.version()?,
            Line::Plan(plan) => self.plan(plan)?,
            Line::Point(point) => self.point(&point)?,
            Line::Pragma(pragma) => self.pragma(pragma),
            Line::Comment(comment) => self.comment(comment),
            Line::Other if self.document.is_strict => {
                self.document.is_strict = false;
                self.tally
                    .problem(ProblemKind::UnknownValue, "a line that is no TAP, which \"pragma +strict\" forbids");
            }
            Line::Other => {}
        }
        Ok(())
    }

    /// Whether the line belongs to a YAML block. A block ends with `...`, and with any line that is not indented as deep.
    fn is_yaml(&mut self, indentation: usize, text: &str) -> bool {
        let text = text.trim_end();
        if let Some((block, is_of_pending)) = self.yaml {
            if !text.is_empty() && indentation < block {
                self.yaml = None;
                return false;
            }
            if text == "..." && indentation == block {
                self.yaml = None;
            } else if is_of_pending {
                self.yaml_line(text);
            }
            return true;
        }
        let begins =
            self.point_before.is_some_and(|point| indentation > point) && (text == "---" || text.starts_with("--- "));
        if begins {
            self.yaml = Some((indentation, self.point_before == Some(0)));
            self.point_before = None;
        }
        begins
    }

    fn yaml_line(&mut self, text: &str) {
        let Some(pending) = &mut self.pending else { return };
        if let Some(time) = text.strip_prefix("duration_ms:") {
            pending.seconds = time.trim().parse::<f64>().ok().map(|milliseconds| milliseconds / 1000.0);
            return;
        }
        if pending.has_reason || !pending.outcome.is_bad() {
            return;
        }
        let reason = ["message:", "error:"].iter().find_map(|key| text.strip_prefix(key));
        let reason = reason.map(|reason| reason.trim().trim_matches(['\'', '"'])).filter(|reason| !reason.is_empty());
        if let Some(reason) = reason {
            pending.message.clear();
            pending.has_reason = true;
            push(&mut pending.message, reason, self.tally.limits().message);
        } else if !text.is_empty() {
            self.explain(text);
        }
    }

    /// Adds a line to what is known about a failed test.
    fn explain(&mut self, text: &str) {
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.outcome.is_bad()) {
            let limit = self.tally.limits().message;
            if !pending.message.is_empty() {
                push(&mut pending.message, "\n", limit);
            }
            push(&mut pending.message, text.trim(), limit);
        }
    }

    fn version(&mut self) -> Result<(), String> {
        if !self.document.is_fresh() {
            self.end_document()?;
        }
        Ok(())
    }

    fn plan(&mut self, plan: Plan) -> Result<(), String> {
        self.found_something = true;
        if self.document.is_complete() {
            self.end_document()?;
        }
        self.flush()?;
        self.document.set_plan(plan);
        Ok(())
    }

    fn point(&mut self, point: &Point<'_>) -> Result<(), String> {
        self.found_something = true;
        self.flush()?;
        if point.number == Some(1) && self.document.points > 0 && self.document.is_complete() {
            self.end_document()?;
        }
        if self.document.bailed_out && point.is_ok {
            return Ok(());
        }
        self.footer = Footer::default();
        self.not_ok += u64::from(!point.is_ok);
        let number = self.document.note(point.number);
        let directive = point.directive.or_else(|| self.document.is_todo(number).then_some(Directive::Todo));
        let outcome = match (point.is_ok, directive) {
            (true, Some(Directive::Skip)) | (false, Some(Directive::Todo)) => Outcome::Skipped,
            (true, _) => Outcome::Passed,
            (false, _) => Outcome::Failed,
        };
        let outcome = if self.document.is_unplanned(number) { outcome.worse(Outcome::Errored) } else { outcome };
        let mut pending = Pending {
            name: point.description.to_string(),
            number,
            outcome,
            directive,
            opens_block: point.opens_block,
            message: point.reason.to_owned(),
            has_reason: false,
            seconds: point.seconds,
        };
        pending.subtests_ended(self.subtests.close_all());
        self.pending = Some(pending);
        self.point_before = Some(0);
        Ok(())
    }

    fn open_block(&mut self, indentation: usize) {
        if indentation > 0 {
            self.subtests.open_block(indentation);
        } else if let Some(pending) = &mut self.pending {
            pending.opens_block = true;
        }
    }

    fn close_block(&mut self, indentation: usize) {
        if indentation > 0 {
            self.subtests.close_block(indentation);
        } else if let Some(pending) = self.pending.as_mut().filter(|pending| pending.opens_block) {
            pending.opens_block = false;
            pending.subtests_ended(self.subtests.close_all());
        }
    }

    fn bail_out(&mut self, reason: &str) {
        self.found_something = true;
        if !std::mem::replace(&mut self.document.bailed_out, true) {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            self.tally.problem(ProblemKind::Incomplete, format!("the tests bailed out{reason}"));
        }
    }

    fn pragma(&mut self, pragma: &str) {
        for word in pragma.split([',', ' ']) {
            match word {
                "+strict" => self.document.is_strict = true,
                "-strict" => self.document.is_strict = false,
                _ => {}
            }
        }
    }

    fn comment(&mut self, comment: &str) {
        let comment = comment.trim();
        let is_of_next = comment.starts_with("Subtest");
        if !is_of_next && self.pending.as_ref().is_some_and(|pending| !pending.has_reason) {
            self.explain(comment);
        }
        if comment.starts_with("Looks like your test exited with") {
            let message = format!("the test program ended badly: {comment}");
            self.tally.suite_failed(&message);
        }
        let Some((word, count)) = comment.split_once(char::is_whitespace) else { return };
        match (word, count.trim().parse().ok()) {
            ("tests", Some(count)) => self.footer.tests = Some(count),
            ("fail", Some(count)) => self.footer.fail = Some(count),
            _ => {}
        }
    }

    /// Hands on the pending test.
    fn flush(&mut self) -> Result<(), String> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let number = pending.number.to_string();
        let case = TestCase {
            suite_number: self.tally.suites,
            duration: pending.seconds.and_then(seconds),
            message: &pending.message,
            ..TestCase::new(if pending.name.is_empty() { &number } else { &pending.name }, pending.outcome)
        };
        self.tally.case(&case).map_err(|error| error.to_string())
    }

    fn end_document(&mut self) -> Result<(), String> {
        self.flush()?;
        let document = std::mem::take(&mut self.document);
        let missing = document.missing();
        self.tally.counted_only(missing, Bad::Errored(missing), 0);
        let fault = document.fault().filter(|_| !document.bailed_out);
        let all_not_ok = self.not_ok.saturating_add(self.subtests.not_ok).saturating_add(missing);
        let footer = std::mem::take(&mut self.footer);
        let hidden = footer.fail.filter(|fail| footer.tests.is_some() && *fail > all_not_ok);
        if let Some(fault) = fault {
            let kind = if missing > 0 || !document.has_plan() {
                ProblemKind::Incomplete
            } else {
                ProblemKind::CountersDisagree
            };
            self.tally.problem(kind, fault);
        } else if let Some(fail) = hidden {
            let message = format!("a comment at the end counts {fail} failures, but {all_not_ok} are listed");
            self.tally.problem(ProblemKind::CountersDisagree, message);
        }
        self.tally.suites += 1;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), String> {
        let orphaned = self.subtests.close_all();
        self.end_document()?;
        self.tally.suites -= 1;
        if orphaned && self.tally.listed().bad == 0 {
            self.tally.suite_failed("a failed subtest at the end has no test point of its own");
        }
        Ok(())
    }
}

impl Pending {
    /// A test point is no better than the subtests for which it stands.
    fn subtests_ended(&mut self, has_failed: bool) {
        if has_failed && !self.outcome.is_bad() && self.directive != Some(Directive::Todo) {
            self.outcome = Outcome::Failed;
            "a subtest failed".clone_into(&mut self.message);
        }
    }
}
