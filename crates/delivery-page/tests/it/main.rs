//! The page, without a browser.

use stagegate_delivery::{
    ApprovalWaits, Deployment, GateOutcomes, Origin, PipelineReport, Report, Restoration, Spread, StageDurations, Week,
};
use stagegate_delivery_page::{figures, page};

const HOSTILE: &str = "\"><script>alert(1)</script>";

fn spread(values: &[f64]) -> Spread {
    Spread::of(values.iter().copied()).expect("there are values")
}

fn report(name: &str) -> Report {
    let at = |text: &str| text.parse().expect("a time");
    let pipeline = PipelineReport {
        pipeline: name.to_owned(),
        production: Some("Production".to_owned()),
        executions: 7,
        deployments: vec![Deployment {
            execution: name.to_owned(),
            at: at("2026-01-05T09:00:00Z"),
            lead_time: Some(754.0),
            origin: Some(Origin::Execution),
        }],
        weeks: vec![Week { monday: "2026-01-05".parse().expect("a day"), deployments: 1, failed_changes: 1 }],
        deployments_per_week: 1.5,
        lead_time: Some(spread(&[754.0])),
        changes: 4,
        failed_changes: 1,
        failure_rate: Some(0.25),
        restorations: vec![Restoration {
            execution: name.to_owned(),
            failed: at("2026-01-05T09:00:00Z"),
            restored: at("2026-01-05T12:12:00Z"),
            by_rollback: true,
        }],
        restore_time: Some(spread(&[11_520.0])),
        broken_since: None,
        stages: vec![StageDurations { stage: name.to_owned(), spread: spread(&[30.0, 60.0]) }],
        gates: vec![GateOutcomes { gate: name.to_owned(), passed: 5, inconclusive: 1, failed: 2 }],
        approvals: vec![ApprovalWaits { stage: name.to_owned(), action: name.to_owned(), spread: spread(&[61.0]) }],
    };
    Report { since: at("2026-01-05T09:00:00Z"), until: at("2026-01-19T09:00:00Z"), pipelines: vec![pipeline] }
}

#[test]
fn every_figure_and_plot_is_on_the_page() {
    let page = page(&report("web")).into_string();
    for word in [
        "<h2>web</h2>",
        "Deployments a week",
        "1.5",
        "12 min",
        "25 %",
        "1 of 4 changes",
        "3 h 12 min",
        "by a rollback",
        "5 passed, 1 inconclusive, 2 failed",
        "1 min 1 s",
        "the start of the execution",
        "data-plot=\"weeks\"",
        "data-plot=\"lead-time\"",
        "data-plot=\"failure-rate\"",
        "data-plot=\"restore-time\"",
        "data-plot=\"stages\"",
        "data-plot=\"gates\"",
        "data-plot=\"approvals\"",
    ] {
        assert!(page.contains(word), "lacks {word}: {page}");
    }
}

/// The page is one file that asks for nothing from anywhere.
#[test]
fn the_page_stands_alone() {
    let page = page(&report("web")).into_string();
    for word in ["<script", "<link", "src=", "http://", "https://", "url(", "@import"] {
        assert!(!page.contains(word), "has {word}: {page}");
    }
}

#[test]
fn names_from_pipelines_are_text() {
    let report = report(HOSTILE);
    let page = page(&report).into_string() + &figures(&report.pipelines[0]).into_string();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
}

/// Nothing is drawn of nothing, and it is said.
#[test]
fn what_is_not_known_is_said() {
    let mut report = report("web");
    let pipeline = &mut report.pipelines[0];
    *pipeline = PipelineReport {
        deployments: Vec::new(),
        weeks: Vec::new(),
        lead_time: None,
        changes: 0,
        failed_changes: 0,
        failure_rate: None,
        restorations: Vec::new(),
        restore_time: None,
        stages: Vec::new(),
        gates: Vec::new(),
        approvals: Vec::new(),
        ..pipeline.clone()
    };
    let text = page(&report).into_string();
    assert!(!text.contains("<svg") && !text.contains("NaN") && text.contains("There was no deployment."), "{text}");
    report.pipelines[0].production = None;
    let text = page(&report).into_string();
    assert!(text.contains("No stage is named as production"), "{text}");
    report.pipelines.clear();
    assert!(page(&report).into_string().contains("No execution is known in this time."));
}
