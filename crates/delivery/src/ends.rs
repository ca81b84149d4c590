//! When a stage began, succeeded and failed, as far as a picture tells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stagegate_config::DeliveryRule;
use stagegate_notice::{Action, ActionState, ExecutionState, Picture, StageState};

/// The actions of a stage, by id.
fn actions<'a>(picture: &'a Picture, stage: &'a str) -> impl Iterator<Item = (&'a String, &'a Action)> {
    picture.actions.iter().filter(move |(_, action)| action.stage.as_deref() == Some(stage))
}

/// When a stage began.
pub(crate) fn began(picture: &Picture, stage: &str) -> Option<Timestamp> {
    let heard = picture.stages.get(stage).and_then(|stage| stage.started);
    heard.into_iter().chain(actions(picture, stage).filter_map(|(_, action)| action.started)).min()
}

/// When a stage has succeeded. Where its own event was lost, its actions tell, once the execution has gone on.
pub(crate) fn succeeded(picture: &Picture, stage: &str) -> Option<Timestamp> {
    let heard = picture.stages.get(stage).and_then(|stage| stage.state);
    if let Some(moment) = heard.filter(|moment| moment.state == StageState::Succeeded) {
        return Some(moment.at);
    }
    let has_gone_on = picture.seen.contains_key(&ExecutionState::Succeeded) || has_later(picture, stage);
    if !has_gone_on {
        return None;
    }
    let mut latest: BTreeMap<Option<&str>, (Option<Timestamp>, &String, &Action)> = BTreeMap::new();
    for (id, action) in actions(picture, stage) {
        let this = (action.started, id, action);
        let newest = latest.entry(action.name.as_deref()).or_insert(this);
        if (this.0, this.1) > (newest.0, newest.1) {
            *newest = this;
        }
    }
    let have_all = !latest.is_empty() && latest.values().all(|(_, _, action)| action.state == ActionState::Succeeded);
    let ended = latest.values().filter_map(|(_, _, action)| action.ended).max();
    ended.filter(|_| have_all)
}

/// Whether a stage behind this one has begun, by the order of the pipeline where that is known.
fn has_later(picture: &Picture, stage: &str) -> bool {
    let order = &picture.about.stages;
    let Some(place) = order.iter().position(|name| name == stage) else { return false };
    order[place + 1..]
        .iter()
        .any(|later| picture.stages.contains_key(later) || actions(picture, later).next().is_some())
}

/// When a stage has failed for the first time in a way that may have changed production. A rejected approval has not, and
/// neither has what failed in front of the first action that changes it.
pub(crate) fn failed(picture: &Picture, stage: &str, rule: &DeliveryRule) -> Option<Timestamp> {
    let works = || actions(picture, stage).map(|(_, action)| action).filter(|action| !action.is_approval());
    let is_deploying = |action: &Action| action.name.as_deref().is_some_and(|name| rule.is_deploying(name));
    let counts = |action: &Action| {
        is_deploying(action)
            || works().any(|other| is_deploying(other) && other.started.is_some() && other.started <= action.started)
    };
    let failures = works().filter(|action| action.state == ActionState::Failed && counts(action));
    let first = failures.filter_map(|action| action.ended.or(action.started)).min();
    if first.is_some() {
        return first;
    }
    // What changes production has succeeded, and a condition of the stage has failed it.
    let heard = picture.stages.get(stage).and_then(|stage| stage.failed)?;
    let has_failed = |action: &&Action| action.state == ActionState::Failed;
    let is_by_an_action = actions(picture, stage).any(|(_, action)| has_failed(&action));
    let has_deployed = works().any(|action| is_deploying(action) && action.state == ActionState::Succeeded);
    (has_deployed && !is_by_an_action).then_some(heard)
}
