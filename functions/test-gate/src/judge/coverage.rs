//! The rules under `coverage`.

use stagegate_config::{CoveragePolicy, Percentage, Rule};
use stagegate_verdict::{Coverage, Finding, Outcome, Share, grouped};

use super::comparison::Comparing;
use super::files;
use super::words::limited;
use crate::evidence::{CoverageEvidence, Kind};

pub(super) struct Judged {
    /// The figures; none where no report could be read.
    pub(super) figures: Option<Coverage>,
    pub(super) findings: Vec<Finding>,
}

pub(super) fn judge(
    policy: &CoveragePolicy,
    evidence: CoverageEvidence,
    places: &[String],
    comparing: &Comparing<'_>,
) -> Judged {
    let found = files::found(Kind::Coverage, &evidence.files, places);
    let readable = files::readable(Kind::Coverage, &evidence.files);
    let known = evidence.files.read.iter().any(|file| file.outcome.is_ok());
    let is_bad = files::are_bad(&evidence.files);
    let merged = evidence.merger.finish();
    let (line, branch) = (merged.coverage().line, merged.coverage().branch);
    let figures =
        Coverage { line: Share::new(line.covered, line.total), branch: Share::new(branch.covered, branch.total) };
    let mut findings: Vec<_> = [found, readable].into_iter().flatten().collect();
    findings.extend(files::consistent(Kind::Coverage, merged.problems(), merged.problem_count()));
    // Figures of nothing would only repeat that the reports are missing.
    if known || !is_bad {
        findings.extend(policy.min_line.map(|rule| at_least("coverage.min_line", "lines", &figures.line, &rule)));
        findings
            .extend(policy.min_branch.map(|rule| at_least("coverage.min_branch", "branches", &figures.branch, &rule)));
        findings.extend(policy.max_drop.map(|rule| drop_of(policy, &figures.line, &rule, comparing)));
    }
    Judged { figures: known.then_some(figures), findings }
}

fn at_least(name: &str, noun: &str, share: &Share, rule: &Rule<Percentage>) -> Finding {
    let (percent, total, limit) = (&share.percent, grouped(share.total), rule.limit);
    let reached = rule.limit.is_reached(share.covered, share.total);
    let message = match (share.total, reached) {
        (0, _) => format!("the reports count no {noun}, so none can be {limit} % covered"),
        (_, true) => format!("{percent} % of {total} {noun} covered (at least {limit} %)"),
        (_, false) => format!("only {percent} % of {total} {noun} covered (at least {limit} % must be)"),
    };
    limited(name, reached, rule, message).measured(percent, limit)
}

/// By how much less of the lines is covered than in the baseline.
fn drop_of(policy: &CoveragePolicy, now: &Share, rule: &Rule<f64>, comparing: &Comparing<'_>) -> Finding {
    const NAME: &str = "coverage.max_drop";
    let before = comparing.baseline.and_then(|baseline| baseline.coverage.as_ref());
    let named = comparing.named();
    if now.total == 0 {
        let then = before.map(|before| format!(", {} % were covered before{named}", before.percent));
        let message = format!("the reports count no lines{}", then.unwrap_or_default());
        return Finding::new(NAME, Outcome::Failed, message).shadowed(rule.shadow);
    }
    let Some(before) = before else { return comparing.without(NAME, rule) };
    let drop = (points(before) - points(now)).max(0.0);
    let is_low = drop > rule.limit + ROUNDING;
    let (small, more) = is_small(before, now, policy.ignore_drop_below_lines);
    let good = !is_low || small;
    let (percent, known, limit) = (&now.percent, &before.percent, rule.limit);
    let message = match (is_low, small) {
        (true, true) => format!(
            "{percent} % of lines covered, {known} % before, but only {} more lines are uncovered: too few to count{named}",
            grouped(more)
        ),
        _ => format!("{percent} % of lines covered, {known} % before (may drop by {limit} points){named}"),
    };
    limited(NAME, good, rule, message).measured(format!("{drop:.2}"), limit)
}

/// Whether so few lines have changed that the drop does not count, and how many more are uncovered. Lines that are gone
/// count as well: of a program that has shrunk to its uncovered lines, none more is uncovered.
fn is_small(before: &Share, now: &Share, lines: u64) -> (bool, u64) {
    let uncovered = |share: &Share| share.total.saturating_sub(share.covered);
    let more = uncovered(now).saturating_sub(uncovered(before));
    let gone = before.total.saturating_sub(now.total).max(before.covered.saturating_sub(now.covered));
    (more < lines && gone < lines, more)
}

/// Far less than one line of any program, and more than what is lost where two percentages are subtracted.
const ROUNDING: f64 = 1e-9;

fn points(share: &Share) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^53")]
    let (covered, total) = (share.covered as f64, share.total.max(1) as f64);
    covered * 100.0 / total
}
