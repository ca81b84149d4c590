//! Faults: what may happen to a delivery on AWS, at the will of a test.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Delivery;
use crate::origin::Origin;

/// Decides how a delivery arrives: not at all for an empty list, twice for two arrivals, and so on.
pub type DeliveryFault = Arc<dyn Fn(&Sent<'_>) -> Vec<Arrival> + Send + Sync>;

/// A delivery that has been sent and has not arrived.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'d> {
    /// What delivers it.
    pub from: &'d Origin,
    /// The ARN of the function, queue, topic or event bus that it goes to.
    pub to: &'d str,
    /// What is delivered.
    pub payload: &'d str,
    /// 1 for the first delivery to this target, and so on.
    pub number: u64,
}

/// When one copy of a delivery arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// At once.
    Now,
    /// After this much time of the local clock.
    After(Duration),
    /// Behind this many later deliveries to the same target. If they never come, it never arrives.
    Behind(u64),
}

/// What was sent to each target, and what is held back there.
#[derive(Default)]
pub(crate) struct Traffic {
    targets: HashMap<String, Held>,
}

#[derive(Default)]
struct Held {
    sent: u64,
    /// With the number of the delivery behind which each arrives.
    back: Vec<(u64, Delivery)>,
}

/// What becomes of a delivery now.
pub(crate) struct Plan {
    pub(crate) now: Vec<Delivery>,
    pub(crate) later: Vec<(Duration, Delivery)>,
}

impl Traffic {
    /// Counts a delivery and asks what becomes of it. What was held back behind it comes along.
    pub(crate) fn plan(&mut self, delivery: Delivery, fault: &DeliveryFault) -> Plan {
        let held = self.targets.entry(delivery.to.clone()).or_default();
        held.sent += 1;
        let number = held.sent;
        let sent = Sent { from: &delivery.from, to: &delivery.to, payload: &delivery.payload, number };
        let mut plan = Plan { now: Vec::new(), later: Vec::new() };
        for arrival in fault(&sent) {
            match arrival {
                Arrival::Now => plan.now.push(delivery.clone()),
                Arrival::After(time) => plan.later.push((time, delivery.clone())),
                Arrival::Behind(count) => held.back.push((number + count, delivery.clone())),
            }
        }
        let (due, back) = std::mem::take(&mut held.back).into_iter().partition(|(number, _)| *number <= held.sent);
        held.back = back;
        let due: Vec<_> = due;
        plan.now.extend(due.into_iter().map(|(_, delivery)| delivery));
        plan
    }
}
