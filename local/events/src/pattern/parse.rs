//! Reading a pattern.

use serde_json::{Map, Value};

use super::condition::{AnythingBut, Comparison, Condition, TextTest};
use super::wildcard::Wildcard;
use super::{Dialect, EventPattern, Expected, Fields, PatternError};

/// The greatest pattern, in characters (Amazon EventBridge quotas).
const MAX_CHARACTERS: usize = 4096;

/// The range and the precision of `numeric` (Amazon EventBridge guide).
const NUMERIC_LIMIT: f64 = 5e9;

type Parsed<T> = Result<T, PatternError>;

pub(super) fn pattern(pattern: &Value, dialect: Dialect) -> Parsed<EventPattern> {
    let size = pattern.to_string().chars().count();
    if dialect == Dialect::EventBridge && size > MAX_CHARACTERS {
        return Err(mistake("", format!("the pattern has {size} characters, {MAX_CHARACTERS} are allowed")));
    }
    let Value::Object(members) = pattern else {
        return Err(mistake("", "a pattern must be an object"));
    };
    let fields = Parser { dialect }.fields(members, "")?;
    Ok(EventPattern { fields })
}

fn mistake(path: &str, what: impl Into<String>) -> PatternError {
    PatternError { path: path.to_owned(), what: what.into() }
}

struct Parser {
    dialect: Dialect,
}

impl Parser {
    fn fields(&self, members: &Map<String, Value>, path: &str) -> Parsed<Fields> {
        if members.is_empty() {
            return Err(mistake(path, "an object without any key would match everything by accident"));
        }
        let mut fields = Fields::default();
        for (key, value) in members {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match (key.as_str(), value) {
                ("$or", value) => fields.either.push(self.either(value, &path)?),
                (_, Value::Object(members)) => {
                    fields.all.push((key.clone(), Expected::Object(self.fields(members, &path)?)));
                }
                (_, Value::Array(alternatives)) => {
                    fields.all.push((key.clone(), Expected::Leaf(self.leaf(alternatives, &path)?)));
                }
                _ => return Err(mistake(&path, format!("write a list of what it may be: [{value}]"))),
            }
        }
        Ok(fields)
    }

    fn either(&self, value: &Value, path: &str) -> Parsed<Vec<Fields>> {
        let alternatives = value.as_array().filter(|alternatives| alternatives.len() >= 2);
        let alternatives = alternatives.ok_or_else(|| mistake(path, "must be a list of two objects or more"))?;
        let read = |alternative: &Value| match alternative {
            Value::Object(members) => self.fields(members, path),
            _ => Err(mistake(path, "must be a list of objects")),
        };
        alternatives.iter().map(read).collect()
    }

    fn leaf(&self, alternatives: &[Value], path: &str) -> Parsed<Vec<Condition>> {
        if alternatives.is_empty() {
            return Err(mistake(path, "an empty list matches nothing"));
        }
        alternatives.iter().map(|alternative| self.condition(alternative, path)).collect()
    }

    fn condition(&self, alternative: &Value, path: &str) -> Parsed<Condition> {
        match alternative {
            Value::Array(_) => Err(mistake(path, "a list in a list has no meaning")),
            Value::Object(members) => {
                let (operator, operand) = only_member(members, path)?;
                self.operator(operator, operand, path)
            }
            scalar => Ok(Condition::Exactly(scalar.clone())),
        }
    }

    fn operator(&self, operator: &str, operand: &Value, path: &str) -> Parsed<Condition> {
        match operator {
            "exists" => {
                let expected = operand.as_bool().ok_or_else(|| mistake(path, "`exists` takes true or false"))?;
                Ok(Condition::Exists(expected))
            }
            "numeric" => Ok(Condition::Numeric(numeric(operand, path)?)),
            "anything-but" => Ok(Condition::AnythingBut(self.anything_but(operand, path)?)),
            _ => Ok(Condition::Text(self.text_test(operator, operand, path)?)),
        }
    }

    fn text_test(&self, operator: &str, operand: &Value, path: &str) -> Parsed<TextTest> {
        let text = |operand: &Value| {
            let text = operand.as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| mistake(path, format!("`{operator}` takes a text that is not empty")))
        };
        let is_eventbridge = self.dialect == Dialect::EventBridge;
        let folded =
            operand.as_object().filter(|_| is_eventbridge).and_then(|members| members.get("equals-ignore-case"));
        let (ignore_case, given) = (folded.is_some(), folded.unwrap_or(operand));
        match operator {
            "prefix" => Ok(TextTest::Prefix { text: text(given)?, ignore_case }),
            "suffix" => Ok(TextTest::Suffix { text: text(given)?, ignore_case }),
            "equals-ignore-case" => Ok(TextTest::EqualsIgnoreCase(text(operand)?)),
            "wildcard" if is_eventbridge => {
                let wildcard = Wildcard::parse(&text(operand)?);
                Ok(TextTest::Wildcard(wildcard.map_err(|what| mistake(path, what))?))
            }
            _ => Err(self.unsupported(operator, path)),
        }
    }

    fn anything_but(&self, operand: &Value, path: &str) -> Parsed<AnythingBut> {
        if let Value::Object(members) = operand {
            let (operator, operand) = only_member(members, path)?;
            let operands = match operand {
                Value::Array(operands) if !operands.is_empty() => operands.as_slice(),
                Value::Array(_) => return Err(mistake(path, "an empty list refuses nothing")),
                one => std::slice::from_ref(one),
            };
            let tests = operands.iter().map(|operand| self.text_test(operator, operand, path));
            return Ok(AnythingBut::Tests(tests.collect::<Parsed<_>>()?));
        }
        let values = match operand {
            Value::Array(values) => values.clone(),
            one => vec![one.clone()],
        };
        let same_kind = values.iter().all(Value::is_string) || values.iter().all(Value::is_number);
        if values.is_empty() || !same_kind {
            return Err(mistake(path, "`anything-but` takes strings or numbers, one kind of them"));
        }
        Ok(AnythingBut::Values(values))
    }

    fn unsupported(&self, operator: &str, path: &str) -> PatternError {
        let known = match self.dialect {
            Dialect::EventBridge => "prefix, suffix, equals-ignore-case, wildcard, anything-but, exists, numeric",
            Dialect::Sns => "prefix, suffix, equals-ignore-case, anything-but, exists, numeric",
        };
        mistake(path, format!("the operator `{operator}` is not supported here, only {known}"))
    }
}

fn only_member<'m>(members: &'m Map<String, Value>, path: &str) -> Parsed<(&'m str, &'m Value)> {
    let mut entries = members.iter();
    match (entries.next(), entries.next()) {
        (Some((operator, operand)), None) => Ok((operator, operand)),
        _ => Err(mistake(path, "a condition is an object with one operator")),
    }
}

/// `["=", 5]`, `[">", 0]` or a range, `[">", 0, "<=", 5]`.
fn numeric(operand: &Value, path: &str) -> Parsed<Vec<(Comparison, f64)>> {
    let wrong = || mistake(path, "`numeric` takes one comparison or a range, for example [\">\", 0, \"<=\", 5]");
    let parts = operand.as_array().ok_or_else(wrong)?;
    let read = |pair: &[Value]| {
        let [symbol, limit] = pair else { return Err(wrong()) };
        let comparison = symbol.as_str().and_then(Comparison::from_symbol).ok_or_else(wrong)?;
        let limit = limit.as_f64().ok_or_else(wrong)?;
        if limit.abs() > NUMERIC_LIMIT {
            return Err(mistake(path, format!("`numeric` takes numbers from -{NUMERIC_LIMIT} to {NUMERIC_LIMIT}")));
        }
        Ok((comparison, limit))
    };
    let comparisons = parts.chunks(2).map(read).collect::<Parsed<Vec<_>>>()?;
    match comparisons.as_slice() {
        [_] => Ok(comparisons),
        [(first, low), (second, high)] if first.is_lower_bound() && second.is_upper_bound() && low <= high => {
            Ok(comparisons)
        }
        _ => Err(wrong()),
    }
}
