//! Events of every shape.

use codepipeline_job::{EventError, Job, JobId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Answer, Ended, Expected, JOB, SECRET, Settings, TOKEN, check, event};

fn with(pointer: &str, value: Value) -> Value {
    let mut event = event(&json!({"do": "succeed", "summary": "read"}));
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(&format!("/CodePipeline.job{parent}")).unwrap();
    match parent {
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    event
}

fn without(pointer: &str) -> Value {
    let mut event = with(pointer, Value::Null);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(&format!("/CodePipeline.job{parent}")).unwrap().as_object_mut().unwrap().remove(name);
    event
}

#[tokio::test]
async fn an_event_without_a_job_id_fails_the_invocation_and_shows_its_keys_only() {
    let mut no_id = event(&json!({}));
    no_id["CodePipeline.job"].as_object_mut().unwrap().remove("id");
    for (event, message) in [
        (no_id, "the job has the keys `data`, `accountId`"),
        (with("/id", json!(5)), "the job has the keys `id`, `accountId`, `data`"),
        (with("/id", json!(null)), "the job has the keys `id`"),
        (with("/id", json!(["x"])), "the job has the keys `id`"),
        (json!({"rule": SECRET}), "the event has the keys `rule`"),
        (json!([SECRET]), "the event is a list"),
        (json!(null), "the event is null"),
    ] {
        let expected = Expected { answers: &[], ended: Some(Ended::Error(message.to_owned())) };
        check(message, &event, Settings::ample(), &[], &expected).await;
    }
}

#[tokio::test]
async fn an_event_with_broken_data_fails_the_job() {
    for (event, message) in [
        (json!({"CodePipeline.job": {"id": JOB}}), "`CodePipeline.job.data` is missing"),
        (with("/data", json!(SECRET)), "`CodePipeline.job.data` must be an object, and is a string"),
        (
            with("/data/inputArtifacts/0", json!({"name": "A"})),
            "`CodePipeline.job.data.inputArtifacts[0].location` is missing",
        ),
    ] {
        let answers = [Answer::failure("JobFailed", message)];
        let expected = Expected { answers: &answers, ended: Some(Ended::outcome("failed")) };
        check(message, &event, Settings::ample(), &[], &expected).await;
    }
}

#[test]
fn what_aws_may_leave_out_may_be_absent() {
    for event in [
        without("/data/actionConfiguration/configuration/UserParameters"),
        with("/data/actionConfiguration/configuration/UserParameters", json!("")),
        without("/data/actionConfiguration/configuration"),
        without("/data/inputArtifacts"),
        with("/data/inputArtifacts", json!([])),
        with("/data/inputArtifacts", json!(null)),
        without("/data/inputArtifacts/0/revision"),
        without("/data/outputArtifacts"),
        without("/data/artifactCredentials"),
        with("/data/artifactCredentials", json!(null)),
        without("/data/artifactCredentials/expirationTime"),
        with("/data/artifactCredentials/expirationTime", json!(1.5e12)),
        with("/data/continuationToken", json!(null)),
        with("/data/continuationToken", json!("")),
        with("/data/encryptionKey", json!(null)),
        with("/data/pipelineContext", json!({})),
        with("/data/pipelineContext", json!({"stage": null, "action": {}})),
        with("/data/new", json!({"added": "by AWS"})),
    ] {
        let job = Job::from_event(&event).unwrap_or_else(|error| panic!("{error}: {event}"));
        assert_eq!(job.id.as_str(), JOB);
        assert!(job.continuation_token.is_none());
    }
}

#[test]
fn everything_else_is_checked_and_no_value_is_shown() {
    let place = "/data/inputArtifacts/0/location/s3Location";
    for (event, message) in [
        (without("/accountId"), "`CodePipeline.job.accountId` is missing"),
        (
            with("/accountId", json!(111_122_223_333_u64)),
            "`CodePipeline.job.accountId` must be a string, and is a number",
        ),
        (without("/data"), "`CodePipeline.job.data` is missing"),
        (without("/data/actionConfiguration"), "`CodePipeline.job.data.actionConfiguration` is missing"),
        (
            with("/data/actionConfiguration/configuration/UserParameters", json!({"a": SECRET})),
            "data.actionConfiguration.configuration.UserParameters` must be a string, and is an object",
        ),
        (with("/data/inputArtifacts", json!({"0": SECRET})), "data.inputArtifacts` must be a list, and is an object"),
        (with("/data/inputArtifacts/0", json!(SECRET)), "data.inputArtifacts[0]` must be an object, and is a string"),
        (without(&format!("{place}/bucketName")), "location.s3Location.bucketName` is missing"),
        (with(&format!("{place}/objectKey"), json!("")), "objectKey` must be a text, and is an empty string"),
        (with("/data/inputArtifacts/0/location/type", json!(SECRET)), "type` must be `S3`, and is another text"),
        (without("/data/artifactCredentials/sessionToken"), "data.artifactCredentials.sessionToken` is missing"),
        (with("/data/artifactCredentials/secretAccessKey", json!([SECRET])), "must be a string, and is a list"),
        (with("/data/artifactCredentials/expirationTime", json!("soon")), "must be a number, and is a string"),
        (with("/data/artifactCredentials/expirationTime", json!(-1)), "must be milliseconds since 1970"),
        (with("/data/artifactCredentials/expirationTime", json!(1e300)), "must be milliseconds since 1970"),
        (with("/data/continuationToken", json!(7)), "data.continuationToken` must be a string, and is a number"),
        (with("/data/encryptionKey", json!({"type": "KMS"})), "data.encryptionKey.id` is missing"),
        (with("/data/pipelineContext", json!({"stage": "Test"})), "pipelineContext.stage` must be an object"),
    ] {
        let error = Job::from_event(&event).unwrap_err();
        assert!(matches!(error, EventError::Data(_)));
        let error = error.to_string();
        assert!(error.contains(message), "{error}");
        assert!(!error.contains(SECRET) && !error.contains(TOKEN), "{error}");
    }
}

#[test]
fn a_job_has_all_that_the_event_has() {
    let mut event =
        with("/data/encryptionKey", json!({"id": "arn:aws:kms:eu-west-1:111122223333:key/k", "type": "KMS"}));
    let data = &mut event["CodePipeline.job"]["data"];
    data["continuationToken"] = json!("cj1:7");
    data["outputArtifacts"] = json!([{"name": "Out", "revision": "r1",
        "location": {"type": "S3", "s3Location": {"bucketName": "b", "objectKey": "k"}}}]);
    data["pipelineContext"] = json!({
        "pipelineName": "web", "pipelineArn": "arn:p", "pipelineExecutionId": "e",
        "stage": {"name": "Test"}, "action": {"name": "Gate", "actionExecutionId": "a"},
    });
    let job = Job::from_event(&event).unwrap();
    assert_eq!(job.account_id, "111122223333");
    assert_eq!(job.function_name(), Some("gate"));
    assert_eq!(job.user_parameters(), Some(r#"{"do":"succeed","summary":"read"}"#));
    assert_eq!(job.input_artifacts[0].name, "Source");
    assert_eq!(job.input_artifacts[0].revision, None);
    assert_eq!(
        (job.input_artifacts[0].bucket.as_str(), job.input_artifacts[0].key.as_str()),
        ("artifacts", "web/Source/TdOSFRV")
    );
    assert_eq!(job.output_artifacts[0].revision.as_deref(), Some("r1"));
    assert_eq!(job.state::<u8>().unwrap(), Some(7));
    assert_eq!(job.encryption_key.as_ref().unwrap().kind, "KMS");
    let context = job.pipeline_context.as_ref().unwrap();
    assert_eq!(context.pipeline_execution_id.as_deref(), Some("e"));
    assert_eq!((context.stage_name.as_deref(), context.action_execution_id.as_deref()), (Some("Test"), Some("a")));
    let credentials = job.artifact_credentials().unwrap();
    assert_eq!(credentials.secret_access_key(), SECRET);
    assert_eq!(credentials.to_sdk().session_token(), Some(TOKEN));
    let since_epoch = credentials.expiration().unwrap().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since_epoch.as_millis(), 1_795_000_000_000);
    let shown = format!("{job:?} {credentials:?}");
    for secret in [SECRET, TOKEN, "ASIAEXAMPLEKEYID"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Any JSON, with the field names of a job event among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "CodePipeline.job",
        "id",
        "accountId",
        "data",
        "actionConfiguration",
        "configuration",
        "UserParameters",
        "inputArtifacts",
        "outputArtifacts",
        "name",
        "revision",
        "location",
        "type",
        "s3Location",
        "bucketName",
        "objectKey",
        "artifactCredentials",
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
        "expirationTime",
        "continuationToken",
        "encryptionKey",
        "pipelineContext",
        "stage",
        "action",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "S3|.{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_panics(event in any_json()) {
        drop(Job::from_event(&event));
    }

    #[test]
    fn the_id_is_found_whatever_surrounds_it(job in any_json(), rest in any_json(), id in "[0-9a-f-]{1,36}") {
        let mut job = if job.is_object() { job } else { json!({"data": job}) };
        job["id"] = json!(id);
        let event = json!({"first": rest, "CodePipeline.job": job});
        let found = JobId::find(&event).unwrap();
        prop_assert_eq!(found.as_str(), id.as_str());
        match Job::from_event(&event) {
            Ok(job) => prop_assert_eq!(job.id.as_str(), id.as_str()),
            Err(error) => prop_assert!(matches!(error, EventError::Data(_)), "{}", error),
        }
    }

    #[test]
    fn a_broken_place_never_shows_what_is_there(
        place in prop::sample::select(vec![
            "/accountId", "/data", "/data/actionConfiguration", "/data/inputArtifacts", "/data/inputArtifacts/0",
            "/data/inputArtifacts/0/location", "/data/artifactCredentials", "/data/artifactCredentials/sessionToken",
            "/data/encryptionKey", "/data/pipelineContext", "/data/continuationToken",
        ]),
        wrap in 0..3,
    ) {
        let value = match wrap { 0 => json!(SECRET), 1 => json!([SECRET]), _ => json!({"type": SECRET}) };
        if let Err(error) = Job::from_event(&with(place, value)) {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(SECRET), "{}", shown);
        }
    }
}
