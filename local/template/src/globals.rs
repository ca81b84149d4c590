//! `Globals`, merged into each resource as SAM does (AWS SAM guide, "Globals section of the AWS SAM template").

use crate::error::{Problem, Result, did_you_mean};
use crate::properties::Properties;
use crate::yaml::{Kind, Node};

/// What SAM takes from `Globals`.
const SECTIONS: [&str; 7] =
    ["Api", "CapacityProvider", "Function", "HttpApi", "LayerVersion", "SimpleTable", "StateMachine"];

/// The properties of a function that SAM takes from `Globals.Function`.
const FUNCTION_PROPERTIES: [&str; 28] = [
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "CodeUri",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "FileSystemConfigs",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PermissionsBoundary",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "ReservedConcurrentExecutions",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "Tags",
    "Timeout",
    "Tracing",
    "VpcConfig",
];

/// The part of `Globals` for functions.
pub(crate) fn function_globals(globals: Option<&Node>) -> Result<Option<&Node>> {
    let Some(globals) = globals else { return Ok(None) };
    let globals = Properties::of(globals, "`Globals`")?;
    for entry in globals.entries() {
        if !SECTIONS.contains(&entry.key.as_str()) {
            let hint = did_you_mean(&entry.key, SECTIONS);
            return Err(Problem::at(entry.key_position, format!("`Globals` has no section `{}`{hint}", entry.key)));
        }
    }
    if let Some(function) = globals.mapping("Function")? {
        function.only(&FUNCTION_PROPERTIES, "`Globals.Function`")?;
    }
    Ok(globals.get("Function"))
}

/// Mappings are merged, lists follow each other, of anything else the resource's own is taken.
pub(crate) fn merge(global: &Node, own: &Node) -> Node {
    match (&global.kind, &own.kind) {
        (Kind::Mapping(global_entries), Kind::Mapping(own_entries)) => {
            let mut entries = global_entries.clone();
            for entry in own_entries {
                match entries.iter_mut().find(|existing| existing.key == entry.key) {
                    Some(existing) => {
                        existing.value = merge(&existing.value, &entry.value);
                        existing.key_position = entry.key_position;
                    }
                    None => entries.push(entry.clone()),
                }
            }
            Node { position: own.position, kind: Kind::Mapping(entries) }
        }
        (Kind::Sequence(global_items), Kind::Sequence(own_items)) => {
            let items = global_items.iter().chain(own_items).cloned().collect();
            Node { position: own.position, kind: Kind::Sequence(items) }
        }
        _ => own.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml::parse;

    #[test]
    fn merging_follows_sam() {
        for (global, own, expected) in [
            ("{a: 1, b: 2}", "{b: 3, c: 4}", json!({"a": 1, "b": 3, "c": 4})),
            ("{e: {v: {x: 1, y: 2}}}", "{e: {v: {y: 3}}}", json!({"e": {"v": {"x": 1, "y": 3}}})),
            ("{l: [1]}", "{l: [2]}", json!({"l": [1, 2]})),
            ("{a: !Ref X}", "{a: 1}", json!({"a": 1})),
            ("{a: {b: 1}}", "{a: !Ref X}", json!({"a": {"Ref": "X"}})),
            ("{a: [1]}", "{a: 2}", json!({"a": 2})),
        ] {
            let merged = merge(&parse(global).unwrap(), &parse(own).unwrap());
            assert_eq!(merged.to_json(), expected, "{global} {own}");
        }
    }

    #[test]
    fn unknown_globals_are_refused() {
        let node = parse("Function:\n  Timout: 3").unwrap();
        let problem = function_globals(Some(&node)).unwrap_err();
        assert!(problem.message.ends_with("did you mean `Timeout`?"), "{problem:?}");
        let node = parse("Functions: {}").unwrap();
        let problem = function_globals(Some(&node)).unwrap_err();
        assert!(problem.message.ends_with("did you mean `Function`?"), "{problem:?}");
    }
}
