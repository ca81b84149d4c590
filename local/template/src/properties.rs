//! Typed reading of resolved nodes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Position, Problem, Result, did_you_mean};
use crate::yaml::{Entry, Kind, Node};

/// The entries of a mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Properties<'n> {
    /// Where the mapping starts.
    pub(crate) position: Position,
    entries: &'n [Entry],
}

impl<'n> Properties<'n> {
    /// `what` names the mapping in the message if the node is none.
    pub(crate) fn of(node: &'n Node, what: &str) -> Result<Self> {
        match &node.kind {
            Kind::Mapping(entries) => Ok(Self { position: node.position, entries }),
            _ => Err(Problem::at(node.position, format!("{what} must be a mapping, not {}", node.describe()))),
        }
    }

    pub(crate) fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(crate) fn require(&self, key: &str, what: &str) -> Result<&'n Node> {
        self.get(key).ok_or_else(|| Problem::at(self.position, format!("{what} needs `{key}`")))
    }

    /// Fails at the first key that is none of `known`.
    pub(crate) fn only(&self, known: &[&str], what: &str) -> Result<()> {
        self.only_in(&[known], what)
    }

    /// Fails at the first key that is in none of the lists.
    pub(crate) fn only_in(&self, lists: &[&[&str]], what: &str) -> Result<()> {
        let known = || lists.iter().flat_map(|list| list.iter().copied());
        for entry in self.entries {
            if !known().any(|name| name == entry.key) {
                let hint = did_you_mean(&entry.key, known());
                let message = format!("`{}` is no property of {what} that is supported here{hint}", entry.key);
                return Err(Problem::at(entry.key_position, message));
            }
        }
        Ok(())
    }

    pub(crate) fn mapping(&self, key: &str) -> Result<Option<Properties<'n>>> {
        self.get(key).map(|node| Properties::of(node, &format!("`{key}`"))).transpose()
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<String>> {
        self.get(key).map(|node| string(node, key)).transpose()
    }

    pub(crate) fn require_string(&self, key: &str, what: &str) -> Result<String> {
        string(self.require(key, what)?, key)
    }

    pub(crate) fn integer(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
        self.get(key).map(|node| integer(node, key, range)).transpose()
    }

    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let read = |node: &Node| match node.to_json() {
            Value::Bool(value) => Ok(value),
            Value::String(text) if text == "true" || text == "false" => Ok(text == "true"),
            _ => Err(Problem::at(node.position, format!("`{key}` must be true or false, not {}", node.describe()))),
        };
        self.get(key).map(read).transpose()
    }

    pub(crate) fn strings(&self, key: &str) -> Result<Vec<String>> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        list(node, key)?.iter().map(|item| string(item, key)).collect()
    }

    pub(crate) fn string_map(&self, key: &str) -> Result<BTreeMap<String, String>> {
        let Some(mapping) = self.mapping(key)? else { return Ok(BTreeMap::new()) };
        mapping.entries.iter().map(|entry| Ok((entry.key.clone(), string(&entry.value, &entry.key)?))).collect()
    }

    /// The text of an entry that must be one of `allowed`.
    pub(crate) fn one_of(&self, key: &str, allowed: &[&str]) -> Result<Option<String>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let text = string(node, key)?;
        if allowed.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let hint = did_you_mean(&text, allowed.iter().copied());
        let message = format!("`{key}` is `{text}`, supported here is {}{hint}", allowed.join(", "));
        Err(Problem::at(node.position, message))
    }

    pub(crate) fn json(&self, key: &str) -> Option<Value> {
        self.get(key).map(Node::to_json)
    }
}

/// A scalar as text. CloudFormation turns numbers and truth values into text where it needs one.
pub(crate) fn string(node: &Node, what: &str) -> Result<String> {
    match &node.kind {
        Kind::Scalar(scalar) if !node.is_null() => Ok(scalar.text.clone()),
        _ if node.is_null() => Err(Problem::at(node.position, format!("`{what}` has no value"))),
        _ => Err(Problem::at(node.position, format!("`{what}` must be a text, not {}", node.describe()))),
    }
}

pub(crate) fn list<'n>(node: &'n Node, what: &str) -> Result<&'n [Node]> {
    match &node.kind {
        Kind::Sequence(items) => Ok(items),
        _ => Err(Problem::at(node.position, format!("`{what}` must be a list, not {}", node.describe()))),
    }
}

pub(crate) fn integer(node: &Node, what: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
    let text = string(node, what)?;
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        Problem::at(node.position, format!("`{what}` must be a whole number from {least} to {most}, not `{text}`"))
    })
}
