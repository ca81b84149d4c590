//! A plan of faults that a seed decides: the same seed gives the same faults to the same calls and events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

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
    seed: u64,
    calls: Vec<(String, When, CallFault)>,
    events: Vec<(String, When, EventFault)>,
    state: Mutex<State>,
}

/// Which of the calls of an operation, or of the events of a detail type, meet a fault. They are counted from 1 for each
/// rule and each operation or detail type, so that calls of different operations do not change each other's faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Each of them.
    Always,
    /// As many of the first.
    First(u64),
    /// The one of this number.
    Nth(u64),
    /// So many of a hundred, as the seed decides.
    Percent(u8),
}

#[derive(Debug, Default)]
struct State {
    seen: HashMap<(Kind, usize, String), u64>,
    met: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Call,
    Event,
}

impl FaultPlan {
    /// A plan without rules.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, calls: Vec::new(), events: Vec::new(), state: Mutex::default() }
    }

    /// Adds a rule for calls of an operation; `*` is for every one.
    #[must_use]
    pub fn on_call(mut self, operation: &str, when: When, fault: CallFault) -> Self {
        self.calls.push((operation.to_owned(), when, fault));
        self
    }

    /// Adds a rule for events of a `detail-type`; `*` is for every one.
    #[must_use]
    pub fn on_event(mut self, detail_type: &str, when: When, fault: EventFault) -> Self {
        self.events.push((detail_type.to_owned(), when, fault));
        self
    }

    /// What has met a fault so far, in order: the operation or detail type, its number, and the fault.
    pub fn met(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).met.clone()
    }

    fn decide<F: Clone + std::fmt::Debug>(&self, kind: Kind, name: &str, rules: &[(String, When, F)]) -> Option<F> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut decided = None;
        for (rule, (wanted, when, fault)) in rules.iter().enumerate() {
            if wanted != "*" && wanted != name {
                continue;
            }
            // Every rule counts, whether it decides or not, so that rules do not change each other's numbers.
            let seen = state.seen.entry((kind, rule, name.to_owned())).or_default();
            *seen += 1;
            let number = *seen;
            let applies = match *when {
                When::Always => true,
                When::First(count) => number <= count,
                When::Nth(nth) => number == nth,
                When::Percent(percent) => self.draw(kind, rule, name, number) < u64::from(percent),
            };
            if applies && decided.is_none() {
                decided = Some((number, fault.clone()));
            }
        }
        let (number, fault) = decided?;
        state.met.push(format!("{name} {number}: {fault:?}"));
        Some(fault)
    }

    /// A number from 0 to 99 that depends on nothing but the seed and what is asked.
    fn draw(&self, kind: Kind, rule: usize, name: &str, number: u64) -> u64 {
        let kind = match kind {
            Kind::Call => 1,
            Kind::Event => 2,
        };
        let rule = u64::try_from(rule).unwrap_or(u64::MAX);
        let words = [kind, rule, number].into_iter().chain(name.bytes().map(u64::from));
        words.fold(mixed(self.seed), |state, word| mixed(state ^ word)) % 100
    }
}

/// One step of SplitMix64.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl Faults for FaultPlan {
    fn call(&self, operation: &str) -> CallFault {
        self.decide(Kind::Call, operation, &self.calls).unwrap_or_default()
    }

    fn event(&self, event: &Value) -> EventFault {
        let name = event["detail-type"].as_str().unwrap_or_default();
        self.decide(Kind::Event, name, &self.events).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, percent: u8, names: &[&str]) -> Vec<bool> {
        let plan = FaultPlan::seeded(seed).on_call("*", When::Percent(percent), CallFault::CutOff);
        names.iter().map(|name| plan.call(name) == CallFault::CutOff).collect()
    }

    #[test]
    fn a_seed_decides_and_nothing_else() {
        let calls = ["GetPipeline"; 1000];
        let first = drawn(1, 30, &calls);
        assert_eq!(first, drawn(1, 30, &calls));
        assert_ne!(first, drawn(2, 30, &calls));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits} of 1000 calls meet a fault of 30 percent");
        // Other operations in between change nothing.
        let mixed: Vec<_> = (0..1000).flat_map(|_| ["GetPipeline", "ListPipelines"]).collect();
        let among: Vec<_> = drawn(1, 30, &mixed).into_iter().step_by(2).collect();
        assert_eq!(among, first);
        assert!(drawn(1, 0, &calls).iter().all(|hit| !hit));
        assert!(drawn(1, 100, &calls).iter().all(|hit| *hit));
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let plan = FaultPlan::seeded(0)
            .on_call("A", When::First(1), CallFault::CutOff)
            .on_call("A", When::Nth(3), CallFault::CutOffAfterwards)
            .on_call("*", When::Nth(2), CallFault::Slow(std::time::Duration::ZERO));
        let found: Vec<_> = ["A", "A", "A", "A", "B", "B"].into_iter().map(|name| plan.call(name)).collect();
        let slow = CallFault::Slow(std::time::Duration::ZERO);
        let expected =
            [CallFault::CutOff, slow.clone(), CallFault::CutOffAfterwards, CallFault::None, CallFault::None, slow];
        assert_eq!(found, expected);
        assert_eq!(plan.met(), ["A 1: CutOff", "A 2: Slow(0ns)", "A 3: CutOffAfterwards", "B 2: Slow(0ns)"]);
    }
}
