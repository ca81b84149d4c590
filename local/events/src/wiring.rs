//! From the template to rules, schedules, topics and queues, checked: a mistake shows at the start.

use std::collections::BTreeSet;

use jiff::Timestamp;
use stagegate_local_lambda::LambdaHost;
use stagegate_local_template::{
    EventInvoke, EventSource, Function, RetryPolicy, Settings, Subscription as Declared, TargetInput, Template,
};
use uuid::Uuid;

use crate::eventbridge::{DEFAULT_BUS, Rule, RuleTarget};
use crate::input::Input;
use crate::pattern::{Dialect, EventPattern};
use crate::schedule::{Schedule, ScheduleExpression};
use crate::sns::{Filter, Subscription, Topic};
use crate::sqs::{Queue, Queues};

/// A mistake in what the template wires. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wire {what}: {why}")]
pub struct WiringError {
    what: String,
    why: String,
}

type Wired<T> = Result<T, WiringError>;

pub(crate) struct Wiring {
    pub(crate) buses: BTreeSet<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) queues: Queues,
}

impl Wiring {
    pub(crate) fn read(template: &Template, settings: &Settings, lambda: &LambdaHost, now: Timestamp) -> Wired<Self> {
        let reader = Reader { template, settings, lambda };
        let mut wiring = Self {
            buses: template.event_buses.iter().cloned().chain([DEFAULT_BUS.to_owned()]).collect(),
            rules: Vec::new(),
            schedules: Vec::new(),
            topics: reader.topics()?,
            queues: Queues::new(template.queues.iter().map(|queue| Queue::new(queue.clone(), now)).collect()),
        };
        reader.rules(&mut wiring)?;
        reader.schedules(&mut wiring)?;
        for function in &template.functions {
            reader.events(function, &mut wiring)?;
            reader.check_destinations(function)?;
        }
        Ok(wiring)
    }
}

struct Reader<'r> {
    template: &'r Template,
    settings: &'r Settings,
    lambda: &'r LambdaHost,
}

impl Reader<'_> {
    fn topics(&self) -> Wired<Vec<Topic>> {
        let mut declared: Vec<Declared> = self.template.subscriptions.clone();
        for function in &self.template.functions {
            declared.extend(function.events.iter().filter_map(|event| subscription_of(function, &event.source)));
        }
        let topic = |topic: &stagegate_local_template::Topic| {
            let subscriptions = declared.iter().filter(|subscription| subscription.topic_arn == topic.arn);
            let subscriptions = subscriptions.map(|declared| self.subscription(declared)).collect::<Wired<Vec<_>>>()?;
            Ok(Topic::new(topic.logical_id.clone(), topic.name.clone(), topic.arn.clone(), subscriptions))
        };
        let topics: Vec<Topic> = self.template.topics.iter().map(topic).collect::<Wired<_>>()?;
        match declared.iter().find(|declared| topics.iter().all(|topic| topic.arn != declared.topic_arn)) {
            Some(lost) => Err(mistake(
                format!("the subscription of {}", lost.endpoint),
                format!("there is no topic {} in the template", lost.topic_arn),
            )),
            None => Ok(topics),
        }
    }

    fn subscription(&self, declared: &Declared) -> Wired<Subscription> {
        let Declared { topic_arn, protocol, endpoint, .. } = declared;
        let what = || format!("the subscription of {endpoint} to {topic_arn}");
        match protocol.as_str() {
            "lambda" | "sqs" => self.check_target(endpoint, &what)?,
            "email" | "email-json" => {}
            other => {
                tracing::warn!(topic_arn, protocol = other, endpoint, "nothing is sent to this subscriber from here")
            }
        }
        if let Some(queue) = &declared.dead_letter_arn {
            self.check_target(queue, &what)?;
        }
        let filter = declared.filter_policy.as_ref().map(|policy| {
            let pattern = EventPattern::parse(policy, Dialect::Sns);
            let pattern = pattern.map_err(|error| mistake(what(), format!("the filter policy: {error}")))?;
            Ok(Filter { pattern, is_of_body: declared.filter_policy_scope == "MessageBody" })
        });
        Ok(Subscription {
            arn: format!("{topic_arn}:{}", Uuid::new_v4()),
            protocol: protocol.clone(),
            endpoint: endpoint.clone(),
            filter: filter.transpose()?,
            raw_message_delivery: declared.raw_message_delivery,
            dead_letter: declared.dead_letter_arn.clone(),
        })
    }

    fn rules(&self, wiring: &mut Wiring) -> Wired<()> {
        for rule in self.template.rules.iter().filter(|rule| rule.enabled) {
            let what = || format!("the rule {}", rule.name);
            let targets = rule.targets.iter();
            let targets = targets.map(|target| self.target(&target.arn, &target.input, &target.retry_policy, &what));
            let targets: Vec<RuleTarget> = targets.collect::<Wired<_>>()?;
            if let Some(expression) = &rule.schedule {
                wiring.schedules.push(Schedule {
                    name: rule.name.clone(),
                    arn: rule.arn.clone(),
                    expression: expression_of(expression, "UTC", &what)?,
                    is_scheduler: false,
                    targets: targets.clone(),
                });
            }
            if let Some(pattern) = &rule.pattern {
                let (name, arn) = (rule.name.clone(), rule.arn.clone());
                wiring.rules.push(Rule {
                    name,
                    arn,
                    bus: bus_name(&rule.event_bus, &wiring.buses, &what)?,
                    pattern: pattern_of(pattern, &what)?,
                    targets,
                });
            }
        }
        Ok(())
    }

    fn schedules(&self, wiring: &mut Wiring) -> Wired<()> {
        for schedule in self.template.schedules.iter().filter(|schedule| schedule.enabled) {
            let what = || format!("the schedule {}", schedule.name);
            let target = &schedule.target;
            wiring.schedules.push(Schedule {
                name: schedule.name.clone(),
                arn: self.arn("scheduler", &format!("schedule/default/{}", schedule.name)),
                expression: expression_of(&schedule.expression, &schedule.time_zone, &what)?,
                is_scheduler: true,
                targets: vec![self.target(&target.arn, &target.input, &target.retry_policy, &what)?],
            });
        }
        Ok(())
    }

    /// The `Events` of a function, but for those of topics.
    fn events(&self, function: &Function, wiring: &mut Wiring) -> Wired<()> {
        for event in &function.events {
            let what = || format!("the event {} of the function {}", event.name, function.logical_id);
            match &event.source {
                EventSource::Sns { .. } => {}
                EventSource::EventBridgeRule { rule_name, pattern, event_bus, enabled, input, retry_policy } => {
                    let rule = Rule {
                        name: rule_name.clone(),
                        arn: self.rule_arn(event_bus, rule_name),
                        bus: bus_name(event_bus, &wiring.buses, &what)?,
                        pattern: pattern_of(pattern, &what)?,
                        targets: vec![self.target(&function.arn, input, retry_policy, &what)?],
                    };
                    wiring.rules.extend(enabled.then_some(rule));
                }
                EventSource::Schedule { name, expression, time_zone, is_scheduler, enabled, input, retry_policy } => {
                    let arn = match is_scheduler {
                        true => self.arn("scheduler", &format!("schedule/default/{name}")),
                        false => self.rule_arn(DEFAULT_BUS, name),
                    };
                    let schedule = Schedule {
                        name: name.clone(),
                        arn,
                        expression: expression_of(expression, time_zone, &what)?,
                        is_scheduler: *is_scheduler,
                        targets: vec![self.target(&function.arn, input, retry_policy, &what)?],
                    };
                    wiring.schedules.extend(enabled.then_some(schedule));
                }
            }
        }
        Ok(())
    }

    /// A function's destinations and dead-letter queue must be here, or its failures would get lost.
    fn check_destinations(&self, function: &Function) -> Wired<()> {
        let EventInvoke { on_success, on_failure, .. } = &function.event_invoke;
        for arn in [on_success, on_failure, &function.dead_letter_arn].into_iter().flatten() {
            self.check_target(arn, &|| format!("the destinations of the function {}", function.logical_id))?;
        }
        Ok(())
    }

    fn target(
        &self,
        arn: &str,
        input: &TargetInput,
        policy: &RetryPolicy,
        what: &dyn Fn() -> String,
    ) -> Wired<RuleTarget> {
        self.check_target(arn, what)?;
        if arn.split(':').nth(2) == Some("events") {
            return Err(mistake(what(), "an event bus as a target is not supported here".to_owned()));
        }
        if let Some(queue) = &policy.dead_letter_arn {
            self.check_target(queue, what)?;
        }
        let input = Input::parse(input).map_err(|why| mistake(what(), why))?;
        Ok(RuleTarget { arn: arn.to_owned(), input, retry: policy.into() })
    }

    fn check_target(&self, arn: &str, what: &dyn Fn() -> String) -> Wired<()> {
        let is_here = match arn.split(':').nth(2) {
            Some("lambda") => self.lambda.function(arn).is_some(),
            Some("sqs") => self.template.queues.iter().any(|queue| queue.arn == arn),
            Some("sns") => self.template.topics.iter().any(|topic| topic.arn == arn),
            Some("events") => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                name == DEFAULT_BUS || self.template.event_buses.iter().any(|bus| bus == name)
            }
            _ => false,
        };
        if is_here {
            return Ok(());
        }
        Err(mistake(what(), format!("{arn} is no function, queue, topic or event bus of the template")))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Settings { region, account_id, .. } = self.settings;
        format!("arn:{}:{service}:{region}:{account_id}:{resource}", self.settings.partition())
    }

    fn rule_arn(&self, bus: &str, name: &str) -> String {
        let bus = bus.rsplit('/').next().unwrap_or(bus);
        let place = if bus == DEFAULT_BUS { String::new() } else { format!("{bus}/") };
        self.arn("events", &format!("rule/{place}{name}"))
    }
}

fn mistake(what: String, why: impl Into<String>) -> WiringError {
    WiringError { what, why: why.into() }
}

/// The subscription that SAM makes for an event of the type `SNS`.
fn subscription_of(function: &Function, source: &EventSource) -> Option<Declared> {
    let EventSource::Sns { topic_arn, filter_policy, filter_policy_scope, dead_letter_arn } = source else {
        return None;
    };
    Some(Declared {
        topic_arn: topic_arn.clone(),
        protocol: "lambda".to_owned(),
        endpoint: function.arn.clone(),
        filter_policy: filter_policy.clone(),
        filter_policy_scope: filter_policy_scope.clone(),
        raw_message_delivery: false,
        dead_letter_arn: dead_letter_arn.clone(),
    })
}

fn pattern_of(pattern: &serde_json::Value, what: &dyn Fn() -> String) -> Wired<EventPattern> {
    let parsed = EventPattern::parse(pattern, Dialect::EventBridge);
    parsed.map_err(|error| mistake(what(), format!("the event pattern: {error}")))
}

fn expression_of(expression: &str, zone: &str, what: &dyn Fn() -> String) -> Wired<ScheduleExpression> {
    ScheduleExpression::parse(expression, zone).map_err(|why| mistake(what(), why))
}

/// The name in what may be a name or an ARN.
fn bus_name(given: &str, buses: &BTreeSet<String>, what: &dyn Fn() -> String) -> Wired<String> {
    let name = given.rsplit('/').next().unwrap_or(given);
    if buses.contains(name) {
        return Ok(name.to_owned());
    }
    Err(mistake(what(), format!("there is no event bus {name} in the template")))
}
