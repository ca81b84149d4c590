//! The approvals of `stagegate.yaml` against the pipelines: entries that match nothing, and approvals that no entry matches.

use stagegate_config::{Channel, Config, Places};

use super::problem::Problems;

/// An approval action of a pipeline.
pub(crate) struct ApprovalAction {
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    pub(crate) action: String,
}

/// Checks what the reader takes but cannot be meant. `actions` are the approvals of the pipelines that are looked at;
/// `None` where no pipeline could be read, so that nothing is known about what an entry matches.
pub(crate) fn check(text: &str, config: &Config, actions: Option<&[ApprovalAction]>, problems: &mut Problems) {
    let places = Places::read(text);
    for (number, approval) in config.approvals().iter().enumerate() {
        let index = number.to_string();
        let place = |key: &str| places.of(&["approvals", &index, key]);
        let pattern = approval.pipeline.as_str();
        let matches = |action: &ApprovalAction| approval.matches(&action.pipeline, &action.stage, &action.action);
        match actions {
            Some(actions) if !actions.iter().any(matches) => {
                let message = format!(
                    "the approval of {pattern:?} matches no approval action of these pipelines; check `pipeline`, `stage` and `action`"
                );
                problems.warning(place("pipeline"), message);
            }
            Some(actions) => {
                let earlier = &config.approvals()[..number];
                let is_taken = |action: &ApprovalAction| {
                    earlier.iter().any(|earlier| earlier.matches(&action.pipeline, &action.stage, &action.action))
                };
                if actions.iter().filter(|action| matches(action)).all(is_taken) {
                    let message = format!("an earlier entry holds for all that the approval of {pattern:?} matches");
                    problems.warning(place("pipeline"), message);
                }
            }
            None => {}
        }
        let has_buttons = |name: &str| matches!(config.channel(name), Ok(Channel::Slack(_)));
        let escalation = approval.escalate.as_ref().is_some_and(|escalation| has_buttons(&escalation.channel));
        if !has_buttons(&approval.channel) && !escalation {
            let channel = &approval.channel;
            let message = format!(
                "nobody can click in the channel {channel:?}: it is no Slack channel of the app, so that the approval of {pattern:?} is answered in the console only"
            );
            problems.warning(place("channel"), message);
        }
    }
}
