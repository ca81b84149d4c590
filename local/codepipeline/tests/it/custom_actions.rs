//! Custom action types and the protocol of their job workers.

use serde_json::{Value, json};
use stagegate_local_codepipeline::events::Event;

use crate::harness::{NAME, World, bench, pipeline};

const BENCHED: &str = "SUPERSEDED Source: Source | Test: Bench*worker | Prod: Ship*deploy";

fn type_id() -> Value {
    json!({"category": "Test", "owner": "Custom", "provider": "Bench", "version": "1"})
}

/// A world whose custom action waits for a worker.
fn waiting() -> World {
    let mut world = World::of(&pipeline(BENCHED));
    world.run("start e1");
    world.run("done e1 Source");
    world
}

fn poll(world: &mut World) -> Vec<Value> {
    let input = json!({"actionTypeId": type_id(), "queryParam": {"Project": "web"}});
    world.call("PollForJobs", input).unwrap()["jobs"].as_array().unwrap().clone()
}

fn acknowledge(world: &mut World, job: &Value) -> Result<Value, &'static str> {
    let input = json!({"jobId": job["id"], "nonce": job["nonce"]});
    world.call("AcknowledgeJob", input).map_err(|error| error.code)
}

/// Polls for the one job that there is, and takes it.
fn taken(world: &mut World) -> Value {
    let jobs = poll(world);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(acknowledge(world, &jobs[0]), Ok(json!({"status": "InProgress"})));
    jobs[0].clone()
}

fn error_details(world: &mut World) -> Value {
    world.action("e1", "Bench").unwrap()["output"]["executionResult"]["errorDetails"].take()
}

#[test]
fn a_job_is_polled_taken_and_answered() {
    let mut world = waiting();
    let job = taken(&mut world);
    assert_eq!(job["accountId"], "111122223333");
    let data = &job["data"];
    assert_eq!(data["actionTypeId"], type_id());
    assert_eq!(data["actionConfiguration"]["configuration"], json!({"Project": "web", "Password": "hunter2"}));
    assert_eq!((&data["inputArtifacts"], &data["outputArtifacts"]), (&json!([]), &json!([])));
    let context = json!({
        "pipelineName": NAME,
        "stage": {"name": "Test"},
        "action": {"name": "Bench", "actionExecutionId": world.running("e1", "Bench")},
        "pipelineArn": "arn:aws:codepipeline:us-east-1:111122223333:web",
        "pipelineExecutionId": world.names["e1"],
    });
    assert_eq!(data["pipelineContext"], context);
    let key = data["artifactCredentials"]["accessKeyId"].as_str().unwrap();
    assert!(world.engine.artifact_credentials(key).is_some());
    let details = world.call("GetJobDetails", json!({"jobId": job["id"]})).unwrap();
    assert_eq!(details["jobDetails"], json!({"id": job["id"], "data": data, "accountId": "111122223333"}));
    assert!(world.jobs.is_empty(), "no function is invoked");

    let execution = json!({"summary": "12 passed", "externalExecutionId": "run-7"});
    let result = json!({"jobId": job["id"], "executionDetails": execution, "outputVariables": {"passed": "12"}});
    world.call("PutJobSuccessResult", result.clone()).unwrap();
    assert_eq!(world.call("PutJobSuccessResult", result).unwrap_err().code, "InvalidJobStateException");
    world.run("expect e1 InProgress Test=SUCCEEDED Prod=STARTED .Bench=Succeeded");
    assert!(world.engine.artifact_credentials(key).is_none());
    let output = world.action("e1", "Bench").unwrap()["output"].take();
    assert_eq!(output["outputVariables"], json!({"passed": "12"}));
    assert_eq!(output["executionResult"]["externalExecutionUrl"], "https://bench.example.com/web/runs/run-7");
    let state = world.call("GetPipelineState", json!({"name": NAME})).unwrap();
    assert_eq!(state["stageStates"][1]["actionStates"][0]["entityUrl"], "https://bench.example.com/web/");
    assert_eq!(poll(&mut world), [] as [Value; 0]);
}

#[test]
fn one_worker_takes_a_job() {
    let mut world = waiting();
    // Whoever polls sees the job until somebody has taken it: a worker that died after its poll loses nothing.
    let first = poll(&mut world);
    let second = poll(&mut world);
    assert_eq!((first.len(), &first), (1, &second));
    let early = world.call("PutJobSuccessResult", json!({"jobId": first[0]["id"]})).unwrap_err();
    assert_eq!(early.code, "InvalidJobStateException");
    assert!(early.message.contains("call AcknowledgeJob with its nonce first"), "{early}");
    let wrong = json!({"jobId": first[0]["id"], "nonce": "0"});
    let error = world.call("AcknowledgeJob", wrong).unwrap_err();
    assert_eq!(error.code, "InvalidNonceException");
    assert!(!error.message.contains(first[0]["nonce"].as_str().unwrap()), "{error}");
    assert_eq!(acknowledge(&mut world, &first[0]), Ok(json!({"status": "InProgress"})));
    assert_eq!(acknowledge(&mut world, &second[0]), Err("InvalidNonceException"));
    assert_eq!(poll(&mut world), [] as [Value; 0]);
    world.call("PutJobSuccessResult", json!({"jobId": first[0]["id"]})).unwrap();
    assert_eq!(acknowledge(&mut world, &first[0]), Err("InvalidNonceException"));
    let unknown = json!({"jobId": "11111111-2222-4333-8444-555555555555", "nonce": "1"});
    assert_eq!(world.call("AcknowledgeJob", unknown).unwrap_err().code, "JobNotFoundException");

    // The job of a function is nobody's to take.
    let mut world = World::of(&pipeline("SUPERSEDED Source: Source | Gate: Check*lambda"));
    world.run("start e1");
    world.run("done e1 Source");
    let job = world.job("e1", "Check");
    let error = world.call("AcknowledgeJob", json!({"jobId": job, "nonce": "1"})).unwrap_err();
    assert_eq!(error.code, "InvalidNonceException");
}

#[test]
fn a_continuation_is_a_new_job() {
    let mut world = waiting();
    let first = taken(&mut world);
    assert!(first["data"].get("continuationToken").is_none());
    let details = json!({"percentComplete": 40, "summary": "running", "externalExecutionId": "run-7"});
    let go_on = json!({"jobId": first["id"], "continuationToken": "step-2", "executionDetails": details});
    world.call("PutJobSuccessResult", go_on.clone()).unwrap();
    assert_eq!(world.call("PutJobSuccessResult", go_on).unwrap_err().code, "InvalidJobStateException");
    let state = world.call("GetPipelineState", json!({"name": NAME})).unwrap();
    let latest = &state["stageStates"][1]["actionStates"][0]["latestExecution"];
    assert_eq!((&latest["percentComplete"], &latest["summary"]), (&json!(40), &json!("running")));
    assert_eq!(latest["externalExecutionUrl"], "https://bench.example.com/web/runs/run-7");
    let started = world.events.iter().filter_map(Event::to_eventbridge);
    let started = started.filter(|event| event["detail"]["action"] == "Bench" && event["detail"]["state"] == "STARTED");
    assert_eq!(started.count(), 1, "a continuation causes no event");

    let second = taken(&mut world);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["data"]["continuationToken"], "step-2");
    let failure = json!({"type": "JobFailed", "message": "1 of 12 failed"});
    world.call("PutJobFailureResult", json!({"jobId": second["id"], "failureDetails": failure})).unwrap();
    world.run("expect e1 Failed Test=FAILED .Bench=Failed");
    assert_eq!(error_details(&mut world), json!({"code": "JobFailed", "message": "1 of 12 failed"}));
}

#[test]
fn a_day_without_an_end_fails_the_action() {
    let mut world = waiting();
    world.run("advance 23h59m");
    world.run("expect e1 InProgress");
    world.run("advance 1m");
    world.run("expect e1 Failed Test=FAILED");
    let message = "no job worker took the job within 24 hours; start one that polls for jobs of Test/Custom/Bench/1";
    assert_eq!(error_details(&mut world), json!({"code": "JobFailed", "message": message}));
    assert_eq!(poll(&mut world), [] as [Value; 0]);

    let mut world = waiting();
    world.run("advance 20h");
    let job = taken(&mut world);
    world.call("PutJobSuccessResult", json!({"jobId": job["id"], "continuationToken": "t"})).unwrap();
    world.run("advance 3h59m");
    let job = taken(&mut world);
    world.run("advance 1m");
    world.run("expect e1 Failed");
    let message = "the job worker of Test/Custom/Bench/1 did not come to an end within 24 hours";
    assert_eq!(error_details(&mut world), json!({"code": "JobFailed", "message": message}));
    let late = world.call("PutJobSuccessResult", json!({"jobId": job["id"]})).unwrap_err();
    assert_eq!(late.code, "InvalidJobStateException");
}

#[test]
fn a_job_that_is_given_up_is_polled_no_more() {
    for line in ["stop e1 abandon", "update", "delete"] {
        let mut world = waiting();
        let job = poll(&mut world)[0].clone();
        world.run(line);
        assert_eq!(poll(&mut world), [] as [Value; 0], "{line}");
        assert!(acknowledge(&mut world, &job).is_err(), "{line}");
    }
}

#[test]
fn polls_select_by_type_number_and_query() {
    let mut declaration = pipeline("SUPERSEDED Source: Source | Test: A*worker B*worker C*worker");
    declaration["stages"][1]["actions"][1]["configuration"]["Project"] = json!("shop");
    let mut world = World::of(&declaration);
    world.run("start e1");
    world.run("done e1 Source");
    let mut check = |input: Value, expected: Result<&[&str], &str>| {
        let found = world.call("PollForJobs", input.clone());
        let found = found.map(|output| {
            let jobs = output["jobs"].as_array().unwrap().iter();
            let names = jobs.map(|job| job["data"]["pipelineContext"]["action"]["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        });
        let found = found.map_err(|error| error.code.to_owned());
        let expected = expected.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found, expected.map_err(str::to_owned), "{input}");
    };
    let of = |query: Value| json!({"actionTypeId": type_id(), "queryParam": query});
    check(of(json!({"Project": "web"})), Ok(&["A", "C"]));
    check(of(json!({"Project": "shop"})), Ok(&["B"]));
    check(of(json!({"Project": "other"})), Ok(&[]));
    let mut one = of(json!({"Project": "web"}));
    one["maxBatchSize"] = json!(1);
    check(one, Ok(&["A"]));
    check(of(json!({})), Err("ValidationException"));
    check(of(json!({"Password": "hunter2"})), Err("ValidationException"));
    check(of(json!({"Project": "a b"})), Err("ValidationException"));
    check(of(json!({"Project": "web", "Password": "x"})), Err("ValidationException"));
    let with = |member: &str, value: &str| {
        let mut input = of(json!({"Project": "web"}));
        input["actionTypeId"][member] = json!(value);
        input
    };
    check(with("version", "2"), Err("ActionTypeNotFoundException"));
    check(with("owner", "AWS"), Err("ValidationException"));
    check(with("owner", "Nobody"), Err("ValidationException"));
}

#[test]
fn a_type_is_checked() {
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut input = bench();
        input["version"] = json!("2");
        change(&mut input);
        let error = World::new().call("CreateCustomActionType", input).unwrap_err();
        assert_eq!(
            (error.code, error.message.contains(expected)),
            ("ValidationException", true),
            "{expected}: {error}"
        );
    };
    for category in ["Source", "Approval", "Compute"] {
        check(&|t| t["category"] = json!(category), "it may be Build, Deploy, Test, Invoke");
    }
    check(&|t| t["category"] = json!("Other"), "enum value set");
    check(&|t| t["provider"] = json!("no spaces"), "regular expression pattern");
    check(&|t| t["version"] = json!("1234567890"), "less than or equal to 9");
    check(&|t| t["inputArtifactDetails"]["minimumCount"] = json!(2), "a minimumCount of 2 above its maximumCount of 1");
    check(&|t| t["outputArtifactDetails"]["maximumCount"] = json!(6), "less than or equal to 5");
    check(&|t| t["configurationProperties"][1]["name"] = json!("Project"), "Project is declared twice");
    check(&|t| t["configurationProperties"][1]["queryable"] = json!(true), "at most one may be");
    check(&|t| t["configurationProperties"][0]["required"] = json!(false), "must be required and must not be secret");
    check(&|t| t["configurationProperties"][0]["secret"] = json!(true), "must be required and must not be secret");
    check(&|t| t["configurationProperties"][0]["type"] = json!("Date"), "enum value set: [String, Number, Boolean]");
    let template = "https://x/{Config:Password}";
    check(&|t| t["settings"]["entityUrlTemplate"] = json!(template), "no property Password that is required and not");
    let many = json!(
        (0..11)
            .map(|n| json!({"name": format!("k{n}"), "required": true, "key": true, "secret": false}))
            .collect::<Vec<_>>()
    );
    check(&|t| t["configurationProperties"] = many.clone(), "less than or equal to 10");

    let mut world = World::new();
    let again = world.call("CreateCustomActionType", bench()).unwrap_err();
    assert!(again.message.contains("Test/Custom/Bench/1 exists already; use another version"), "{again}");
    for number in 2..=50 {
        let mut input = bench();
        input["version"] = json!(number.to_string());
        world.call("CreateCustomActionType", input).unwrap();
    }
    let mut input = bench();
    input["version"] = json!("51");
    assert_eq!(world.call("CreateCustomActionType", input).unwrap_err().code, "LimitExceededException");
}

#[test]
fn a_configuration_is_checked_against_its_type() {
    let check = |configuration: Value, expected: &str| {
        let mut declaration = pipeline(BENCHED);
        declaration["stages"][1]["actions"][0]["configuration"] = configuration;
        let error = World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap_err();
        assert_eq!(
            (error.code, error.message.contains(expected)),
            ("InvalidActionDeclarationException", true),
            "{error}"
        );
        assert!(!error.message.contains("hunter2"), "{error}");
    };
    check(json!({"Password": "hunter2"}), "action Bench in stage Test lacks the configuration key Project");
    check(
        json!({"Project": "web", "Passwort": "hunter2"}),
        "unknown configuration key Passwort; known: Project, Password",
    );
    check(
        json!({"Project": "no spaces", "Password": "hunter2"}),
        "the queryable key Project that cannot be polled for",
    );
    check(json!({"Project": "x".repeat(21)}), "at most 20 letters");
    check(json!({"Project": "web", "Password": "****"}), "a mask in place of the secret Password");
    let with = |member: &str, value: Value, expected: &str| {
        let mut declaration = pipeline(BENCHED);
        declaration["stages"][1]["actions"][0][member] = value;
        let error = World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap_err();
        assert_eq!(
            (error.code, error.message.contains(expected)),
            ("InvalidActionDeclarationException", true),
            "{error}"
        );
    };
    with("region", json!("eu-west-1"), "runs in the Region of its pipeline, us-east-1");
    with(
        "outputArtifacts",
        json!([{"name": "A"}, {"name": "B"}]),
        "has 2 output artifacts; Test/Custom/Bench/1 allows 0 to 1",
    );
    with("timeoutInMinutes", json!(10), "which only manual approvals have");

    // What a variable becomes is known only when the action starts.
    let mut declaration = pipeline(BENCHED);
    declaration["stages"][1]["actions"][0]["configuration"]["Project"] = json!("#{SourceVars.Branch}");
    let mut world = World::of(&declaration);
    world.run("start e1");
    world.run("done e1 Source Branch=no/slashes");
    world.run("expect e1 Failed .Bench=Failed");
    assert_eq!(error_details(&mut world)["code"], "ConfigurationError");
    world.run("start e2");
    world.run("done e2 Source Branch=web");
    assert_eq!(poll(&mut world).len(), 1);
}

#[test]
fn a_secret_is_shown_to_workers_only() {
    let mut world = World::new();
    let created = world.call("CreatePipeline", json!({"pipeline": pipeline(BENCHED)})).unwrap();
    let masked = json!({"Project": "web", "Password": "****"});
    assert_eq!(created["pipeline"]["stages"][1]["actions"][0]["configuration"], masked);
    world.run("start e1");
    world.run("done e1 Source");
    let job = taken(&mut world);
    assert_eq!(job["data"]["actionConfiguration"]["configuration"]["Password"], "hunter2");
    let mut shown = vec![created];
    for (operation, input) in [
        ("GetPipeline", json!({"name": NAME})),
        ("GetPipelineState", json!({"name": NAME})),
        ("ListActionExecutions", json!({"pipelineName": NAME})),
        ("ListPipelineExecutions", json!({"pipelineName": NAME})),
        ("ListActionTypes", json!({})),
    ] {
        shown.push(world.call(operation, input).unwrap());
    }
    shown.extend(world.events.iter().filter_map(Event::to_eventbridge));
    for output in shown {
        assert!(!output.to_string().contains("hunter2"), "{output}");
    }
    assert!(!format!("{:?}", world.events).contains("hunter2"));
    let input = world.action("e1", "Bench").unwrap()["input"].take();
    assert_eq!((&input["configuration"], &input["resolvedConfiguration"]), (&masked, &masked));

    // An update that sends the mask back keeps the secret; one that sends another value replaces it.
    for (sent, expected) in [("****", "hunter2"), ("* * * * *", "hunter2"), ("swordfish", "swordfish")] {
        let mut declaration = world.call("GetPipeline", json!({"name": NAME})).unwrap()["pipeline"].take();
        declaration["stages"][1]["actions"][0]["configuration"]["Password"] = json!(sent);
        let updated = world.call("UpdatePipeline", json!({"pipeline": declaration})).unwrap();
        assert_eq!(updated["pipeline"]["stages"][1]["actions"][0]["configuration"], masked);
        world.run("start e2");
        world.run("done e2 Source");
        let job = taken(&mut world);
        assert_eq!(job["data"]["actionConfiguration"]["configuration"]["Password"], expected, "{sent}");
    }
    // Neither does the deletion of the type show it.
    world.call("DeleteCustomActionType", json!({"category": "Test", "provider": "Bench", "version": "1"})).unwrap();
    let found = world.call("GetPipeline", json!({"name": NAME})).unwrap();
    assert_eq!(found["pipeline"]["stages"][1]["actions"][0]["configuration"], masked);
}

#[test]
fn a_deleted_type_is_polled_no_more_and_its_version_is_spent() {
    let mut world = waiting();
    let job = taken(&mut world);
    let delete = json!({"category": "Test", "provider": "Bench", "version": "1"});
    assert_eq!(world.call("DeleteCustomActionType", delete.clone()).unwrap(), json!({}));
    world.call("DeleteCustomActionType", delete).unwrap();
    let input = json!({"actionTypeId": type_id(), "queryParam": {"Project": "web"}});
    assert_eq!(world.call("PollForJobs", input).unwrap_err().code, "ActionTypeNotFoundException");
    let again = world.call("CreateCustomActionType", bench()).unwrap_err();
    assert!(again.message.contains("use a version that was never used"), "{again}");
    // Who has the job may still answer it.
    world.call("PutJobSuccessResult", json!({"jobId": job["id"]})).unwrap();
    world.run("expect e1 InProgress .Bench=Succeeded");
    world.run("start e2");
    world.run("done e2 Source");
    world.run("expect e2 Failed .Bench=Failed");
    let error = world.action("e2", "Bench").unwrap()["output"]["executionResult"]["errorDetails"].take();
    assert_eq!(error["code"], "ConfigurationError");
    assert!(error["message"].as_str().unwrap().contains("which was deleted"), "{error}");
    // The next version stands beside it.
    let mut next = bench();
    next["version"] = json!("2");
    let created = world.call("CreateCustomActionType", next).unwrap();
    assert_eq!(created["actionType"]["id"]["version"], "2");
}

#[test]
fn types_are_listed_and_tagged() {
    let mut world = World::new();
    let mut tagged = bench();
    tagged["version"] = json!("2");
    tagged["tags"] = json!([{"key": "team", "value": "web"}]);
    let created = world.call("CreateCustomActionType", tagged).unwrap();
    assert_eq!(created["tags"], json!([{"key": "team", "value": "web"}]));
    let listed = |world: &mut World, input: Value| {
        let output = world.call("ListActionTypes", input).unwrap();
        let types = output["actionTypes"].as_array().unwrap().iter();
        let names = types.map(|shown| format!("{}/{}", shown["id"]["owner"], shown["id"]["provider"]).replace('"', ""));
        names.collect::<Vec<_>>()
    };
    let aws =
        ["AWS/Manual", "AWS/CodeBuild", "AWS/Commands", "AWS/CodeDeploy", "AWS/Lambda", "AWS/S3", "AWS/CodeBuild"];
    let custom = ["Custom/Bench", "Custom/Bench"];
    assert_eq!(listed(&mut world, json!({})), [&aws[..], &custom[..]].concat());
    assert_eq!(listed(&mut world, json!({"actionOwnerFilter": "AWS"})), aws);
    assert_eq!(listed(&mut world, json!({"actionOwnerFilter": "Custom"})), custom);
    assert_eq!(listed(&mut world, json!({"actionOwnerFilter": "ThirdParty"})), [] as [&str; 0]);
    assert_eq!(listed(&mut world, json!({"regionFilter": "eu-west-1"})), [] as [&str; 0]);
    let all = world.call("ListActionTypes", json!({"actionOwnerFilter": "Custom"})).unwrap();
    let first = &all["actionTypes"][0];
    assert_eq!(first["id"], type_id());
    assert_eq!(first["settings"], bench()["settings"]);
    assert_eq!(first["actionConfigurationProperties"], bench()["configurationProperties"]);
    assert_eq!(first["inputArtifactDetails"], json!({"minimumCount": 0, "maximumCount": 1}));

    let arn = "arn:aws:codepipeline:us-east-1:111122223333:actiontype:Custom/Test/Bench/2";
    world.call("TagResource", json!({"resourceArn": arn, "tags": [{"key": "tier", "value": "1"}]})).unwrap();
    world.call("UntagResource", json!({"resourceArn": arn, "tagKeys": ["team"]})).unwrap();
    let tags = world.call("ListTagsForResource", json!({"resourceArn": arn})).unwrap();
    assert_eq!(tags["tags"], json!([{"key": "tier", "value": "1"}]));
    let other = format!("{arn}/x");
    let error = world.call("ListTagsForResource", json!({"resourceArn": other})).unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
}
