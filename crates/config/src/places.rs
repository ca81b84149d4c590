//! Where the parts of a YAML document stand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The places of all keys and items of a document, for messages about what no single value shows.
#[derive(Debug)]
pub struct Places {
    root: Option<Tree>,
}

/// A key of a map or an item of a list, and what is below it.
#[derive(Debug)]
struct Tree {
    at: Location,
    below: Vec<(String, Tree)>,
}

impl Places {
    /// Reads a document. One that is not valid YAML has no places.
    pub fn read(text: &str) -> Self {
        Self { root: serde_saphyr::from_str::<Spanned<Below>>(text).ok().map(Tree::from) }
    }

    /// Line and column, both from 1, of what `path` leads to: a key of a map, or by its decimal number from 0 an item
    /// of a list. Where the path ends early, the last place on it.
    pub fn of(&self, path: &[&str]) -> Option<(u64, u64)> {
        let (tree, _) = self.walk(path)?;
        Some((tree.at.line(), tree.at.column()))
    }

    /// The keys or numbers below what `path` leads to; none where it leads nowhere.
    pub fn below(&self, path: &[&str]) -> impl Iterator<Item = &str> {
        let tree = self.walk(path).and_then(|(tree, whole)| whole.then_some(tree));
        tree.into_iter().flat_map(|tree| tree.below.iter().map(|(name, _)| name.as_str()))
    }

    /// As far as the path leads, and whether that is its end.
    fn walk(&self, path: &[&str]) -> Option<(&Tree, bool)> {
        let mut tree = self.root.as_ref()?;
        for step in path {
            match tree.below.iter().find(|(name, _)| name == step) {
                Some((_, next)) => tree = next,
                None => return Some((tree, false)),
            }
        }
        Some((tree, true))
    }
}

/// What is below a key or an item; nothing where it is a scalar.
struct Below(Vec<(String, Tree)>);

impl From<Spanned<Below>> for Tree {
    fn from(spanned: Spanned<Below>) -> Self {
        Self { at: spanned.referenced, below: spanned.value.0 }
    }
}

impl<'de> Deserialize<'de> for Below {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BelowVisitor)
    }
}

struct BelowVisitor;

impl<'de> Visitor<'de> for BelowVisitor {
    type Value = Below;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Below, A::Error> {
        let mut below = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Below>>()? {
            below.push((key.value, Tree { at: key.referenced, below: value.value.0 }));
        }
        Ok(Below(below))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Below, A::Error> {
        let mut below = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Below>>()? {
            below.push((below.len().to_string(), Tree::from(item)));
        }
        Ok(Below(below))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_unit<E: Error>(self) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }

    fn visit_none<E: Error>(self) -> Result<Below, E> {
        Ok(Below(Vec::new()))
    }
}
