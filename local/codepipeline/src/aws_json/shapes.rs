//! The shapes of an AWS model, read from a table.

use std::collections::HashMap;

use regex::Regex;

use super::Service;

/// The part of a service's model that inputs are checked by.
#[derive(Debug)]
pub struct Model {
    pub(super) service: &'static Service,
    /// Every shape by its name.
    pub(super) shapes: HashMap<&'static str, Shape>,
}

impl Model {
    /// Reads the table of shapes of a service. The table has a line for each shape, and the members of a structure
    /// below it, with two blanks before them:
    ///
    /// ```text
    /// text NAME LEAST..MOST PATTERN     a string; its characters are counted, the whole of it must match
    /// secret NAME LEAST..MOST PATTERN   a string that no message may show
    /// enum NAME VALUE...                one of these strings
    /// integer NAME LEAST..MOST          a whole number
    /// number NAME LEAST..MOST           any number
    /// list NAME LEAST..MOST ELEMENT     an array of a shape
    /// map NAME LEAST..MOST KEY VALUE    an object with free keys
    /// structure NAME                    an object; its members follow, `*` marks required ones
    /// ```
    ///
    /// `Boolean` and `Timestamp` are built in. The input of the operation `Op` is the structure `OpInput`.
    ///
    /// # Panics
    ///
    /// If the table is wrong: it is part of the program.
    pub fn read(service: &'static Service, table: &'static str) -> Self {
        let model = Self { service, shapes: read(table) };
        let named = model.shapes.values().flat_map(Shape::named);
        for name in named {
            assert!(model.shapes.contains_key(name), "the table of shapes has {name}, which it names");
        }
        model
    }
}

/// A type of the model with its limits.
#[derive(Debug)]
pub(super) enum Shape {
    Text { limits: Limits, pattern: Option<Pattern>, secret: bool },
    Enumeration(Vec<&'static str>),
    Integer(Limits),
    Number(Limits),
    Boolean,
    Timestamp,
    List { limits: Limits, element: &'static str },
    Map { limits: Limits, key: &'static str, value: &'static str },
    Structure(Vec<Member>),
}

impl Shape {
    /// The shapes that it names.
    fn named(&self) -> Vec<&'static str> {
        match self {
            Self::List { element, .. } => vec![*element],
            Self::Map { key, value, .. } => vec![*key, *value],
            Self::Structure(members) => members.iter().map(|member| member.shape).collect(),
            _ => Vec::new(),
        }
    }
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
        "number" => Shape::Number(read_limits(range)),
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
