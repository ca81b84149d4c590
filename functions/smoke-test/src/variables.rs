//! The variables that every file begins with.

use std::collections::BTreeMap;

use stagegate_config::smoke::VariableValue;
use stagegate_hurl_runner::{Number, Value, Variables};

/// Variables of the policy, then those of the call, which win; then secrets. A secret's value appears in no report.
pub fn variables(
    policy: &BTreeMap<String, VariableValue>,
    call: &BTreeMap<String, VariableValue>,
    secrets: &BTreeMap<String, String>,
) -> Variables {
    let mut variables = Variables::new();
    for (name, value) in policy.iter().chain(call) {
        variables.set(name.clone(), to_hurl(value));
    }
    for (name, value) in secrets {
        variables.set_secret(name.clone(), value.clone());
    }
    variables
}

fn to_hurl(value: &VariableValue) -> Value {
    match value {
        VariableValue::Text(text) => Value::String(text.clone()),
        VariableValue::Integer(number) => Value::Number(Number::Integer(*number)),
        VariableValue::Float(number) => Value::Number(Number::Float(*number)),
        VariableValue::Bool(value) => Value::Bool(*value),
    }
}

/// `text` with each `{{name}}` replaced by its variable.
pub(crate) fn filled(text: &str, variables: &Variables) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| format!("{text:?} has a {{{{ without }}}}"))?;
        let name = name.trim();
        let value = variables.get(name).ok_or_else(|| format!("you must set the variable {name}"))?;
        filled.push_str(before);
        filled.push_str(&value.to_string());
        rest = after;
    }
    Ok(filled + rest)
}
