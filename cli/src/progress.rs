//! What happens in a pipeline, line by line.

use std::collections::HashMap;

use jiff::Timestamp;
use stagegate_local_codepipeline::engine::ConditionStatus;
use stagegate_local_codepipeline::events::{
    ActionChange, ApprovalOpened, Change, ConditionChange, Event, ExecutionChange, State,
};

use crate::terminal::{Style, say};

/// Prints the events of executions.
pub(crate) struct Progress {
    style: Style,
    /// When each action execution began.
    started: HashMap<String, Timestamp>,
}

impl Progress {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, started: HashMap::new() }
    }

    /// Prints what an event means to a person, if anything.
    pub(crate) fn show(&mut self, event: &Event) {
        match &event.change {
            Change::Action(action) => self.action(event.time, action),
            Change::ApprovalOpened(approval) => self.approval(approval),
            Change::Execution(execution) => self.execution(execution),
            Change::Condition(condition) => self.condition(condition),
            Change::Stage(stage) if stage.state == State::Skipped => {
                say(format_args!(
                    "  {} {}  skipped",
                    self.style.waiting("■"),
                    self.style.strong(format!("{:18}", stage.stage))
                ));
            }
            Change::Stage(_) | Change::Progress(_) | Change::Rule(_) => {}
        }
    }

    fn action(&mut self, now: Timestamp, action: &ActionChange) {
        let took = match action.state {
            State::Started => {
                self.started.insert(action.action_execution_id.clone(), now);
                return;
            }
            _ => self.started.remove(&action.action_execution_id).map(|start| now.duration_since(start)),
        };
        let style = self.style;
        let sign = match action.state {
            State::Succeeded => style.good("✓"),
            State::Failed => style.bad("✗"),
            _ => style.waiting("■"),
        };
        let took = took.map(|took| style.faint(format!("{:.1} s", took.as_secs_f64()))).unwrap_or_default();
        let result = action.result.as_ref();
        let text = result.and_then(|result| result.summary.as_deref()).unwrap_or(action.state.as_str());
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let code = match (action.state, result.and_then(|result| result.error_code.as_deref())) {
            (State::Failed, Some(code)) => style.bad(format!("{code}: ")),
            _ => String::new(),
        };
        say(format_args!("  {sign} {}  {code}{first}  {took}", style.strong(place(&action.stage, &action.action))));
        for line in lines {
            say(format_args!("      {line}"));
        }
    }

    fn approval(&self, approval: &ApprovalOpened) {
        let question = approval.custom_data.as_deref().unwrap_or("waiting for an answer");
        let place = self.style.strong(place(&approval.stage, &approval.action));
        say(format_args!("  {} {place}  {question}", self.style.waiting("?")));
    }

    /// A condition that was met says nothing.
    fn condition(&self, condition: &ConditionChange) {
        let sign = match condition.status {
            ConditionStatus::Failed => self.style.bad("✗"),
            ConditionStatus::Overridden => self.style.waiting("■"),
            _ => return,
        };
        let place = self.style.strong(place(&condition.stage, condition.moment.member()));
        say(format_args!("  {sign} {place}  {}", condition.summary.as_deref().unwrap_or(condition.status.as_str())));
    }

    fn execution(&self, execution: &ExecutionChange) {
        if let (State::Stopped | State::Superseded | State::Canceled, reason) =
            (execution.state, execution.stop_reason.as_deref())
        {
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            say(format_args!("  {} {}{reason}", self.style.waiting("■"), execution.state.as_str()));
        }
    }
}

/// Stage and action, in one column; one word where both have the same name.
fn place(stage: &str, action: &str) -> String {
    let place = if stage == action { stage.to_owned() } else { format!("{stage}/{action}") };
    format!("{place:18}")
}
