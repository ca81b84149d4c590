//! Resolving `#{namespace.key}` just before an action starts.

use std::collections::BTreeMap;

use super::model::Execution;
use crate::declaration::{Piece, pieces};

/// The most that the resolved configuration of one action may take (AWS CodePipeline guide, quotas).
const RESOLVED_CONFIGURATION_BYTES: usize = 100 * 1024;

/// The configuration and commands of an action or a rule with every reference replaced by its value.
pub(super) struct Resolved {
    pub(super) configuration: BTreeMap<String, String>,
    pub(super) commands: Vec<String>,
}

/// Resolves configuration and commands; the error is the message of a `ConfigurationError`.
pub(super) fn resolve(
    execution: &Execution,
    declared: &BTreeMap<String, String>,
    commands: &[String],
) -> Result<Resolved, String> {
    let mut configuration = BTreeMap::new();
    for (key, text) in declared {
        configuration.insert(key.clone(), resolve_text(execution, text, &format!("configuration key {key}"))?);
    }
    let commands = commands.iter().map(|text| resolve_text(execution, text, "commands"));
    let commands: Vec<_> = commands.collect::<Result<_, _>>()?;
    let keys = configuration.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    let size = keys + commands.iter().map(String::len).sum::<usize>();
    if size > RESOLVED_CONFIGURATION_BYTES {
        return Err(format!(
            "the configuration has {size} bytes with its variables resolved; at most 102400 are allowed"
        ));
    }
    Ok(Resolved { configuration, commands })
}

/// One pass: a value that looks like a reference is not resolved again.
fn resolve_text(execution: &Execution, text: &str, place: &str) -> Result<String, String> {
    let mut resolved = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) | Piece::Malformed(literal) => resolved.push_str(literal),
            Piece::Reference { namespace, key, text } => match value(execution, namespace, key) {
                Some(value) => resolved.push_str(value),
                None => return Err(unresolved(execution, namespace, key, text, place)),
            },
        }
    }
    Ok(resolved)
}

fn value<'a>(execution: &'a Execution, namespace: &str, key: &str) -> Option<&'a str> {
    match namespace {
        "codepipeline" => (key == "PipelineExecutionId").then_some(execution.id.as_str()),
        "variables" => execution.variables.get(key).map(String::as_str),
        _ => execution.namespaces.get(namespace)?.get(key).map(String::as_str),
    }
}

fn unresolved(execution: &Execution, namespace: &str, key: &str, text: &str, place: &str) -> String {
    let reason = match execution.namespaces.get(namespace) {
        None => format!("no action of this execution has put out variables in the namespace {namespace}"),
        Some(variables) if variables.is_empty() => format!("the namespace {namespace} has no variables"),
        Some(variables) => {
            // A few names are enough to see a misspelling.
            let names: Vec<_> = variables.keys().take(20).map(String::as_str).collect();
            format!("the namespace {namespace} has no {key}; it has {}", names.join(", "))
        }
    };
    format!("the variable {text} in {place} could not be resolved: {reason}")
}
