//! Evaluates paths, within a number of steps.

use std::cell::Cell;
use std::cmp::Ordering;

use super::function::{self, Function};
use super::{Argument, Call, Condition, Operand, Query, Relation, Segment, Selector};
use crate::value::{self, Value};

/// How many values one expression may look at. A filter within a filter multiplies its work, and the document comes
/// from the network.
const STEPS_MAX: usize = 4_000_000;

/// The expression looked at more values than one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManySteps;

type Evaluated<T> = Result<T, TooManySteps>;

pub(super) fn select<'v>(segments: &[Segment], root: &'v Value) -> Evaluated<Vec<&'v Value>> {
    Evaluation { root, steps: Cell::new(0) }.segments(segments, root)
}

struct Evaluation<'v> {
    root: &'v Value,
    steps: Cell<usize>,
}

impl<'v> Evaluation<'v> {
    fn step(&self) -> Evaluated<()> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX { Err(TooManySteps) } else { Ok(()) }
    }

    fn segments(&self, segments: &[Segment], from: &'v Value) -> Evaluated<Vec<&'v Value>> {
        let mut nodes = vec![from];
        for segment in segments {
            let mut selected = Vec::new();
            for node in nodes {
                match segment {
                    Segment::Child(selectors) => self.selectors(selectors, node, &mut selected)?,
                    Segment::Descendant(selectors) => self.descendants(selectors, node, &mut selected)?,
                }
            }
            nodes = selected;
        }
        Ok(nodes)
    }

    fn descendants(&self, selectors: &[Selector], node: &'v Value, selected: &mut Vec<&'v Value>) -> Evaluated<()> {
        self.selectors(selectors, node, selected)?;
        match node {
            Value::List(values) => values.iter().try_for_each(|value| self.descendants(selectors, value, selected)),
            Value::Object(members) => {
                members.iter().try_for_each(|(_, value)| self.descendants(selectors, value, selected))
            }
            _ => Ok(()),
        }
    }

    fn selectors(&self, selectors: &[Selector], node: &'v Value, selected: &mut Vec<&'v Value>) -> Evaluated<()> {
        for selector in selectors {
            self.step()?;
            match selector {
                Selector::Name(name) => selected.extend(member(node, name)),
                Selector::Index(index) => selected.extend(element(node, *index)),
                Selector::Wildcard => {
                    for child in children(node) {
                        self.step()?;
                        selected.push(child);
                    }
                }
                Selector::Slice { start, end, step } => {
                    if let Value::List(values) = node {
                        selected.extend(slice(values, *start, *end, *step));
                    }
                }
                Selector::Filter(condition) => {
                    for child in children(node) {
                        self.step()?;
                        if self.holds(condition, child)? {
                            selected.push(child);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn holds(&self, condition: &Condition, current: &'v Value) -> Evaluated<bool> {
        match condition {
            Condition::Any(conditions) => {
                for condition in conditions {
                    if self.holds(condition, current)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::All(conditions) => {
                for condition in conditions {
                    if !self.holds(condition, current)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Not(condition) => Ok(!self.holds(condition, current)?),
            Condition::Exists(query) => Ok(!self.query(query, current)?.is_empty()),
            Condition::Compare { left, relation, right } => {
                let left = self.operand(left, current)?;
                let right = self.operand(right, current)?;
                Ok(relate(left.as_ref(), *relation, right.as_ref()))
            }
            Condition::Call(call) => Ok(matches!(self.call(call, current)?, Some(Value::Bool(true)))),
        }
    }

    fn query(&self, query: &Query, current: &'v Value) -> Evaluated<Vec<&'v Value>> {
        self.step()?;
        self.segments(&query.segments, if query.is_absolute { self.root } else { current })
    }

    fn operand(&self, operand: &Operand, current: &'v Value) -> Evaluated<Option<Value>> {
        match operand {
            Operand::Literal(value) => Ok(Some(value.clone())),
            Operand::Query(query) => Ok(self.query(query, current)?.first().map(|value| (*value).clone())),
            Operand::Call(call) => self.call(call, current),
        }
    }

    fn call(&self, call: &Call, current: &'v Value) -> Evaluated<Option<Value>> {
        let mut values = Vec::new();
        let mut nodes = Vec::new();
        for argument in &call.arguments {
            match argument {
                Argument::Value(operand) => values.push(self.operand(operand, current)?),
                Argument::Nodes(query) => nodes = self.query(query, current)?,
            }
        }
        Ok(match (call.function, values.as_slice()) {
            (Function::Length, [Some(value)]) => length(value),
            (Function::Count, _) => Some(value::count(nodes.len())),
            (Function::Value, _) => match nodes.as_slice() {
                [node] => Some((*node).clone()),
                _ => None,
            },
            (Function::Match | Function::Search, [Some(Value::String(text)), Some(Value::String(pattern))]) => {
                Some(Value::Bool(function::matches(text, pattern, call.function == Function::Match)))
            }
            _ => None,
        })
    }
}

fn length(value: &Value) -> Option<Value> {
    Some(value::count(match value {
        Value::String(text) => text.chars().count(),
        Value::List(values) => values.len(),
        Value::Object(members) => members.len(),
        _ => return None,
    }))
}

fn member<'v>(node: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Object(members) = node else { return None };
    let index = members.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
    members.get(index).map(|(_, value)| value)
}

fn element(node: &Value, index: i64) -> Option<&Value> {
    let Value::List(values) = node else { return None };
    let length = i64::try_from(values.len()).ok()?;
    values.get(usize::try_from(if index < 0 { index + length } else { index }).ok()?)
}

fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::List(values) => Box::new(values.iter()),
        Value::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The elements of a slice (RFC 9535, 2.3.4.2.2).
fn slice(values: &[Value], start: Option<i64>, end: Option<i64>, step: i64) -> Vec<&Value> {
    let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
    let normal = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let mut selected = Vec::new();
    let mut take = |index: i64| selected.extend(usize::try_from(index).ok().and_then(|index| values.get(index)));
    if step > 0 {
        let mut index = normal(start.unwrap_or(0)).clamp(0, length);
        let end = normal(end.unwrap_or(length)).clamp(0, length);
        while index < end {
            take(index);
            index = index.saturating_add(step);
        }
    } else if step < 0 {
        let mut index = start.map_or(length - 1, normal).clamp(-1, length - 1);
        let end = end.map_or(-1, |end| normal(end).clamp(-1, length - 1));
        while index > end {
            take(index);
            index = index.saturating_add(step);
        }
    }
    selected
}

/// Compares two values or nothings (RFC 9535, 2.3.5.2.2).
fn relate(left: Option<&Value>, relation: Relation, right: Option<&Value>) -> bool {
    let is_equal = || match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => left == right,
        _ => false,
    };
    let order = || match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => left.compare(right),
        (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
        _ => None,
    };
    match relation {
        Relation::Equal => is_equal(),
        Relation::NotEqual => !is_equal(),
        Relation::Less => order() == Some(Ordering::Less),
        Relation::LessOrEqual => is_equal() || order() == Some(Ordering::Less),
        Relation::Greater => order() == Some(Ordering::Greater),
        Relation::GreaterOrEqual => is_equal() || order() == Some(Ordering::Greater),
    }
}
