//! The rules of conditions (AWS CodePipeline guide, rule reference). A rule runs as an action does: with an execution
//! of its own, resolved configuration and input artifacts, and the same ways to work.

use jiff::{SignedDuration, Timestamp};

use super::action::{in_words, input_artifacts, later, new_action};
use super::model::{ActionRef, AlarmWatch, ExecutionRef, Part, Work, Worker};
use super::variables::resolve;
use super::{Effect, Engine};
use crate::alarms::{AlarmError, AlarmState};
use crate::declaration::{
    ActionTypeId, Moment, RuleDeclaration, RuleType, alarm_states, commands_type, value_problem, wait_minutes,
    wanted_states, whole_match,
};
use crate::events::State;
use crate::provider::{ActionFailure, ActionSuccess};
use crate::quartz::{Cron, time_zone};

/// How often an alarm is looked at. AWS does not document its own time.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How long CloudWatch may take to tell a state.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How long a rule waits for its window where it does not say. AWS does not document its own time; this is the one of
/// a manual approval.
const WINDOW_MINUTES: u32 = 7 * 24 * 60;

impl Engine {
    /// Starts a rule of the condition that an execution is in. A rule that cannot start has failed afterwards.
    pub(super) fn start_rule(
        &mut self,
        now: Timestamp,
        at: &ExecutionRef,
        (stage, moment, index): (usize, Moment, usize),
        declared: &RuleDeclaration,
    ) {
        let id = self.ids.uuid();
        let sequence = self.next_sequence();
        let execution = self.execution(at);
        let inputs = input_artifacts(execution, &declared.input_artifacts);
        let resolved = resolve(execution, &declared.configuration, &declared.commands);
        let region = declared.region.clone().unwrap_or_else(|| self.settings.region.clone());
        let part = (Part::Rule(moment, index), declared.name.clone(), type_of(declared));
        let mut started = new_action((id, sequence), stage, part, now, region);
        let problem = match (inputs, resolved) {
            (Ok(inputs), Ok(resolved)) => {
                started.input_artifacts = inputs;
                started.configuration = resolved.configuration;
                started.commands = resolved.commands;
                None
            }
            (Err(problem), _) | (_, Err(problem)) => Some(problem),
        };
        let rule = self.add_action(at, started);
        self.emit_action(now, &rule, State::Started);
        let problem = problem.or_else(|| self.wrong_values(&rule, declared));
        match (problem, RuleType::of(&declared.rule_type_id.provider)) {
            (None, Some(rule_type)) => self.begin_rule(now, &rule, rule_type, declared),
            (problem, _) => {
                let message = problem.unwrap_or_else(|| format!("there is no rule {}", declared.rule_type_id.provider));
                self.fail_action(now, &rule, ActionFailure::new("ConfigurationError", message));
            }
        }
    }

    /// What variables have become is known only now.
    fn wrong_values(&self, at: &ActionRef, declared: &RuleDeclaration) -> Option<String> {
        let configuration = &self.action(at).configuration;
        let value = |key: &str| configuration.get(key).map(String::as_str);
        let problem = value_problem(RuleType::of(&declared.rule_type_id.provider)?, &value)?;
        Some(format!("the rule {problem}"))
    }

    fn begin_rule(&mut self, now: Timestamp, at: &ActionRef, rule_type: RuleType, declared: &RuleDeclaration) {
        match rule_type {
            RuleType::LambdaInvoke => self.first_job(now, at, Worker::Function(self.setting(at, "FunctionName"))),
            RuleType::Commands => self.start_provider(now, at, &commands_type()),
            RuleType::VariableCheck => {
                let checked = check_variable(
                    &self.setting(at, "Variable"),
                    &self.setting(at, "Operator"),
                    &self.setting(at, "Value"),
                );
                self.end_rule(now, at, checked);
            }
            RuleType::DeploymentWindow => {
                let minutes = declared.timeout_in_minutes.unwrap_or(WINDOW_MINUTES);
                let deadline = later(now, SignedDuration::from_mins(i64::from(minutes)));
                self.action_mut(at).work = Work::Window { opens: None, deadline };
                self.look_at_window(now, at);
            }
            RuleType::CloudWatchAlarm => {
                let minutes = wait_minutes(&self.setting(at, "WaitTime")).unwrap_or_default();
                let until = later(now, SignedDuration::from_mins(i64::from(minutes)));
                self.ask_for_alarm(now, at, until);
            }
        }
    }

    fn setting(&self, at: &ActionRef, key: &str) -> String {
        self.action(at).configuration.get(key).cloned().unwrap_or_default()
    }

    fn end_rule(&mut self, now: Timestamp, at: &ActionRef, result: Result<String, String>) {
        match result {
            Ok(summary) => {
                let success = ActionSuccess { summary: Some(summary), ..ActionSuccess::default() };
                self.succeed_action(now, at, success);
            }
            Err(message) => self.fail_action(now, at, ActionFailure::new("JobFailed", message)),
        }
    }

    /// Ends the rule where the window is open or the time is up, and waits for the opening otherwise.
    fn look_at_window(&mut self, now: Timestamp, at: &ActionRef) {
        let Work::Window { deadline, .. } = self.action(at).work else { return };
        let cron = self.setting(at, "Cron");
        let zone = self.action(at).configuration.get("TimeZone").map_or("UTC", String::as_str).to_owned();
        let (Ok(parsed), Ok(time_zone)) = (Cron::parse(&cron), time_zone(&zone)) else {
            let message = "the rule's Cron or TimeZone cannot be read".to_owned();
            return self.fail_action(now, at, ActionFailure::new("ConfigurationError", message));
        };
        if parsed.is_open(now, &time_zone) {
            return self.end_rule(now, at, Ok(format!("the deployment window {cron} ({zone}) is open")));
        }
        let opens = parsed.next_opening(now, &time_zone);
        let Some(opens) = opens else {
            return self.end_rule(now, at, Err(format!("the deployment window {cron} ({zone}) never opens again")));
        };
        if now >= deadline {
            let waited = in_words(deadline.duration_since(self.action(at).started));
            let message =
                format!("the deployment window {cron} ({zone}) did not open within {waited}; it opens next at {opens}");
            return self.end_rule(now, at, Err(message));
        }
        self.action_mut(at).work = Work::Window { opens: Some(opens), deadline };
    }

    pub(super) fn window_timer(&mut self, now: Timestamp, at: &ActionRef) {
        self.look_at_window(now, at);
        self.advance(now, &at.execution);
    }

    fn ask_for_alarm(&mut self, now: Timestamp, at: &ActionRef, until: Timestamp) {
        let watch = AlarmWatch { until, due: later(now, ANSWER_WITHIN), asked: true };
        let action = self.action_mut(at);
        action.work = Work::Alarm(watch);
        let (rule_execution_id, alarm_name) = (action.id.clone(), self.setting(at, "AlarmName"));
        self.effects.push_back(Effect::CheckAlarm { rule_execution_id, alarm_name });
    }

    pub(super) fn alarm_timer(&mut self, now: Timestamp, at: &ActionRef, watch: AlarmWatch) {
        if !watch.asked {
            return self.ask_for_alarm(now, at, watch.until);
        }
        let message = format!("CloudWatch did not tell the alarm's state within {}", in_words(ANSWER_WITHIN));
        self.fail_action(now, at, ActionFailure::new("SystemUnavailable", message));
        self.advance(now, &at.execution);
    }

    /// Takes the state of an alarm that an effect asked for. An answer that nobody waits for changes nothing.
    pub fn alarm_checked(&mut self, now: Timestamp, rule_execution_id: &str, state: Result<AlarmState, AlarmError>) {
        let Some(at) = self.actions.get(rule_execution_id).cloned() else { return };
        let Work::Alarm(watch) = self.action(&at).work else { return };
        if !watch.asked {
            return;
        }
        match state {
            Ok(state) => self.alarm_is(now, &at, watch, state),
            Err(error) => {
                let code = match error {
                    AlarmError::NotFound { .. } | AlarmError::NoCloudWatch => "ConfigurationError",
                    AlarmError::Unavailable(_) => "SystemUnavailable",
                };
                self.fail_action(now, &at, ActionFailure::new(code, error.to_string()));
            }
        }
        self.advance(now, &at.execution);
    }

    /// On success the alarm is watched until the end of the wait time and must be as wanted at every look. At the other
    /// moments the wait time is for it to become as wanted.
    fn alarm_is(&mut self, now: Timestamp, at: &ActionRef, watch: AlarmWatch, state: AlarmState) {
        let Part::Rule(moment, _) = self.action(at).part else { return };
        let given = self.action(at).configuration.get("AlarmStates").and_then(|states| alarm_states(states).ok());
        let wanted = given.unwrap_or_else(|| wanted_states(moment));
        let as_wanted = wanted.contains(&state);
        let over = now >= watch.until;
        let decided = if moment == Moment::OnSuccess { !as_wanted || over } else { as_wanted || over };
        if !decided {
            let due = later(now, LOOK_EVERY).min(watch.until);
            self.action_mut(at).work = Work::Alarm(AlarmWatch { due, asked: false, ..watch });
            return;
        }
        let name = self.setting(at, "AlarmName");
        let result = if as_wanted {
            Ok(format!("the alarm {name} is {state}"))
        } else {
            let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            Err(format!("the alarm {name} is {state}; the rule wants {}", wanted.join(" or ")))
        };
        self.end_rule(now, at, result);
    }
}

fn type_of(declared: &RuleDeclaration) -> ActionTypeId {
    let id = &declared.rule_type_id;
    ActionTypeId {
        category: id.category.clone(),
        owner: id.owner.clone().unwrap_or_else(|| "AWS".to_owned()),
        provider: id.provider.clone(),
        version: id.version.clone().unwrap_or_else(|| "1".to_owned()),
    }
}

/// Whether a variable is as a rule wants it.
fn check_variable(variable: &str, operator: &str, value: &str) -> Result<String, String> {
    let (holds, says) = match operator {
        "EQ" => (variable == value, "equal to"),
        "NE" => (variable != value, "different from"),
        "CONTAINS" => (variable.contains(value), "a text that contains"),
        _ => (whole_match(value).is_ok_and(|pattern| pattern.is_match(variable)), "a text that matches"),
    };
    if holds {
        Ok(format!("{variable:?} is {says} {value:?}"))
    } else {
        Err(format!("{variable:?} is not {says} {value:?}"))
    }
}
