//! `stagegate audit`: who has decided and overridden what, and whether the records are whole.

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_config::NamePattern;

use crate::args::AuditOptions;
use crate::audit::{Entry, Filter, Finding, Record, Source, Trail};
use crate::exit::{CommandError, Exit};
use crate::terminal::{Style, put, say};

pub(crate) fn run(options: &AuditOptions) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::unavailable(format!("start: {error}")))?;
    let trail = runtime.block_on(async {
        let source = Source::new(options).await?;
        Trail::read(&source).await
    })?;
    let filter = filter(options)?;
    let wanted: Vec<_> = trail.records.iter().filter(|record| filter.wants(record)).collect();
    if options.id.is_some() && wanted.is_empty() {
        return Err(CommandError::wrong_call("show the record: none has an id that begins so"));
    }
    match options.json {
        true => put(as_json(&trail, &wanted)?),
        false => print(&trail, &wanted, options.id.is_some()),
    }
    Ok(if trail.is_complete() { Exit::Passed } else { Exit::Failed })
}

fn filter(options: &AuditOptions) -> Result<Filter, CommandError> {
    if let (Some(from), Some(to)) = (options.from, options.to)
        && from > to
    {
        return Err(CommandError::wrong_call(format!("choose records: {from} is after {to}")));
    }
    Ok(Filter {
        id: options.id.clone(),
        pipeline: options.pipeline.as_deref().map(NamePattern::new),
        from: options.from,
        to: options.to,
        by: options.by.clone(),
    })
}

fn as_json(trail: &Trail, wanted: &[&Record]) -> Result<String, CommandError> {
    let failed = |error: serde_json::Error| CommandError::unavailable(format!("write JSON: {error}"));
    let mut records = Vec::new();
    for record in wanted {
        let (kind, document) = match &record.entry {
            Entry::Approval(audit) => ("approval", serde_json::to_value(audit).map_err(failed)?),
            Entry::Override(given) => ("override", serde_json::to_value(given).map_err(failed)?),
        };
        records.push(json!({"key": record.key, "kind": kind, "record": document}));
    }
    let findings = trail
        .findings
        .iter()
        .map(|finding| json!({"key": finding.key, "message": finding.what, "broken": finding.is_broken}));
    let findings: Vec<Value> = findings.collect();
    let value = json!({"complete": trail.is_complete(), "records": records, "findings": findings});
    serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(failed)
}

fn print(trail: &Trail, wanted: &[&Record], in_full: bool) {
    let style = Style::of_stdout();
    for record in wanted {
        say(line(style, record));
        if in_full {
            details(record);
        }
    }
    for Finding { key, what, is_broken } in &trail.findings {
        let sign = if *is_broken { style.bad("✗") } else { style.waiting("·") };
        say(format_args!("{sign} {key}: {what}"));
    }
    let (shown, all) = (wanted.len(), trail.records.len());
    let broken = trail.findings.iter().filter(|finding| finding.is_broken).count();
    let verdict = match broken {
        0 => style.good("nothing is missing or was changed"),
        1 => style.bad("1 thing is missing or was changed"),
        several => style.bad(format!("{several} things are missing or were changed")),
    };
    say(format_args!("{shown} of {all} records; {verdict}"));
}

fn line(style: Style, record: &Record) -> String {
    let word = match record.word() {
        word @ "approved" => style.good(format!("{word:10}")),
        word @ "rejected" => style.bad(format!("{word:10}")),
        word => style.waiting(format!("{word:10}")),
    };
    let what = match &record.entry {
        Entry::Approval(audit) => format!("{} {}, {}", audit.place.pipeline, audit.place.stage, audit.place.action),
        Entry::Override(given) => {
            format!("{} {} through {}", given.given.pipeline, given.given.execution, given.given.gate)
        }
    };
    let short: String = record.id().chars().take(8).collect();
    let id = if matches!(record.entry, Entry::Approval(_)) { &short } else { record.id() };
    format!("{}  {word}  {what}  {}  {}", minutes(record.at()), one_line(&record.by()), style.faint(id))
}

/// Everything else that a record says.
fn details(record: &Record) {
    let field = |name: &str, value: String| say(format_args!("    {name:12} {}", one_line(&value)));
    match &record.entry {
        Entry::Override(given) => {
            field("until", minutes(given.given.until));
            let verified = given.verified.clone();
            field("known by", verified.unwrap_or_else(|| "what the caller of the command said".to_owned()));
        }
        Entry::Approval(audit) => {
            field("id", audit.id.to_string());
            field("requested", minutes(audit.requested_at));
            field("execution", audit.execution.clone().unwrap_or_else(|| "not known".to_owned()));
            for revision in &audit.release.revisions {
                field("change", format!("{} {}", revision.id, revision.message.as_deref().unwrap_or_default()));
            }
            for vote in &audit.votes {
                let comment = vote.comment.as_deref().map(|comment| format!(": {comment}")).unwrap_or_default();
                let (name, user, ruling) = (&vote.name, &vote.user, vote.ruling.as_str());
                field("vote", format!("{ruling} by {name} ({user}) {}{comment}", minutes(vote.at)));
            }
            for verdict in audit.release.verdicts.iter().chain(&audit.automatic) {
                field(
                    "verdict",
                    format!("{} {}: {} ({})", verdict.gate, verdict.outcome, verdict.summary, verdict.digest),
                );
            }
            audit.messages.iter().for_each(|message| field("message", message.clone()));
        }
    }
}

fn minutes(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What people wrote cannot move the cursor or end a line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
