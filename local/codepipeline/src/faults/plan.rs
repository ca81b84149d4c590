//! A plan of faults that a seed decides: the same seed gives the same faults to the same calls and events.

use serde_json::Value;
use stagegate_local_faults::{Rules, When};

use super::{CallFault, EventFault, Faults};

/// Rules that say which calls and events meet which fault. The first rule that applies decides.
///
/// ```
/// use stagegate_local_codepipeline::faults::{CallFault, EventFault, FaultPlan, Refusal, When};
///
/// let plan = FaultPlan::seeded(7)
///     .on_call("PutJobSuccessResult", When::First(2), CallFault::Refuse(Refusal::of_status(503)))
///     .on_call("*", When::Percent(5), CallFault::CutOff)
///     .on_event("CodePipeline Action Execution State Change", When::Percent(20), EventFault::Duplicate);
/// # drop(plan);
/// ```
#[derive(Debug)]
pub struct FaultPlan {
    calls: Rules<CallFault>,
    events: Rules<EventFault>,
}

impl FaultPlan {
    /// A plan without rules.
    pub fn seeded(seed: u64) -> Self {
        Self { calls: Rules::seeded(seed), events: Rules::seeded(!seed) }
    }

    /// Adds a rule for calls of an operation; `*` is for every one.
    #[must_use]
    pub fn on_call(mut self, operation: &str, when: When, fault: CallFault) -> Self {
        self.calls = self.calls.rule(operation, "*", when, fault);
        self
    }

    /// Adds a rule for events of a `detail-type`; `*` is for every one.
    #[must_use]
    pub fn on_event(mut self, detail_type: &str, when: When, fault: EventFault) -> Self {
        self.events = self.events.rule(detail_type, "*", when, fault);
        self
    }

    /// What has met a fault so far, calls before events: the operation or detail type, its number, and the fault.
    pub fn met(&self) -> Vec<String> {
        [self.calls.met(), self.events.met()].concat()
    }
}

impl Faults for FaultPlan {
    fn call(&self, operation: &str) -> CallFault {
        self.calls.decide(operation, "").unwrap_or_default()
    }

    fn event(&self, event: &Value) -> EventFault {
        let name = event["detail-type"].as_str().unwrap_or_default();
        self.events.decide(name, "").unwrap_or_default()
    }
}
