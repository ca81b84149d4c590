//! The shapes of the AWS model, read from the table `shapes.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// Every shape by its name.
pub(super) static SHAPES: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| read(include_str!("shapes.txt")));

/// A type of the model with its limits.
#[derive(Debug)]
pub(super) enum Shape {
    Text { limits: Limits, pattern: Option<Pattern>, secret: bool },
    Enumeration(Vec<&'static str>),
    Integer(Limits),
    Boolean,
    Timestamp,
    List { limits: Limits, element: &'static str },
    Map { limits: Limits, key: &'static str, value: &'static str },
    Structure(Vec<Member>),
}

/// The least and the most characters, elements, or value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
}

/// A regular expression that a whole text must match.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: &'static str,
    pub(super) regex: Regex,
}

/// A member of a structure.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: &'static str,
}

fn read(table: &'static str) -> HashMap<&'static str, Shape> {
    let mut shapes = HashMap::from([("Boolean", Shape::Boolean), ("Timestamp", Shape::Timestamp)]);
    let mut structure: Option<&'static str> = None;
    for line in table.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(member) = line.strip_prefix("  ") {
            let name = structure.expect("a member follows its structure in the table of shapes");
            let Some(Shape::Structure(members)) = shapes.get_mut(name) else { continue };
            members.push(read_member(member));
            continue;
        }
        let (name, shape) = read_shape(line);
        structure = matches!(shape, Shape::Structure(_)).then_some(name);
        let former = shapes.insert(name, shape);
        assert!(former.is_none(), "the table of shapes has {name} once");
    }
    shapes
}

fn read_member(text: &'static str) -> Member {
    let (name, shape) = text.split_once(' ').expect("a member in the table of shapes has a name and a shape");
    let required = name.strip_suffix('*');
    Member { name: required.unwrap_or(name), required: required.is_some(), shape }
}

/// Reads `kind Name rest`.
fn read_shape(line: &'static str) -> (&'static str, Shape) {
    let mut words = line.splitn(3, ' ');
    let kind = words.next().unwrap_or_default();
    let name = words.next().unwrap_or_default();
    let rest = words.next().unwrap_or_default();
    let (range, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let shape = match kind {
        "structure" => Shape::Structure(Vec::new()),
        "enum" => Shape::Enumeration(rest.split(' ').collect()),
        "integer" => Shape::Integer(read_limits(range)),
        "text" | "secret" => Shape::Text {
            limits: read_limits(range),
            pattern: Some(after).filter(|source| !source.is_empty()).map(read_pattern),
            secret: kind == "secret",
        },
        "list" => Shape::List { limits: read_limits(range), element: after },
        "map" => {
            let (key, value) = after.split_once(' ').expect("a map in the table of shapes has a key and a value");
            Shape::Map { limits: read_limits(range), key, value }
        }
        _ => panic!("the table of shapes has no kind {kind}"),
    };
    (name, shape)
}

/// Reads `least..most`, each of which may be missing.
fn read_limits(range: &str) -> Limits {
    let (least, most) = range.split_once("..").expect("a range in the table of shapes has two dots");
    Limits { least: least.parse().ok(), most: most.parse().ok() }
}

fn read_pattern(source: &'static str) -> Pattern {
    let regex = Regex::new(&format!(r"\A(?:{source})\z")).expect("the patterns in the table of shapes are valid");
    Pattern { source, regex }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_that_is_named_is_there() {
        for (name, shape) in SHAPES.iter() {
            let named = match shape {
                Shape::List { element, .. } => vec![*element],
                Shape::Map { key, value, .. } => vec![*key, *value],
                Shape::Structure(members) => members.iter().map(|member| member.shape).collect(),
                _ => Vec::new(),
            };
            for other in named {
                assert!(SHAPES.contains_key(other), "{name} names {other}");
            }
        }
    }
}
