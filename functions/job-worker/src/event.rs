//! From a polled job to the event that a gate takes.

use std::collections::HashMap;

use aws_sdk_codepipeline::types::{Artifact, JobData, PipelineContext};
use serde_json::{Map, Value, json};

use crate::parameters::user_parameters;

/// The event that CodePipeline would send to a Lambda function for this job. It holds live credentials: never log it.
///
/// What the action's properties say stands in `UserParameters` besides.
pub fn job_event(id: Option<&str>, account: Option<&str>, data: Option<&JobData>) -> Value {
    let data = data.map(data_of).unwrap_or_default();
    json!({"CodePipeline.job": {"id": id, "accountId": account, "data": data}})
}

fn data_of(data: &JobData) -> Value {
    let none = HashMap::new();
    let properties =
        data.action_configuration().and_then(|configuration| configuration.configuration()).unwrap_or(&none);
    let mut configuration: Map<String, Value> =
        properties.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    configuration.insert("UserParameters".to_owned(), user_parameters(properties).into());
    let mut event = json!({
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": data.input_artifacts().iter().map(artifact).collect::<Vec<_>>(),
        "outputArtifacts": data.output_artifacts().iter().map(artifact).collect::<Vec<_>>(),
    });
    if let Some(credentials) = data.artifact_credentials() {
        event["artifactCredentials"] = json!({
            "accessKeyId": credentials.access_key_id(),
            "secretAccessKey": credentials.secret_access_key(),
            "sessionToken": credentials.session_token(),
        });
    }
    if let Some(token) = data.continuation_token() {
        event["continuationToken"] = token.into();
    }
    if let Some(key) = data.encryption_key() {
        event["encryptionKey"] = json!({"id": key.id(), "type": key.r#type().as_str()});
    }
    if let Some(context) = data.pipeline_context() {
        event["pipelineContext"] = context_of(context);
    }
    event
}

fn artifact(artifact: &Artifact) -> Value {
    let location = artifact.location();
    let place = location.and_then(|location| location.s3_location());
    json!({
        "name": artifact.name(),
        "revision": artifact.revision(),
        "location": {
            "type": location.and_then(|location| location.r#type()).map(|kind| kind.as_str()),
            "s3Location": place.map(|place| json!({"bucketName": place.bucket_name(), "objectKey": place.object_key()})),
        },
    })
}

fn context_of(context: &PipelineContext) -> Value {
    json!({
        "pipelineName": context.pipeline_name(),
        "pipelineArn": context.pipeline_arn(),
        "pipelineExecutionId": context.pipeline_execution_id(),
        "stage": {"name": context.stage().and_then(|stage| stage.name())},
        "action": {
            "name": context.action().and_then(|action| action.name()),
            "actionExecutionId": context.action().and_then(|action| action.action_execution_id()),
        },
    })
}
