//! The official client of AWS against the endpoint, over HTTP on loopback.

use std::sync::Arc;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_codepipeline::types as aws;
use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::{Builder, CodePipeline, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::harness::NAME;
use crate::shell::{Functions, builder};

pub(crate) struct Endpoint {
    pub(crate) client: Client,
    pub(crate) address: String,
    pub(crate) codepipeline: CodePipeline,
    jobs: mpsc::UnboundedReceiver<Value>,
}

pub(crate) async fn endpoint() -> Endpoint {
    endpoint_with(|builder| builder).await
}

/// An endpoint of a local CodePipeline that `change` has changed.
pub(crate) async fn endpoint_with(change: impl FnOnce(Builder) -> Builder) -> Endpoint {
    let (sender, jobs) = mpsc::unbounded_channel();
    let clock = Clock::starting_at("2026-11-23T10:00:00Z".parse().unwrap(), 1.0);
    let codepipeline = change(builder(clock, &Arc::default()).lambda(Arc::new(Functions(sender)))).start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let service = router(codepipeline.clone());
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let config = aws_sdk_codepipeline::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .build();
    Endpoint { client: Client::from_conf(config), address, codepipeline, jobs }
}

fn action(name: &str, category: aws::ActionCategory, provider: &str) -> aws::builders::ActionDeclarationBuilder {
    let id =
        aws::ActionTypeId::builder().category(category).owner(aws::ActionOwner::Aws).provider(provider).version("1");
    aws::ActionDeclaration::builder().name(name).action_type_id(id.build().unwrap())
}

fn stage(name: &str, action: aws::builders::ActionDeclarationBuilder) -> aws::StageDeclaration {
    aws::StageDeclaration::builder().name(name).actions(action.build().unwrap()).build().unwrap()
}

fn declaration() -> aws::PipelineDeclaration {
    let store = aws::ArtifactStore::builder().r#type(aws::ArtifactStoreType::S3).location("artifacts").build().unwrap();
    let output = aws::OutputArtifact::builder().name("SourceArtifact").build().unwrap();
    let input = aws::InputArtifact::builder().name("SourceArtifact").build().unwrap();
    let variable = aws::PipelineVariableDeclaration::builder().name("Env").default_value("dev").build().unwrap();
    let gate = action("Check", aws::ActionCategory::Invoke, "Lambda")
        .configuration("FunctionName", "gate")
        .configuration("UserParameters", "#{variables.Env}")
        .input_artifacts(input)
        .namespace("Gate");
    aws::PipelineDeclaration::builder()
        .name(NAME)
        .role_arn("arn:aws:iam::111122223333:role/pipeline")
        .artifact_store(store)
        .pipeline_type(aws::PipelineType::V2)
        .execution_mode(aws::ExecutionMode::Queued)
        .variables(variable)
        .stages(stage("Source", action("Source", aws::ActionCategory::Source, "S3").output_artifacts(output)))
        .stages(stage("Gate", gate))
        .stages(stage("Prod", action("Ask", aws::ActionCategory::Approval, "Manual").timeout_in_minutes(30)))
        .build()
        .unwrap()
}

/// Expects an error of the given code, whether the client has a type for it or not.
pub(crate) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> String {
    let error = result.expect_err("the call fails");
    assert!(error.message().is_some_and(|message| !message.is_empty()), "{error:?}");
    error.code().expect("the error has a code").to_owned()
}

impl Endpoint {
    async fn created() -> Self {
        let endpoint = endpoint().await;
        endpoint.client.create_pipeline().pipeline(declaration()).send().await.unwrap();
        endpoint
    }

    async fn start(&self) -> String {
        let output = self.client.start_pipeline_execution().name(NAME).send().await.unwrap();
        output.pipeline_execution_id.unwrap()
    }

    pub(crate) async fn job(&mut self) -> Value {
        self.jobs.recv().await.unwrap()["CodePipeline.job"].take()
    }

    async fn status(&self, id: &str) -> aws::PipelineExecutionStatus {
        let output =
            self.client.get_pipeline_execution().pipeline_name(NAME).pipeline_execution_id(id).send().await.unwrap();
        output.pipeline_execution.unwrap().status.unwrap()
    }

    async fn approval(&self) -> aws::ActionExecution {
        let state = self.client.get_pipeline_state().name(NAME).send().await.unwrap();
        state.stage_states()[2].action_states()[0].latest_execution.clone().unwrap()
    }
}

#[tokio::test]
async fn definitions() {
    let Endpoint { client, .. } = endpoint().await;
    let created = client.create_pipeline().pipeline(declaration()).send().await.unwrap().pipeline.unwrap();
    assert_eq!(created.version, Some(1));
    let again = client.create_pipeline().pipeline(declaration()).send().await.unwrap_err();
    assert!(again.as_service_error().unwrap().is_pipeline_name_in_use_exception(), "{again:?}");
    let found = client.get_pipeline().name(NAME).send().await.unwrap();
    assert_eq!(found.pipeline.as_ref(), Some(&created));
    let metadata = found.metadata.unwrap();
    assert_eq!(metadata.pipeline_arn.as_deref(), Some("arn:aws:codepipeline:us-east-1:111122223333:web"));
    assert_eq!(metadata.created.unwrap().secs(), 1_795_428_000);
    let updated = client.update_pipeline().pipeline(created).send().await.unwrap();
    assert_eq!(updated.pipeline.unwrap().version, Some(2));
    let old = client.get_pipeline().name(NAME).version(1).send().await.unwrap();
    assert_eq!(old.pipeline.unwrap().version, Some(1));
    let none = client.get_pipeline().name(NAME).version(3).send().await;
    assert_eq!(code(none), "PipelineVersionNotFoundException");

    for number in 0..4 {
        let mut other = declaration();
        other.name = format!("other-{number}");
        client.create_pipeline().pipeline(other).send().await.unwrap();
    }
    let mut names = Vec::new();
    let mut pages = client.list_pipelines().max_results(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.pipelines().len() <= 2);
        names.extend(page.pipelines().iter().map(|pipeline| pipeline.name.clone().unwrap()));
    }
    assert_eq!(names, ["other-0", "other-1", "other-2", "other-3", "web"]);
    assert_eq!(code(client.list_pipelines().next_token("bm9uZQ").send().await), "InvalidNextTokenException");

    client.delete_pipeline().name(NAME).send().await.unwrap();
    client.delete_pipeline().name(NAME).send().await.unwrap();
    assert_eq!(code(client.get_pipeline().name(NAME).send().await), "PipelineNotFoundException");
}

#[tokio::test]
async fn declarations_that_are_wrong() {
    let Endpoint { client, .. } = endpoint().await;
    let mut short = declaration();
    short.stages.truncate(1);
    let error = client.create_pipeline().pipeline(short).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_structure_exception(), "{error:?}");
    let mut named = declaration();
    named.stages[1].name = "no spaces".to_owned();
    let error = client.create_pipeline().pipeline(named).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_validation_exception(), "{error:?}");
    let message = error.message().unwrap();
    assert!(message.starts_with("1 validation error detected: Value 'no spaces' at 'pipeline.stages.2.member.name'"));
    let mut empty = declaration();
    empty.stages[1].actions.clear();
    assert_eq!(code(client.create_pipeline().pipeline(empty).send().await), "InvalidStageDeclarationException");
    let mut unknown = declaration();
    unknown.stages[1].actions[0].input_artifacts.as_mut().unwrap()[0].name = "Other".to_owned();
    assert_eq!(code(client.create_pipeline().pipeline(unknown).send().await), "InvalidActionDeclarationException");
}

#[tokio::test]
async fn a_release_from_start_to_end() {
    let mut endpoint = Endpoint::created().await;
    let client = endpoint.client.clone();
    let variable = aws::PipelineVariable::builder().name("Env").value("staging").build().unwrap();
    let started = client.start_pipeline_execution().name(NAME).variables(variable).send().await.unwrap();
    let id = started.pipeline_execution_id.unwrap();
    let job = endpoint.job().await;
    assert_eq!(job["data"]["actionConfiguration"]["configuration"]["UserParameters"], "staging");
    let job_id = job["id"].as_str().unwrap();
    let details = client.get_job_details().job_id(job_id).send().await.unwrap().job_details.unwrap();
    let data = details.data.unwrap();
    assert_eq!(data.pipeline_context.unwrap().pipeline_execution_id.as_deref(), Some(id.as_str()));
    assert_eq!(data.artifact_credentials.unwrap().access_key_id, job["data"]["artifactCredentials"]["accessKeyId"]);
    let summary = aws::ExecutionDetails::builder().summary("3 passed").percent_complete(100).build();
    let put = client.put_job_success_result().job_id(job_id).execution_details(summary);
    put.clone().output_variables("outcome", "passed").send().await.unwrap();
    assert_eq!(code(put.send().await), "InvalidJobStateException");

    let ask = endpoint.approval().await;
    assert_eq!(ask.status, Some(aws::ActionExecutionStatus::InProgress));
    let result = aws::ApprovalResult::builder().status(aws::ApprovalStatus::Approved).summary("").build().unwrap();
    let put = client.put_approval_result().pipeline_name(NAME).stage_name("Prod").action_name("Ask").result(result);
    let approved = put.clone().token(ask.token.as_deref().unwrap()).send().await.unwrap();
    assert!(approved.approved_at.unwrap().secs() >= 1_795_428_000);
    let again = put.clone().token(ask.token.unwrap()).send().await;
    assert_eq!(code(again), "ApprovalAlreadyCompletedException");
    let other = put.token("11111111-2222-4333-8444-555555555555").send().await.unwrap_err();
    assert!(other.as_service_error().unwrap().is_invalid_approval_token_exception(), "{other:?}");
    assert_eq!(endpoint.status(&id).await, aws::PipelineExecutionStatus::Succeeded);

    let list = client.list_action_executions().pipeline_name(NAME).send().await.unwrap();
    let details = list.action_execution_details();
    let names: Vec<_> = details.iter().map(|detail| detail.action_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Ask", "Check", "Source"]);
    let check = &details[1];
    let input = check.input.as_ref().unwrap();
    assert_eq!(input.resolved_configuration.as_ref().unwrap()["UserParameters"], "staging");
    assert_eq!(input.configuration.as_ref().unwrap()["UserParameters"], "#{variables.Env}");
    let place = input.input_artifacts()[0].s3_location.as_ref().unwrap();
    assert_eq!(place.bucket.as_deref(), Some("artifacts"));
    assert!(place.key.as_deref().unwrap().starts_with("web/SourceArti/"));
    let output = check.output.as_ref().unwrap();
    assert_eq!(output.output_variables.as_ref().unwrap()["outcome"], "passed");
    let result = output.execution_result.as_ref().unwrap();
    assert_eq!(result.external_execution_summary.as_deref(), Some("3 passed"));

    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    let last = state.stage_states()[2].latest_execution.as_ref().unwrap();
    assert_eq!(
        (last.pipeline_execution_id.as_str(), &last.status),
        (id.as_str(), &aws::StageExecutionStatus::Succeeded)
    );
    let execution = client.get_pipeline_execution().pipeline_name(NAME).pipeline_execution_id(id).send().await.unwrap();
    let execution = execution.pipeline_execution.unwrap();
    assert_eq!(execution.trigger.unwrap().trigger_type, Some(aws::TriggerType::StartPipelineExecution));
    assert_eq!(execution.variables.unwrap()[0].resolved_value.as_deref(), Some("staging"));
    assert_eq!(execution.execution_mode, Some(aws::ExecutionMode::Queued));
}

#[tokio::test]
async fn failing_retrying_and_stopping() {
    let mut endpoint = Endpoint::created().await;
    let client = endpoint.client.clone();
    let id = endpoint.start().await;
    let retry = client.retry_stage_execution().pipeline_name(NAME).pipeline_execution_id(&id).stage_name("Gate");
    let retry = retry.retry_mode(aws::StageRetryMode::FailedActions);
    assert_eq!(code(retry.clone().send().await), "ConflictException");
    let job = endpoint.job().await;
    let failure = aws::FailureDetails::builder().r#type(aws::FailureType::JobFailed).message("3 tests failed");
    let failure = failure.build().unwrap();
    let put = client.put_job_failure_result().job_id(job["id"].as_str().unwrap()).failure_details(failure);
    put.clone().send().await.unwrap();
    assert_eq!(code(put.clone().send().await), "InvalidJobStateException");
    let unknown = put.job_id("11111111-2222-4333-8444-555555555555").send().await;
    assert_eq!(code(unknown), "JobNotFoundException");
    assert_eq!(endpoint.status(&id).await, aws::PipelineExecutionStatus::Failed);
    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    let check = state.stage_states()[1].action_states()[0].latest_execution.clone().unwrap();
    let error = check.error_details.unwrap();
    assert_eq!((error.code.as_deref(), error.message.as_deref()), (Some("JobFailed"), Some("3 tests failed")));

    let retried = retry.clone().send().await.unwrap();
    assert_eq!(retried.pipeline_execution_id.as_deref(), Some(id.as_str()));
    assert_eq!(code(retry.clone().stage_name("Other").send().await), "StageNotFoundException");
    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    let retries = state.stage_states()[1].retry_stage_metadata.clone().unwrap();
    assert_eq!(retries.manual_stage_retry_attempt, Some(1));
    let stop = client.stop_pipeline_execution().pipeline_name(NAME).pipeline_execution_id(&id).reason("a freeze");
    stop.clone().send().await.unwrap();
    assert_eq!(endpoint.status(&id).await, aws::PipelineExecutionStatus::Stopping);
    assert_eq!(code(stop.clone().send().await), "DuplicatedStopRequestException");
    stop.clone().abandon(true).send().await.unwrap();
    assert_eq!(endpoint.status(&id).await, aws::PipelineExecutionStatus::Stopped);
    assert_eq!(code(stop.send().await), "PipelineExecutionNotStoppableException");

    let list = client.list_pipeline_executions().pipeline_name(NAME).send().await.unwrap();
    let summary = &list.pipeline_execution_summaries()[0];
    assert_eq!(summary.status, Some(aws::PipelineExecutionStatus::Stopped));
    assert_eq!(summary.stop_trigger.as_ref().unwrap().reason.as_deref(), Some("a freeze"));
    let filter = |range: aws::StartTimeRange| {
        let latest = aws::LatestInPipelineExecutionFilter::builder().pipeline_execution_id(&id).start_time_range(range);
        let filter = aws::ActionExecutionFilter::builder().latest_in_pipeline_execution(latest.build().unwrap());
        client.list_action_executions().pipeline_name(NAME).filter(filter.build())
    };
    let names = |output: aws_sdk_codepipeline::operation::list_action_executions::ListActionExecutionsOutput| {
        let details = output.action_execution_details.unwrap_or_default();
        details.into_iter().map(|detail| detail.action_name.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(filter(aws::StartTimeRange::Latest).send().await.unwrap()), ["Check"]);
    assert_eq!(names(filter(aws::StartTimeRange::All).send().await.unwrap()), ["Check", "Source"]);
    let all = client.list_action_executions().pipeline_name(NAME).send().await.unwrap();
    assert_eq!(names(all), ["Check", "Check", "Source"]);
    let other = "11111111-2222-4333-8444-555555555555";
    let filter = aws::ActionExecutionFilter::builder().pipeline_execution_id(other).build();
    let none = client.list_action_executions().pipeline_name(NAME).filter(filter).send().await;
    assert_eq!(code(none), "PipelineExecutionNotFoundException");
    let none = client.get_pipeline_execution().pipeline_name(NAME).pipeline_execution_id(other).send().await;
    assert_eq!(code(none), "PipelineExecutionNotFoundException");
}

#[tokio::test]
async fn transitions_and_lists() {
    let endpoint = Endpoint::created().await;
    let client = endpoint.client.clone();
    let disable =
        client.disable_stage_transition().pipeline_name(NAME).transition_type(aws::StageTransitionType::Inbound);
    let disable = disable.reason("release freeze");
    disable.clone().stage_name("Gate").send().await.unwrap();
    assert_eq!(code(disable.stage_name("Other").send().await), "StageNotFoundException");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = endpoint.start().await;
        // The source is quick, but not at once: it runs in a task of its own.
        loop {
            let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
            if state.stage_states()[1].inbound_executions().iter().any(|inbound| inbound.pipeline_execution_id == id) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        ids.push(id);
    }
    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    let gate = &state.stage_states()[1];
    let transition = gate.inbound_transition_state.as_ref().unwrap();
    assert_eq!((transition.enabled, transition.disabled_reason.as_deref()), (false, Some("release freeze")));
    assert_eq!(gate.inbound_executions().len(), 3);
    assert_eq!(gate.inbound_execution.as_ref().unwrap().pipeline_execution_id, ids[2]);
    let mut listed = Vec::new();
    let mut pages = client.list_pipeline_executions().pipeline_name(NAME).max_results(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let summaries = page.pipeline_execution_summaries().iter();
        listed.extend(summaries.map(|summary| summary.pipeline_execution_id.clone().unwrap()));
    }
    ids.reverse();
    assert_eq!(listed, ids);
    let filter = |stage: &str| {
        let stage = aws::SucceededInStageFilter::builder().stage_name(stage).build();
        let filter = aws::PipelineExecutionFilter::builder().succeeded_in_stage(stage).build();
        client.list_pipeline_executions().pipeline_name(NAME).filter(filter).send()
    };
    assert_eq!(filter("Source").await.unwrap().pipeline_execution_summaries().len(), 3);
    assert_eq!(filter("Gate").await.unwrap().pipeline_execution_summaries().len(), 0);
    let mut count = 0;
    let mut pages = client.list_action_executions().pipeline_name(NAME).max_results(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        count += page.unwrap().action_execution_details().len();
    }
    assert_eq!(count, 3);
    let enable = client.enable_stage_transition().pipeline_name(NAME).stage_name("Gate");
    enable.transition_type(aws::StageTransitionType::Inbound).send().await.unwrap();
    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    let gate = &state.stage_states()[1];
    assert!(gate.inbound_transition_state.as_ref().unwrap().enabled);
    assert_eq!(gate.latest_execution.as_ref().unwrap().pipeline_execution_id, ids[2]);
    assert_eq!(gate.inbound_executions().len(), 2);
}

#[tokio::test]
async fn tags() {
    let Endpoint { client, .. } = Endpoint::created().await;
    let arn = "arn:aws:codepipeline:us-east-1:111122223333:web";
    let tag = |key: &str, value: &str| aws::Tag::builder().key(key).value(value).build().unwrap();
    client.tag_resource().resource_arn(arn).tags(tag("team", "web")).tags(tag("tier", "1")).send().await.unwrap();
    client.untag_resource().resource_arn(arn).tag_keys("tier").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("team", "web")]);
    let many = (0..51).map(|number| tag(&format!("k{number}"), "v")).collect();
    assert_eq!(code(client.tag_resource().resource_arn(arn).set_tags(Some(many)).send().await), "TooManyTagsException");
    let reserved = client.tag_resource().resource_arn(arn).tags(tag("aws:x", "v")).send().await;
    assert_eq!(code(reserved), "InvalidTagsException");
    let other = "arn:aws:codepipeline:us-east-1:111122223333:other";
    assert_eq!(code(client.list_tags_for_resource().resource_arn(other).send().await), "ResourceNotFoundException");
    let elsewhere = "arn:aws:codepipeline:eu-west-1:111122223333:web";
    assert_eq!(code(client.list_tags_for_resource().resource_arn(elsewhere).send().await), "InvalidArnException");
}

#[tokio::test]
async fn operations_that_are_not_there() {
    let Endpoint { client, codepipeline, .. } = endpoint().await;
    assert_eq!(code(client.list_webhooks().send().await), "UnknownOperationException");
    let error = codepipeline.call("ListWebhooks", json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "UnknownOperationException: the local CodePipeline has no operation ListWebhooks");
}

/// Sends a request as it stands and gives status line, head and body of the answer.
async fn raw(address: &str, head: &str, body: &str) -> (String, String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap().to_owned();
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn answers_on_the_wire() {
    let Endpoint { address, .. } = endpoint().await;
    let call =
        |target: &str| format!("POST / HTTP/1.1\r\nX-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1");
    let target = "CodePipeline_20150709.ListPipelines";
    let (status, head, body) = raw(&address, &call(target), "").await;
    assert_eq!((status.as_str(), body), ("HTTP/1.1 200 OK", json!({"pipelines": []})));
    assert!(head.contains("content-type: application/x-amz-json-1.1"), "{head}");
    assert!(head.contains("x-amzn-requestid: "), "{head}");

    let (status, head, body) = raw(&address, &call("CodePipeline_20150709.GetPipeline"), r#"{"name": "web"}"#).await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(head.contains("x-amzn-errortype: pipelinenotfoundexception"), "{head}");
    let message = "Account '111122223333' does not have a pipeline with name 'web'";
    assert_eq!(body, json!({"__type": "PipelineNotFoundException", "message": message}));

    let cbor = "POST /service/CodePipeline_20150709/operation/ListPipelines HTTP/1.1\r\nContent-Type: application/cbor";
    let wrong_type = format!("POST / HTTP/1.1\r\nX-Amz-Target: {target}\r\nContent-Type: text/xml");
    let cases = [
        (call(target), "{\"name\": ", "SerializationException", "the body is no JSON at line 1, column 9"),
        (call(target), "[]", "SerializationException", "the input must be a JSON object"),
        (call("CodeBuild_20161006.ListBuilds"), "{}", "UnknownOperationException", "CodePipeline_20150709. and an"),
        (call("CodePipeline_20150709.Nothing"), "{}", "UnknownOperationException", "has no operation Nothing"),
        (wrong_type, "{}", "UnknownOperationException", "the content type is 'text/xml'"),
        (cbor.to_owned(), "", "UnknownOperationException", "belongs to the CBOR protocol"),
        ("GET /other HTTP/1.1".to_owned(), "", "UnknownOperationException", "there is nothing at /other"),
        ("GET / HTTP/1.1".to_owned(), "", "UnknownOperationException", "calls of AWS JSON 1.1 are a POST to /"),
        (call(target), &"x".repeat(5 * 1024 * 1024), "SerializationException", "the body could not be read"),
    ];
    for (head, body, code, message) in cases {
        let (status, _, answer) = raw(&address, &head, body).await;
        assert_eq!((status.as_str(), &answer["__type"]), ("HTTP/1.1 400 Bad Request", &json!(code)), "{head}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
}
