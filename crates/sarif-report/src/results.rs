//! The results of a run, counted by what decides about them.
//!
//! A result without a level of its own gets it from its rule, and a JSON object's members may stand in any order. So
//! results are counted by all that decides, under the name of the rule, until the run was read to its end.

use std::collections::HashMap;

use report_input::xml::Fault;
use report_input::{ErrorKind, cut};

use crate::limits::Limits;
use crate::model::{BaselineState, Finding, Level, ProblemKind, SecuritySeverity, Which};
use crate::raw::{Location, RawResult, Score, Suppressions};
use crate::rules::{RuleName, Rules, security_severity, unknown};
use crate::summary::Summary;

/// Everything that decides how a counted result counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    rule: RuleName,
    level: Option<Level>,
    security: Option<Option<SecuritySeverity>>,
    invocation: Option<usize>,
}

/// A result that is kept until its level is known.
#[derive(Debug)]
struct Kept {
    key: usize,
    finding: Finding,
}

/// The counted results of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    keys: HashMap<Key, usize>,
    counts: Vec<u64>,
    /// The first results of each level that a result may give itself, and of those that give none.
    kept: [Vec<Kept>; 5],
    /// What is not certain about results, each sort once.
    doubts: Vec<(ProblemKind, String)>,
}

/// Different doubts that are told of one run.
const DOUBTS: usize = 20;

impl Results {
    fn doubt(&mut self, kind: ProblemKind, message: String) {
        if self.doubts.len() < DOUBTS && !self.doubts.iter().any(|(_, known)| *known == message) {
            self.doubts.push((kind, message));
        }
    }

    /// Takes in a result.
    pub(crate) fn take(&mut self, result: RawResult, limits: &Limits, summary: &mut Summary) -> Result<(), Fault> {
        let level = self.own_level(result.level.as_deref());
        if !self.is_failure(result.kind.as_deref(), level, summary) {
            return Ok(());
        }
        let Some(baseline_state) = self.baseline_state(result.baseline_state.as_deref(), summary) else {
            return Ok(());
        };
        match &result.suppressions {
            Some(Suppressions::Accepted) => {
                summary.uncounted.suppressed += 1;
                return Ok(());
            }
            Some(Suppressions::Unknown(status)) => {
                self.doubt(ProblemKind::UnknownValue, unknown("status of a suppression", status));
            }
            Some(Suppressions::Open) | None => {}
        }
        summary.without_baseline_state += u64::from(baseline_state.is_none());
        let mut doubt = None;
        let score = result
            .properties
            .and_then(|properties| properties.security_severity)
            .filter(|score| *score != Score::Empty);
        let security = score.map(|score| security_severity(Some(&score), &mut doubt));
        if let Some((kind, message)) = doubt {
            self.doubt(kind, message);
        }
        let rule = RuleName::new(result.rule, result.rule_id, result.rule_index, limits)?;
        let invocation = result.provenance.and_then(|provenance| provenance.invocation_index);
        let invocation = invocation.and_then(|index| usize::try_from(index).ok());
        let id = rule.id.to_string();
        let key = self.count(Key { rule, level, security, invocation }, limits)?;
        let class = level.map_or(4, |level| level as usize);
        if self.kept[class].len() < summary.keep {
            let (file, line) = place(result.locations.and_then(|locations| locations.0), limits);
            let message = result.message.unwrap_or_default();
            let message = message.text.or(message.markdown).or(message.id).unwrap_or_default();
            let finding = Finding {
                source: String::new(),
                tool: String::new(),
                rule: id,
                level: Level::None,
                security_severity: None,
                message: cut(&message, limits.message).to_owned(),
                file,
                line,
                baseline_state,
            };
            self.kept[class].push(Kept { key, finding });
        }
        Ok(())
    }

    fn own_level(&mut self, level: Option<&str>) -> Option<Level> {
        let name = level?;
        let level = Level::from_name(name);
        if level.is_none() {
            self.doubt(ProblemKind::UnknownValue, unknown("level", name));
        }
        Some(level.unwrap_or(Level::Error))
    }

    /// Whether a result of this kind (3.27.9) is a failure at all.
    fn is_failure(&mut self, kind: Option<&str>, level: Option<Level>, summary: &mut Summary) -> bool {
        match kind {
            None | Some("fail") => return true,
            Some("pass" | "notApplicable" | "informational") => summary.uncounted.not_failed += 1,
            Some("open" | "review") => summary.uncounted.undecided += 1,
            Some(other) => {
                self.doubt(ProblemKind::UnknownValue, unknown("kind", other));
                return true;
            }
        }
        if let Some(level @ (Level::Error | Level::Warning)) = level {
            let kind = kind.unwrap_or_default();
            let message =
                format!("a result of the kind \"{kind}\" has the level {level}, where SARIF allows only none");
            self.doubt(ProblemKind::Contradiction, message);
        }
        false
    }

    /// The baseline state of a result that counts; the outer `None` if it does not count.
    fn baseline_state(&mut self, name: Option<&str>, summary: &mut Summary) -> Option<Option<BaselineState>> {
        let state = match name {
            None => return Some(None),
            Some("new") => BaselineState::New,
            Some("unchanged") => BaselineState::Unchanged,
            Some("updated") => BaselineState::Updated,
            Some("absent") => {
                summary.uncounted.absent += 1;
                return None;
            }
            Some(other) => {
                self.doubt(ProblemKind::UnknownValue, unknown("baselineState", other));
                return Some(None);
            }
        };
        if summary.which == Which::OnlyNew && state != BaselineState::New {
            summary.uncounted.known += 1;
            return None;
        }
        Some(Some(state))
    }

    fn count(&mut self, key: Key, limits: &Limits) -> Result<usize, Fault> {
        let next = self.counts.len();
        if let Some(known) = self.keys.get(&key) {
            self.counts[*known] += 1;
            return Ok(*known);
        }
        if next >= limits.rules {
            let detail = format!("results that name their rules in more than {} ways", limits.rules);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        self.keys.insert(key, next);
        self.counts.push(1);
        Ok(next)
    }

    /// Counts everything, now that the rules are known.
    pub(crate) fn settle(mut self, source: &str, tool: &str, rules: &Rules<'_>, summary: &mut Summary) {
        let mut settled = vec![(Level::Error, None); self.counts.len()];
        // In the order of the log, so that the same log always has the same problems first.
        let mut keys: Vec<(Key, usize)> = std::mem::take(&mut self.keys).into_iter().collect();
        keys.sort_unstable_by_key(|(_, at)| *at);
        for (key, at) in keys {
            let said = rules.say(&key.rule, key.invocation, key.level.is_none());
            let level = key.level.unwrap_or(said.level);
            let security = key.security.unwrap_or(said.security);
            if let Some((kind, message)) = said.doubt.filter(|_| key.level.is_none() || key.security.is_none()) {
                self.doubt(kind, message);
            }
            settled[at] = (level, security);
            summary.counts.add(level, security, self.counts[at]);
        }
        let findings = self.kept.into_iter().flatten().map(|Kept { key, finding }| {
            let (level, security_severity) = settled[key];
            Finding { source: source.to_owned(), tool: tool.to_owned(), level, security_severity, ..finding }
        });
        summary.keep_findings(findings);
        for (kind, message) in self.doubts {
            summary.problem(crate::Problem { source: source.to_owned(), kind, message });
        }
    }
}

/// The file and the line of a result.
fn place(location: Option<Location>, limits: &Limits) -> (String, Option<u64>) {
    let Some(location) = location else { return (String::new(), None) };
    let physical = location.physical_location.unwrap_or_default();
    let uri = physical.artifact_location.and_then(|artifact| artifact.uri);
    let logical = location.logical_locations.and_then(|first| first.0);
    let name = uri.or_else(|| logical.and_then(|logical| logical.fully_qualified_name.or(logical.name)));
    let name = name.unwrap_or_default();
    let name = name.strip_prefix("file://").unwrap_or(&name);
    let line = physical.region.and_then(|region| region.start_line).and_then(|line| u64::try_from(line).ok());
    (cut(name, limits.file).to_owned(), line)
}
