//! Job workers that use the official client of AWS, over HTTP on loopback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types as aws;
use serde_json::json;

use crate::harness::{bench, pipeline};
use crate::wire::{Endpoint, code, endpoint};

const WORKERS: usize = 10;
/// Two pipelines with as many jobs as a stage may have actions.
const PIPELINES: [&str; 2] = ["one", "two"];
const JOBS_OF_EACH: usize = 100;

fn type_id() -> aws::ActionTypeId {
    let id = aws::ActionTypeId::builder().category(aws::ActionCategory::Test).owner(aws::ActionOwner::Custom);
    id.provider("Bench").version("1").build().unwrap()
}

async fn with_type() -> Endpoint {
    let endpoint = endpoint().await;
    let details = |most: i32| aws::ArtifactDetails::builder().minimum_count(0).maximum_count(most).build();
    let property = |name: &str, secret: bool, queryable: bool| {
        let property = aws::ActionConfigurationProperty::builder().name(name).key(true).required(queryable);
        property.secret(secret).queryable(queryable).build().unwrap()
    };
    let create = endpoint.client.create_custom_action_type().category(aws::ActionCategory::Test).provider("Bench");
    let created = create
        .version("1")
        .input_artifact_details(details(1))
        .output_artifact_details(details(1))
        .configuration_properties(property("Project", false, true))
        .configuration_properties(property("Password", true, false))
        .send()
        .await
        .unwrap();
    assert_eq!(created.action_type.unwrap().id, Some(type_id()));
    endpoint
}

/// Who has taken each job, and what it carried.
type Done = Arc<Mutex<HashMap<String, (usize, String)>>>;

/// Takes and does jobs until `total` of them are done by all workers together. Every job is done in two steps.
async fn work(client: Client, number: usize, total: usize, done: Done) {
    let poll = client.poll_for_jobs().action_type_id(type_id()).max_batch_size(3).query_param("Project", "web");
    while done.lock().unwrap().len() < total {
        let jobs = poll.clone().send().await.unwrap().jobs.unwrap_or_default();
        if jobs.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for job in jobs {
            let (id, data) = (job.id.unwrap(), job.data.unwrap());
            let taken = client.acknowledge_job().job_id(&id).nonce(job.nonce.unwrap()).send().await;
            match taken {
                Ok(taken) => assert_eq!(taken.status, Some(aws::JobStatus::InProgress)),
                Err(error) => {
                    assert!(error.as_service_error().unwrap().is_invalid_nonce_exception(), "{error:?}");
                    continue;
                }
            }
            assert_eq!(data.action_configuration.unwrap().configuration.unwrap()["Password"], "hunter2");
            let context = data.pipeline_context.unwrap();
            let action = context.action.unwrap();
            let result = client.put_job_success_result().job_id(&id);
            let first = data.continuation_token.is_none();
            let result = if first { result.continuation_token("second step") } else { result };
            result.send().await.unwrap();
            let place = format!("{}/{}", context.pipeline_name.unwrap(), action.name.unwrap());
            let former = done.lock().unwrap().insert(id, (number, place));
            assert!(former.is_none(), "a job is taken once");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_workers_do_each_job_once() {
    let Endpoint { client, codepipeline, .. } = with_type().await;
    let actions: Vec<_> = (0..JOBS_OF_EACH).map(|number| format!("A{number}*worker")).collect();
    let mut executions = Vec::new();
    for name in PIPELINES {
        let mut declaration = pipeline(&format!("SUPERSEDED Source: Source | Test: {}", actions.join(" ")));
        declaration["name"] = json!(name);
        codepipeline.call("CreatePipeline", json!({"pipeline": declaration})).await.unwrap();
        let started = client.start_pipeline_execution().name(name).send().await.unwrap();
        executions.push((name, started.pipeline_execution_id.unwrap()));
    }
    let total = 2 * JOBS_OF_EACH * PIPELINES.len();
    let done = Done::default();
    let workers = (0..WORKERS).map(|number| tokio::spawn(work(client.clone(), number, total, Arc::clone(&done))));
    for worker in workers.collect::<Vec<_>>() {
        tokio::time::timeout(Duration::from_secs(120), worker).await.expect("the workers end").unwrap();
    }
    for (name, id) in executions {
        let execution = client.get_pipeline_execution().pipeline_name(name).pipeline_execution_id(id).send().await;
        let status = execution.unwrap().pipeline_execution.unwrap().status;
        assert_eq!(status, Some(aws::PipelineExecutionStatus::Succeeded), "{name}");
    }
    let done = done.lock().unwrap();
    assert_eq!(done.len(), total);
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (_, place) in done.values() {
        *places.entry(place).or_default() += 1;
    }
    assert_eq!(places.len(), JOBS_OF_EACH * PIPELINES.len());
    assert!(places.values().all(|count| *count == 2), "two steps for each action: {places:?}");
}

#[tokio::test]
async fn the_errors_of_the_worker_protocol_have_their_types() {
    let Endpoint { client, .. } = with_type().await;
    let poll = |id: aws::ActionTypeId| client.poll_for_jobs().action_type_id(id).query_param("Project", "web").send();
    assert_eq!(poll(type_id()).await.unwrap().jobs(), []);
    let mut other = type_id();
    other.version = "2".to_owned();
    let error = poll(other).await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_action_type_not_found_exception(), "{error:?}");
    let unasked = client.poll_for_jobs().action_type_id(type_id()).send().await.unwrap_err();
    assert!(unasked.as_service_error().unwrap().is_validation_exception(), "{unasked:?}");
    let unknown = "11111111-2222-4333-8444-555555555555";
    let error = client.acknowledge_job().job_id(unknown).nonce("1").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_job_not_found_exception(), "{error:?}");
    let listed = client.list_action_types().action_owner_filter(aws::ActionOwner::Custom).send().await.unwrap();
    assert_eq!(
        listed.action_types()[0].action_configuration_properties().len(),
        bench()["configurationProperties"].as_array().unwrap().len()
    );
    let delete = client.delete_custom_action_type().category(aws::ActionCategory::Test).provider("Bench").version("1");
    delete.send().await.unwrap();
    assert_eq!(code(poll(type_id()).await), "ActionTypeNotFoundException");
}
