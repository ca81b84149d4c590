//! YAML with CloudFormation's tags, as a tree in which each node knows its place.
//!
//! CloudFormation knows neither aliases nor merge keys (CloudFormation guide, "Template format: YAML"), so they are
//! refused, and with them every way to blow up a small file.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag, options};
use serde_json::{Map, Number, Value};

use crate::error::{Position, Problem, Result, did_you_mean};

/// The greatest template in bytes (CloudFormation quotas).
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// How deep nodes may be nested.
const MAX_DEPTH: usize = 64;

/// How many nodes there may be.
const MAX_NODES: usize = 100_000;

/// The intrinsic functions: tag in the short form, key in the long form, and whether they are evaluated here.
const INTRINSICS: [(&str, &str, bool); 20] = [
    ("And", "Fn::And", true),
    ("Base64", "Fn::Base64", true),
    ("Cidr", "Fn::Cidr", false),
    ("Condition", "Condition", true),
    ("Equals", "Fn::Equals", true),
    ("FindInMap", "Fn::FindInMap", true),
    ("ForEach", "Fn::ForEach", false),
    ("GetAtt", "Fn::GetAtt", true),
    ("GetAZs", "Fn::GetAZs", false),
    ("If", "Fn::If", true),
    ("ImportValue", "Fn::ImportValue", true),
    ("Join", "Fn::Join", true),
    ("Length", "Fn::Length", false),
    ("Not", "Fn::Not", true),
    ("Or", "Fn::Or", true),
    ("Ref", "Ref", true),
    ("Select", "Fn::Select", true),
    ("Split", "Fn::Split", true),
    ("Sub", "Fn::Sub", true),
    ("Transform", "Fn::Transform", false),
];

/// A node of the template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
    /// An intrinsic function, in either form.
    Call {
        /// The key of the long form.
        function: &'static str,
        argument: Box<Node>,
    },
}

/// One entry of a mapping. The keys of a mapping are different from each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_position: Position,
    pub(crate) value: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Without quotes: it may be a number, a truth value or nothing.
    pub(crate) plain: bool,
}

/// Reads one document.
pub(crate) fn parse(text: &str) -> Result<Node> {
    if text.len() > MAX_BYTES {
        let message = format!("the template has {} bytes, {MAX_BYTES} are allowed", text.len());
        return Err(Problem::setting(message));
    }
    let options = options! {
        emit_comments: false,
        disallow_directives: true,
        block_nesting_limit: 2 * MAX_DEPTH,
        flow_nesting_limit: 2 * MAX_DEPTH,
    };
    let mut builder = Builder { parser: Parser::new_from_str_with_options(text, options), nodes: 0 };
    builder.document()
}

struct Builder<'t, P: Iterator<Item = granit_parser::ParseResult<'t>>> {
    parser: P,
    nodes: usize,
}

impl<'t, P: Iterator<Item = granit_parser::ParseResult<'t>>> Builder<'t, P> {
    fn next(&mut self) -> Result<(Event<'t>, Position)> {
        match self.parser.next() {
            Some(Ok((event, span))) => Ok((event, start(&span))),
            Some(Err(error)) => {
                let marker = error.marker();
                let position = Position { line: marker.line(), column: marker.col() + 1 };
                Err(Problem::at(position, format!("no valid YAML: {}", error.info())))
            }
            None => Err(Problem::setting("the template ends in the middle")),
        }
    }

    fn document(&mut self) -> Result<Node> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, _) => return Err(Problem::setting("the template is empty")),
                (event, position) => {
                    let root = self.node(event, position, 0)?;
                    return self.end(root);
                }
            }
        }
    }

    fn end(&mut self, root: Node) -> Result<Node> {
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(root),
                (_, position) => return Err(Problem::at(position, "a template is one document; here starts another")),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, position: Position, depth: usize) -> Result<Node> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            let message = format!("the template is deeper than {MAX_DEPTH} levels or has more than {MAX_NODES} nodes");
            return Err(Problem::at(position, message));
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|tag| read_tag(&tag, position)).transpose()?;
                let plain = style == ScalarStyle::Plain && tag != Some(ReadTag::String);
                let node = Node { position, kind: Kind::Scalar(Scalar { text: text.into_owned(), plain }) };
                Ok(wrap(node, tag))
            }
            Event::SequenceStart(_, _, tag) => {
                let tag = tag.map(|tag| read_tag(&tag, position)).transpose()?;
                let items = self.sequence(depth)?;
                Ok(wrap(Node { position, kind: Kind::Sequence(items) }, tag))
            }
            Event::MappingStart(_, _, tag) => {
                let tag = tag.map(|tag| read_tag(&tag, position)).transpose()?;
                let entries = self.mapping(depth)?;
                let node = long_form(Node { position, kind: Kind::Mapping(entries) });
                Ok(wrap(node, tag))
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                Err(Problem::at(position, "CloudFormation knows no YAML aliases; write the value out"))
            }
            _ => Err(Problem::at(position, "no valid YAML: a value is missing here")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, position) => items.push(self.node(event, position, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, Position> = HashMap::new();
        loop {
            let (event, key_position) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, _, _, None) => text.into_owned(),
                _ => return Err(Problem::at(key_position, "a key must be a plain text")),
            };
            if key == "<<" {
                return Err(Problem::at(
                    key_position,
                    "CloudFormation knows no YAML merge keys; write the entries out",
                ));
            }
            if let Some(first) = places.insert(key.clone(), key_position) {
                let message = format!("the key `{key}` is there twice; the first is at {first}");
                return Err(Problem::at(key_position, message));
            }
            let (event, position) = self.next()?;
            let value = self.node(event, position, depth + 1)?;
            entries.push(Entry { key, key_position, value });
        }
    }
}

fn start(span: &Span) -> Position {
    let marker = span.tag_start().unwrap_or(span.start);
    Position { line: marker.line(), column: marker.col() + 1 }
}

#[derive(Clone, Copy, PartialEq)]
enum ReadTag {
    Intrinsic(&'static str),
    String,
    Other,
}

fn read_tag(tag: &Tag, position: Position) -> Result<ReadTag> {
    if let Some(core) = tag.core_suffix() {
        return Ok(if core == "str" { ReadTag::String } else { ReadTag::Other });
    }
    let name = tag.suffix();
    match INTRINSICS.iter().find(|(short, ..)| tag.handle() == "!" && *short == name) {
        Some((_, long, _)) => Ok(ReadTag::Intrinsic(long)),
        None => {
            let hint = did_you_mean(name, INTRINSICS.iter().map(|(short, ..)| *short));
            Err(Problem::at(position, format!("the tag `{}` is no intrinsic function{hint}", tag.original())))
        }
    }
}

fn wrap(node: Node, tag: Option<ReadTag>) -> Node {
    match tag {
        Some(ReadTag::Intrinsic(function)) => {
            Node { position: node.position, kind: Kind::Call { function, argument: Box::new(node) } }
        }
        _ => node,
    }
}

/// `{"Fn::Sub": ...}` is a call. `Condition` is one too where a condition is evaluated, but elsewhere it is a
/// property, so it stays a mapping here.
fn long_form(node: Node) -> Node {
    let Kind::Mapping(entries) = &node.kind else { return node };
    let [entry] = entries.as_slice() else { return node };
    let known = INTRINSICS.iter().find(|(_, long, _)| *long == entry.key && *long != "Condition");
    match known {
        Some((_, function, _)) => {
            let argument = Box::new(entry.value.clone());
            Node { position: node.position, kind: Kind::Call { function, argument } }
        }
        None => node,
    }
}

/// Whether an intrinsic function is evaluated here.
pub(crate) fn is_supported(function: &str) -> bool {
    INTRINSICS.iter().any(|(_, long, supported)| *long == function && *supported)
}

impl Node {
    pub(crate) fn text(position: Position, text: impl Into<String>) -> Self {
        Self { position, kind: Kind::Scalar(Scalar { text: text.into(), plain: false }) }
    }

    /// A node for a JSON value that came from outside of the template.
    pub(crate) fn from_json(position: Position, value: &Value) -> Self {
        let plain = |text: String| Kind::Scalar(Scalar { text, plain: true });
        let kind = match value {
            Value::String(text) => return Self::text(position, text.as_str()),
            Value::Null => plain("null".to_owned()),
            Value::Bool(value) => plain(value.to_string()),
            Value::Number(number) => plain(number.to_string()),
            Value::Array(items) => Kind::Sequence(items.iter().map(|item| Self::from_json(position, item)).collect()),
            Value::Object(entries) => {
                let entry = |(key, value): (&String, &Value)| Entry {
                    key: key.clone(),
                    key_position: position,
                    value: Self::from_json(position, value),
                };
                Kind::Mapping(entries.iter().map(entry).collect())
            }
        };
        Self { position, kind }
    }

    /// The node as JSON, calls in their long form.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.to_json(),
            Kind::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Kind::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
            }
            Kind::Call { function, argument } => {
                Value::Object(Map::from_iter([((*function).to_owned(), argument.to_json())]))
            }
        }
    }

    /// What the node is, for a message.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.text.chars().count() <= 60 => format!("`{}`", scalar.text),
            Kind::Scalar(_) => "a long text".to_owned(),
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Call { function, .. } => (*function).to_owned(),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.to_json().is_null())
    }
}

impl Scalar {
    fn to_json(&self) -> Value {
        let text = self.text.as_str();
        if !self.plain {
            return text.into();
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return true.into(),
            "false" | "False" | "FALSE" => return false.into(),
            _ => {}
        }
        // A number that would not be written back in the same way, such as an account id with a zero before it or a
        // version 1.10, stays the text that somebody wrote.
        let number: Option<Number> = serde_json::from_str(text).ok();
        match number {
            Some(number) if number.to_string() == text => Value::Number(number),
            _ => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn short_and_long_forms_are_the_same() {
        for (yaml, expected) in [
            ("!Ref A", json!({"Ref": "A"})),
            ("{Ref: A}", json!({"Ref": "A"})),
            ("!GetAtt A.Arn", json!({"Fn::GetAtt": "A.Arn"})),
            ("!Join ['-', [a, !Ref B]]", json!({"Fn::Join": ["-", ["a", {"Ref": "B"}]]})),
            ("!Sub\n- x\n- {Y: 1}", json!({"Fn::Sub": ["x", {"Y": 1}]})),
            ("Fn::Sub: x", json!({"Fn::Sub": "x"})),
            ("{Condition: C}", json!({"Condition": "C"})),
            (
                "{a: 007, b: '7', c: 7, d: 1.10, e: yes, f: true, g: ~, h: !!str 7}",
                json!({"a": "007", "b": "7", "c": 7, "d": "1.10", "e": "yes", "f": true, "g": null, "h": "7"}),
            ),
            ("2012-10-17", json!("2012-10-17")),
        ] {
            assert_eq!(parse(yaml).map(|node| node.to_json()), Ok(expected), "{yaml}");
        }
    }

    #[test]
    fn what_cloudformation_refuses_is_refused_with_its_place() {
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        let deeper = "[".repeat(100_000);
        let many = format!("[{}]", "1,".repeat(MAX_NODES + 1));
        for (yaml, place, text) in [
            ("a: &x 1\nb: *x", Some((2, 4)), "no YAML aliases"),
            ("a: &x [1]\nb:\n  <<: *x", Some((3, 3)), "no YAML merge keys"),
            ("a: 1\nb: 2\na: 3", Some((3, 1)), "`a` is there twice; the first is at 1:1"),
            ("a: !Reff x", Some((1, 4)), "the tag `!Reff` is no intrinsic function; did you mean `Ref`?"),
            ("a: 1\n---\nb: 2", Some((2, 1)), "here starts another"),
            ("a: [1", Some((1, 4)), "no valid YAML"),
            ("? [a]\n: 1", Some((1, 3)), "a key must be"),
            ("", None, "empty"),
            (&deep, Some((1, 66)), "deeper than 64"),
            (&deeper, None, ""),
            (&many, None, "more than 100000 nodes"),
        ] {
            let problem = parse(yaml).unwrap_err();
            assert!(problem.message.contains(text), "{yaml:.40}: {problem:?}");
            if let Some((line, column)) = place {
                assert_eq!(problem.position, Some(Position { line, column }), "{yaml:.40}: {problem:?}");
            }
        }
        assert!(parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err().message.contains("are allowed"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-c:!&*{}\\[\\],'\"|>#\\-? \n]{0,40}") {
            let _ = parse(&text).map(|node| node.to_json());
        }
    }
}
