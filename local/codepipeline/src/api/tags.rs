//! Tags of pipelines and custom action types.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{SERVICE, text};
use crate::aws_json::{Page, page};
use crate::declaration::ActionTypeId;
use crate::engine::Engine;
use crate::error::ApiError;

/// The most tags of a resource (AWS CodePipeline guide, quotas).
const TAGS: usize = 50;

/// What may have tags.
enum Resource {
    Pipeline(String),
    ActionType(ActionTypeId),
}

impl Engine {
    pub(super) fn api_tag(&mut self, input: &Value) -> Result<Value, ApiError> {
        let (resource, present) = self.tagged(text(input, "resourceArn"))?;
        let tags = read_tags(&input["tags"], present)?;
        self.replace_tags(&resource, tags)?;
        Ok(json!({}))
    }

    pub(super) fn api_untag(&mut self, input: &Value) -> Result<Value, ApiError> {
        let (resource, mut tags) = self.tagged(text(input, "resourceArn"))?;
        for key in input["tagKeys"].as_array().into_iter().flatten() {
            tags.remove(key.as_str().unwrap_or_default());
        }
        self.replace_tags(&resource, tags)?;
        Ok(json!({}))
    }

    pub(super) fn api_list_tags(&self, input: &Value) -> Result<Value, ApiError> {
        let (_, tags) = self.tagged(text(input, "resourceArn"))?;
        let tags = tags.iter().map(|(key, value)| (key.clone(), json!({"key": key, "value": value})));
        page(&SERVICE, &Page { operation: "ListTagsForResource", output: "tags", default_size: 100 }, input, tags)
    }

    /// The resource of an ARN with its tags.
    fn tagged(&self, arn: &str) -> Result<(Resource, BTreeMap<String, String>), ApiError> {
        let prefix = self.settings().pipeline_arn("");
        let Some(name) = arn.strip_prefix(&prefix) else {
            return Err(ApiError::new("InvalidArnException", format!("{arn} does not begin with {prefix}")));
        };
        let not_found = |what: &str| ApiError::new("ResourceNotFoundException", format!("there is no {what} {arn}"));
        let Some(action_type) = name.strip_prefix("actiontype:") else {
            let pipeline = self.pipelines().get(name).ok_or_else(|| not_found("pipeline"))?;
            return Ok((Resource::Pipeline(name.to_owned()), pipeline.tags.clone()));
        };
        let id = match action_type.split('/').collect::<Vec<_>>().as_slice() {
            [owner, category, provider, version] => ActionTypeId {
                category: (*category).to_owned(),
                owner: (*owner).to_owned(),
                provider: (*provider).to_owned(),
                version: (*version).to_owned(),
            },
            _ => return Err(not_found("action type")),
        };
        let tags = self.types().tags(&id).ok_or_else(|| not_found("custom action type"))?.clone();
        Ok((Resource::ActionType(id), tags))
    }

    fn replace_tags(&mut self, resource: &Resource, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        match resource {
            Resource::Pipeline(name) => self.set_tags(name, tags)?,
            Resource::ActionType(id) => {
                if let Some(present) = self.types_mut().tags_mut(id) {
                    *present = tags;
                }
            }
        }
        Ok(())
    }
}

/// A `TagList`.
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Adds the tags of a `TagList` to those that are there.
pub(super) fn read_tags(
    list: &Value,
    mut tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    for tag in list.as_array().into_iter().flatten() {
        let key = text(tag, "key");
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("the tag key {key} begins with aws:, which is reserved");
            return Err(ApiError::new("InvalidTagsException", message));
        }
        tags.insert(key.to_owned(), text(tag, "value").to_owned());
    }
    if tags.len() > TAGS {
        let message = format!("there would be {} tags; at most 50 are allowed", tags.len());
        return Err(ApiError::new("TooManyTagsException", message));
    }
    Ok(tags)
}
