//! What a failed gate has said, each thing once.
//!
//! A gate answers its job with its summary and a list of what did not pass; its verdict has the same summary, which names
//! the first ones, and the same list. So CodePipeline's reason and the verdict tell people the same names three times.

use crate::about::VerdictLine;
use crate::action::Reason;

/// What stands before the summary in the answer of a gate that leaves it to people.
const INCONCLUSIVE: &str = "inconclusive, a person must look: ";

/// What a verdict tells people.
pub(crate) struct Said<'a> {
    /// In one line, without the names that are listed.
    pub(crate) summary: String,
    /// What did not pass, each once.
    pub(crate) listed: Vec<&'a str>,
}

impl<'a> Said<'a> {
    /// What a verdict says, and the reason that the same gate has given for the failure of its action, where there is one.
    pub(crate) fn new(verdict: &'a VerdictLine, reason: Option<&'a Reason>) -> Self {
        let subjects: Vec<_> = verdict.subjects.iter().map(String::as_str).collect();
        // The answer of the job may list more.
        let answered = reason.map(|reason| list(&reason.text)).unwrap_or_default();
        let mut listed = Vec::new();
        for name in if answered.len() > subjects.len() { answered } else { subjects } {
            if !listed.contains(&name) {
                listed.push(name);
            }
        }
        let mut summary = verdict.summary.clone();
        while let Some(shorter) = without_names(&summary, &listed) {
            summary = shorter;
        }
        Self { summary, listed }
    }
}

/// Whether a reason is the answer of the gate that has given this verdict.
pub(crate) fn is_answer_of(reason: &Reason, verdict: &VerdictLine) -> bool {
    let mut lines = reason.text.lines();
    let first = lines.next().unwrap_or_default();
    let summary: String = verdict.summary.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    first.strip_prefix(INCONCLUSIVE).unwrap_or(first).trim() == summary.trim()
        && lines.all(|line| line.starts_with("- "))
}

fn list(text: &str) -> Vec<&str> {
    text.lines().skip(1).filter_map(|line| line.strip_prefix("- ")).collect()
}

/// A summary without the first `: name, name and 3 more` of it, where all these names are listed.
fn without_names(summary: &str, listed: &[&str]) -> Option<String> {
    summary.match_indices(": ").find_map(|(start, colon)| {
        let mut rest = after_name(&summary[start + colon.len()..], listed)?;
        while let Some(next) = rest.strip_prefix(", ").and_then(|next| after_name(next, listed)) {
            rest = next;
        }
        if rest.starts_with(", ") {
            return None;
        }
        Some(format!("{}{}", &summary[..start], after_count(rest)))
    })
}

/// What follows a listed name: one that is listed whole, or with what was wrong with it behind a colon.
fn after_name<'a>(text: &'a str, listed: &[&str]) -> Option<&'a str> {
    let names = listed.iter().flat_map(|line| {
        let ends = line.match_indices(": ").map(|(end, _)| end).chain([line.len()]);
        ends.map(|end| &line[..end])
    });
    let rests = names.filter(|name| !name.is_empty()).filter_map(|name| text.strip_prefix(name));
    // The shortest rest is that of the longest name.
    rests.filter(|rest| is_end_of_name(rest)).min_by_key(|rest| rest.len())
}

fn is_end_of_name(rest: &str) -> bool {
    rest.is_empty() || [", ", "; ", " ("].iter().any(|end| rest.starts_with(end)) || after_count(rest) != rest
}

/// What follows ` and 3 more`.
fn after_count(text: &str) -> &str {
    let counted =
        text.strip_prefix(" and ").map(|text| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ','));
    counted.and_then(|text| text.strip_prefix(" more")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::action::ReasonSource;

    fn verdict(summary: &str, subjects: &[&str]) -> VerdictLine {
        let subjects = subjects.iter().map(|&subject| subject.to_owned()).collect();
        VerdictLine { at: Timestamp::UNIX_EPOCH, has_passed: false, summary: summary.to_owned(), subjects }
    }

    fn reason(text: &str) -> Reason {
        Reason { source: ReasonSource::CodePipeline, text: text.to_owned(), code: None }
    }

    #[test]
    fn names_that_are_listed_stand_in_no_summary() {
        for (summary, subjects, expected) in [
            ("2 of 9 failed (limit 0): a::x, b::y", &["a::x: why", "b::y"][..], "2 of 9 failed (limit 0)"),
            ("4 of 9 failed: a, b, c and 1 more", &["a: 1", "b: 2", "c", "d"], "4 of 9 failed"),
            ("1,204 failed: a and 1,203 more; 60 % covered", &["a"], "1,204 failed; 60 % covered"),
            (
                "1 failed: a; 1 newly failed (limit 0): a (since 5 days)",
                &["a"],
                "1 failed; 1 newly failed (limit 0) (since 5 days)",
            ),
            // Names have colons and commas, too.
            ("1 failed: a.feature: logs in [1, 2]", &["a.feature: logs in [1, 2]: expected 401"], "1 failed"),
            // What is not listed, or only begins like something that is, stays.
            ("1 failed: abc", &["ab", "x"], "1 failed: abc"),
            ("2 failed: a, z", &["a"], "2 failed: a, z"),
            ("the report is broken: no end tag", &[], "the report is broken: no end tag"),
        ] {
            assert_eq!(Said::new(&verdict(summary, subjects), None).summary, expected, "{summary}");
        }
    }

    #[test]
    fn the_answer_of_a_gate_is_known_and_lists_more() {
        let verdict = verdict("2 failed: a", &["a: why", "a: why"]);
        for (text, is_answer) in [
            ("2 failed: a\n- a: why\n- b", true),
            ("inconclusive, a person must look: 2 failed: a", true),
            ("2 failed: a\n- a: why (the verdict could not be stored)\nand something else", false),
            ("2 failed: a by somebody else", false),
            ("", false),
        ] {
            assert_eq!(is_answer_of(&reason(text), &verdict), is_answer, "{text}");
        }
        assert_eq!(Said::new(&verdict, None).listed, ["a: why"]);
        let answer = reason("2 failed: a\n- a: why\n- b\n- c\n- b");
        assert_eq!(Said::new(&verdict, Some(&answer)).listed, ["a: why", "b", "c"]);
    }
}
