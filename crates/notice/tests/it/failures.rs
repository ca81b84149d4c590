//! Which failures people hear of, and when a pipeline is green again.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stagegate_notice::{Action, ActionState, ExecutionState, Kind, Picture};
use stagegate_pipeline_event::Event;

fn time(minutes: i64) -> Timestamp {
    "2026-01-05T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

/// A try of an action: `Stage/Action state`. Each begins a minute after the one before.
fn add(picture: &mut Picture, tries: &str) {
    for one in tries.split(", ").filter(|one| !one.is_empty()) {
        let (place, state) = one.split_once(' ').unwrap();
        let (stage, name) = place.split_once('/').unwrap();
        let number = i64::try_from(picture.actions.len()).unwrap();
        let state = ActionState::read(state).unwrap();
        let action = Action {
            stage: Some(stage.to_owned()),
            name: Some(name.to_owned()),
            started: Some(time(number)),
            ended: (state != ActionState::Started).then(|| time(number)),
            state,
            ..Action::default()
        };
        picture.actions.insert(format!("a{number}"), action);
    }
}

/// An end in failure that no action has to answer for is told by itself, each time.
#[test]
fn a_failure_without_a_failed_action_is_told() {
    // By semicolons: what had happened each time that somebody saw the execution fail.
    for (name, ends, expected) in [
        ("a condition before anything ran", "", "failed/after/"),
        ("a condition after an action", "Test/Unit Succeeded", "failed/after/a0"),
        ("an action", "Test/Unit Failed", "failed/a0"),
        (
            "an action that was tried again, and then a condition",
            "Test/Unit Failed; Test/Unit Succeeded",
            "failed/a0, failed/after/a1",
        ),
        ("one action of two, which was not tried again", "Test/Unit Failed, Test/Lint Succeeded", "failed/a0"),
        ("actions of the same name in two stages", "Test/Run Failed, Production/Run Succeeded", "failed/a0"),
        ("a condition twice", "Test/Unit Succeeded; Production/Deploy Succeeded", "failed/after/a0, failed/after/a1"),
        ("the same end, seen twice", "Test/Unit Succeeded; ", "failed/after/a0"),
        ("an action whose end is not known yet", "Test/Unit InProgress", ""),
    ] {
        let mut picture = Picture { started: Some(time(0)), ..Picture::default() };
        for tries in ends.split("; ") {
            add(&mut picture, tries);
            picture.note_failure();
        }
        let notices = picture.notices();
        let failures = notices.iter().filter(|notice| notice.kind == Kind::Failed).map(|notice| notice.key.as_str());
        assert_eq!(failures.collect::<Vec<_>>().join(", "), expected, "{name}");
    }
}

/// The id of a build or a deployment is kept; what stands in its place for an approval may be the token that answers it.
#[test]
fn no_token_of_an_approval_is_kept() {
    for (category, expected) in [("Build", Some("the-id")), ("Deploy", Some("the-id")), ("Approval", None)] {
        let event = json!({
            "detail-type": "CodePipeline Action Execution State Change", "source": "aws.codepipeline",
            "account": "111122223333", "region": "eu-west-1", "time": "2026-01-05T09:00:00Z", "resources": [],
            "detail": {
                "pipeline": "web", "execution-id": "e1", "action-execution-id": "a1", "stage": "S", "action": "A",
                "state": "SUCCEEDED", "execution-result": {"external-execution-id": "the-id"},
                "type": {"owner": "AWS", "provider": "x", "category": category, "version": "1"},
            },
        });
        let picture = Picture::of(&Event::read(&event).unwrap(), time(0));
        assert_eq!(picture.actions["a1"].external_id.as_deref(), expected, "{category}");
    }
}

/// What rolls a stage back does not say that the change is good.
#[test]
fn a_rollback_is_no_recovery() {
    for (rollback_to, expected) in [(None, 1), (Some("the one before".to_owned()), 0)] {
        let mut picture = Picture::default();
        picture.about.rollback_to = rollback_to.clone();
        picture.enter(ExecutionState::Failed, time(1));
        picture.enter(ExecutionState::Succeeded, time(2));
        let notices = picture.notices();
        let count = |kind| notices.iter().filter(|notice| notice.kind == kind).count();
        assert_eq!((count(Kind::Recovered), count(Kind::Succeeded)), (expected, 1), "{rollback_to:?}");
    }
}
