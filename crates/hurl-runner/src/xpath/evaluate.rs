//! Evaluates expressions, within a number of steps.

use std::cell::Cell;

use super::Error;
use super::expression::{Axis, Comparison, Expression, Operator, Path, Start, Step, Test};
use super::tree::{Document, Kind, NodeId, ROOT};

/// How many nodes one expression may visit. Steps and predicates multiply their work, and the document comes from the
/// network.
const STEPS_MAX: usize = 4_000_000;

pub(super) type Evaluated<T> = Result<T, Error>;

/// The value of an expression. Nodes are in document order, each once.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Boolean(bool),
    Number(f64),
    String(String),
    Nodes(Vec<NodeId>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) node: NodeId,
    pub(super) position: usize,
    pub(super) size: usize,
}

pub(super) fn evaluate(document: &Document, expression: &Expression) -> Evaluated<Outcome> {
    let evaluation = Evaluation { document, steps: Cell::new(0) };
    evaluation.value(expression, Context { node: ROOT, position: 1, size: 1 })
}

pub(super) struct Evaluation<'d> {
    pub(super) document: &'d Document,
    steps: Cell<usize>,
}

impl Evaluation<'_> {
    fn visit(&self, count: usize) -> Evaluated<()> {
        self.steps.set(self.steps.get() + count);
        if self.steps.get() > STEPS_MAX { Err(Error::TooManySteps) } else { Ok(()) }
    }

    pub(super) fn value(&self, expression: &Expression, context: Context) -> Evaluated<Outcome> {
        self.visit(1)?;
        Ok(match expression {
            Expression::Or(left, right) => Outcome::Boolean(self.truth(left, context)? || self.truth(right, context)?),
            Expression::And(left, right) => Outcome::Boolean(self.truth(left, context)? && self.truth(right, context)?),
            Expression::Compare(comparison, left, right) => {
                let left = self.value(left, context)?;
                let right = self.value(right, context)?;
                Outcome::Boolean(self.compare(*comparison, &left, &right)?)
            }
            Expression::Arithmetic(operator, left, right) => {
                let left = self.number(left, context)?;
                let right = self.number(right, context)?;
                Outcome::Number(match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Remainder => left % right,
                })
            }
            Expression::Negate(operand) => Outcome::Number(-self.number(operand, context)?),
            Expression::Union(left, right) => {
                let mut nodes = self.nodes(left, context)?;
                nodes.extend(self.nodes(right, context)?);
                Outcome::Nodes(in_document_order(nodes))
            }
            Expression::Literal(text) => Outcome::String(text.clone()),
            Expression::Number(value) => Outcome::Number(*value),
            Expression::Call(function, arguments) => self.call(*function, arguments, context)?,
            Expression::Path(path) => Outcome::Nodes(self.path(path, context)?),
        })
    }

    pub(super) fn truth(&self, expression: &Expression, context: Context) -> Evaluated<bool> {
        Ok(as_boolean(&self.value(expression, context)?))
    }

    pub(super) fn number(&self, expression: &Expression, context: Context) -> Evaluated<f64> {
        let value = self.value(expression, context)?;
        self.as_number(&value)
    }

    pub(super) fn text(&self, expression: &Expression, context: Context) -> Evaluated<String> {
        let value = self.value(expression, context)?;
        self.as_text(&value)
    }

    pub(super) fn nodes(&self, expression: &Expression, context: Context) -> Evaluated<Vec<NodeId>> {
        match self.value(expression, context)? {
            Outcome::Nodes(nodes) => Ok(nodes),
            _ => Err(Error::Invalid("nodes are expected where there is a value".to_owned())),
        }
    }

    /// The string-value of a node; its length counts as visits, so that long texts can not be built up for free.
    pub(super) fn string_value(&self, node: NodeId) -> Evaluated<String> {
        let text = self.document.string_value(node);
        self.visit(1 + text.len() / 64)?;
        Ok(text)
    }

    pub(super) fn as_text(&self, value: &Outcome) -> Evaluated<String> {
        match value {
            Outcome::Boolean(value) => Ok(value.to_string()),
            Outcome::Number(value) => Ok(number_text(*value)),
            Outcome::String(text) => Ok(text.clone()),
            Outcome::Nodes(nodes) => nodes.first().map_or(Ok(String::new()), |&node| self.string_value(node)),
        }
    }

    pub(super) fn as_number(&self, value: &Outcome) -> Evaluated<f64> {
        Ok(match value {
            Outcome::Boolean(value) => f64::from(u8::from(*value)),
            Outcome::Number(value) => *value,
            Outcome::String(text) => text_number(text),
            Outcome::Nodes(_) => text_number(&self.as_text(value)?),
        })
    }

    /// Comparison (section 3.4): of nodes, one pair for which it holds is enough.
    fn compare(&self, comparison: Comparison, left: &Outcome, right: &Outcome) -> Evaluated<bool> {
        match (left, right) {
            (Outcome::Nodes(_), Outcome::Boolean(_)) | (Outcome::Boolean(_), Outcome::Nodes(_)) => self.compare_values(
                comparison,
                &Outcome::Boolean(as_boolean(left)),
                &Outcome::Boolean(as_boolean(right)),
            ),
            (Outcome::Nodes(lefts), Outcome::Nodes(rights)) => {
                let (lefts, rights) = (self.texts(lefts)?, self.texts(rights)?);
                for left in &lefts {
                    for right in &rights {
                        self.visit(1)?;
                        if self.compare_values(comparison, left, right)? {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            }
            (Outcome::Nodes(nodes), value) => self.any_node(nodes, |node| self.compare_values(comparison, node, value)),
            (value, Outcome::Nodes(nodes)) => self.any_node(nodes, |node| self.compare_values(comparison, value, node)),
            _ => self.compare_values(comparison, left, right),
        }
    }

    fn texts(&self, nodes: &[NodeId]) -> Evaluated<Vec<Outcome>> {
        nodes.iter().map(|&node| self.string_value(node).map(Outcome::String)).collect()
    }

    fn any_node(&self, nodes: &[NodeId], holds: impl Fn(&Outcome) -> Evaluated<bool>) -> Evaluated<bool> {
        for &node in nodes {
            if holds(&Outcome::String(self.string_value(node)?))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn compare_values(&self, comparison: Comparison, left: &Outcome, right: &Outcome) -> Evaluated<bool> {
        let is_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if is_order || matches!(left, Outcome::Number(_)) || matches!(right, Outcome::Number(_)) {
            let has_boolean = matches!(left, Outcome::Boolean(_)) || matches!(right, Outcome::Boolean(_));
            if is_order || !has_boolean {
                let (left, right) = (self.as_number(left)?, self.as_number(right)?);
                return Ok(match comparison {
                    Comparison::Equal => left == right,
                    Comparison::NotEqual => left != right,
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterOrEqual => left >= right,
                });
            }
        }
        let is_equal = if matches!(left, Outcome::Boolean(_)) || matches!(right, Outcome::Boolean(_)) {
            as_boolean(left) == as_boolean(right)
        } else {
            self.as_text(left)? == self.as_text(right)?
        };
        Ok(is_equal == (comparison == Comparison::Equal))
    }

    fn path(&self, path: &Path, context: Context) -> Evaluated<Vec<NodeId>> {
        let mut nodes = match &path.start {
            Start::Root => vec![ROOT],
            Start::Context => vec![context.node],
            Start::Filter(expression, predicates) => self.filter(self.nodes(expression, context)?, predicates)?,
        };
        for step in &path.steps {
            nodes = self.step(step, &nodes)?;
        }
        Ok(nodes)
    }

    fn step(&self, step: &Step, from: &[NodeId]) -> Evaluated<Vec<NodeId>> {
        let mut selected = Vec::new();
        for &node in from {
            let candidates = self.axis(step.axis, node);
            self.visit(1 + candidates.len())?;
            let mut matching = Vec::new();
            for candidate in candidates {
                if self.matches(&step.test, step.axis, candidate)? {
                    matching.push(candidate);
                }
            }
            selected.extend(self.filter(matching, &step.predicates)?);
        }
        Ok(in_document_order(selected))
    }

    /// The nodes for which all predicates hold; positions count in the order of `nodes`.
    fn filter(&self, mut nodes: Vec<NodeId>, predicates: &[Expression]) -> Evaluated<Vec<NodeId>> {
        for predicate in predicates {
            let size = nodes.len();
            let mut kept = Vec::new();
            for (index, node) in nodes.into_iter().enumerate() {
                let position = index + 1;
                let keeps = match self.value(predicate, Context { node, position, size })? {
                    Outcome::Number(number) => number == as_float(position),
                    other => as_boolean(&other),
                };
                if keeps {
                    kept.push(node);
                }
            }
            nodes = kept;
        }
        Ok(nodes)
    }

    /// The nodes of an axis, nearest first.
    fn axis(&self, axis: Axis, id: NodeId) -> Vec<NodeId> {
        let document = self.document;
        let node = document.node(id);
        let is_attribute = node.kind == Kind::Attribute;
        let siblings = || match node.parent {
            Some(parent) if !is_attribute => document.node(parent).children.as_slice(),
            _ => &[],
        };
        let mut nodes: Vec<NodeId> = match axis {
            Axis::SelfNode => vec![id],
            Axis::Child => node.children.clone(),
            Axis::Attribute => node.attributes.clone(),
            Axis::Parent => node.parent.into_iter().collect(),
            Axis::Descendant => document.descendants(id),
            Axis::DescendantOrSelf => std::iter::once(id).chain(document.descendants(id)).collect(),
            Axis::Ancestor => std::iter::successors(node.parent, |&id| document.node(id).parent).collect(),
            Axis::AncestorOrSelf => std::iter::successors(Some(id), |&id| document.node(id).parent).collect(),
            Axis::FollowingSibling => siblings().iter().copied().filter(|&sibling| sibling > id).collect(),
            Axis::PrecedingSibling => siblings().iter().copied().filter(|&sibling| sibling < id).collect(),
            Axis::Following => {
                let last = if is_attribute { id } else { document.descendants(id).last().copied().unwrap_or(id) };
                (last + 1..document.nodes.len()).filter(|&id| document.node(id).kind != Kind::Attribute).collect()
            }
            Axis::Preceding => {
                let ancestors = self.axis(Axis::AncestorOrSelf, id);
                let is_before =
                    |other: &NodeId| document.node(*other).kind != Kind::Attribute && !ancestors.contains(other);
                (0..id).filter(is_before).collect()
            }
        };
        if matches!(axis, Axis::Preceding | Axis::PrecedingSibling) {
            nodes.reverse();
        }
        debug_assert!(nodes.len() < 2 || axis.is_reverse() == (nodes[0] > nodes[1]));
        nodes
    }

    fn matches(&self, test: &Test, axis: Axis, id: NodeId) -> Evaluated<bool> {
        let node = self.document.node(id);
        Ok(match test {
            Test::Any => true,
            Test::Text => node.kind == Kind::Text,
            Test::Comment => node.kind == Kind::Comment,
            Test::ProcessingInstruction(target) => {
                node.kind == Kind::ProcessingInstruction && target.as_ref().is_none_or(|target| *target == node.name)
            }
            Test::Name { prefix, local } => {
                let kind = if axis == Axis::Attribute { Kind::Attribute } else { Kind::Element };
                let namespace = prefix.as_deref().map(|prefix| self.namespace(prefix)).transpose()?;
                if node.kind != kind {
                    return Ok(false);
                }
                let name = if self.document.is_html { &node.name } else { node.local_name() };
                let has_name = local.as_ref().is_none_or(|local| local == name);
                let any_namespace = local.is_none() && prefix.is_none();
                has_name && (any_namespace || node.namespace.as_deref() == namespace)
            }
        })
    }

    fn namespace(&self, prefix: &str) -> Evaluated<&str> {
        let known = self.document.prefixes.iter().find(|(known, _)| known == prefix);
        known.map(|(_, uri)| uri.as_str()).ok_or_else(|| Error::Invalid(format!("the prefix {prefix} is not declared")))
    }
}

pub(super) fn as_boolean(value: &Outcome) -> bool {
    match value {
        Outcome::Boolean(value) => *value,
        Outcome::Number(value) => *value != 0.0 && !value.is_nan(),
        Outcome::String(text) => !text.is_empty(),
        Outcome::Nodes(nodes) => !nodes.is_empty(),
    }
}

pub(super) fn in_document_order(mut nodes: Vec<NodeId>) -> Vec<NodeId> {
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// A count or position as the number that it is in XPath.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn as_float(count: usize) -> f64 {
    count as f64
}

/// The number that a text is (section 4.4): digits with a sign and a point, or not a number.
pub(super) fn text_number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

fn number_text(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        value.to_string()
    }
}
