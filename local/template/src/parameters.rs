//! The `Parameters` section: defaults, given values, and the checks on both (CloudFormation guide, "Parameters").

use std::collections::BTreeMap;

use regex::RegexBuilder;

use crate::error::{Problem, Result, did_you_mean};
use crate::properties::{Properties, string};
use crate::settings::Settings;
use crate::yaml::{Kind, Node};

/// The greatest compiled size of an `AllowedPattern` in bytes.
const MAX_PATTERN_SIZE: usize = 1024 * 1024;

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// `String`, `Number` and the types that are one text.
    Text(String),
    /// `CommaDelimitedList` and `List<...>`.
    List(Vec<String>),
}

pub(crate) fn read_parameters(section: Option<&Node>, settings: &Settings) -> Result<BTreeMap<String, ParameterValue>> {
    let mut values = BTreeMap::new();
    let section = section.map(|node| Properties::of(node, "`Parameters`")).transpose()?;
    let entries = section.map(|section| section.entries()).unwrap_or_default();
    for given in settings.parameters.keys() {
        if !entries.iter().any(|entry| entry.key == *given) {
            let hint = did_you_mean(given, entries.iter().map(|entry| entry.key.as_str()));
            return Err(Problem::setting(format!("the template has no parameter `{given}`{hint}")));
        }
    }
    for entry in entries {
        let declaration = Declaration::read(&entry.key, &entry.value)?;
        let made_up = settings.made_up_networks.then(|| made_up_id(&declaration.kind)).flatten();
        let value = declaration.value(settings.parameters.get(&entry.key), made_up)?;
        values.insert(entry.key.clone(), value);
    }
    Ok(values)
}

/// An id for a parameter type that holds one of EC2, or a list of them.
fn made_up_id(kind: &str) -> Option<&'static str> {
    match kind.strip_prefix("List<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(kind) {
        "AWS::EC2::VPC::Id" => Some("vpc-00000000"),
        "AWS::EC2::Subnet::Id" if kind.starts_with("List<") => Some("subnet-00000000,subnet-00000001"),
        "AWS::EC2::Subnet::Id" => Some("subnet-00000000"),
        "AWS::EC2::SecurityGroup::Id" => Some("sg-00000000"),
        _ => None,
    }
}

struct Declaration<'n> {
    name: &'n str,
    node: &'n Node,
    properties: Properties<'n>,
    kind: String,
}

impl<'n> Declaration<'n> {
    fn read(name: &'n str, node: &'n Node) -> Result<Self> {
        let properties = Properties::of(node, &format!("the parameter `{name}`"))?;
        let known = [
            "Type",
            "Default",
            "AllowedPattern",
            "AllowedValues",
            "ConstraintDescription",
            "Description",
            "MaxLength",
            "MaxValue",
            "MinLength",
            "MinValue",
            "NoEcho",
        ];
        properties.only(&known, "a parameter")?;
        let kind = properties.require_string("Type", "a parameter")?;
        let supported = kind == "String" || kind == "Number" || kind == "CommaDelimitedList" || kind == "List<Number>";
        if !supported && !kind.starts_with("AWS::") && !kind.starts_with("List<AWS::") {
            let hint = did_you_mean(&kind, ["String", "Number", "CommaDelimitedList", "List<Number>"]);
            let at = properties.get("Type").map_or(node.position, |node| node.position);
            return Err(Problem::at(at, format!("the parameter type `{kind}` is unknown{hint}")));
        }
        Ok(Self { name, node, properties, kind })
    }

    fn value(&self, given: Option<&String>, made_up: Option<&str>) -> Result<ParameterValue> {
        let (text, from_setting) = match (given, self.properties.get("Default"), made_up) {
            (Some(given), ..) => (given.clone(), true),
            (None, Some(default), _) => (scalar_text(default, self.name)?, false),
            (None, None, Some(made_up)) => (made_up.to_owned(), false),
            (None, None, None) => {
                let message = format!("the parameter `{}` has no default; give it a value", self.name);
                return Err(Problem::at(self.node.position, message));
            }
        };
        if self.kind.starts_with("AWS::SSM::Parameter::Value") && !from_setting {
            let message = format!(
                "the parameter `{}` takes its value from the SSM parameter `{text}`, which is not looked up here; give \
                 it a value",
                self.name
            );
            return Err(Problem::at(self.node.position, message));
        }
        let value = if self.kind == "CommaDelimitedList" || self.kind.starts_with("List<") {
            let items = text.split(',').map(|item| item.trim().to_owned());
            ParameterValue::List(if text.is_empty() { Vec::new() } else { items.collect() })
        } else {
            ParameterValue::Text(text)
        };
        self.check(&value).map_err(|message| {
            let why = self.properties.string("ConstraintDescription").ok().flatten();
            let why = why.map(|why| format!(" ({})", why.trim())).unwrap_or_default();
            let message = format!("the parameter `{}` {message}{why}", self.name);
            if from_setting {
                return Problem::setting(message);
            }
            let at = self.properties.get("Default").unwrap_or(self.node).position;
            Problem::at(at, message)
        })?;
        Ok(value)
    }

    /// The message of the first check that the value fails, without the value itself if it is a secret.
    fn check(&self, value: &ParameterValue) -> std::result::Result<(), String> {
        let hidden = self.properties.boolean("NoEcho").ok().flatten().unwrap_or_default();
        let texts = match value {
            ParameterValue::Text(text) => std::slice::from_ref(text),
            ParameterValue::List(items) => items,
        };
        for text in texts {
            let shown = if hidden { "its value".to_owned() } else { format!("`{text}`") };
            self.check_text(text, &shown)?;
        }
        Ok(())
    }

    fn check_text(&self, text: &str, shown: &str) -> std::result::Result<(), String> {
        let message = |problem: Problem| format!("has a bad constraint: {}", problem.message);
        if let Some(allowed) = self.properties.get("AllowedValues") {
            let allowed = match &allowed.kind {
                Kind::Sequence(items) => items.iter().map(|item| scalar_text(item, "AllowedValues")).collect(),
                _ => Err(Problem::at(allowed.position, "`AllowedValues` must be a list")),
            };
            let allowed: Vec<String> = allowed.map_err(message)?;
            if !allowed.iter().any(|value| value == text) {
                let hint = did_you_mean(text, allowed.iter().map(String::as_str));
                return Err(format!("must be one of {}, not {shown}{hint}", allowed.join(", ")));
            }
        }
        if let Some(pattern) = self.properties.string("AllowedPattern").map_err(message)? {
            let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(MAX_PATTERN_SIZE).build();
            let whole = whole.map_err(|_| format!("has a pattern that is not supported here: {pattern}"))?;
            if !whole.is_match(text) {
                return Err(format!("must match {pattern}, but {shown} does not"));
            }
        }
        let is_number = self.kind == "Number" || self.kind == "List<Number>";
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        if is_number && number.is_none() {
            return Err(format!("must be a number, not {shown}"));
        }
        let bound = |key: &str| -> std::result::Result<Option<f64>, String> {
            let text = self.properties.string(key).map_err(message)?;
            Ok(text.and_then(|text| text.parse().ok()))
        };
        #[expect(clippy::cast_precision_loss, reason = "a length of 2^52 is out of reach")]
        let length = text.chars().count() as f64;
        let least = (number.filter(|_| is_number), bound("MinValue")?, bound("MaxValue")?, "value");
        for (size, min, max, what) in [least, (Some(length), bound("MinLength")?, bound("MaxLength")?, "length")] {
            let Some(size) = size else { continue };
            if min.is_some_and(|min| size < min) || max.is_some_and(|max| size > max) {
                let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
                return Err(format!("must have a {what} from {min} to {max}, unlike {shown}"));
            }
        }
        Ok(())
    }
}

/// A scalar's text, where the empty text is one.
fn scalar_text(node: &Node, what: &str) -> Result<String> {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.is_empty() => Ok(String::new()),
        _ => string(node, what),
    }
}
