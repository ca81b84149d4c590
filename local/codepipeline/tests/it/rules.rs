//! The engine's rules as scripts.

use serde_json::json;

use crate::harness::{NAME, World, check, check_pipeline, pipeline};

const SIMPLE: &str = "SUPERSEDED Source: Source | Build: Compile | Prod: Ship*deploy";

#[test]
fn an_execution_goes_from_stage_to_stage() {
    check(
        SIMPLE,
        "start e1
         expect e1 InProgress Source=STARTED Build=- .Source=InProgress .Compile=-
         done e1 Source
         expect e1 InProgress Source=SUCCEEDED Build=STARTED .Source=Succeeded .Compile=InProgress
         done e1 Compile
         expect e1 InProgress Build=SUCCEEDED Prod=STARTED .Ship=InProgress
         done e1 Ship
         expect e1 Succeeded Prod=SUCCEEDED .Ship=Succeeded",
    );
}

#[test]
fn groups_run_in_order_and_their_actions_at_the_same_time() {
    check(
        "SUPERSEDED Source: Source | Build: Pack@7 Compile Lint",
        "start e1
         done e1 Source
         expect e1 InProgress .Compile=InProgress .Lint=InProgress .Pack=-
         done e1 Lint
         expect e1 InProgress .Pack=-
         done e1 Compile
         expect e1 InProgress .Pack=InProgress
         done e1 Pack
         expect e1 Succeeded Build=SUCCEEDED",
    );
}

#[test]
fn the_siblings_of_a_failed_action_finish_and_later_groups_do_not_start() {
    check(
        "SUPERSEDED Source: Source | Build: Compile Lint Pack@2 | Prod: Ship*deploy",
        "start e1
         done e1 Source
         fail e1 Lint
         expect e1 InProgress Build=STARTED .Compile=InProgress .Lint=Failed
         done e1 Compile
         expect e1 Failed Build=FAILED Prod=- .Compile=Succeeded .Pack=- .Ship=-",
    );
}

#[test]
fn a_newer_execution_supersedes_one_that_waits_and_none_that_runs() {
    check(
        SIMPLE,
        "start e1
         done e1 Source
         start e2
         done e2 Source
         expect e2 InProgress Source=SUCCEEDED Build=-
         start e3
         expect e2 InProgress
         done e3 Source
         expect e1 InProgress .Compile=InProgress
         expect e2 Superseded Build=-
         expect e3 InProgress Build=-
         fail e1 Compile
         expect e1 Failed
         expect e3 InProgress Build=STARTED .Compile=InProgress",
    );
    check(
        SIMPLE,
        "start e1
         start e2
         start e3
         expect e1 InProgress Source=STARTED
         expect e2 Superseded Source=-
         expect e3 InProgress Source=-
         done e1 Source
         expect e3 InProgress Source=STARTED",
    );
}

#[test]
fn queued_executions_keep_their_order() {
    check(
        "QUEUED Source: Source | Build: Compile",
        "start e1
         start e2
         start e3
         expect e1 InProgress Source=STARTED
         expect e2 InProgress Source=-
         done e1 Source
         expect e2 InProgress Source=STARTED
         expect e3 InProgress Source=-
         done e2 Source
         done e3 Source
         expect e2 InProgress Build=-
         expect e3 InProgress Build=-
         fail e1 Compile
         expect e2 InProgress Build=STARTED
         expect e3 InProgress Build=-
         done e2 Compile
         done e3 Compile
         expect e1 Failed
         expect e2 Succeeded
         expect e3 Succeeded",
    );
}

#[test]
fn parallel_executions_do_not_wait_for_each_other() {
    check(
        "PARALLEL Source: Source | Build: Compile | Prod: Ask*manual",
        "start e1
         start e2
         expect e1 InProgress Source=STARTED
         expect e2 InProgress Source=STARTED
         done e2 Source
         done e2 Compile
         done e1 Source
         done e1 Compile
         expect e1 InProgress Prod=STARTED
         expect e2 InProgress Prod=STARTED
         approve e1 Ask
         reject e2 Ask
         expect e1 Succeeded
         expect e2 Failed
         retry e2 Prod FAILED_ACTIONS
         approve e2 Ask
         expect e2 Succeeded",
    );
    check(
        "PARALLEL Source: Source | Build: A B C D E F",
        "start e1
         done e1 Source
         expect e1 InProgress .D=InProgress .E=InProgress .F=-
         done e1 A
         expect e1 InProgress .F=InProgress",
    );
}

#[test]
fn a_queued_or_parallel_pipeline_has_fifty_executions_at_the_most() {
    let of_retry = ["NotLatestPipelineExecutionException", "ConcurrentPipelineExecutionsLimitExceededException"];
    for (mode, of_retry) in ["QUEUED", "PARALLEL"].into_iter().zip(of_retry) {
        let mut world = World::of(&pipeline(&format!("{mode} Source: Source | Build: Compile")));
        for number in 0..50 {
            world.run(&format!("start e{number}"));
        }
        world.run("start more ! ConcurrentPipelineExecutionsLimitExceededException");
        world.run("fail e0 Source");
        world.run("start more");
        world.run(&format!("retry e0 Source ALL_ACTIONS ! {of_retry}"));
    }
}

#[test]
fn a_disabled_transition_holds_executions_back() {
    for (stage, direction) in [("Build", "Inbound"), ("Source", "Outbound")] {
        let script = format!(
            "disable {stage} {direction}
             start e1
             done e1 Source
             expect e1 InProgress Source=SUCCEEDED Build=-
             start e2
             done e2 Source
             expect e1 Superseded
             expect e2 InProgress Build=-
             enable {stage} {direction}
             expect e2 InProgress Build=STARTED"
        );
        check(SIMPLE, &script);
    }
    check(SIMPLE, "disable Nowhere Inbound ! StageNotFoundException");
    check(
        "QUEUED Source: Source | Build: Compile",
        "disable Build Inbound
         start e1
         done e1 Source
         start e2
         done e2 Source
         enable Build Inbound
         expect e1 InProgress Build=STARTED
         expect e2 InProgress Build=-",
    );
    check(
        "PARALLEL Source: Source | Build: Compile",
        "disable Build Inbound
         start e1
         start e2
         done e1 Source
         done e2 Source
         expect e1 InProgress Build=-
         enable Build Inbound
         expect e1 InProgress Build=STARTED
         expect e2 InProgress Build=STARTED",
    );
}

#[test]
fn stopping_waits_for_running_actions_or_abandons_them() {
    check(
        "SUPERSEDED Source: Source | Build: Compile Lint Pack@2 | Prod: Ship*deploy",
        "start e1
         done e1 Source
         stop e1 wait
         expect e1 Stopping Build=STOPPING .Compile=InProgress
         stop e1 wait ! DuplicatedStopRequestException
         done e1 Compile
         expect e1 Stopping
         done e1 Lint
         expect e1 Stopped Build=STOPPED .Pack=- Prod=-
         stop e1 wait ! PipelineExecutionNotStoppableException
         retry e1 Build FAILED_ACTIONS
         expect e1 InProgress Build=RESUMED .Pack=InProgress .Compile=Succeeded
         stop e1 wait
         stop e1 abandon
         expect e1 Stopped Build=STOPPED .Pack=Abandoned
         retry e1 Build FAILED_ACTIONS
         done e1 Pack
         expect e1 InProgress Prod=STARTED",
    );
    check(
        SIMPLE,
        "start e1
         start e2
         stop e2 wait
         expect e2 Stopped Source=-
         stop e1 abandon
         expect e1 Stopped Source=STOPPED .Source=Abandoned
         start e3
         expect e3 InProgress Source=STARTED",
    );
}

#[test]
fn a_failed_stage_is_retried_in_part_or_as_a_whole() {
    check(
        "SUPERSEDED Source: Source | Build: Compile Lint Pack@2 | Prod: Ship*deploy",
        "start e1
         retry e1 Source FAILED_ACTIONS ! ConflictException
         done e1 Source
         fail e1 Lint
         done e1 Compile
         retry e1 Nowhere FAILED_ACTIONS ! StageNotFoundException
         retry e1 Source FAILED_ACTIONS ! StageNotRetryableException
         retry e1 Prod FAILED_ACTIONS ! StageNotRetryableException
         retry e1 Build FAILED_ACTIONS
         expect e1 InProgress Build=RESUMED .Compile=Succeeded .Lint=InProgress
         fail e1 Lint
         expect e1 Failed Build=FAILED
         retry e1 Build ALL_ACTIONS
         expect e1 InProgress .Compile=InProgress .Lint=InProgress
         done e1 Lint
         done e1 Compile
         done e1 Pack
         done e1 Ship
         expect e1 Succeeded
         retry e1 Prod ALL_ACTIONS ! StageNotRetryableException",
    );
    check(
        SIMPLE,
        "start e1
         done e1 Source
         fail e1 Compile
         start e2
         done e2 Source
         retry e1 Build FAILED_ACTIONS ! NotLatestPipelineExecutionException
         fail e2 Compile
         retry e2 Build FAILED_ACTIONS
         expect e2 InProgress .Compile=InProgress",
    );
}

#[test]
fn updating_the_pipeline_cancels_what_runs() {
    check(
        SIMPLE,
        "start e1
         done e1 Source
         start e2
         start e3
         update
         expect e1 Cancelled Build=CANCELED .Compile=Abandoned
         expect e2 Cancelled Source=CANCELED .Source=Abandoned
         expect e3 Cancelled Source=-
         retry e1 Build ALL_ACTIONS ! StageNotRetryableException
         start e4
         expect e4 InProgress Source=STARTED",
    );
    check(
        "PARALLEL Source: Source | Build: Compile",
        "start e1
         update
         expect e1 InProgress
         done e1 Source
         done e1 Compile
         expect e1 Succeeded",
    );
}

#[test]
fn a_failed_stage_of_an_older_version_is_not_retried() {
    check(
        SIMPLE,
        "start e1
         done e1 Source
         fail e1 Compile
         update
         expect e1 Failed
         retry e1 Build ALL_ACTIONS ! StageNotRetryableException",
    );
}

#[test]
fn a_deleted_pipeline_is_gone_and_may_be_created_again() {
    let mut world = World::of(&pipeline(SIMPLE));
    world.start("e1").unwrap();
    let id = world.running("e1", "Source");
    world.run("delete");
    assert_eq!(world.cancelled, std::slice::from_ref(&id));
    world.run("delete");
    world.run("start e2 ! PipelineNotFoundException");
    world.engine.action_finished(world.now, &id, Ok(Default::default()));
    world.call("CreatePipeline", json!({"pipeline": pipeline(SIMPLE)})).unwrap();
    world.run("start e2");
    world.run("expect e2 InProgress Source=STARTED");
}

#[test]
fn a_provider_that_takes_too_long_fails_its_action() {
    let mut world = World::of(&pipeline(SIMPLE));
    world.run("start e1");
    world.run("advance 59m");
    world.run("expect e1 InProgress");
    let id = world.running("e1", "Source");
    world.run("advance 1m");
    world.run("expect e1 Failed .Source=Failed");
    assert_eq!(world.cancelled, std::slice::from_ref(&id));
    let message = world.action("e1", "Source").unwrap()["output"]["executionResult"]["errorDetails"]["message"].take();
    assert_eq!(message, "Source/AWS/S3/1 did not end within 60 minutes");
    world.engine.action_finished(world.now, &id, Ok(Default::default()));
    world.run("expect e1 Failed .Source=Failed");
}

#[test]
fn a_client_request_token_starts_one_execution() {
    let mut world = World::of(&pipeline("QUEUED Source: Source | Build: Compile"));
    let start = |token: &str| json!({"name": NAME, "clientRequestToken": token});
    let first = world.call("StartPipelineExecution", start("a")).unwrap();
    let again = world.call("StartPipelineExecution", start("a")).unwrap();
    let other = world.call("StartPipelineExecution", start("b")).unwrap();
    assert_eq!(first, again);
    assert_ne!(first, other);
    let list = world.call("ListPipelineExecutions", json!({"pipelineName": NAME})).unwrap();
    assert_eq!(list["pipelineExecutionSummaries"].as_array().unwrap().len(), 2);
}

#[test]
fn variables_reach_configurations() {
    let mut declaration = pipeline("SUPERSEDED Source: Source | Build: Compile | Prod: Check*lambda");
    declaration["variables"] = json!([{"name": "Env", "defaultValue": "dev"}, {"name": "Must"}]);
    declaration["stages"][2]["actions"][0]["configuration"]["UserParameters"] =
        json!("#{variables.Env}/#{variables.Must}/#{CompileVars.Id}/#{codepipeline.PipelineExecutionId}/#{open");
    let mut world = World::of(&declaration);
    world.run("start e0 ! ValidationException");
    let unknown = json!({"name": NAME, "variables": [{"name": "Other", "value": "x"}]});
    assert_eq!(world.call("StartPipelineExecution", unknown).unwrap_err().code, "ValidationException");

    let input = json!({"name": NAME, "variables": [{"name": "Must", "value": "#{variables.Env}"}]});
    let id = world.call("StartPipelineExecution", input).unwrap()["pipelineExecutionId"].clone();
    world.names.insert("e1".into(), id.as_str().unwrap().to_owned());
    world.run("done e1 Source");
    world.run("done e1 Compile Id=b-1 Other=x");
    let detail = world.action("e1", "Check").unwrap();
    let expected = format!("dev/#{{variables.Env}}/b-1/{}/#{{open", id.as_str().unwrap());
    assert_eq!(detail["input"]["resolvedConfiguration"]["UserParameters"], expected);
    let (_, event) = world.jobs.first_key_value().unwrap();
    let configuration = &event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"];
    assert_eq!(configuration["UserParameters"], expected);
    let variables = world.execution("e1")["variables"].take();
    let expected =
        json!([{"name": "Env", "resolvedValue": "dev"}, {"name": "Must", "resolvedValue": "#{variables.Env}"}]);
    assert_eq!(variables, expected);
}

#[test]
fn an_unresolved_variable_fails_its_action() {
    let mut declaration = pipeline("SUPERSEDED Source: Source | Build: Compile | Prod: Check*lambda Other*lambda");
    declaration["stages"][2]["actions"][0]["configuration"]["UserParameters"] = json!("#{CompileVars.Idd}");
    check_pipeline(
        &declaration,
        "start e1
         done e1 Source
         done e1 Compile Id=1
         expect e1 InProgress .Check=Failed .Other=InProgress
         done e1 Other
         expect e1 Failed Prod=FAILED",
    );
    let mut world = World::of(&declaration);
    for line in ["start e1", "done e1 Source", "done e1 Compile Id=1"] {
        world.run(line);
    }
    let result = world.action("e1", "Check").unwrap()["output"]["executionResult"]["errorDetails"].take();
    let message = "the variable #{CompileVars.Idd} in configuration key UserParameters could not be resolved: the \
                   namespace CompileVars has no Idd; it has Id";
    assert_eq!(result, json!({"code": "ConfigurationError", "message": message}));
}

#[test]
fn what_no_provider_is_given_fails_its_action() {
    let members =
        [("environmentVariables", json!([{"name": "A", "value": "b"}])), ("outputVariables", json!(["Version"]))];
    for (member, value) in members {
        let mut declaration = pipeline(SIMPLE);
        declaration["stages"][1]["actions"][0][member] = value;
        let mut world = World::of(&declaration);
        for line in ["start e1", "done e1 Source", "expect e1 Failed .Compile=Failed"] {
            world.run(line);
        }
        let error = world.action("e1", "Compile").unwrap()["output"]["executionResult"]["errorDetails"].take();
        let message = format!("the action declares {member}, which the local CodePipeline does not support");
        assert_eq!(error, json!({"code": "ConfigurationError", "message": message}));
    }
}

#[test]
fn artifacts_lie_where_their_makers_were_told() {
    let mut declaration = pipeline(SIMPLE);
    declaration["stages"][0]["actions"][0]["outputArtifacts"] = json!([{"name": "SourceArtifact"}]);
    declaration["stages"][1]["actions"][0]["inputArtifacts"] = json!([{"name": "SourceArtifact"}]);
    declaration["stages"][2]["actions"][0]["inputArtifacts"] = json!([{"name": "SourceArtifact"}]);
    let mut world = World::of(&declaration);
    let revisions = json!([{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "f00"}]);
    let id = world.call("StartPipelineExecution", json!({"name": NAME, "sourceRevisions": revisions})).unwrap();
    world.names.insert("e1".into(), id["pipelineExecutionId"].as_str().unwrap().to_owned());
    let source = world.running("e1", "Source");
    let request = world.requests[&source].clone();
    assert_eq!(request.requested_revision.as_deref(), Some("f00"));
    let key = &request.output_artifacts[0].key;
    assert!(key.starts_with("web/SourceArti/") && key.len() == "web/SourceArti/".len() + 7, "{key}");
    world.run("done e1 Source");
    let compile = world.running("e1", "Compile");
    let input = &world.requests[&compile].input_artifacts[0];
    assert_eq!((&input.key, input.revision.as_deref()), (key, Some("abc123")));
    let unknown = json!([{"actionName": "Compile", "revisionType": "COMMIT_ID", "revisionValue": "f00"}]);
    let error = world.call("StartPipelineExecution", json!({"name": NAME, "sourceRevisions": unknown})).unwrap_err();
    assert_eq!(error.code, "ValidationException");
}

#[test]
fn creating_a_pipeline_starts_it_where_that_is_wanted() {
    let settings = stagegate_local_codepipeline::Settings { start_on_create: true, ..Default::default() };
    let mut world = World::with(settings);
    world.call("CreatePipeline", json!({"pipeline": pipeline(SIMPLE)})).unwrap();
    let list = world.call("ListPipelineExecutions", json!({"pipelineName": NAME})).unwrap();
    assert_eq!(list["pipelineExecutionSummaries"][0]["trigger"]["triggerType"], "CreatePipeline");
}
