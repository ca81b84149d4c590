//! Whether the records are whole: each as it was written, and none of them missing.

use std::collections::{BTreeMap, BTreeSet};

use stagegate_approval::{Approval, Audit, Outcome, Reason, Ruling, VerdictNote};
use stagegate_release::Override;
use stagegate_state_store::{Key, RawDocument};
use stagegate_verdict::Verdict;

use super::record::{Entry, Record};
use super::{Finding, Source};
use crate::exit::CommandError;

/// Everything that is wrong with the records, or missing.
pub(super) async fn verify(source: &Source, records: &[Record]) -> Result<Vec<Finding>, CommandError> {
    let mut findings = Vec::new();
    for record in records {
        of_record(record, &mut findings);
    }
    for record in records {
        if let Entry::Approval(audit) = &record.entry {
            evidence(source, &record.key, audit, &mut findings).await?;
        }
    }
    kept_approvals(source, records, &mut findings).await?;
    missing_overrides(source, records, &mut findings).await?;
    Ok(findings)
}

/// What a record says about itself.
fn of_record(record: &Record, findings: &mut Vec<Finding>) {
    let key = &record.key;
    if record.earlier_writes > 0 {
        findings.push(Finding::broken(key, "it was written over; a record is written once"));
    }
    let expected = match &record.entry {
        Entry::Approval(audit) => audit.key().to_string(),
        Entry::Override(_) => format!("audit/{}/{}.json", record.day(), record.id()),
    };
    if *key != expected {
        findings
            .push(Finding::broken(key, format!("it belongs to {expected}; it was moved, or its content was changed")));
    }
    match &record.entry {
        Entry::Approval(audit) => findings.extend(votes(audit).map(|what| Finding::broken(key, what))),
        Entry::Override(given) => {
            let given = &given.given;
            if given.who.trim().is_empty() || given.why.trim().is_empty() {
                findings.push(Finding::broken(key, "it does not say who gave the override and why"));
            }
        }
    }
}

/// Whether the votes of a record carry what it says was decided by them.
fn votes(audit: &Audit) -> Option<String> {
    let people: BTreeSet<_> = audit.votes.iter().map(|vote| &vote.user).collect();
    if people.len() != audit.votes.len() {
        return Some("somebody's vote is counted twice".to_owned());
    }
    let Outcome::Desk { decision, .. } = &audit.outcome else { return None };
    if decision.reason != Reason::Votes {
        return None;
    }
    let needed = match decision.ruling {
        Ruling::Approved => audit.terms.quorum,
        Ruling::Rejected => audit.terms.rejections,
    };
    let found = audit.votes.iter().filter(|vote| vote.ruling == decision.ruling).count();
    (u32::try_from(found).unwrap_or(u32::MAX) < needed)
        .then(|| format!("it says that votes decided it, and holds {found} of the {needed} that were needed"))
}

/// Whether the verdicts that were shown are still those that are kept.
async fn evidence(source: &Source, key: &str, audit: &Audit, findings: &mut Vec<Finding>) -> Result<(), CommandError> {
    let Some(execution) = &audit.execution else { return Ok(()) };
    let shown = audit.release.verdicts.iter().chain(&audit.automatic);
    for note in shown {
        let kept = Key::verdict(execution, &note.gate);
        let Some(bytes) = source.read(kept.as_str()).await? else {
            findings.push(Finding::note(key, format!("the verdict of {} is not kept any more", note.gate)));
            continue;
        };
        let verdict = RawDocument::new(bytes).and_then(|raw| raw.open::<Verdict>());
        findings.extend(match verdict {
            Err(error) => Some(Finding::broken(kept.as_str(), error.to_string())),
            Ok(verdict) => compared(key, note, &verdict),
        });
    }
    Ok(())
}

fn compared(key: &str, shown: &VerdictNote, kept: &Verdict) -> Option<Finding> {
    if stagegate_desk::note(kept).digest == shown.digest {
        return None;
    }
    let gate = &shown.gate;
    Some(match kept.at() > shown.at {
        true => Finding::note(key, format!("the gate {gate} has judged the execution again since")),
        false => {
            Finding::broken(key, format!("the verdict of {gate} that is kept is not the one that people were shown"))
        }
    })
}

/// Every approval whose record says that it is audited, and every override in such a record, has its record here.
async fn kept_approvals(source: &Source, records: &[Record], findings: &mut Vec<Finding>) -> Result<(), CommandError> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for record in records {
        if let Entry::Approval(audit) = &record.entry
            && let Some(other) = seen.insert(audit.id.as_str(), &record.key)
        {
            findings.push(Finding::broken(&record.key, format!("the same approval is audited in {other}")));
        }
    }
    for key in source.list("approvals/").await? {
        let Some(bytes) = source.read(&key).await? else { continue };
        match RawDocument::new(bytes).and_then(|raw| raw.open::<Approval>()) {
            Err(error) => findings.push(Finding::broken(&key, error.to_string())),
            Ok(approval) => {
                if approval.outcome().is_some() && !approval.is_audited {
                    findings.push(Finding::note(&key, "it is over, and its record is yet to be written"));
                } else if approval.outcome().is_some() && !seen.contains_key(approval.id.as_str()) {
                    findings.push(Finding::broken(&key, "it was decided and audited, and there is no record of it"));
                }
                findings.extend(unaudited_override(&approval, records).map(|what| Finding::broken(&key, what)));
            }
        }
    }
    Ok(())
}

/// What is wrong with the override in an approval's record, if there is one. It is audited before it is kept.
fn unaudited_override(approval: &Approval, records: &[Record]) -> Option<String> {
    let kept = approval.looks.overridden.as_ref()?;
    let gate = approval.terms.automatic.as_ref().map(|terms| terms.gate.as_str());
    let (who, why) = (kept.who(), approval.token.kept_out_of(&kept.why));
    let is_it = |record: &Record| {
        let Entry::Override(entry) = &record.entry else { return false };
        let given = &entry.given;
        let is_of_gate = Some(given.execution.as_str()) == approval.execution.as_deref() && Some(&*given.gate) == gate;
        is_of_gate && (&given.who, &given.why, given.at) == (&who, &why, kept.at)
    };
    let message = "its gate was overridden, and there is no record of who gave it";
    (!records.iter().any(is_it)).then(|| message.to_owned())
}

/// Every override that is kept has its record here.
async fn missing_overrides(
    source: &Source,
    records: &[Record],
    findings: &mut Vec<Finding>,
) -> Result<(), CommandError> {
    for key in source.list("overrides/").await? {
        let Some(bytes) = source.read(&key).await? else { continue };
        match RawDocument::new(bytes).and_then(|raw| raw.open::<Override>()) {
            Err(error) => findings.push(Finding::broken(&key, error.to_string())),
            Ok(kept) => {
                let is_it = |record: &Record| matches!(&record.entry, Entry::Override(given) if given.given == kept);
                if !records.iter().any(is_it) {
                    findings.push(Finding::broken(&key, "it holds, and there is no record of who gave it"));
                }
            }
        }
    }
    Ok(())
}
