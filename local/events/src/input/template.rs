//! `InputTransformer`: a text with `<name>` where a part of the event goes.
//!
//! Between quotes of the template a variable gives its text, escaped so that the quotes stay closed; elsewhere it gives
//! JSON, which for a string has quotes of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::RuleContext;
use super::path::JsonPath;

/// The most paths that a template may use (Amazon EventBridge guide).
const MAX_PATHS: usize = 100;

#[derive(Clone, Debug)]
pub(crate) struct InputTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Variable { variable: Variable, is_quoted: bool },
}

#[derive(Clone, Debug)]
enum Variable {
    Path(JsonPath),
    RuleName,
    RuleArn,
    IngestionTime,
    Event,
}

impl InputTemplate {
    /// # Errors
    ///
    /// What is wrong with a path or the template.
    pub(crate) fn parse(paths: &BTreeMap<String, String>, template: &str) -> Result<Self, String> {
        if paths.len() > MAX_PATHS {
            return Err(format!("InputPathsMap has {} paths, {MAX_PATHS} are allowed", paths.len()));
        }
        let mut known = BTreeMap::new();
        for (name, path) in paths {
            if name.starts_with("aws.") {
                return Err(format!("the name `{name}` in InputPathsMap is reserved"));
            }
            known.insert(name.as_str(), JsonPath::parse(path)?);
        }
        let (mut parts, mut text, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut rest = template;
        while let Some(character) = rest.chars().next() {
            if let Some((name, after)) = placeholder(rest) {
                parts.push(Part::Text(std::mem::take(&mut text)));
                parts.push(Part::Variable { variable: variable(name, &known)?, is_quoted });
                rest = after;
                continue;
            }
            let mut taken = character.len_utf8();
            match character {
                '"' => is_quoted = !is_quoted,
                // An escaped quote does not end a string.
                '\\' => taken += rest[taken..].chars().next().map_or(0, char::len_utf8),
                _ => {}
            }
            text.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
        parts.push(Part::Text(text));
        Ok(Self { parts })
    }

    pub(crate) fn render(&self, event: &Value, rule: &RuleContext<'_>) -> String {
        let mut rendered = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.push_str(text),
                Part::Variable { variable, is_quoted } => {
                    let value = variable.value(event, rule);
                    match (value, is_quoted) {
                        (None, true) => {}
                        (None, false) => rendered.push_str("null"),
                        (Some(value), false) => rendered.push_str(&value.to_string()),
                        (Some(value), true) => rendered.push_str(&inside_quotes(&value)),
                    }
                }
            }
        }
        rendered
    }
}

/// `<name>` at the start of a text. Other angle brackets are text.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_name.then_some((name, after))
}

fn variable(name: &str, paths: &BTreeMap<&str, JsonPath>) -> Result<Variable, String> {
    Ok(match name {
        "aws.events.rule-name" => Variable::RuleName,
        "aws.events.rule-arn" => Variable::RuleArn,
        "aws.events.event.ingestion-time" => Variable::IngestionTime,
        "aws.events.event" | "aws.events.event.json" => Variable::Event,
        _ => match paths.get(name) {
            Some(path) => Variable::Path(path.clone()),
            None => {
                let known: Vec<&str> = paths.keys().copied().collect();
                let known = if known.is_empty() { "has none".to_owned() } else { format!("has {}", known.join(", ")) };
                return Err(format!("InputTemplate names <{name}>, but InputPathsMap {known}"));
            }
        },
    })
}

impl Variable {
    fn value(&self, event: &Value, rule: &RuleContext<'_>) -> Option<Value> {
        Some(match self {
            Self::Path(path) => path.find(event)?.clone(),
            Self::RuleName => json!(rule.rule_name),
            Self::RuleArn => json!(rule.rule_arn),
            Self::IngestionTime => json!(rule.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Self::Event => event.clone(),
        })
    }
}

fn inside_quotes(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let quoted = Value::String(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
