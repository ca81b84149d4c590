//! The report in a terminal.

use std::fmt::Write as _;

use stagegate_delivery::{PipelineReport, Report, Spread};
use stagegate_delivery_page::{length, rate};

use crate::terminal::Style;

/// The report as text.
pub(crate) fn table(report: &Report, style: Style) -> String {
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let mut text = format!("{} to {}\n", day(report.since), day(report.until));
    if report.pipelines.is_empty() {
        text += "no execution is known in this time\n";
    }
    for pipeline in &report.pipelines {
        text += &section(pipeline, style);
    }
    text
}

fn section(report: &PipelineReport, style: Style) -> String {
    let mut text = format!("\n{}  {}", style.strong(&report.pipeline), plural(report.executions, "execution"));
    match &report.production {
        Some(production) => {
            let _ = writeln!(text, ", production is the stage {production}\n");
            text += &keys(report, style);
        }
        None => text += ", no stage is named as production\n",
    }
    let times =
        |spread: &Spread| vec![spread.count.to_string(), length(spread.median), length(spread.p90), length(spread.max)];
    let with = |name: String, rest: Vec<String>| std::iter::once(name).chain(rest).collect::<Vec<_>>();
    let stages = report.stages.iter().map(|stage| with(stage.stage.clone(), times(&stage.spread)));
    text += &rows(["stage", "times", "median", "9 of 10", "longest"], stages, style);
    let waits =
        report.approvals.iter().map(|wait| with(format!("{}/{}", wait.stage, wait.action), times(&wait.spread)));
    text += &rows(["approval", "times", "median", "9 of 10", "longest"], waits, style);
    let gates = report.gates.iter().map(|gate| {
        let counts = [gate.passed, gate.inconclusive, gate.failed].map(|count| count.to_string());
        with(gate.gate.clone(), counts.to_vec())
    });
    text += &rows(["gate", "passed", "inconclusive", "failed"], gates, style);
    text
}

/// The four keys.
fn keys(report: &PipelineReport, style: Style) -> String {
    let unknown = || "–".to_owned();
    let spread = |spread: Option<Spread>| spread.map_or_else(unknown, |spread| length(spread.median));
    let failed = plural(report.changes, "change");
    let restored = match (report.broken_since, report.restore_time) {
        (Some(since), _) => style.bad(format_args!("broken since {}", since.strftime("%Y-%m-%d %H:%M UTC"))),
        (None, Some(spread)) => format!("median; the longest {}", length(spread.max)),
        (None, None) => "never broken".to_owned(),
    };
    let lead = report.lead_time.map(|spread| format!("median; 9 of 10 within {}", length(spread.p90)));
    let all = [
        (
            "deployments a week",
            format!("{:.1}", report.deployments_per_week),
            format!("{} in all", report.deployments.len()),
        ),
        ("lead time", spread(report.lead_time), lead.unwrap_or_default()),
        (
            "change failure rate",
            report.failure_rate.map_or_else(unknown, rate),
            format!("{} of {failed}", report.failed_changes),
        ),
        ("time to restore", spread(report.restore_time), restored),
    ];
    let mut text = String::new();
    for (name, value, note) in all {
        let _ = writeln!(text, "  {name:<20}  {value:>12}   {}", style.faint(note));
    }
    text
}

/// A table whose first column is a name; nothing where it has no rows.
fn rows<const N: usize>(head: [&str; N], rows: impl Iterator<Item = Vec<String>>, style: Style) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |cells: &[String]| {
        let mut line = format!("  {:<1$}", cells[0], widths[0]);
        for (cell, width) in cells.iter().zip(&widths).skip(1) {
            let _ = write!(line, "  {cell:>width$}");
        }
        line
    };
    let mut text = format!("\n{}\n", style.faint(line(&head.map(str::to_owned))));
    for row in &rows {
        text += &line(row);
        text.push('\n');
    }
    text
}

fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
