//! The figures of a report.

use jiff::Timestamp;
use stagegate_delivery::{GateOutcomes, Report};

use crate::world::{End, observed, rule, tell};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_four_keys_of_a_fortnight() {
    // One execution about every 20 hours from Monday, 5 January.
    let ends =
        [End::Deployed, End::FailsInProduction, End::Deployed, End::StoppedByTheGate, End::Rejected, End::Deployed];
    let report = Report::new(&observed(&tell(&ends, 10)), |_| Some(rule()), None, at("2026-01-19T09:00:00Z"));
    let [web] = report.pipelines.as_slice() else { panic!("{report:?}") };
    assert_eq!((report.since, web.executions), (at("2026-01-05T09:00:00Z"), 6));
    assert_eq!((web.deployments.len(), web.changes, web.failed_changes), (3, 4, 1));
    assert_eq!((web.deployments_per_week, web.failure_rate), (1.5, Some(0.25)));
    let weeks: Vec<_> =
        web.weeks.iter().map(|week| (week.monday.to_string(), week.deployments, week.failed_changes)).collect();
    assert_eq!(weeks, [("2026-01-05".into(), 3, 1), ("2026-01-12".into(), 0, 0), ("2026-01-19".into(), 0, 0)]);
    assert_eq!(web.lead_time.unwrap().median, 170.0);
    let restored = web.restore_time.unwrap();
    assert_eq!(restored.count, 1);
    // 20 hours to the next execution, and a few minutes until it was deployed.
    assert!((72_000.0..73_000.0).contains(&restored.median), "{restored:?}");
    assert_eq!(web.stages.iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>(), crate::world::STAGES);
    assert_eq!(web.gates, [GateOutcomes { gate: "web-tests".into(), passed: 5, inconclusive: 0, failed: 1 }]);
    let [wait] = web.approvals.as_slice() else { panic!("{:?}", web.approvals) };
    assert_eq!((wait.stage.as_str(), wait.spread.count, wait.spread.max), ("Approve", 5, 10.0));
    assert_eq!(web.broken_since, None);
}

/// What is before the time is not counted, but known: a restoration has its whole length.
#[test]
fn a_report_has_a_beginning() {
    let ends = [End::Deployed, End::FailsInProduction, End::Deployed];
    let told = observed(&tell(&ends, 10));
    let report = Report::new(&told, |_| Some(rule()), Some(at("2026-01-06T12:00:00Z")), at("2026-01-08T00:00:00Z"));
    let web = &report.pipelines[0];
    assert_eq!((web.deployments.len(), web.failed_changes, web.restorations.len()), (1, 0, 1));
    assert!(web.restorations[0].failed < report.since, "{:?}", web.restorations);
    // Less than a week counts as one.
    assert_eq!(web.deployments_per_week, 1.0);
}

/// What is after the time is not known: what was restored later is broken, and what broke later is not.
#[test]
fn a_report_has_an_end() {
    let ends = [End::Deployed, End::FailsInProduction, End::Deployed];
    let told = observed(&tell(&ends, 10));
    let day = |until: &str| {
        let report = Report::new(&told, |_| Some(rule()), None, at(until));
        let web = &report.pipelines[0];
        (web.failed_changes, web.broken_since.is_some(), web.restorations.len())
    };
    assert_eq!(day("2026-01-06T00:00:00Z"), (0, false, 0));
    assert_eq!(day("2026-01-06T12:00:00Z"), (1, true, 0));
    assert_eq!(day("2026-01-08T00:00:00Z"), (1, false, 1));
}

/// Nothing is said about what is not known: no rate of nothing, no production where none is named.
#[test]
fn nothing_is_made_up() {
    let until = at("2026-01-19T09:00:00Z");
    let empty = Report::new(&[], |_| Some(rule()), None, until);
    assert_eq!((empty.pipelines.len(), empty.since), (0, until));
    let report = Report::new(&observed(&tell(&[End::Rejected], 10)), |_| Some(rule()), None, until);
    assert_eq!((report.pipelines[0].failure_rate, report.pipelines[0].lead_time), (None, None));
    let report = Report::new(&observed(&tell(&[End::Deployed], 10)), |_| None, None, until);
    assert_eq!((report.pipelines[0].production.as_deref(), report.pipelines[0].changes), (None, 0));
    assert_eq!(report.pipelines[0].stages.len(), 4);
}
