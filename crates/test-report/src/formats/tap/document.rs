//! The plan of a document, and whether its test points fulfil it.

use std::collections::BTreeSet;

use super::line::Plan;

/// Test points that may be ahead of their turn; more than that is no order.
const AHEAD: usize = 1 << 16;

/// The test points of one document, by number.
#[derive(Debug)]
pub(super) struct Document {
    plan: Option<Plan>,
    /// Test points before the plan.
    points_before_plan: u64,
    /// Test points.
    pub(super) points: u64,
    /// The lowest number without a test point.
    next: u64,
    ahead: BTreeSet<u64>,
    disorder: Option<String>,
    pub(super) bailed_out: bool,
    pub(super) is_strict: bool,
}

impl Default for Document {
    fn default() -> Self {
        Document {
            plan: None,
            points_before_plan: 0,
            points: 0,
            next: 1,
            ahead: BTreeSet::new(),
            disorder: None,
            bailed_out: false,
            is_strict: false,
        }
    }
}

impl Document {
    /// Whether there is a plan and a test point for each planned test, so that what follows may be another document.
    pub(super) fn is_complete(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.count() == self.points)
    }

    /// Whether nothing came yet that a version line would have to stand before.
    pub(super) fn is_fresh(&self) -> bool {
        self.points == 0 && !self.is_complete()
    }

    pub(super) fn set_plan(&mut self, plan: Plan) {
        if self.plan.is_some() {
            self.disturb("a second plan, before the first one is fulfilled");
            return;
        }
        if self.points == 0 || self.next == 1 {
            self.next = plan.first;
            self.settle();
        }
        self.points_before_plan = self.points;
        self.plan = Some(plan);
    }

    fn disturb(&mut self, what: &str) {
        if self.disorder.is_none() {
            self.disorder = Some(what.to_owned());
        }
    }

    fn settle(&mut self) {
        while self.ahead.remove(&self.next) {
            self.next = self.next.saturating_add(1);
        }
    }

    /// Notes a test point and returns its number.
    pub(super) fn note(&mut self, number: Option<u64>) -> u64 {
        self.points += 1;
        if self.points_before_plan > 0 {
            self.disturb("the plan stands between the test points");
        }
        let number = number.unwrap_or(self.next);
        if number == self.next {
            self.next = self.next.saturating_add(1);
            self.settle();
        } else if number < self.next || self.ahead.contains(&number) {
            self.disturb(&format!("test {number} occurs twice, or before the plan's first"));
        } else if self.ahead.len() < AHEAD {
            self.ahead.insert(number);
        } else {
            self.disturb("the test points are in no order");
        }
        number
    }

    /// Whether there is a plan that does not hold the number.
    pub(super) fn is_unplanned(&self, number: u64) -> bool {
        self.plan.as_ref().is_some_and(|plan| number < plan.first || number > plan.last)
    }

    pub(super) fn has_plan(&self) -> bool {
        self.plan.is_some()
    }

    /// Whether the plan says that a test is expected to fail.
    pub(super) fn is_todo(&self, number: u64) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.todo.contains(&number))
    }

    /// Planned tests without a test point. Where the tests bailed out, nobody expects them.
    pub(super) fn missing(&self) -> u64 {
        let plan = self.plan.as_ref().filter(|_| !self.bailed_out);
        plan.map_or(0, |plan| plan.count().saturating_sub(self.points))
    }

    /// What does not add up at the end.
    pub(super) fn fault(&self) -> Option<String> {
        let Some(plan) = &self.plan else {
            return Some("there is no plan, so that nobody can say whether the report is whole".to_owned());
        };
        let (planned, points) = (plan.count(), self.points);
        if planned != points && self.disorder.is_none() {
            return Some(format!("{planned} tests are planned, but there are {points} test points"));
        }
        let gap = (!self.ahead.is_empty()).then(|| format!("test {} has no test point", self.next));
        self.disorder.clone().or(gap)
    }
}
