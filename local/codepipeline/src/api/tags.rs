//! Tags of pipelines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{SERVICE, text};
use crate::aws_json::{Page, page};
use crate::engine::Engine;
use crate::error::ApiError;

/// The most tags of a resource (AWS CodePipeline guide, quotas).
const TAGS: usize = 50;

impl Engine {
    pub(super) fn api_tag(&mut self, input: &Value) -> Result<Value, ApiError> {
        let name = self.pipeline_of_arn(text(input, "resourceArn"))?;
        let present = self.pipeline(&name)?.tags.clone();
        let tags = read_tags(&input["tags"], present)?;
        self.set_tags(&name, tags)?;
        Ok(json!({}))
    }

    pub(super) fn api_untag(&mut self, input: &Value) -> Result<Value, ApiError> {
        let name = self.pipeline_of_arn(text(input, "resourceArn"))?;
        let mut tags = self.pipeline(&name)?.tags.clone();
        for key in input["tagKeys"].as_array().into_iter().flatten() {
            tags.remove(key.as_str().unwrap_or_default());
        }
        self.set_tags(&name, tags)?;
        Ok(json!({}))
    }

    pub(super) fn api_list_tags(&self, input: &Value) -> Result<Value, ApiError> {
        let name = self.pipeline_of_arn(text(input, "resourceArn"))?;
        let tags = self.pipeline(&name)?.tags.iter();
        let tags = tags.map(|(key, value)| (key.clone(), json!({"key": key, "value": value})));
        page(&SERVICE, &Page { operation: "ListTagsForResource", output: "tags", default_size: 100 }, input, tags)
    }

    fn pipeline_of_arn(&self, arn: &str) -> Result<String, ApiError> {
        let settings = self.settings();
        let prefix = settings.pipeline_arn("");
        match arn.strip_prefix(&prefix) {
            None => Err(ApiError::new("InvalidArnException", format!("{arn} does not begin with {prefix}"))),
            Some(name) if self.pipelines().contains_key(name) => Ok(name.to_owned()),
            Some(_) => Err(ApiError::new("ResourceNotFoundException", format!("there is no pipeline {arn}"))),
        }
    }
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
        let message = format!("the pipeline would have {} tags; at most 50 are allowed", tags.len());
        return Err(ApiError::new("TooManyTagsException", message));
    }
    Ok(tags)
}
