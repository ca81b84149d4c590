//! The rules under `sarif`.

use sarif_report::{Counts, Level};
use stagegate_config::{Rule, SarifPolicy, Severity};
use stagegate_verdict::{Finding, SarifCounts, grouped};

use super::words::{limited, plural};
use super::{LISTED, files};
use crate::evidence::{Kind, SarifEvidence};

pub(super) struct Judged {
    /// The figures; none where no log could be read.
    pub(super) counts: Option<SarifCounts>,
    pub(super) findings: Vec<Finding>,
}

pub(super) fn judge(policy: &SarifPolicy, evidence: &SarifEvidence, places: &[String]) -> Judged {
    let summary = &evidence.summary;
    let counts = summary.counts();
    let mut findings: Vec<_> =
        [files::found(Kind::Sarif, &evidence.files, places), files::readable(Kind::Sarif, &evidence.files)]
            .into_iter()
            .flatten()
            .collect();
    findings.extend(files::consistent(Kind::Sarif, summary.problems(), summary.problem_count()));
    let known = evidence.files.read.iter().any(|file| file.outcome.is_ok());
    let no_log = !known && !files::are_bad(&evidence.files);
    let limits = [policy.max_error, policy.max_warning, policy.max_note];
    let nothing_asked = limits.iter().all(Option::is_none) && policy.max_security_severity.is_none();
    let max_error = if nothing_asked { Some(Rule::from(0)) } else { policy.max_error };
    let levels = [
        ("sarif.max_error", max_error, Level::Error, counts.error),
        ("sarif.max_warning", policy.max_warning, Level::Warning, counts.warning),
        ("sarif.max_note", policy.max_note, Level::Note, counts.note),
    ];
    for (name, rule, level, count) in levels {
        findings.extend(rule.map(|rule| match no_log {
            true => without_log(name, &rule, &format!("results of level {level}")),
            false => at_most(name, &rule, level, count, evidence),
        }));
    }
    findings.extend(policy.max_security_severity.map(|rule| match no_log {
        true => without_log("sarif.max_security_severity", &rule, "security findings"),
        false => severity(&rule, &counts, evidence),
    }));
    let figures = SarifCounts { error: counts.error, warning: counts.warning, note: counts.note };
    Judged { counts: known.then_some(figures), findings }
}

/// Without any log there are no results, and nothing that says so.
fn without_log<T>(name: &str, rule: &Rule<T>, what: &str) -> Finding {
    limited(name, false, rule, format!("there is no log, so nothing tells whether there are {what}"))
}

fn at_most(name: &str, rule: &Rule<u64>, level: Level, count: u64, evidence: &SarifEvidence) -> Finding {
    let kind = match evidence.summary.which() {
        sarif_report::Which::All => "result",
        sarif_report::Which::OnlyNew => "new result",
    };
    let counted = format!("{} of level {level}", plural(count, kind));
    let subjects = evidence.summary.findings().iter().filter(|finding| finding.level == level);
    let subjects: Vec<_> = subjects.take(LISTED).map(ToString::to_string).collect();
    let first = subjects.first().map(|first| format!(", such as {first}")).unwrap_or_default();
    let message =
        format!("{counted} (limit {}){}", grouped(rule.limit), if count > rule.limit { first } else { String::new() });
    limited(name, count <= rule.limit, rule, message).measured(count, rule.limit).about(subjects)
}

fn severity(rule: &Rule<Severity>, counts: &Counts, evidence: &SarifEvidence) -> Finding {
    let bands = [
        (Severity::Critical, counts.critical),
        (Severity::High, counts.high),
        (Severity::Medium, counts.medium),
        (Severity::Low, counts.low),
    ];
    let worst = bands.iter().find(|(_, count)| *count > 0);
    let observed = worst.map_or(Severity::None, |(band, _)| *band);
    let limit = rule.limit;
    let above: u64 = bands.iter().filter(|(band, _)| *band > limit).map(|(_, count)| count).sum();
    let message = match above {
        0 => format!("no security finding above {}", limit.as_str()),
        _ => format!(
            "{} above {}, the worst is {}",
            plural(above, "security finding"),
            limit.as_str(),
            observed.as_str()
        ),
    };
    let subjects = evidence.summary.findings().iter().filter(|finding| {
        finding.security_severity.is_some_and(|severity| severity.name() != "low" || limit < Severity::Low)
    });
    let subjects = subjects.take(LISTED).map(ToString::to_string);
    let subjects: Vec<_> = if above > 0 { subjects.collect() } else { Vec::new() };
    limited("sarif.max_security_severity", above == 0, rule, message)
        .measured(observed.as_str(), limit.as_str())
        .about(subjects)
}
