//! Custom action types: what CreateCustomActionType takes, and what it asks of the actions that use it (AWS
//! CodePipeline API reference and guide, "Create a custom action").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ActionTypeId, ArtifactCounts, Piece, pieces};
use crate::error::ApiError;

/// What a secret is shown as, and what a caller sends back to keep it.
pub(crate) const MASK: &str = "****";
/// The mask as the AWS API reference spells it; taken as well.
const DOCUMENTED_MASK: &str = "* * * * *";
/// The categories that AWS lets custom actions have.
const CATEGORIES: [&str; 4] = ["Build", "Deploy", "Test", "Invoke"];
/// The most characters of the value of a queryable property.
const QUERYABLE_VALUE: usize = 20;

/// A custom action type without its tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomActionType {
    pub(crate) category: String,
    pub(crate) provider: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) configuration_properties: Vec<Property>,
    pub(crate) input_artifact_details: ArtifactDetails,
    pub(crate) output_artifact_details: ArtifactDetails,
}

/// The links of an action type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) third_party_configuration_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entity_url_template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) execution_url_template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revision_url_template: Option<String>,
}

/// A key of the configuration of such actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) key: bool,
    pub(crate) secret: bool,
    #[serde(default)]
    pub(crate) queryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) value_type: Option<String>,
}

/// How many artifacts such an action takes or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArtifactDetails {
    pub(crate) minimum_count: usize,
    pub(crate) maximum_count: usize,
}

impl CustomActionType {
    pub(crate) fn id(&self) -> ActionTypeId {
        ActionTypeId {
            category: self.category.clone(),
            owner: "Custom".to_owned(),
            provider: self.provider.clone(),
            version: self.version.clone(),
        }
    }

    pub(crate) fn counts(&self) -> ArtifactCounts {
        let range = |details: ArtifactDetails| details.minimum_count..=details.maximum_count;
        ArtifactCounts { input: range(self.input_artifact_details), output: range(self.output_artifact_details) }
    }

    fn property(&self, name: &str) -> Option<&Property> {
        self.configuration_properties.iter().find(|property| property.name == name)
    }

    /// The property that PollForJobs selects by.
    pub(crate) fn queryable(&self) -> Option<&Property> {
        self.configuration_properties.iter().find(|property| property.queryable)
    }

    /// Checks the type itself.
    ///
    /// # Errors
    ///
    /// `ValidationException` for the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let wrong = |message: String| Err(ApiError::validation(message));
        if !CATEGORIES.contains(&self.category.as_str()) {
            let known = CATEGORIES.join(", ");
            return wrong(format!(
                "a custom action type cannot have the category {}; it may be {known}",
                self.category
            ));
        }
        for (member, details) in [("input", self.input_artifact_details), ("output", self.output_artifact_details)] {
            if details.minimum_count > details.maximum_count {
                let (least, most) = (details.minimum_count, details.maximum_count);
                return wrong(format!(
                    "{member}ArtifactDetails has a minimumCount of {least} above its maximumCount of {most}"
                ));
            }
        }
        let mut names: Vec<_> = self.configuration_properties.iter().map(|property| &property.name).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return wrong(format!("the configuration property {} is declared twice", pair[0]));
        }
        let queryable: Vec<_> = self.configuration_properties.iter().filter(|property| property.queryable).collect();
        if let [first, second, ..] = queryable.as_slice() {
            let (first, second) = (&first.name, &second.name);
            return wrong(format!("the properties {first} and {second} are queryable; at most one may be"));
        }
        if let Some(property) = queryable.iter().find(|property| property.secret || !property.required) {
            let name = &property.name;
            return wrong(format!("the queryable property {name} must be required and must not be secret"));
        }
        self.check_templates()
    }

    fn check_templates(&self) -> Result<(), ApiError> {
        let Settings { entity_url_template, execution_url_template, revision_url_template, .. } = &self.settings;
        let templates = [
            ("entityUrlTemplate", entity_url_template),
            ("executionUrlTemplate", execution_url_template),
            ("revisionUrlTemplate", revision_url_template),
        ];
        for (member, template) in templates {
            for name in placeholders(template.as_deref().unwrap_or_default()).filter_map(config_name) {
                let usable = self.property(name).is_some_and(|property| property.required && !property.secret);
                if !usable {
                    return Err(ApiError::validation(format!(
                        "settings.{member} has {{Config:{name}}}, and the type has no property {name} that is required and not secret"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What is wrong with the configuration of an action of this type, in words that follow the action's place.
    pub(crate) fn problem(&self, configuration: &BTreeMap<String, String>) -> Option<String> {
        let missing = self.configuration_properties.iter().filter(|property| property.required);
        if let Some(property) = missing.into_iter().find(|property| !configuration.contains_key(&property.name)) {
            return Some(format!("lacks the configuration key {}", property.name));
        }
        if let Some(key) = configuration.keys().find(|key| self.property(key).is_none()) {
            let known: Vec<_> = self.configuration_properties.iter().map(|property| property.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Some(format!("has the unknown configuration key {key}; known: {known}"));
        }
        let masked = self.configuration_properties.iter().filter(|property| property.secret);
        if let Some(property) =
            masked.into_iter().find(|property| configuration.get(&property.name).is_some_and(is_mask))
        {
            return Some(format!(
                "has a mask in place of the secret {}, and there is none to keep; give its value",
                property.name
            ));
        }
        let name = &self.queryable()?.name;
        let value = configuration.get(name)?;
        let literal = pieces(value).iter().all(|piece| matches!(piece, Piece::Literal(_)));
        (literal && !is_queryable(value)).then(|| unusable_query(name))
    }

    /// Whether a resolved configuration can be polled for; the problem in words where it cannot.
    pub(crate) fn unqueryable(&self, configuration: &BTreeMap<String, String>) -> Option<String> {
        let name = &self.queryable()?.name;
        let value = configuration.get(name)?;
        (!is_queryable(value)).then(|| unusable_query(name))
    }

    /// The configuration with its secrets hidden.
    pub(crate) fn masked(&self, configuration: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let secret = |key: &str| self.property(key).is_some_and(|property| property.secret);
        let shown =
            |(key, value): (&String, &String)| (key.clone(), if secret(key) { MASK.to_owned() } else { value.clone() });
        configuration.iter().map(shown).collect()
    }

    /// Puts back the secrets that came as their mask.
    pub(crate) fn unmask(&self, configuration: &mut BTreeMap<String, String>, former: &BTreeMap<String, String>) {
        for property in self.configuration_properties.iter().filter(|property| property.secret) {
            let Some(value) = configuration.get_mut(&property.name).filter(|value| is_mask(value)) else { continue };
            if let Some(former) = former.get(&property.name) {
                value.clone_from(former);
            }
        }
    }

    /// The link to what an action of this type works on.
    pub(crate) fn entity_url(&self, configuration: &BTreeMap<String, String>) -> Option<String> {
        fill(self.settings.entity_url_template.as_deref()?, configuration, None)
    }

    /// The link to where the revision of the action is configured.
    pub(crate) fn revision_url(&self, configuration: &BTreeMap<String, String>) -> Option<String> {
        fill(self.settings.revision_url_template.as_deref()?, configuration, None)
    }

    /// The link to one execution of it.
    pub(crate) fn execution_url(&self, configuration: &BTreeMap<String, String>, execution: &str) -> Option<String> {
        fill(self.settings.execution_url_template.as_deref()?, configuration, Some(execution))
    }
}

fn is_mask(value: &String) -> bool {
    value == MASK || value == DOCUMENTED_MASK
}

fn is_queryable(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !value.is_empty() && value.len() <= QUERYABLE_VALUE && value.bytes().all(allowed)
}

fn unusable_query(name: &str) -> String {
    format!(
        "has a value of the queryable key {name} that cannot be polled for; it may have at most 20 letters, digits, underscores and hyphens"
    )
}

/// The texts in braces.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn config_name(placeholder: &str) -> Option<&str> {
    placeholder.strip_prefix("Config:")
}

/// The link of a template; nothing where a placeholder has no value.
fn fill(template: &str, configuration: &BTreeMap<String, String>, execution: Option<&str>) -> Option<String> {
    let mut url = String::new();
    let mut parts = template.split('{');
    url.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let Some((name, literal)) = part.split_once('}') else {
            url.push('{');
            url.push_str(part);
            continue;
        };
        let value = match config_name(name) {
            Some(name) => configuration.get(name).map(String::as_str),
            None if name == "ExternalExecutionId" => execution,
            None => None,
        };
        url.push_str(value?);
        url.push_str(literal);
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_filled_or_left_out() {
        let configuration = BTreeMap::from([("Project".to_owned(), "web".to_owned())]);
        let check = |template: &str, execution: Option<&str>, expected: Option<&str>| {
            assert_eq!(fill(template, &configuration, execution).as_deref(), expected, "{template}");
        };
        check("https://ci/{Config:Project}/", None, Some("https://ci/web/"));
        check("https://ci/{Config:Project}/{ExternalExecutionId}", Some("7"), Some("https://ci/web/7"));
        check("https://ci/{ExternalExecutionId}", None, None);
        check("https://ci/{Config:Other}", None, None);
        check("https://ci/{RevisionId}", None, None);
        check("https://ci/{open", None, Some("https://ci/{open"));
    }
}
