//! Operations on action types.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tags::{read_tags, tag_list};
use super::{SERVICE, optional_text, text};
use crate::aws_json::{Page, page};
use crate::declaration::{ActionTypeId, ArtifactCounts, CustomActionType};
use crate::engine::Engine;
use crate::error::ApiError;

impl Engine {
    pub(super) fn api_create_custom_type(&mut self, input: &Value) -> Result<Value, ApiError> {
        let tags = read_tags(&input["tags"], BTreeMap::new())?;
        let definition: CustomActionType = serde_json::from_value(input.clone())
            .map_err(|error| ApiError::validation(format!("the action type could not be read: {error}")))?;
        let mut output = json!({"actionType": write_custom(&definition)});
        if !tags.is_empty() {
            output["tags"] = tag_list(&tags);
        }
        self.types_mut().create(definition, tags)?;
        Ok(output)
    }

    pub(super) fn api_delete_custom_type(&mut self, input: &Value) -> Value {
        let id = ActionTypeId {
            category: text(input, "category").to_owned(),
            owner: "Custom".to_owned(),
            provider: text(input, "provider").to_owned(),
            version: text(input, "version").to_owned(),
        };
        self.types_mut().delete(&id);
        json!({})
    }

    pub(super) fn api_list_action_types(&self, input: &Value) -> Result<Value, ApiError> {
        let owner = optional_text(input, "actionOwnerFilter");
        let here = optional_text(input, "regionFilter").is_none_or(|region| region == self.settings().region);
        let of_aws = self.types().of_aws().map(|id| (id.to_string(), write_aws(&id)));
        let custom = self.types().all_custom().map(|custom| (custom.id().to_string(), write_custom(custom)));
        let all = of_aws.chain(custom).filter(|_| here);
        let wanted = all.filter(|(_, shown)| owner.is_none_or(|owner| shown["id"]["owner"] == owner));
        let request = Page { operation: "ListActionTypes", output: "actionTypes", default_size: 100 };
        page(&SERVICE, &request, input, wanted)
    }
}

/// An `ActionType` of the model.
fn write_custom(custom: &CustomActionType) -> Value {
    let mut shown = write(&custom.id(), &custom.counts());
    shown["settings"] = json!(custom.settings);
    shown["actionConfigurationProperties"] = json!(custom.configuration_properties);
    shown
}

/// Of a type of AWS the properties are known where the engine checks them.
fn write_aws(id: &ActionTypeId) -> Value {
    let property =
        |name: &str, required: bool| json!({"name": name, "required": required, "key": true, "secret": false});
    let properties = match (id.category.as_str(), id.provider.as_str()) {
        ("Invoke", "Lambda") => json!([property("FunctionName", true), property("UserParameters", false)]),
        ("Approval", "Manual") => json!([
            property("NotificationArn", false),
            property("ExternalEntityLink", false),
            property("CustomData", false),
        ]),
        _ => json!([]),
    };
    let mut shown = write(id, &ArtifactCounts::of(id));
    shown["actionConfigurationProperties"] = properties;
    shown
}

fn write(id: &ActionTypeId, counts: &ArtifactCounts) -> Value {
    let details =
        |range: &std::ops::RangeInclusive<usize>| json!({"minimumCount": range.start(), "maximumCount": range.end()});
    json!({"id": id, "inputArtifactDetails": details(&counts.input), "outputArtifactDetails": details(&counts.output)})
}
