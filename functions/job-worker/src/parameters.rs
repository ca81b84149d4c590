//! From the typed properties of a custom action to the `UserParameters` that gates read.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The properties of the action types in the template, with their keys in `UserParameters`.
const PROPERTIES: [(&str, &str); 2] = [("Gate", "gate"), ("Build", "build")];
/// The property that holds a JSON object.
const VARIABLES: &str = "Variables";

/// The parameters that say what the properties of an action say. What cannot be read is passed on as it is, so that the
/// gate refuses it and says why.
pub fn user_parameters(configuration: &HashMap<String, String>) -> String {
    let mut parameters = Map::new();
    for (property, key) in PROPERTIES {
        if let Some(value) = configuration.get(property).filter(|value| !value.is_empty()) {
            parameters.insert(key.to_owned(), value.as_str().into());
        }
    }
    if let Some(text) = configuration.get(VARIABLES).filter(|text| !text.trim().is_empty()) {
        let variables = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
        parameters.insert("variables".to_owned(), variables);
    }
    // A property that this version does not know must not be passed over in silence.
    let known = |name: &str| name == VARIABLES || PROPERTIES.iter().any(|(property, _)| *property == name);
    let mut unknown: Vec<_> = configuration.iter().filter(|(name, _)| !known(name)).collect();
    unknown.sort();
    for (name, value) in unknown {
        parameters.insert(name.clone(), value.as_str().into());
    }
    Value::from(parameters).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_become_parameters() {
        for (properties, expected) in [
            (&[("Gate", "web")][..], r#"{"gate":"web"}"#),
            (&[("Gate", "web"), ("Build", "")], r#"{"gate":"web"}"#),
            (
                &[("Gate", "web"), ("Build", "b:1"), ("Variables", r#"{"base":"https://x"}"#)],
                r#"{"gate":"web","build":"b:1","variables":{"base":"https://x"}}"#,
            ),
            (&[("Gate", "web"), ("Variables", "{")], r#"{"gate":"web","variables":"{"}"#),
            (&[("Gate", "web"), ("Strict", "yes")], r#"{"gate":"web","Strict":"yes"}"#),
            (&[], "{}"),
        ] {
            let configuration = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(user_parameters(&configuration.collect()), expected);
        }
    }
}
