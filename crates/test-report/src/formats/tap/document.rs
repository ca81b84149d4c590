//! The plan of a document, and whether its test points fulfil it.

use std::collections::BTreeSet;

use super::line::Plan;

/// Test points that may be ahead of their turn; more than that is no order.
const AHEAD: usize = 1 << 16;

/// The test points of one document, by number.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) plan: Option<Plan>,
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

    pub(super) fn set_plan(&mut self, plan: Plan) {
        if self.points == 0 {
            self.next = plan.first;
        }
        self.plan = Some(plan);
    }

    /// Notes a test point and returns its number.
    pub(super) fn note(&mut self, number: Option<u64>) -> u64 {
        self.points += 1;
        let number = number.unwrap_or(self.next);
        if number == self.next {
            self.next = self.next.saturating_add(1);
            while self.ahead.remove(&self.next) {
                self.next = self.next.saturating_add(1);
            }
        } else if number < self.next || self.ahead.contains(&number) {
            self.disorder.get_or_insert_with(|| format!("test {number} occurs twice, or before the plan's first"));
        } else if self.ahead.len() < AHEAD {
            self.ahead.insert(number);
        } else {
            self.disorder.get_or_insert_with(|| "the test points are in no order".to_owned());
        }
        number
    }

    /// Whether the plan says that a test is expected to fail.
    pub(super) fn is_todo(&self, number: u64) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.todo.contains(&number))
    }

    /// Planned tests without a test point.
    pub(super) fn missing(&self) -> u64 {
        self.plan.as_ref().map_or(0, |plan| plan.count().saturating_sub(self.points))
    }

    /// What does not add up at the end.
    pub(super) fn fault(&self) -> Option<String> {
        let Some(plan) = &self.plan else {
            return Some("there is no plan, so that nobody can say whether the report is whole".to_owned());
        };
        let (planned, points) = (plan.count(), self.points);
        if planned != points {
            return Some(format!("{planned} tests are planned, but there are {points} test points"));
        }
        let gap = (!self.ahead.is_empty()).then(|| format!("test {} has no test point", self.next));
        self.disorder.clone().or(gap)
    }
}
