//! What counts as what, case by case.

use jiff::{SignedDuration, Timestamp};
use stagegate_delivery::{Metric, Origin, Production, measure};
use stagegate_notice::{ActionState, Picture};
use stagegate_verdict::Outcome;

use crate::world::{End, PIPELINE, picture, rule, rule_of, tell};

fn known(end: End) -> Picture {
    let told = tell(&[end], 10);
    picture(&told[0].events, Some(&told[0].answers))
}

fn value(picture: &Picture, metric: Metric) -> Option<f64> {
    let found = measure(PIPELINE, "e1", picture, Some(&rule()));
    found.iter().find(|measurement| measurement.metric == metric).map(|measurement| measurement.value)
}

/// From the commit where it is known and older than the execution, else from the beginning of the execution.
#[test]
fn lead_time_begins_with_the_revision_where_that_is_known() {
    let told = tell(&[End::Deployed], 10);
    let mut picture = known(End::Deployed);
    let lead = |picture: &Picture| {
        let found = measure(PIPELINE, "e1", picture, Some(&rule()));
        let lead = found.into_iter().find(|measurement| measurement.metric == Metric::LeadTime);
        lead.map(|lead| (lead.value, lead.origin.unwrap()))
    };
    // Eighteen events, ten seconds apart, up to the end of Production.
    let (from_start, origin) = lead(&picture).unwrap();
    assert_eq!(origin, Origin::Execution);
    picture.about.created = Some("2026-01-05T08:00:00Z".parse().unwrap());
    assert_eq!(lead(&picture), Some((from_start + 3600.0, Origin::Revision)));
    // No revision is younger than what releases it.
    picture.about.created = Some("2026-01-05T10:00:00Z".parse().unwrap());
    assert_eq!(lead(&picture), Some((from_start, Origin::Execution)));
    // Before CodePipeline was asked, nobody knows.
    picture.about.are_sources_looked_up = false;
    assert_eq!(lead(&picture), None);
    assert_eq!(told[0].events.len(), 18);
    assert!((from_start - 170.0).abs() < f64::EPSILON, "{from_start}");
}

/// A gate that was asked again counts again, in whatever order its verdicts are read.
#[test]
fn each_verdict_counts() {
    let at = |minute: i64| "2026-01-05T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute);
    let verdicts = [(1, Outcome::Failed), (2, Outcome::Inconclusive), (3, Outcome::Passed), (3, Outcome::Passed)];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
        let mut picture = Picture::default();
        for (minute, outcome) in order.map(|number: usize| verdicts[number]) {
            let mut read = Picture::default();
            read.judgements.entry("web-tests".to_owned()).or_default().insert(at(minute), outcome);
            picture.join(&read);
        }
        let metrics = measure(PIPELINE, "e1", &picture, None).into_iter().map(|measurement| measurement.metric);
        assert_eq!(
            metrics.collect::<Vec<_>>(),
            [Metric::GateFailed, Metric::GateInconclusive, Metric::GatePassed],
            "{order:?}"
        );
    }
}

#[test]
fn stages_and_approvals_are_timed() {
    let picture = known(End::Deployed);
    let measured = measure(PIPELINE, "e1", &picture, Some(&rule()));
    let of = |metric| {
        let these = measured.iter().filter(move |measurement| measurement.metric == metric);
        these.map(|one| (one.subject.stage.as_deref().unwrap(), one.value)).collect::<Vec<_>>()
    };
    let thirty = ["Approve", "Production", "Source", "Test"].map(|stage| (stage, 30.0));
    assert_eq!(of(Metric::StageDuration), thirty);
    assert_eq!(of(Metric::ApprovalWait), [("Approve", 10.0)]);
    // A rejected one has waited as well; the stage has no duration, since it has not succeeded.
    let rejected = measure(PIPELINE, "e1", &known(End::Rejected), Some(&rule()));
    assert!(rejected.iter().any(|one| one.metric == Metric::ApprovalWait));
    assert!(!rejected.iter().any(|one| one.key == "stage/Approve"));
}

/// What never touched production is no change: stopped by a gate, rejected, of another pipeline, a rollback.
#[test]
fn what_has_not_changed_production_is_no_change() {
    for end in [End::StoppedByTheGate, End::Rejected, End::RollsBack] {
        let picture = known(end);
        assert_eq!(value(&picture, Metric::Changes), None, "{end:?}");
        assert_eq!(value(&picture, Metric::Deployments), None, "{end:?}");
    }
    let none = measure(PIPELINE, "e1", &known(End::Deployed), None);
    assert!(none.iter().all(|one| !matches!(one.metric, Metric::Changes | Metric::Deployments | Metric::LeadTime)));
    assert!(none.iter().any(|one| one.metric == Metric::StageDuration));
}

/// An approval in the production stage itself that is rejected has changed nothing either, and what fails in front of the
/// action that deploys has not, where that action is named.
#[test]
fn what_fails_before_the_deployment_is_no_failed_change() {
    let with = |name: &str, category: &str| {
        let mut picture = known(End::FailsInProduction);
        let failed = picture.actions.values_mut().find(|action| action.state == ActionState::Failed).unwrap();
        (failed.name, failed.category) = (Some(name.to_owned()), Some(category.to_owned()));
        picture
    };
    let named = rule_of("delivery: [{pipeline: web, deployed_by: [Deploy]}]");
    for (picture, rule, expected) in [
        (with("Approve", "Approval"), rule(), 0),
        (with("Gate", "Invoke"), rule(), 1),
        (with("Gate", "Invoke"), named.clone(), 0),
        (with("Deploy", "Deploy"), named.clone(), 1),
    ] {
        let mut production = Production::default();
        production.note("e1", &picture, &rule);
        assert_eq!(production.failures().len(), expected, "{:?} {rule:?}", picture.actions.values().last());
    }
    // A check behind the action that deploys fails the change.
    let mut picture = known(End::FailsAndIsRetried);
    let mut of_production = picture.actions.iter().filter(|(_, action)| action.stage.as_deref() == Some("Production"));
    let check = of_production.next_back().unwrap().0.clone();
    picture.actions.values_mut().for_each(|action| {
        if action.state == ActionState::Failed {
            action.state = ActionState::Succeeded;
        }
    });
    let check = picture.actions.get_mut(&check).unwrap();
    (check.name, check.category, check.state) = (Some("Smoke".into()), Some("Invoke".into()), ActionState::Failed);
    let mut production = Production::default();
    production.note("e1", &picture, &named);
    assert_eq!(production.failures().len(), 1);
}

/// A condition of the stage that does not hold once everything is deployed fails the change, though no action has failed.
#[test]
fn a_condition_after_the_deployment_fails_the_change() {
    let mut picture = known(End::Deployed);
    let failed = picture.stages["Production"].state.unwrap().at;
    let stage = picture.stages.get_mut("Production").unwrap();
    stage.state = Some(stagegate_notice::Moment { at: failed, state: stagegate_notice::StageState::Failed });
    stage.failed = Some(failed);
    picture.seen.clear();
    let mut production = Production::default();
    production.note("e1", &picture, &rule());
    assert_eq!(production.failures(), [("e1".to_owned(), failed)]);
    // One in front of it has let nothing through.
    picture.actions.retain(|_, action| action.stage.as_deref() != Some("Production"));
    let mut production = Production::default();
    production.note("e1", &picture, &rule());
    assert!(production.failures().is_empty());
}

/// Broken from the first failure to the next success, by whatever means.
#[test]
fn restore_time_runs_from_the_first_failure_to_the_next_success() {
    use End::{Deployed, FailsAndIsRetried, FailsInProduction, Rejected, RollsBack};
    // The number of the execution that restores, and whether it rolls back.
    for (ends, restored, failures, is_broken) in [
        (vec![Deployed, Deployed], vec![], vec![], false),
        (vec![Deployed, FailsInProduction, Rejected, Deployed], vec![(3, false)], vec![1], false),
        (vec![FailsInProduction, FailsInProduction, Deployed], vec![(2, false)], vec![0, 1], false),
        (vec![FailsAndIsRetried], vec![(0, false)], vec![0], false),
        (vec![Deployed, FailsInProduction, RollsBack], vec![(2, true)], vec![1], false),
        (vec![Deployed, Deployed, RollsBack, Deployed], vec![(2, true)], vec![1], false),
        (vec![Deployed, FailsInProduction], vec![], vec![1], true),
        (vec![RollsBack], vec![(0, true)], vec![], false),
    ] {
        let told = tell(&ends, 10);
        let mut production = Production::default();
        for told in &told {
            production.note(&told.execution, &picture(&told.events, Some(&told.answers)), &rule());
        }
        let id = |number: &usize| told[*number].execution.clone();
        let found: Vec<_> = production.restorations().into_iter().map(|one| (one.execution, one.by_rollback)).collect();
        let expected: Vec<_> = restored.iter().map(|(number, rollback)| (id(number), *rollback)).collect();
        assert_eq!(found, expected, "{ends:?}");
        let found: Vec<_> = production.failures().into_iter().map(|(execution, _)| execution).collect();
        assert_eq!(found, failures.iter().map(id).collect::<Vec<_>>(), "{ends:?}");
        assert_eq!(production.broken_since().is_some(), is_broken, "{ends:?}");
        for restoration in production.restorations() {
            assert!(restoration.seconds() > 0.0, "{restoration:?}");
        }
    }
}

/// The document does not grow for ever, and what it forgets does not come back as something new.
#[test]
fn the_latest_executions_are_remembered() {
    let told = tell(&[End::FailsInProduction; 230], 1);
    let mut production = Production::default();
    let mut logged = 0;
    for told in &told {
        production.note(&told.execution, &picture(&told.events, Some(&told.answers)), &rule());
        logged += production.take_due(PIPELINE).len();
    }
    assert_eq!((production.changes().count(), logged), (200, 230));
    let text = serde_json::to_string(&production).unwrap();
    assert!(text.len() < 64 * 1024, "{}", text.len());
    assert_eq!(serde_json::from_str::<Production>(&text).unwrap(), production);
    // The oldest comes once more.
    production.note(&told[0].execution, &picture(&told[0].events, Some(&told[0].answers)), &rule());
    assert_eq!(production.take_due(PIPELINE), []);
}
