//! The rules of a declaration, and its way through the API.

use serde_json::{Value, json};

use crate::harness::{NAME, World, pipeline, with_condition};

const SOUND: &str = "SUPERSEDED Source: Source | Build: Compile Lint Pack@2 | Prod: Check*lambda Ask*manual@2";

fn check_change(change: impl FnOnce(&mut Value), code: &str, message: &str) {
    check(change, code, message);
}

/// Breaks a sound declaration with `change` and expects the error.
fn check(change: impl FnOnce(&mut Value), code: &str, message: &str) {
    let mut declaration = pipeline(SOUND);
    change(&mut declaration);
    let error = World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap_err();
    assert_eq!((error.code, error.message.contains(message)), (code, true), "{message}: {error}");
}

#[test]
fn the_structure_of_the_pipeline_is_checked() {
    let code = "InvalidStructureException";
    check(|p| p["stages"].as_array_mut().unwrap().truncate(1), code, "2 to 50 stages, this one has 1");
    let extra = pipeline(SOUND)["stages"][1]["actions"][0].clone();
    check(
        |p| {
            for number in 0..60 {
                let mut action = extra.clone();
                action["namespace"] = json!(format!("N{number}"));
                let stage = json!({"name": format!("S{number}"), "actions": [action]});
                p["stages"].as_array_mut().unwrap().push(stage);
            }
        },
        code,
        "this one has 63",
    );
    check(|p| p["stages"][1]["name"] = json!("Source"), code, "two stages are named Source");
    check(|p| p["stages"][0]["actions"][0] = extra.clone(), code, "the first stage (Source) must hold source actions");
    check(|p| p["stages"][0]["actions"] = json!([]), code, "the first stage (Source) must hold source actions");
    let source = pipeline(SOUND)["stages"][0]["actions"][0].clone();
    check(|p| p["stages"][1]["actions"][1] = source.clone(), code, "the source action Source is in stage Build");
    check(|p| p["artifactStores"] = json!({"us-east-1": p["artifactStore"].clone()}), code, "are both given");
    check(|p| drop(p.as_object_mut().unwrap().remove("artifactStore")), code, "there is no artifactStore");
    check(
        |p| p["variables"] = json!([{"name": "A"}, {"name": "A"}]),
        code,
        "the pipeline variable A is declared twice",
    );
    let v1 = |member: &'static str, value: Value| {
        move |p: &mut Value| {
            p["pipelineType"] = json!("V1");
            p[member] = value;
        }
    };
    check(v1("executionMode", json!("QUEUED")), code, "a V1 pipeline cannot have an execution mode");
    check(v1("variables", json!([{"name": "A"}])), code, "a V1 pipeline cannot have variables");
}

#[test]
fn stages_are_checked() {
    let code = "InvalidStageDeclarationException";
    check(|p| p["stages"][1]["actions"] = json!([]), code, "stage Build has no action");
    check(|p| p["stages"][1]["actions"][1]["name"] = json!("Compile"), code, "two actions in stage Build are named");
    let blocker = json!([{"name": "b", "type": "Schedule"}]);
    check(|p| p["stages"][1]["blockers"] = blocker, "InvalidBlockerDeclarationException", "is not supported");
}

#[test]
fn conditions_are_checked() {
    let code = "InvalidStageDeclarationException";
    let check = |member: &'static str, result: &'static str, rules: &'static str, expected: &str| {
        let change = |p: &mut Value| *p = with_condition(p.clone(), 1, member, result, rules);
        check(change, code, expected);
    };
    check("beforeEntry", "ROLLBACK", "R*window", "beforeEntry has the result ROLLBACK; it may be FAIL, SKIP");
    check("beforeEntry", "RETRY", "R*window", "it may be FAIL, SKIP");
    check("onSuccess", "SKIP", "R*variable", "it may be ROLLBACK, FAIL");
    check("onFailure", "SKIP", "R*variable", "it may be ROLLBACK, RETRY, FAIL");
    check("beforeEntry", "SKIP", "R*window", "with SKIP only LambdaInvoke and VariableCheck are allowed");
    check("beforeEntry", "FAIL", "R*window R*lambda", "has two rules named R");
    let with = |change: &'static dyn Fn(&mut Value), expected: &str| {
        let rule = |p: &mut Value| {
            *p = with_condition(p.clone(), 1, "beforeEntry", "FAIL", "Gate*lambda");
            change(&mut p["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0]);
        };
        check_change(rule, code, expected);
    };
    with(
        &|r| r["ruleTypeId"]["provider"] = json!("CodeBuild"),
        "which the local CodePipeline does not have; it has, at",
    );
    with(&|r| r["ruleTypeId"]["version"] = json!("2"), "LambdaInvoke at version 2");
    with(
        &|r| r["configuration"] = json!({}),
        "rule Gate in beforeEntry of stage Build lacks the configuration key Func",
    );
    with(
        &|r| r["configuration"]["Function"] = json!("x"),
        "unknown configuration key Function; known: FunctionName, Us",
    );
    with(&|r| r["commands"] = json!(["make"]), "which only the Commands rule has");
    with(&|r| r["inputArtifacts"] = json!([{"name": "Other"}]), "takes the artifact Other, which no action before it");
    with(&|r| r["configuration"]["UserParameters"] = json!("#{PackVars.x}"), "a namespace that does not exist");
    let values: [(&str, Value, &str); 8] = [
        ("DeploymentWindow", json!({"Cron": "* * * * *"}), "has a Cron that has 5 fields"),
        ("DeploymentWindow", json!({"Cron": "* * * * * ?", "TimeZone": "Mars/Olympus"}), "has a TimeZone that is"),
        ("CloudWatchAlarm", json!({"AlarmName": "a", "AlarmStates": "GREEN"}), "has AlarmStates with \"GREEN\""),
        ("CloudWatchAlarm", json!({"AlarmName": "a", "WaitTime": "1h"}), "which is no number of minutes"),
        ("VariableCheck", json!({"Variable": "a", "Value": "b", "Operator": "LIKE"}), "EQ, NE, CONTAINS or MATCHES"),
        ("VariableCheck", json!({"Variable": "a", "Value": "(", "Operator": "MATCHES"}), "cannot read"),
        ("VariableCheck", json!({"Variable": "a", "Value": "b"}), "lacks the configuration key Operator"),
        ("Commands", json!({}), "has no commands"),
    ];
    for (provider, configuration, expected) in values {
        let change = |p: &mut Value| {
            *p = with_condition(p.clone(), 1, "onSuccess", "FAIL", "R*lambda");
            let rule = &mut p["stages"][1]["onSuccess"]["conditions"][0]["rules"][0];
            rule["ruleTypeId"]["provider"] = json!(provider);
            rule["configuration"] = configuration.clone();
        };
        check_change(change, code, expected);
    }
    let failure = |value: Value, expected: &str| {
        check_change(|p| p["stages"][1]["onFailure"] = value.clone(), code, expected);
    };
    failure(json!({"result": "SKIP"}), "onFailure has the result SKIP");
    failure(json!({"result": "ROLLBACK", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}), "is not RETRY");
    let condition =
        with_condition(pipeline(SOUND), 1, "onFailure", "ROLLBACK", "R*lambda")["stages"][1]["onFailure"].take();
    let mut both = condition;
    both["result"] = json!("RETRY");
    failure(both, "an automatic retry cannot have conditions");
    check_change(|p| p["stages"][0]["onFailure"] = json!({"result": "ROLLBACK"}), code, "the source stage cannot");
    let parallel = |p: &mut Value| {
        p["executionMode"] = json!("PARALLEL");
        p["stages"][1]["onFailure"] = json!({"result": "ROLLBACK"});
    };
    check_change(parallel, code, "which the mode PARALLEL does not have");
    let v1 = |p: &mut Value| {
        *p = with_condition(p.clone(), 1, "beforeEntry", "FAIL", "R*lambda");
        p["pipelineType"] = json!("V1");
    };
    check_change(v1, "InvalidStructureException", "a V1 pipeline cannot have stage conditions");

    // What actions of the stage itself have made can be used when they have ended.
    let mut declaration = with_condition(pipeline(SOUND), 1, "onSuccess", "FAIL", "R*lambda");
    let rule = &mut declaration["stages"][1]["onSuccess"]["conditions"][0]["rules"][0];
    rule["configuration"]["UserParameters"] = json!("#{PackVars.x}");
    rule["inputArtifacts"] = json!([{"name": "Source1"}]);
    declaration["stages"][1]["onFailure"] =
        json!({"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}});
    declaration["version"] = json!(1);
    let created = World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap();
    assert_eq!(created["pipeline"], declaration);
}

#[test]
fn actions_are_checked() {
    let code = "InvalidActionDeclarationException";
    let change = |stage: usize, action: usize, member: &'static str, value: Value| {
        move |p: &mut Value| p["stages"][stage]["actions"][action][member] = value
    };
    let type_id = |owner: &str, category: &str, provider: &str, version: &str| json!({"category": category, "owner": owner, "provider": provider, "version": version});
    let partner = type_id("ThirdParty", "Build", "Mine", "1");
    check(
        change(1, 0, "actionTypeId", partner),
        "ValidationException",
        "owner ThirdParty is not supported by the local",
    );
    let custom = type_id("Custom", "Build", "Mine", "1");
    check(
        change(1, 0, "actionTypeId", custom),
        code,
        "does not exist; create it with CreateCustomActionType (custom types: Test/Custom/Bench/1)",
    );
    let unknown = type_id("AWS", "Build", "Jenkins", "1");
    check(change(1, 0, "actionTypeId", unknown), code, "it has, at version 1: Approval/Manual, Build/CodeBuild");
    check(change(1, 0, "actionTypeId", type_id("AWS", "Build", "CodeBuild", "2")), code, "cannot run");
    check(
        change(1, 0, "inputArtifacts", json!([])),
        code,
        "has 0 input artifacts; Build/AWS/CodeBuild/1 allows 1 to 5",
    );
    let artifact = json!([{"name": "Source1"}]);
    check(change(2, 1, "inputArtifacts", artifact.clone()), code, "Approval/AWS/Manual/1 allows 0");
    check(change(2, 1, "outputArtifacts", artifact.clone()), code, "has 1 output artifacts");
    check(change(0, 0, "inputArtifacts", artifact.clone()), code, "Source/AWS/S3/1 allows 0");
    check(change(1, 0, "outputArtifacts", artifact.clone()), code, "the artifact Source1 is made by action Source");
    let twice = json!([{"name": "Source1"}, {"name": "Source1"}]);
    check(change(1, 0, "inputArtifacts", twice), code, "takes the artifact Source1 twice");
    check(change(1, 0, "inputArtifacts", json!([{"name": "Other"}])), code, "which no earlier action makes");
    // Lint runs at the same time as Compile, Pack after it.
    let made = |taker: usize| {
        move |p: &mut Value| {
            p["stages"][1]["actions"][0]["outputArtifacts"] = json!([{"name": "Binary"}]);
            p["stages"][1]["actions"][taker]["inputArtifacts"] = json!([{"name": "Binary"}]);
        }
    };
    check(made(1), code, "action Lint in stage Build takes the artifact Binary, which no earlier action makes");
    let mut declaration = pipeline(SOUND);
    made(2)(&mut declaration);
    World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap();

    check(change(1, 0, "timeoutInMinutes", json!(10)), code, "which only manual approvals have");
    check(change(1, 0, "commands", json!(["make"])), code, "which only the Commands action has");
    check(
        change(2, 0, "configuration", json!({"UserParameters": "x"})),
        code,
        "lacks the configuration key FunctionName",
    );
    let misspelled = json!({"FunctionName": "gate", "UserParameter": "x"});
    check(change(2, 0, "configuration", misspelled), code, "has the unknown configuration key UserParameter;");
    check(change(1, 0, "namespace", json!("codepipeline")), code, "which is reserved");
    check(change(1, 0, "namespace", json!("SourceVars")), code, "have the same namespace, SourceVars");
    check(change(1, 0, "namespace", json!("Source1")), code, "the namespace Source1 of action Compile");
    check(
        |p| {
            let store = p.as_object_mut().unwrap().remove("artifactStore");
            p["artifactStores"] = json!({"us-east-1": store});
            p["stages"][1]["actions"][0]["region"] = json!("eu-west-1");
        },
        code,
        "runs in eu-west-1, for which artifactStores has no bucket",
    );
}

#[test]
fn references_are_checked() {
    let code = "InvalidActionDeclarationException";
    let reference = |stage: usize, action: usize, text: &'static str| {
        move |p: &mut Value| {
            p["variables"] = json!([{"name": "Env", "defaultValue": "dev"}]);
            p["stages"][stage]["actions"][action]["configuration"]["FunctionName"] = json!(text);
        }
    };
    let place = "StageName=[Prod], ActionName=[Check], ActionConfigurationKey=[FunctionName], \
                 VariableReferenceText=[#{Nowhere.x}]";
    check(reference(2, 0, "#{Nowhere.x}"), code, place);
    check(reference(2, 0, "#{Nowhere.x}"), code, "are referencing a namespace that does not exist");
    check(reference(2, 0, "#{x}"), code, "have another form");
    check(reference(2, 0, "#{variables.Other}"), code, "are not declared");
    check(reference(2, 0, "#{codepipeline.Other}"), code, "has only PipelineExecutionId");
    check(reference(2, 0, "#{CheckVars.x}"), code, "does not exist");
    check(reference(2, 0, "#{AskVars.x}"), code, "does not exist");
    check(reference(1, 1, "#{CompileVars.x}"), code, "does not exist");
    check(reference(0, 0, "#{variables.Env}"), code, "cannot be used by a source action");
    for (stage, action, text) in [(2, 0, "#{PackVars.x}"), (1, 2, "#{CompileVars.x}"), (1, 0, "#{variables.Env}")] {
        let mut declaration = pipeline(SOUND);
        reference(stage, action, text)(&mut declaration);
        World::new().call("CreatePipeline", json!({"pipeline": declaration})).unwrap();
    }
}

#[test]
fn a_declaration_survives_the_round_trip() {
    let mut declaration = pipeline(SOUND);
    declaration["triggers"] = json!([{"providerType": "CodeStarSourceConnection", "gitConfiguration": {
        "sourceActionName": "Source",
        "push": [{"branches": {"includes": ["main"], "excludes": ["wip/**"]}, "filePaths": {"includes": ["src/**"]}}],
        "pullRequest": [{"events": ["OPEN"], "branches": {"includes": ["main*"]}}],
    }}]);
    declaration["variables"] = json!([{"name": "Env", "defaultValue": "dev", "description": "where to"}]);
    declaration["artifactStore"]["encryptionKey"] = json!({"id": "alias/a", "type": "KMS"});
    let action = &mut declaration["stages"][1]["actions"][0];
    action["environmentVariables"] = json!([{"name": "A", "value": "b", "type": "PLAINTEXT"}]);
    action["outputVariables"] = json!(["V"]);
    action["outputArtifacts"] = json!([{"name": "Out", "files": ["a", "b"]}]);
    action["roleArn"] = json!("arn:aws:iam::111122223333:role/action");
    action["region"] = json!("us-east-1");
    declaration["stages"][2]["actions"][1]["timeoutInMinutes"] = json!(60);

    let mut world = World::new();
    let mut input = declaration.clone();
    input["unknown"] = json!(1);
    input["version"] = json!(7);
    input["stages"][0]["actions"][0]["region"] = Value::Null;
    let created = world.call("CreatePipeline", json!({"pipeline": input})).unwrap();
    declaration["version"] = json!(1);
    assert_eq!(created["pipeline"], declaration);
    let found = world.call("GetPipeline", json!({"name": NAME})).unwrap();
    assert_eq!(found["pipeline"], declaration);
    assert_eq!(found["metadata"]["pipelineArn"], "arn:aws:codepipeline:us-east-1:111122223333:web");

    let again = world.call("CreatePipeline", json!({"pipeline": declaration})).unwrap_err();
    assert_eq!(again.code, "PipelineNameInUseException");
    world.run("update");
    declaration["version"] = json!(2);
    assert_eq!(world.call("GetPipeline", json!({"name": NAME})).unwrap()["pipeline"], declaration);
    let first = world.call("GetPipeline", json!({"name": NAME, "version": 1})).unwrap();
    assert_eq!(first["pipeline"]["version"], 1);
    let third = world.call("GetPipeline", json!({"name": NAME, "version": 3})).unwrap_err();
    assert_eq!(third.code, "PipelineVersionNotFoundException");
    let mut broken = declaration.clone();
    broken["stages"][1]["actions"] = json!([]);
    let error = world.call("UpdatePipeline", json!({"pipeline": broken})).unwrap_err();
    assert_eq!(error.code, "InvalidStageDeclarationException");
    declaration["name"] = json!("other");
    let error = world.call("UpdatePipeline", json!({"pipeline": declaration})).unwrap_err();
    assert_eq!(error.code, "PipelineNotFoundException");
    assert_eq!(error.message, "Account '111122223333' does not have a pipeline with name 'other'");
}

#[test]
fn what_is_left_out_has_its_default() {
    let mut declaration = pipeline("SUPERSEDED Source: Source | Prod: Ask*manual");
    for member in ["executionMode", "pipelineType"] {
        declaration.as_object_mut().unwrap().remove(member);
    }
    for member in ["runOrder", "configuration", "inputArtifacts", "outputArtifacts", "namespace"] {
        declaration["stages"][1]["actions"][0].as_object_mut().unwrap().remove(member);
    }
    let mut world = World::new();
    let created = world.call("CreatePipeline", json!({"pipeline": declaration})).unwrap()["pipeline"].take();
    assert_eq!((&created["executionMode"], &created["pipelineType"]), (&json!("SUPERSEDED"), &json!("V1")));
    let action = &created["stages"][1]["actions"][0];
    assert_eq!((&action["runOrder"], &action["configuration"]), (&json!(1), &json!({})));
    assert_eq!((&action["inputArtifacts"], &action["outputArtifacts"]), (&json!([]), &json!([])));
}
