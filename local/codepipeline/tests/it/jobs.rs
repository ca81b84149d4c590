//! The job protocol of the Lambda action.

use serde_json::{Value, json};
use stagegate_local_codepipeline::InvokeError;

use crate::harness::{World, pipeline};

const GATED: &str = "SUPERSEDED Source: Source | Gate: Check*lambda | Prod: Ship*deploy";

/// A world whose gate waits for an answer, and the id of its job.
fn waiting() -> (World, String) {
    let mut world = World::of(&pipeline(GATED));
    world.run("start e1");
    world.run("done e1 Source");
    let job = world.job("e1", "Check");
    (world, job)
}

fn error_details(world: &mut World) -> Value {
    world.action("e1", "Check").unwrap()["output"]["executionResult"]["errorDetails"].take()
}

fn access_key(event: &Value) -> String {
    let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
    credentials["accessKeyId"].as_str().unwrap().to_owned()
}

#[test]
fn the_event_has_the_documented_shape() {
    let mut declaration = pipeline(GATED);
    declaration["stages"][1]["actions"][0]["inputArtifacts"] = json!([{"name": "Source1"}]);
    declaration["stages"][1]["actions"][0]["outputArtifacts"] = json!([{"name": "Report"}]);
    declaration["artifactStore"]["encryptionKey"] = json!({"id": "alias/artifacts", "type": "KMS"});
    let mut world = World::of(&declaration);
    world.run("start e1");
    world.run("done e1 Source");
    let id = world.job("e1", "Check");
    let event = world.jobs[&id].clone();
    let job = &event["CodePipeline.job"];
    let data = &job["data"];
    let credentials = &data["artifactCredentials"];
    let place = |artifact: &str, of: &Value| {
        let key = of["location"]["s3Location"]["objectKey"].as_str().unwrap().to_owned();
        assert!(key.starts_with(&format!("web/{artifact}/")), "{key}");
        json!({"type": "S3", "s3Location": {"bucketName": "artifacts", "objectKey": key}})
    };
    let expected = json!({"CodePipeline.job": {
        "id": id,
        "accountId": "111122223333",
        "data": {
            "actionConfiguration": {"configuration": {"FunctionName": "gate", "UserParameters": "{\"gate\":\"web\"}"}},
            "inputArtifacts": [
                {"name": "Source1", "revision": "abc123", "location": place("Source1", &data["inputArtifacts"][0])},
            ],
            "outputArtifacts": [
                {"name": "Report", "revision": null, "location": place("Report", &data["outputArtifacts"][0])},
            ],
            "artifactCredentials": {
                "accessKeyId": credentials["accessKeyId"],
                "secretAccessKey": credentials["secretAccessKey"],
                "sessionToken": credentials["sessionToken"],
                // 20 minutes after the start, in milliseconds.
                "expirationTime": 1_795_429_200_000_u64,
            },
            "encryptionKey": {"id": "alias/artifacts", "type": "KMS"},
        },
    }});
    assert_eq!(event, expected);
    assert_eq!(world.now.as_millisecond() + 20 * 60 * 1000, 1_795_429_200_000);
    for (member, length) in [("accessKeyId", 20), ("secretAccessKey", 40), ("sessionToken", 120)] {
        assert_eq!(credentials[member].as_str().unwrap().len(), length, "{member}");
    }

    let details = world.call("GetJobDetails", json!({"jobId": id})).unwrap()["jobDetails"].take();
    assert_eq!(details["accountId"], "111122223333");
    assert_eq!(details["data"]["actionTypeId"]["provider"], "Lambda");
    assert_eq!(details["data"]["pipelineContext"]["stage"]["name"], "Gate");
    assert_eq!(details["data"]["pipelineContext"]["pipelineExecutionId"], world.names["e1"].as_str());
    assert_eq!(details["data"]["artifactCredentials"], *credentials);
}

#[test]
fn credentials_live_as_long_as_their_job() {
    for end in ["success", "continuation", "failure", "timeout", "stop", "update", "delete"] {
        let (mut world, job) = waiting();
        let key = access_key(&world.jobs[&job]);
        let secret = world.engine.artifact_credentials(&key).unwrap().secret_access_key.clone();
        let in_event = &world.jobs[&job]["CodePipeline.job"]["data"]["artifactCredentials"]["secretAccessKey"];
        assert_eq!(secret.expose(), in_event.as_str().unwrap());
        assert!(world.engine.artifact_credentials("ASIAUNKNOWN").is_none());
        match end {
            "success" => world.run("done e1 Check"),
            "continuation" => world.run("continue e1 Check more"),
            "failure" => {
                let details = json!({"type": "JobFailed", "message": "no"});
                world.call("PutJobFailureResult", json!({"jobId": job, "failureDetails": details})).unwrap();
            }
            "timeout" => world.run("advance 20m"),
            "stop" => world.run("stop e1 abandon"),
            "update" => world.run("update"),
            _ => world.run("delete"),
        }
        assert!(world.engine.artifact_credentials(&key).is_none(), "after {end}");
    }
}

#[test]
fn a_job_takes_one_answer() {
    let answers = [
        ("PutJobSuccessResult", json!({})),
        ("PutJobSuccessResult", json!({"continuationToken": "t"})),
        ("PutJobFailureResult", json!({"failureDetails": {"type": "JobFailed", "message": "no"}})),
    ];
    for (first, first_input) in &answers {
        for (second, second_input) in &answers {
            let (mut world, job) = waiting();
            let with_id = |input: &Value| {
                let mut input = input.clone();
                input["jobId"] = json!(job);
                input
            };
            assert_eq!(world.call(first, with_id(first_input)).unwrap(), json!({}));
            let error = world.call(second, with_id(second_input)).unwrap_err();
            assert_eq!(error.code, "InvalidJobStateException", "{first} then {second}");
        }
    }
    let (mut world, _) = waiting();
    let unknown = json!({"jobId": "11111111-2222-4333-8444-555555555555"});
    assert_eq!(world.call("PutJobSuccessResult", unknown.clone()).unwrap_err().code, "JobNotFoundException");
    assert_eq!(world.call("GetJobDetails", unknown).unwrap_err().code, "JobNotFoundException");
}

#[test]
fn what_the_job_reports_is_shown() {
    let (mut world, job) = waiting();
    let details = json!({"summary": "half way", "externalExecutionId": "x-1", "percentComplete": 50});
    let input = json!({"jobId": job, "continuationToken": "t", "executionDetails": details});
    world.call("PutJobSuccessResult", input).unwrap();
    let state = world.call("GetPipelineState", json!({"name": "web"})).unwrap();
    let latest = &state["stageStates"][1]["actionStates"][0]["latestExecution"];
    assert_eq!(latest["summary"], "half way");
    assert_eq!((&latest["externalExecutionId"], &latest["percentComplete"]), (&json!("x-1"), &json!(50)));

    world.run("advance 30s");
    let job = world.job("e1", "Check");
    let details = json!({"summary": "1,204 tests passed"});
    let input = json!({"jobId": job, "executionDetails": details, "outputVariables": {"tests_total": "1204"}});
    world.call("PutJobSuccessResult", input).unwrap();
    let output = world.action("e1", "Check").unwrap()["output"].take();
    assert_eq!(output["executionResult"]["externalExecutionSummary"], "1,204 tests passed");
    assert_eq!(output["outputVariables"], json!({"tests_total": "1204"}));

    let (mut world, job) = waiting();
    let failure = json!({"type": "PermissionError", "message": "may not read", "externalExecutionId": "x-2"});
    world.call("PutJobFailureResult", json!({"jobId": job, "failureDetails": failure})).unwrap();
    assert_eq!(error_details(&mut world), json!({"code": "PermissionError", "message": "may not read"}));
    world.run("expect e1 Failed Gate=FAILED Prod=-");
}

#[test]
fn a_silent_job_fails_after_twenty_minutes() {
    let (mut world, job) = waiting();
    world.run("advance 19m59s");
    world.run("expect e1 InProgress .Check=InProgress");
    world.run("advance 1s");
    world.run("expect e1 Failed Gate=FAILED .Check=Failed");
    let message = "The AWS Lambda function gate failed to return a result. Check the function to verify that it has \
                   permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.";
    assert_eq!(error_details(&mut world), json!({"code": "JobFailed", "message": message}));
    let late = world.call("PutJobSuccessResult", json!({"jobId": job})).unwrap_err();
    assert_eq!(late.code, "InvalidJobStateException");
}

#[test]
fn an_answer_after_the_timer_is_late_even_before_a_tick() {
    let (mut world, job) = waiting();
    world.now += jiff::SignedDuration::from_mins(20);
    let late = world.call("PutJobSuccessResult", json!({"jobId": job})).unwrap_err();
    assert_eq!(late.code, "InvalidJobStateException");
    world.run("expect e1 Failed");
}

#[test]
fn a_continuation_restarts_the_timer_with_a_new_job() {
    let (mut world, first) = waiting();
    assert!(world.jobs[&first]["CodePipeline.job"]["data"].get("continuationToken").is_none());
    world.run("advance 15m");
    world.run("continue e1 Check step-2");
    assert_eq!(world.jobs.len(), 1);
    world.run("advance 29s");
    assert_eq!(world.jobs.len(), 1);
    world.run("advance 1s");
    assert_eq!(world.jobs.len(), 2);
    let second = world.job("e1", "Check");
    assert_ne!(first, second);
    let event = &world.jobs[&second]["CodePipeline.job"];
    assert_eq!(event["data"]["continuationToken"], "step-2");
    assert_ne!(access_key(&world.jobs[&first]), access_key(&world.jobs[&second]));
    world.run("advance 19m");
    world.run("expect e1 InProgress");
    world.run("done e1 Check");
    world.run("expect e1 InProgress Gate=SUCCEEDED Prod=STARTED");
}

#[test]
fn continuations_end_after_a_day() {
    let (mut world, _) = waiting();
    // 92 rounds of 15 minutes and 30 seconds leave 14 minutes of the day.
    for round in 0..92 {
        world.run("advance 15m");
        world.run(&format!("continue e1 Check round-{round}"));
        world.run("advance 30s");
        world.run("expect e1 InProgress");
    }
    world.run("advance 13m59s");
    world.run("expect e1 InProgress");
    world.run("advance 1s");
    world.run("expect e1 Failed .Check=Failed");
    let message = "the Lambda function gate did not come to an end within 24 hours";
    assert_eq!(error_details(&mut world), json!({"code": "JobFailed", "message": message}));

    // The end of the day may also come between two jobs.
    let settings = stagegate_local_codepipeline::Settings {
        continuation_delay: std::time::Duration::from_secs(25 * 3600),
        ..Default::default()
    };
    let mut world = World::with(settings);
    world.call("CreatePipeline", json!({"pipeline": pipeline(GATED)})).unwrap();
    for line in ["start e1", "done e1 Source", "continue e1 Check t", "advance 26h", "expect e1 Failed"] {
        world.run(line);
    }
    assert_eq!(world.jobs.len(), 1);
}

#[test]
fn output_variables_are_limited() {
    let cases = [
        (json!({"k": "x".repeat(122_879)}), None),
        (json!({"k": "x".repeat(122_880)}), Some("OutputVariablesSizeExceededException")),
        (json!({"no spaces": "x"}), Some("ValidationException")),
    ];
    for (variables, expected) in cases {
        let (mut world, job) = waiting();
        let result = world.call("PutJobSuccessResult", json!({"jobId": job, "outputVariables": variables}));
        assert_eq!(result.err().map(|error| error.code), expected);
        let status = if expected.is_none() { "Succeeded" } else { "InProgress" };
        world.run(&format!("expect e1 InProgress .Check={status}"));
    }
    let (mut world, job) = waiting();
    let both = json!({"jobId": job, "continuationToken": "t", "outputVariables": {"k": "v"}});
    assert_eq!(world.call("PutJobSuccessResult", both).unwrap_err().code, "ValidationException");
}

#[test]
fn a_refused_invocation_fails_the_action() {
    let not_found = InvokeError::FunctionNotFound { name: "gate".into(), known: vec!["test-gate".into()] };
    let cases = [
        (
            not_found,
            "ConfigurationError",
            "the Lambda function gate could not be invoked: there is no function gate (there are: test-gate)",
        ),
        (
            InvokeError::Refused("the host is full".into()),
            "SystemUnavailable",
            "the Lambda function gate could not be invoked: the host is full",
        ),
    ];
    for (error, code, message) in cases {
        let (mut world, job) = waiting();
        world.engine.lambda_refused(world.now, &job, &error);
        world.drain();
        world.run("expect e1 Failed Gate=FAILED");
        assert_eq!(error_details(&mut world), json!({"code": code, "message": message}));
        world.engine.lambda_refused(world.now, &job, &error);
        let late = world.call("PutJobSuccessResult", json!({"jobId": job})).unwrap_err();
        assert_eq!(late.code, "InvalidJobStateException");
    }
    // A function that has answered was invoked, whatever its host says afterwards.
    let (mut world, job) = waiting();
    world.run("done e1 Check");
    world.engine.lambda_refused(world.now, &job, &InvokeError::Refused("late".into()));
    world.run("expect e1 InProgress .Check=Succeeded");
}

#[test]
fn a_retried_action_has_a_new_job() {
    let (mut world, first) = waiting();
    world.run("advance 20m");
    world.run("retry e1 Gate FAILED_ACTIONS");
    let second = world.job("e1", "Check");
    assert_ne!(first, second);
    let late = world.call("PutJobSuccessResult", json!({"jobId": first})).unwrap_err();
    assert_eq!(late.code, "InvalidJobStateException");
    world.run("expect e1 InProgress .Check=InProgress");
    world.run("done e1 Check");
    world.run("expect e1 InProgress Prod=STARTED");
}

#[test]
fn secrets_are_not_in_debug_output() {
    let (mut world, job) = waiting();
    let credentials = world.jobs[&job]["CodePipeline.job"]["data"]["artifactCredentials"].clone();
    let key = access_key(&world.jobs[&job]);
    let shown = format!("{:?}", world.engine.artifact_credentials(&key));
    assert!(!shown.contains(credentials["secretAccessKey"].as_str().unwrap()), "{shown}");
    assert!(!shown.contains(credentials["sessionToken"].as_str().unwrap()), "{shown}");
    // An effect that starts a job shows who is invoked, and not with what.
    world.run("stop e1 abandon");
    world.run("start e2");
    let source = world.running("e2", "Source");
    world.engine.action_finished(world.now, &source, Ok(Default::default()));
    let effects = std::iter::from_fn(|| world.engine.next_effect()).map(|effect| format!("{effect:?}"));
    let effects = effects.collect::<Vec<_>>().join(" ");
    assert!(effects.contains("InvokeLambda"), "{effects}");
    assert!(!effects.contains("secretAccessKey") && !effects.contains("CodePipeline.job"), "{effects}");
}
