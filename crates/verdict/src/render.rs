//! A verdict as text for the CodePipeline console, as Markdown and as a terminal shows it.

use std::fmt::Write;

use crate::{CheckCounts, Coverage, Finding, Outcome, SarifCounts, Share, TestCounts, Verdict, grouped};

/// The most characters of a job's summary (AWS model: ExecutionSummary).
pub const MAX_SUMMARY_CHARS: usize = 2048;

/// The most characters of a job's failure message (AWS model: Message).
pub const MAX_MESSAGE_CHARS: usize = 5000;

/// `1,204 tests: 1,200 passed, 3 failed, 1 skipped`.
pub(crate) fn tests_line(tests: &TestCounts) -> String {
    let noun = if tests.total == 1 { "test" } else { "tests" };
    let mut text = format!("{} {noun}: {} passed", grouped(tests.total), grouped(tests.passed));
    let rest = [
        (tests.failed, "failed"),
        (tests.errored, "ended in an error"),
        (tests.skipped, "skipped"),
        (tests.flaky, "flaky"),
    ];
    for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {} {word}", grouped(count));
    }
    text
}

/// `5 smoke tests: 4 passed, 1 failed; 12 requests`.
pub(crate) fn checks_line(checks: &CheckCounts) -> String {
    let plural = |count: u64, noun: &str| format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" });
    let mut text = format!("{}: {} passed", plural(checks.total, "smoke test"), grouped(checks.passed));
    let rest = [(checks.degraded, "degraded"), (checks.failed, "failed")];
    for (count, word) in rest.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {} {word}", grouped(count));
    }
    if checks.requests > 0 {
        let _ = write!(text, "; {}", plural(checks.requests, "request"));
    }
    text
}

/// `83.2 % of 1,204 lines and 70 % of 96 branches covered`.
pub(crate) fn coverage_line(coverage: &Coverage) -> String {
    let part = |share: &Share, noun: &str| format!("{} % of {} {noun}", share.percent, grouped(share.total));
    match coverage.branch.total {
        0 => format!("{} covered", part(&coverage.line, "lines")),
        _ => format!("{} and {} covered", part(&coverage.line, "lines"), part(&coverage.branch, "branches")),
    }
}

/// `2 errors, 5 warnings`.
pub(crate) fn sarif_line(sarif: &SarifCounts) -> String {
    let levels = [(sarif.error, "error"), (sarif.warning, "warning"), (sarif.note, "note")];
    let found = levels.into_iter().filter(|(count, _)| *count > 0);
    let plural = |(count, noun): (u64, &str)| format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" });
    match found.map(plural).collect::<Vec<_>>() {
        none if none.is_empty() => "static analysis found nothing".to_owned(),
        some => some.join(", "),
    }
}

/// Cuts `text` to `limit` characters, marking the cut.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Turns line breaks and other control characters into blanks, so that hostile names keep to their line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn mark(finding: &Finding) -> &'static str {
    match (finding.shadow, finding.outcome) {
        (true, Outcome::Passed) => "shadow, passed",
        (true, Outcome::Inconclusive) => "shadow, inconclusive",
        (true, Outcome::Failed) => "shadow, failed",
        (false, outcome) => outcome.as_str(),
    }
}

impl Verdict {
    /// One line within [`MAX_SUMMARY_CHARS`]: the gate, the outcome and why.
    pub fn summary_line(&self) -> String {
        cut(&one_line(&format!("{} {}: {}", self.gate(), self.outcome(), self.summary())), MAX_SUMMARY_CHARS)
    }

    /// The text of a job's failure within [`MAX_MESSAGE_CHARS`]: the summary, then each finding that did not pass
    /// with what it is about.
    pub fn failure_message(&self) -> String {
        let mut text = one_line(self.summary());
        for finding in self.findings().iter().filter(|finding| finding.weight() != Outcome::Passed) {
            for subject in &finding.subjects {
                let _ = write!(text, "\n- {}", one_line(subject));
            }
        }
        cut(&text, MAX_MESSAGE_CHARS)
    }

    /// The verdict as Markdown: a heading, the summary and a table of findings.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("## {}: {}\n\n", escape(self.gate()), self.outcome());
        let _ = writeln!(text, "{}\n", escape(self.summary()));
        let _ = writeln!(text, "| rule | outcome | observed | limit | finding |\n|---|---|---|---|---|");
        for finding in self.findings() {
            let value = |value: &Option<String>| value.as_deref().map(escape).unwrap_or_default();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                finding.rule,
                mark(finding),
                value(&finding.observed),
                value(&finding.limit),
                escape(&finding.message)
            );
        }
        for finding in self.findings().iter().filter(|finding| !finding.subjects.is_empty()) {
            let _ = writeln!(text, "\n`{}`:\n", finding.rule);
            for subject in &finding.subjects {
                let _ = writeln!(text, "- {}", escape(subject));
            }
        }
        text
    }

    /// The verdict for a terminal: one line a finding, its subjects below it.
    pub fn to_text(&self) -> String {
        let mut text = format!("{} {}: {}\n", self.gate(), self.outcome(), one_line(self.summary()));
        let width = self.findings().iter().map(|finding| finding.rule.len()).max().unwrap_or(0);
        for finding in self.findings() {
            let (sign, message) = (sign(finding), one_line(&finding.message));
            let shadow = if finding.shadow { " (shadow: reported, not judged)" } else { "" };
            let _ = writeln!(text, "  {sign} {:width$}  {message}{shadow}", finding.rule);
            for subject in &finding.subjects {
                let _ = writeln!(text, "    {:width$}  - {}", "", one_line(subject));
            }
        }
        text
    }
}

fn sign(finding: &Finding) -> char {
    match finding.outcome {
        Outcome::Passed => '✓',
        Outcome::Inconclusive => '?',
        Outcome::Failed => '✗',
    }
}

/// Keeps a hostile name from ending a table cell or starting markup or a mention.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' | '#' | '~' => out.extend(['\\', c]),
            '@' => out.push_str("@\u{200b}"),
            c => out.push(c),
        }
    }
    out
}
