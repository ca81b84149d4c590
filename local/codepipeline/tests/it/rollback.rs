//! Rolling a stage back, by hand and by itself, and the one retry that a stage does by itself.

use serde_json::{Value, json};
use stagegate_local_codepipeline::events::Event;

use crate::harness::{NAME, World, check, check_pipeline, pipeline};

const STAGES: &str = "SUPERSEDED Source: Source | Prod: Ship*deploy Check*lambda@2 | After: Tell*lambda";

/// Runs an execution to its end.
fn run(name: &str) -> String {
    format!("start {name}\n done {name} Source\n done {name} Ship\n done {name} Check\n done {name} Tell\n")
}

fn run_script(world: &mut World, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.run(line);
    }
}

#[test]
fn a_stage_is_rolled_back_to_an_execution_that_succeeded_in_it() {
    let mut world = World::of(&pipeline(STAGES));
    run_script(&mut world, "start e1\n done e1 Source Version=1\n done e1 Ship\n done e1 Check\n done e1 Tell\n");
    run_script(&mut world, &run("e2"));
    run_script(&mut world, "rollback r Prod e1\n expect r InProgress Source=- Prod=STARTED .Ship=InProgress");
    // It works with what the target had made.
    let id = world.running("r", "Ship");
    let first = world.action("e1", "Ship").unwrap()["input"]["inputArtifacts"][0]["s3location"]["key"].clone();
    assert_eq!(world.requests[&id].input_artifacts[0].key, first.as_str().unwrap());
    run_script(&mut world, "done r Ship\n done r Check\n expect r Succeeded Prod=SUCCEEDED After=-");
    let shown = world.execution("r");
    assert_eq!((&shown["executionType"], &shown["executionMode"]), (&json!("ROLLBACK"), &json!("SUPERSEDED")));
    assert_eq!(shown["rollbackMetadata"], json!({"rollbackTargetPipelineExecutionId": world.names["e1"]}));
    assert_eq!(shown["trigger"]["triggerType"], "ManualRollback");
    assert_eq!(shown["trigger"]["triggerDetail"], "arn:aws:sts::111122223333:assumed-role/local/stagegate");
    assert_eq!(shown["artifactRevisions"][0]["name"], "Source1");
    let list = world.call("ListPipelineExecutions", json!({"pipelineName": NAME})).unwrap();
    let newest = &list["pipelineExecutionSummaries"][0];
    assert_eq!(
        (&newest["executionType"], &newest["rollbackMetadata"]),
        (&shown["executionType"], &shown["rollbackMetadata"])
    );
    assert_eq!(newest["sourceRevisions"][0]["actionName"], "Source");
    assert_eq!(list["pipelineExecutionSummaries"][1]["executionType"], "STANDARD");
    let state = world.call("GetPipelineState", json!({"name": NAME})).unwrap();
    let latest = json!({"pipelineExecutionId": world.names["r"], "status": "Succeeded", "type": "ROLLBACK"});
    assert_eq!(state["stageStates"][1]["latestExecution"], latest);
    let started = world.events.iter().filter_map(Event::to_eventbridge).find(|event| {
        event["detail"]["execution-id"] == world.names["r"].as_str()
            && event["detail"].get("execution-trigger").is_some()
    });
    assert_eq!(started.unwrap()["detail"]["execution-trigger"]["trigger-type"], "ManualRollback");
}

#[test]
fn what_cannot_be_rolled_back() {
    let unknown = json!({
        "pipelineName": NAME, "stageName": "Prod",
        "targetPipelineExecutionId": "11111111-2222-4333-8444-555555555555",
    });
    let mut world = World::of(&pipeline(STAGES));
    assert_eq!(world.call("RollbackStage", unknown).unwrap_err().code, "PipelineExecutionNotFoundException");
    let script = format!(
        "{}start e2
         done e2 Source
         rollback r Prod e1 ! UnableToRollbackStageException
         fail e2 Ship
         rollback r Source e1 ! UnableToRollbackStageException
         rollback r Nowhere e1 ! StageNotFoundException
         rollback r Prod e2 ! UnableToRollbackStageException
         rollback r Prod e1
         retry e2 Prod FAILED_ACTIONS ! NotLatestPipelineExecutionException
         done r Ship
         done r Check
         rollback again Prod r ! UnableToRollbackStageException
         rollback again Prod e1
         stop again abandon
         update
         rollback r Prod e1 ! PipelineExecutionOutdatedException",
        run("e1")
    );
    check(STAGES, &script);
    check(
        "PARALLEL Source: Source | Prod: Ship*deploy",
        "start e1\n done e1 Source\n done e1 Ship\n rollback r Prod e1 ! UnableToRollbackStageException",
    );
}

#[test]
fn a_rollback_that_fails_stays_failed() {
    let mut declaration = pipeline(STAGES);
    declaration["stages"][1]["onFailure"] = json!({"result": "ROLLBACK"});
    let script = format!(
        "{}start e2
         done e2 Source
         fail e2 Ship
         expect e2 Failed Prod=FAILED
         name r
         expect r InProgress Prod=STARTED .Ship=InProgress
         fail r Ship
         expect r Failed Prod=FAILED
         name last
         expect last Failed
         retry r Prod FAILED_ACTIONS
         done r Ship
         done r Check
         expect r Succeeded After=-",
        run("e1")
    );
    check_pipeline(&declaration, &script);
}

fn summary(world: &mut World, name: &str) -> Value {
    world.execution(name)["statusSummary"].take()
}

#[test]
fn an_automatic_rollback_goes_to_the_last_good_execution() {
    let mut declaration = pipeline(STAGES);
    declaration["stages"][1]["onFailure"] = json!({"result": "ROLLBACK"});
    let mut world = World::of(&declaration);
    run_script(&mut world, "start e0\n done e0 Source\n fail e0 Ship\n expect e0 Failed Prod=FAILED");
    let message = "stage Prod could not be rolled back: no execution of this version has succeeded in it";
    assert_eq!(summary(&mut world, "e0"), message);
    run_script(&mut world, &(run("e1") + &run("e2")));
    // One waits in front of the stage; the rollback comes first.
    run_script(&mut world, "start e3\n done e3 Source\n start e4\n done e4 Source\n fail e3 Ship\n name r");
    run_script(&mut world, "expect e3 Failed\n expect e4 InProgress Prod=-\n expect r InProgress .Ship=InProgress");
    let shown = world.execution("r");
    assert_eq!(shown["rollbackMetadata"]["rollbackTargetPipelineExecutionId"], world.names["e2"].as_str());
    assert_eq!(shown["trigger"]["triggerType"], "AutomatedRollback");
    let rolled_back = format!("rolled back by the execution {}", world.names["r"]);
    assert_eq!(summary(&mut world, "e3"), rolled_back);
    run_script(&mut world, "done r Ship\n done r Check\n expect r Succeeded\n expect e4 InProgress Prod=STARTED");
}

#[test]
fn a_stage_is_retried_by_itself_once() {
    let with = |mode: Option<&str>| {
        let mut declaration = pipeline("QUEUED Source: Source | Test: Unit Lint | Prod: Ship*deploy");
        declaration["stages"][1]["onFailure"] = match mode {
            Some(mode) => json!({"result": "RETRY", "retryConfiguration": {"retryMode": mode}}),
            None => json!({"result": "RETRY"}),
        };
        declaration
    };
    let begin = "start e1\n start e2\n done e1 Source\n done e2 Source\n fail e1 Unit\n done e1 Lint\n";
    for mode in [None, Some("FAILED_ACTIONS")] {
        let script = format!(
            "{begin}expect e1 InProgress Test=RESUMED .Unit=InProgress .Lint=Succeeded
             expect e2 InProgress Test=-
             fail e1 Unit
             expect e1 Failed Test=FAILED
             expect e2 InProgress Test=STARTED"
        );
        check_pipeline(&with(mode), &script);
    }
    check_pipeline(
        &with(Some("ALL_ACTIONS")),
        &format!(
            "{begin}expect e1 InProgress .Unit=InProgress .Lint=InProgress\n done e1 Unit\n done e1 Lint\n expect e1 InProgress Prod=STARTED"
        ),
    );
    let mut world = World::of(&with(None));
    run_script(&mut world, "start e1\n done e1 Source\n fail e1 Unit\n done e1 Lint");
    let metadata = |world: &mut World| {
        let state = world.call("GetPipelineState", json!({"name": NAME})).unwrap();
        state["stageStates"][1]["retryStageMetadata"].clone()
    };
    assert_eq!(metadata(&mut world), json!({"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}));
    run_script(&mut world, "fail e1 Unit\n retry e1 Test FAILED_ACTIONS");
    let both =
        json!({"autoStageRetryAttempt": 1, "manualStageRetryAttempt": 1, "latestRetryTrigger": "ManualStageRetry"});
    assert_eq!(metadata(&mut world), both);
    run_script(&mut world, "fail e1 Unit\n expect e1 Failed");
    let states = world.events.iter().filter_map(Event::to_eventbridge).filter_map(|event| {
        let detail = &event["detail"];
        let of_test = detail["stage"] == "Test" && detail.get("action").is_none();
        of_test.then(|| format!("{} {}", detail["state"].as_str().unwrap(), detail["pipeline-execution-attempt"]))
    });
    let states: Vec<_> = states.collect();
    let expected = ["STARTED 1.0", "FAILED 1.0", "RESUMED 2.0", "FAILED 2.0", "RESUMED 3.0", "FAILED 3.0"];
    assert_eq!(states, expected);
}
