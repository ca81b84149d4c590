//! Operations on pipeline definitions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tags::{read_tags, tag_list};
use super::{SERVICE, text};
use crate::aws_json::{Page, epoch_seconds, page};
use crate::declaration::PipelineDeclaration;
use crate::engine::Engine;
use crate::error::ApiError;

impl Engine {
    pub(super) fn api_create_pipeline(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let tags = read_tags(&input["tags"], BTreeMap::new())?;
        let given = (!tags.is_empty()).then(|| tag_list(&tags));
        let declaration = self.create_pipeline(now, read_declaration(input)?, tags)?;
        let mut output = json!({"pipeline": self.write_declaration(&declaration)});
        if let Some(tags) = given {
            output["tags"] = tags;
        }
        Ok(output)
    }

    pub(super) fn api_update_pipeline(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let declaration = self.update_pipeline(now, read_declaration(input)?)?;
        Ok(json!({"pipeline": self.write_declaration(&declaration)}))
    }

    pub(super) fn api_get_pipeline(&self, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "name");
        let pipeline = self.pipeline(name)?;
        let declaration = match input["version"].as_u64() {
            None => Some(pipeline.declaration()),
            Some(version) => u32::try_from(version).ok().and_then(|version| pipeline.versions.get(&version)),
        };
        let Some(declaration) = declaration else {
            let message = format!("pipeline {name} has no version {}; it is at {}", input["version"], pipeline.version);
            return Err(ApiError::new("PipelineVersionNotFoundException", message));
        };
        Ok(json!({
            "pipeline": self.write_declaration(declaration),
            "metadata": {
                "pipelineArn": self.settings().pipeline_arn(name),
                "created": epoch_seconds(pipeline.created),
                "updated": epoch_seconds(pipeline.updated),
            },
        }))
    }

    pub(super) fn api_list_pipelines(&self, input: &Value) -> Result<Value, ApiError> {
        let summaries = self.pipelines().iter().map(|(name, pipeline)| {
            let declaration = pipeline.declaration();
            let summary = json!({
                "name": name,
                "version": pipeline.version,
                "pipelineType": declaration.pipeline_type,
                "executionMode": declaration.execution_mode,
                "created": epoch_seconds(pipeline.created),
                "updated": epoch_seconds(pipeline.updated),
            });
            (name.clone(), summary)
        });
        let request = Page { operation: "ListPipelines", output: "pipelines", default_size: 1000 };
        page(&SERVICE, &request, input, summaries)
    }

    /// The declaration without the secrets of custom actions.
    fn write_declaration(&self, declaration: &PipelineDeclaration) -> Value {
        serde_json::to_value(self.types().masked(declaration)).expect("a declaration has only text keys")
    }
}

fn read_declaration(input: &Value) -> Result<PipelineDeclaration, ApiError> {
    let declaration = serde_json::from_value(input["pipeline"].clone());
    declaration.map_err(|error| ApiError::validation(format!("the pipeline declaration could not be read: {error}")))
}
