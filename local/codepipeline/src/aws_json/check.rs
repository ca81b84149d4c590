//! Walking through an input beside its shape.

use serde_json::{Map, Value};

use super::shapes::{Limits, Member, Model, Shape};
use crate::error::ApiError;

/// How many violations a message lists; more are only counted.
const LISTED: usize = 20;
/// How many characters of a wrong value a message shows.
const SHOWN: usize = 256;

impl Model {
    /// Checks the input of an operation and gives back what the model knows of it: members that it does not name and
    /// members that are null are left out.
    ///
    /// # Errors
    ///
    /// `UnknownOperationException`, `SerializationException` for a value of another JSON type, and one error of the
    /// service's code for everything that breaks a limit.
    pub fn check(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let Some(Shape::Structure(members)) = self.shapes.get(format!("{operation}Input").as_str()) else {
            return Err(self.unknown_operation(operation));
        };
        let mut check = Check { model: self, violations: 0, messages: Vec::new() };
        let known = check.structure(members, input, "")?;
        if check.violations == 0 {
            return Ok(known);
        }
        let count = match check.violations {
            1 => "1 validation error".to_owned(),
            more => format!("{more} validation errors"),
        };
        Err(ApiError::new(self.service.violation, format!("{count} detected: {}", check.messages.join("; "))))
    }

    /// The error for an operation that the local service does not have.
    pub fn unknown_operation(&self, operation: &str) -> ApiError {
        let name: String = operation.chars().take(SHOWN).collect();
        let message = format!("the local {} has no operation {name}", self.service.name);
        ApiError::new("UnknownOperationException", message)
    }

    fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).expect("every shape that the table names is in it")
    }
}

struct Check<'m> {
    model: &'m Model,
    violations: usize,
    messages: Vec<String>,
}

type Checked = Result<Value, ApiError>;

impl Check<'_> {
    fn value(&mut self, shape: &'static str, value: &Value, path: &str) -> Checked {
        let shape = self.model.shape(shape);
        match (shape, value) {
            (Shape::Structure(members), Value::Object(_)) => return self.structure(members, value, path),
            (Shape::List { limits, element }, Value::Array(list)) => return self.list(*limits, element, list, path),
            (Shape::Map { limits, key, value }, Value::Object(map)) => {
                return self.map(*limits, (key, value), map, path);
            }
            (Shape::Boolean, Value::Bool(_)) | (Shape::Timestamp, Value::Number(_)) => {}
            (Shape::Integer(limits), Value::Number(number)) if number.is_i64() || number.is_u64() => {
                let number = number.as_i64().unwrap_or(i64::MAX);
                for constraint in value_constraints(*limits, number) {
                    self.violated(Some(&value.to_string()), path, &constraint);
                }
            }
            (Shape::Number(limits), Value::Number(number)) => {
                for constraint in number_constraints(*limits, number.as_f64().unwrap_or(f64::NAN)) {
                    self.violated(Some(&value.to_string()), path, &constraint);
                }
            }
            (Shape::Text { .. } | Shape::Enumeration(_), Value::String(text)) => {
                let secret = matches!(shape, Shape::Text { secret: true, .. });
                for constraint in text_constraints(shape, text) {
                    self.violated((!secret).then_some(text), path, &constraint);
                }
            }
            _ => return Err(wrong_type(shape, value, path)),
        }
        Ok(value.clone())
    }

    fn structure(&mut self, members: &[Member], value: &Value, path: &str) -> Checked {
        let Value::Object(given) = value else {
            let message = format!("{} must be a JSON object", if path.is_empty() { "the input" } else { path });
            return Err(ApiError::new("SerializationException", message));
        };
        let mut known = Map::new();
        for member in members {
            let path = if path.is_empty() { member.name.to_owned() } else { format!("{path}.{}", member.name) };
            match given.get(member.name) {
                None | Some(Value::Null) if member.required => self.missing(&path),
                None | Some(Value::Null) => {}
                Some(value) => {
                    known.insert(member.name.to_owned(), self.value(member.shape, value, &path)?);
                }
            }
        }
        Ok(Value::Object(known))
    }

    fn list(&mut self, limits: Limits, element: &'static str, list: &[Value], path: &str) -> Checked {
        for constraint in length_constraints(limits, list.len()) {
            self.violated(list.is_empty().then_some("[]"), path, &constraint);
        }
        let mut known = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let path = format!("{path}.{}.member", index + 1);
            match value {
                Value::Null => self.missing(&path),
                value => known.push(self.value(element, value, &path)?),
            }
        }
        Ok(Value::Array(known))
    }

    /// AWS reports keys and values of a map at the map and does not show them.
    fn map(
        &mut self,
        limits: Limits,
        (key_shape, value_shape): (&'static str, &'static str),
        map: &Map<String, Value>,
        path: &str,
    ) -> Checked {
        for constraint in length_constraints(limits, map.len()) {
            self.violated(None, path, &constraint);
        }
        let model = self.model;
        let shape = |name| model.shape(name);
        let mut known = Map::new();
        for (key, value) in map {
            if !text_constraints(shape(key_shape), key).is_empty() {
                self.violated_in_map(path, "keys", shape(key_shape));
            }
            let checked = match (shape(value_shape), value) {
                (_, Value::Null) => continue,
                (text @ Shape::Text { .. }, Value::String(value)) => {
                    if !text_constraints(text, value).is_empty() {
                        self.violated_in_map(path, "value", text);
                    }
                    Value::String(value.clone())
                }
                _ => self.value(value_shape, value, &format!("{path}.{key}.member"))?,
            };
            known.insert(key.clone(), checked);
        }
        Ok(Value::Object(known))
    }

    fn violated_in_map(&mut self, path: &str, what: &str, shape: &Shape) {
        let constraint = format!("Map {what} must satisfy constraint: [{}]", all_constraints(shape).join(", "));
        self.violated(None, path, &constraint);
    }

    fn missing(&mut self, path: &str) {
        self.add(|| format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }

    fn violated(&mut self, value: Option<&str>, path: &str, constraint: &str) {
        let value = value.map(|value| format!(" '{}'", shown(value))).unwrap_or_default();
        self.add(|| format!("Value{value} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    fn add(&mut self, message: impl FnOnce() -> String) {
        self.violations += 1;
        if self.messages.len() < LISTED {
            self.messages.push(message());
        }
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

/// What a text breaks.
fn text_constraints(shape: &Shape, text: &str) -> Vec<String> {
    match shape {
        Shape::Text { limits, pattern, .. } => {
            let mut broken = length_constraints(*limits, text.chars().count());
            let pattern = pattern.as_ref().filter(|pattern| !pattern.regex.is_match(text));
            broken.extend(pattern.map(|pattern| pattern_constraint(pattern.source)));
            broken
        }
        Shape::Enumeration(values) if !values.contains(&text) => vec![enumeration_constraint(values)],
        _ => Vec::new(),
    }
}

/// Everything that a text must hold, whether it does or not.
fn all_constraints(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Text { limits, pattern, .. } => {
            let most = limits.most.map(|most| format!("Member must have length less than or equal to {most}"));
            let least = limits.least.map(|least| format!("Member must have length greater than or equal to {least}"));
            let pattern = pattern.as_ref().map(|pattern| pattern_constraint(pattern.source));
            [most, least, pattern].into_iter().flatten().collect()
        }
        Shape::Enumeration(values) => vec![enumeration_constraint(values)],
        _ => Vec::new(),
    }
}

fn pattern_constraint(source: &str) -> String {
    format!("Member must satisfy regular expression pattern: {source}")
}

fn enumeration_constraint(values: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

fn length_constraints(limits: Limits, length: usize) -> Vec<String> {
    constraints(limits, i64::try_from(length).unwrap_or(i64::MAX), "length")
}

fn value_constraints(limits: Limits, value: i64) -> Vec<String> {
    constraints(limits, value, "value")
}

fn number_constraints(limits: Limits, number: f64) -> Vec<String> {
    // The limits in the table are small whole numbers.
    let bound = |limit: i64| f64::from(i32::try_from(limit).unwrap_or(i32::MAX));
    let most = limits.most.filter(|most| number > bound(*most));
    let least = limits.least.filter(|least| number < bound(*least));
    let most = most.map(|most| format!("Member must have value less than or equal to {most}"));
    let least = least.map(|least| format!("Member must have value greater than or equal to {least}"));
    most.into_iter().chain(least).collect()
}

fn constraints(limits: Limits, number: i64, what: &str) -> Vec<String> {
    let most = limits.most.filter(|most| number > *most);
    let least = limits.least.filter(|least| number < *least);
    let most = most.map(|most| format!("Member must have {what} less than or equal to {most}"));
    let least = least.map(|least| format!("Member must have {what} greater than or equal to {least}"));
    most.into_iter().chain(least).collect()
}

fn wrong_type(shape: &Shape, value: &Value, path: &str) -> ApiError {
    let wanted = match shape {
        Shape::Text { .. } | Shape::Enumeration(_) => "a string",
        Shape::Integer(_) => "an integer",
        Shape::Number(_) => "a number",
        Shape::Boolean => "a boolean",
        Shape::Timestamp => "a number of seconds",
        Shape::List { .. } => "an array",
        Shape::Map { .. } | Shape::Structure(_) => "an object",
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    ApiError::new("SerializationException", format!("{path} must be {wanted} and is {found}"))
}
