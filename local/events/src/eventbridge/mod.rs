//! EventBridge: event buses, rules and their targets.

mod api;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::bus::Inner;
use crate::delivery::{Delivery, Retry};
use crate::input::{Input, RuleContext};
use crate::origin::Origin;
use crate::pattern::EventPattern;
use crate::watch::Passed;

pub(crate) use api::router;

/// The name of the bus that is always there and that AWS services use.
pub(crate) const DEFAULT_BUS: &str = "default";

/// A rule with a pattern.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) bus: String,
    pub(crate) pattern: EventPattern,
    pub(crate) targets: Vec<RuleTarget>,
}

/// A target of a rule.
#[derive(Clone)]
pub(crate) struct RuleTarget {
    pub(crate) arn: String,
    pub(crate) input: Input,
    pub(crate) retry: Retry,
}

impl Inner {
    /// Hands an event to the targets of all rules of a bus that it matches.
    pub(crate) fn put_event(self: &Arc<Self>, bus: &str, event: Value) {
        let matching = self.rules.iter().filter(|rule| rule.bus == bus && rule.pattern.matches(&event));
        let deliveries: Vec<Delivery> = matching.flat_map(|rule| self.deliveries(rule, &event)).collect();
        self.observe(Passed::Event { bus: bus.to_owned(), event });
        for delivery in deliveries {
            self.send(delivery);
        }
    }

    fn deliveries(&self, rule: &Rule, event: &Value) -> Vec<Delivery> {
        let context = RuleContext { rule_name: &rule.name, rule_arn: &rule.arn, now: self.clock.now() };
        let delivery = |target: &RuleTarget| Delivery {
            from: Origin::Rule(rule.arn.clone()),
            to: target.arn.clone(),
            payload: target.input.apply(event, &context),
            attributes: BTreeMap::new(),
            retry: target.retry.clone(),
        };
        rule.targets.iter().map(delivery).collect()
    }

    /// An event of this account with its envelope.
    pub(crate) fn envelope(&self, source: &str, detail_type: &str, resources: &Value, detail: Value) -> Value {
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": detail_type,
            "source": source,
            "account": self.identity.account_id,
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.identity.region,
            "resources": resources,
            "detail": detail,
        })
    }
}
