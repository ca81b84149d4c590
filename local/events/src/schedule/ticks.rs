//! What a schedule delivers when it is due.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_lambda::QueuedEvent;
use uuid::Uuid;

use super::ScheduleExpression;
use crate::bus::Inner;
use crate::delivery::Delivery;
use crate::eventbridge::RuleTarget;
use crate::input::{Input, RuleContext};
use crate::origin::Origin;

/// A schedule with what it calls.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) expression: ScheduleExpression,
    /// Whether it is one of EventBridge Scheduler and no rule.
    pub(crate) is_scheduler: bool,
    pub(crate) targets: Vec<RuleTarget>,
}

impl Inner {
    /// Runs a schedule by the clock for as long as it has times. A tick lasts until the functions that it called have
    /// ended their first attempt. The times that pass meanwhile are left out, so that a clock that runs fast makes no
    /// crowd of ticks. A rate counts from `since`.
    pub(crate) async fn run_schedule(self: Arc<Self>, schedule: Schedule, since: Timestamp) {
        let mut after = since;
        while let Some(due) = schedule.expression.next(since, after) {
            self.clock.sleep_until(due).await;
            let called = self.tick(&schedule, due);
            join_all(called.into_iter().map(QueuedEvent::attempted)).await;
            after = self.clock.now().max(due);
        }
    }

    fn tick(self: &Arc<Self>, schedule: &Schedule, due: Timestamp) -> Vec<QueuedEvent> {
        let event = self.scheduled_event(schedule, due);
        let context = RuleContext { rule_name: &schedule.name, rule_arn: &schedule.arn, now: due };
        let payload = |target: &RuleTarget| match &target.input {
            Input::Constant(text) if schedule.is_scheduler => with_context(text, schedule, due),
            input => input.apply(&event, &context),
        };
        let delivery = |target: &RuleTarget| Delivery {
            from: Origin::Schedule(schedule.arn.clone()),
            to: target.arn.clone(),
            payload: payload(target),
            attributes: BTreeMap::new(),
            retry: target.retry.clone(),
        };
        schedule.targets.iter().flat_map(|target| self.send(delivery(target))).collect()
    }

    /// The event of a rule with a schedule (Amazon EventBridge guide, "Scheduled events"), or the notification that
    /// EventBridge Scheduler sends where no input is given. AWS does not document the latter; the detail is a text there
    /// as users report it.
    fn scheduled_event(&self, schedule: &Schedule, due: Timestamp) -> Value {
        let (source, detail) =
            if schedule.is_scheduler { ("aws.scheduler", json!("{}")) } else { ("aws.events", json!({})) };
        let mut event = self.envelope(source, "Scheduled Event", &json!([schedule.arn]), detail);
        event["time"] = seconds(due).into();
        event
    }
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The attributes that EventBridge Scheduler puts into an input (EventBridge Scheduler guide, "Adding context
/// attributes").
fn with_context(input: &str, schedule: &Schedule, due: Timestamp) -> String {
    input
        .replace("<aws.scheduler.schedule-arn>", &schedule.arn)
        .replace("<aws.scheduler.scheduled-time>", &seconds(due))
        .replace("<aws.scheduler.execution-id>", &Uuid::new_v4().to_string())
        .replace("<aws.scheduler.attempt-number>", "1")
}
