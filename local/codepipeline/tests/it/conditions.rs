//! Stage conditions: their rules, their results, and overriding them.

use serde_json::{Value, json};
use stagegate_local_codepipeline::AlarmError;
use stagegate_local_codepipeline::events::Event;

use crate::harness::{NAME, World, check_pipeline, pipeline, with_condition};

const STAGES: &str = "SUPERSEDED Source: Source | Test: Unit | Prod: Ship*deploy";

/// The pipeline of these tests with a condition at the stage Test.
fn conditioned(member: &str, result: &str, rules: &str) -> Value {
    with_condition(pipeline(STAGES), 1, member, result, rules)
}

#[test]
fn an_entry_condition_lets_in_or_fails_or_skips() {
    check_pipeline(
        &conditioned("beforeEntry", "FAIL", "Gate*lambda Smoke*commands"),
        "start e1
         done e1 Source
         expect e1 InProgress Test=STARTED .Unit=- ?Gate=InProgress ?Smoke=InProgress Test:beforeEntry=InProgress
         rule-done e1 Gate
         expect e1 InProgress .Unit=- ?Gate=Succeeded
         rule-done e1 Smoke
         expect e1 InProgress .Unit=InProgress Test:beforeEntry=Succeeded Test:onSuccess=-
         done e1 Unit
         expect e1 InProgress Test=SUCCEEDED Prod=STARTED",
    );
    check_pipeline(
        &conditioned("beforeEntry", "FAIL", "Gate*lambda Smoke*commands"),
        "start e1
         done e1 Source
         rule-fail e1 Gate
         expect e1 InProgress .Unit=- ?Gate=Failed ?Smoke=InProgress Test:beforeEntry=InProgress
         rule-done e1 Smoke
         expect e1 Failed Test=FAILED Test:beforeEntry=Failed .Unit=- .Ship=-
         retry e1 Test FAILED_ACTIONS
         expect e1 InProgress Test=RESUMED ?Gate=InProgress Test:beforeEntry=InProgress
         rule-done e1 Gate
         rule-done e1 Smoke
         expect e1 InProgress .Unit=InProgress",
    );
    check_pipeline(
        &conditioned("beforeEntry", "SKIP", "Branch*variable"),
        "start e1
         done e1 Source Branch=main
         expect e1 InProgress ?Branch=Succeeded .Unit=InProgress
         stop e1 abandon
         start e2
         done e2 Source Branch=wip
         expect e2 InProgress Test=SKIPPED ?Branch=Failed .Unit=- Prod=STARTED
         override e2 Test BEFORE_ENTRY ! ConditionNotOverridableException
         done e2 Ship
         expect e2 Succeeded
         retry e2 Test ALL_ACTIONS ! StageNotRetryableException
         rollback e3 Test e2 ! UnableToRollbackStageException",
    );
}

#[test]
fn a_last_stage_that_is_skipped_ends_the_execution_well() {
    check_pipeline(
        &with_condition(pipeline(STAGES), 2, "beforeEntry", "SKIP", "Branch*variable"),
        "start e1
         done e1 Source Branch=wip
         done e1 Unit
         expect e1 Succeeded Prod=SKIPPED .Ship=-",
    );
}

#[test]
fn a_condition_on_success_fails_the_stage_or_rolls_it_back() {
    check_pipeline(
        &conditioned("onSuccess", "FAIL", "Gate*lambda"),
        "start e1
         done e1 Source
         expect e1 InProgress ?Gate=-
         done e1 Unit
         expect e1 InProgress Test=STARTED ?Gate=InProgress Prod=-
         rule-fail e1 Gate
         expect e1 Failed Test=FAILED .Unit=Succeeded Test:onSuccess=Failed Prod=-
         retry e1 Test FAILED_ACTIONS
         expect e1 InProgress .Unit=Succeeded ?Gate=InProgress
         rule-done e1 Gate
         expect e1 InProgress Test=SUCCEEDED Prod=STARTED",
    );
    check_pipeline(
        &conditioned("onSuccess", "ROLLBACK", "Gate*lambda"),
        "start e1
         done e1 Source
         done e1 Unit
         rule-done e1 Gate
         done e1 Ship
         expect e1 Succeeded
         start e2
         done e2 Source
         done e2 Unit
         rule-fail e2 Gate
         expect e2 Failed Test=FAILED Prod=-
         name r
         expect r InProgress Test=STARTED .Unit=InProgress
         done r Unit
         expect r Succeeded Test=SUCCEEDED Prod=- ?Gate=-",
    );
}

#[test]
fn a_condition_on_failure_engages_when_its_rules_succeed() {
    let script = |ends: &str, expected: &str| {
        format!(
            "start e1
             done e1 Source
             done e1 Unit
             done e1 Ship
             start e2
             done e2 Source
             fail e2 Unit
             expect e2 InProgress Test=STARTED .Unit=Failed ?Gate=InProgress
             {ends} e2 Gate
             {expected}"
        )
    };
    let rollback = conditioned("onFailure", "ROLLBACK", "Gate*lambda");
    check_pipeline(
        &rollback,
        &script(
            "rule-done",
            "expect e2 Failed Test=FAILED Test:onFailure=-\n name r\n expect r InProgress Test=STARTED",
        ),
    );
    check_pipeline(
        &rollback,
        &script("rule-fail", "expect e2 Failed Test=FAILED Test:onFailure=Failed\n name r\n expect r Failed"),
    );
    let retry = conditioned("onFailure", "RETRY", "Gate*lambda");
    check_pipeline(
        &retry,
        &script(
            "rule-done",
            "expect e2 InProgress Test=RESUMED .Unit=InProgress
             fail e2 Unit
             rule-done e2 Gate
             expect e2 Failed Test=FAILED",
        ),
    );
}

#[test]
fn a_condition_is_overridden_once_it_is_looked_at() {
    check_pipeline(
        &conditioned("beforeEntry", "FAIL", "Gate*lambda"),
        "start e1
         override e1 Nowhere BEFORE_ENTRY ! StageNotFoundException
         override e1 Test BEFORE_ENTRY ! NotLatestPipelineExecutionException
         done e1 Source
         override e1 Test ON_SUCCESS ! ConditionNotOverridableException
         override e1 Test BEFORE_ENTRY
         expect e1 InProgress ?Gate=Abandoned Test:beforeEntry=Overridden .Unit=InProgress
         override e1 Test BEFORE_ENTRY ! ConditionNotOverridableException
         done e1 Unit
         expect e1 InProgress Prod=STARTED
         start e2
         done e2 Source
         rule-fail e2 Gate
         expect e2 Failed Test=FAILED
         override e2 Test BEFORE_ENTRY
         expect e2 InProgress Test=RESUMED .Unit=InProgress
         override e1 Test BEFORE_ENTRY ! NotLatestPipelineExecutionException",
    );
    check_pipeline(
        &conditioned("onSuccess", "FAIL", "Gate*lambda"),
        "start e1
         done e1 Source
         done e1 Unit
         rule-fail e1 Gate
         expect e1 Failed
         override e1 Test ON_SUCCESS
         expect e1 InProgress Test=SUCCEEDED Test:onSuccess=Overridden Prod=STARTED
         stop e1 wait
         override e1 Test ON_SUCCESS ! ConflictException",
    );
    // An old version is left alone.
    check_pipeline(
        &conditioned("beforeEntry", "FAIL", "Gate*lambda"),
        "start e1
         done e1 Source
         rule-fail e1 Gate
         update
         override e1 Test BEFORE_ENTRY ! ConditionNotOverridableException",
    );
}

#[test]
fn stopping_and_updating_end_conditions() {
    let waiting = "start e1\n done e1 Source\n";
    let gated = conditioned("beforeEntry", "FAIL", "Gate*lambda");
    let check = |script: &str| check_pipeline(&gated, &format!("{waiting}{script}"));
    check("stop e1 abandon\n expect e1 Stopped Test=STOPPED ?Gate=Abandoned Test:beforeEntry=Abandoned .Unit=-");
    check(
        "stop e1 wait
         expect e1 Stopping Test=STOPPING ?Gate=InProgress
         rule-done e1 Gate
         expect e1 Stopped Test=STOPPED ?Gate=Succeeded Test:beforeEntry=Abandoned .Unit=-
         retry e1 Test FAILED_ACTIONS
         expect e1 InProgress ?Gate=InProgress",
    );
    check("update\n expect e1 Cancelled Test=CANCELED ?Gate=Abandoned");
}

#[test]
fn the_job_of_a_rule_is_that_of_an_action() {
    let mut world = World::of(&conditioned("beforeEntry", "FAIL", "Gate*lambda"));
    world.run("start e1");
    world.run("done e1 Source");
    let (id, event) = world.jobs.first_key_value().map(|(id, event)| (id.clone(), event.clone())).unwrap();
    let data = &event["CodePipeline.job"]["data"];
    let configuration = json!({"FunctionName": "gate", "UserParameters": "{}"});
    assert_eq!(data["actionConfiguration"]["configuration"], configuration);
    assert!(data["artifactCredentials"]["accessKeyId"].is_string());
    let details = json!({"summary": "half way"});
    let go_on = json!({"jobId": id, "continuationToken": "t", "executionDetails": details});
    world.call("PutJobSuccessResult", go_on.clone()).unwrap();
    assert_eq!(world.call("PutJobSuccessResult", go_on).unwrap_err().code, "InvalidJobStateException");
    world.run("advance 30s");
    assert_eq!(world.jobs.len(), 2);
    world.run("advance 20m");
    world.run("expect e1 Failed ?Gate=Failed Test:beforeEntry=Failed");
    let rule = world.rule("e1", "Gate").unwrap();
    assert_eq!(rule["output"]["executionResult"]["externalExecutionSummary"], "half way");
    let message = rule["output"]["executionResult"]["errorDetails"]["message"].as_str().unwrap();
    assert!(message.starts_with("The AWS Lambda function gate failed to return a result."), "{message}");
}

#[test]
fn a_window_is_waited_for() {
    let gated = conditioned("beforeEntry", "FAIL", "Hours*window");
    // It is 10:00 on a Monday; the window is from 12:00 to 13:59.
    check_pipeline(
        &gated,
        "start e1
         done e1 Source
         expect e1 InProgress ?Hours=InProgress .Unit=-
         advance 1h59m
         expect e1 InProgress .Unit=-
         advance 1m
         expect e1 InProgress ?Hours=Succeeded .Unit=InProgress
         start e2
         done e1 Unit
         done e2 Source
         expect e2 InProgress ?Hours=Succeeded .Unit=InProgress",
    );
    let change = |member: &str, value: Value| {
        let mut pipeline = gated.clone();
        pipeline["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0][member] = value;
        pipeline
    };
    check_pipeline(
        &change("timeoutInMinutes", json!(60)),
        "start e1
         done e1 Source
         advance 59m
         expect e1 InProgress
         advance 1m
         expect e1 Failed ?Hours=Failed",
    );
    check_pipeline(
        &change("configuration", json!({"Cron": "* * * 24 DEC ?"})),
        "start e1
         done e1 Source
         advance 167h59m
         expect e1 InProgress
         advance 1m
         expect e1 Failed ?Hours=Failed",
    );
    check_pipeline(
        &change("configuration", json!({"Cron": "* * * * * ? 2025"})),
        "start e1\n done e1 Source\n expect e1 Failed ?Hours=Failed",
    );
}

#[test]
fn an_alarm_is_looked_at_until_the_wait_is_over() {
    let begin = "start e1\n done e1 Source\n";
    let check = |pipeline: &Value, script: &str| check_pipeline(pipeline, &format!("{begin}{script}"));
    let entry = conditioned("beforeEntry", "FAIL", "Alarm*alarm");
    check(&entry, "alarm OK\n expect e1 InProgress ?Alarm=Succeeded .Unit=InProgress");
    check(&entry, "alarm INSUFFICIENT_DATA\n expect e1 InProgress ?Alarm=Succeeded");
    check(
        &entry,
        "alarm ALARM
         expect e1 InProgress ?Alarm=InProgress
         advance 1m
         alarm ALARM
         advance 1m
         alarm OK
         expect e1 InProgress ?Alarm=Succeeded",
    );
    check(&entry, &format!("{}alarm ALARM\n expect e1 Failed ?Alarm=Failed", "alarm ALARM\n advance 1m\n".repeat(10)));
    // Nobody answers.
    check(&entry, "advance 5m\n expect e1 Failed ?Alarm=Failed");

    // On success the alarm must stay away.
    let success = conditioned("onSuccess", "FAIL", "Alarm*alarm");
    check(
        &success,
        &format!(
            "done e1 Unit\n {}alarm OK\n expect e1 InProgress Test=SUCCEEDED ?Alarm=Succeeded",
            "alarm OK\n expect e1 InProgress Test=STARTED\n advance 1m\n".repeat(10)
        ),
    );
    check(&success, "done e1 Unit\n alarm OK\n advance 1m\n alarm ALARM\n expect e1 Failed ?Alarm=Failed");

    // On failure it is the alarm that engages the result.
    let failure = conditioned("onFailure", "RETRY", "Alarm*alarm");
    check(&failure, "fail e1 Unit\n alarm OK\n advance 1m\n alarm ALARM\n expect e1 InProgress Test=RESUMED");

    let mut states = entry;
    let rule = &mut states["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0];
    rule["configuration"] = json!({"AlarmName": "web-5xx", "AlarmStates": "ALARM, INSUFFICIENT_DATA"});
    check(&states, "alarm OK\n expect e1 Failed ?Alarm=Failed");
    check(&states, "alarm ALARM\n expect e1 InProgress ?Alarm=Succeeded");
}

#[test]
fn an_alarm_that_is_not_there_fails_the_rule() {
    let cases = [
        (
            AlarmError::NotFound { name: "web-5xx".into(), known: vec!["shop-5xx".into()] },
            "ConfigurationError",
            "there is no alarm web-5xx (there are: shop-5xx)",
        ),
        (AlarmError::NoCloudWatch, "ConfigurationError", "has no CloudWatch to ask"),
        (AlarmError::Unavailable("it is down".into()), "SystemUnavailable", "it is down"),
    ];
    for (error, code, message) in cases {
        let mut world = World::of(&conditioned("beforeEntry", "FAIL", "Alarm*alarm"));
        world.run("start e1");
        world.run("done e1 Source");
        let rule = world.alarms.pop().unwrap();
        world.engine.alarm_checked(world.now, &rule, Err(error));
        world.drain();
        world.run("expect e1 Failed ?Alarm=Failed");
        let details = world.rule("e1", "Alarm").unwrap()["output"]["executionResult"]["errorDetails"].take();
        assert_eq!(details["code"], code);
        assert!(details["message"].as_str().unwrap().contains(message), "{details}");
    }
}

#[test]
fn variables_are_compared() {
    let check = |operator: &str, value: &str, branch: &str, expected: &str| {
        let mut pipeline = conditioned("beforeEntry", "FAIL", "Branch*variable");
        let rule = &mut pipeline["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0];
        rule["configuration"]["Operator"] = json!(operator);
        rule["configuration"]["Value"] = json!(value);
        let mut world = World::of(&pipeline);
        world.run("start e1");
        world.run(&format!("done e1 Source {branch}"));
        let rule = world.rule("e1", "Branch").unwrap();
        assert_eq!(rule["status"], expected, "{branch} {operator} {value}: {rule}");
    };
    check("EQ", "main", "Branch=main", "Succeeded");
    check("EQ", "main", "Branch=mainline", "Failed");
    check("NE", "main", "Branch=mainline", "Succeeded");
    check("NE", "main", "Branch=main", "Failed");
    check("CONTAINS", "line", "Branch=mainline", "Succeeded");
    check("CONTAINS", "line", "Branch=main", "Failed");
    check("MATCHES", "release/.*", "Branch=release/7", "Succeeded");
    check("MATCHES", "release", "Branch=release/7", "Failed");
    check("MATCHES", "a|b", "Branch=ab", "Failed");
    // A variable that is not there fails the rule.
    check("NE", "main", "Other=main", "Failed");
}

#[test]
fn conditions_and_rules_are_shown() {
    let mut world = World::of(&conditioned("beforeEntry", "FAIL", "Gate*lambda Branch*variable"));
    let state = |world: &mut World| {
        let state = world.call("GetPipelineState", json!({"name": NAME})).unwrap();
        state["stageStates"][1]["beforeEntryConditionState"].clone()
    };
    let rules = json!([{"ruleName": "Gate"}, {"ruleName": "Branch"}]);
    assert_eq!(state(&mut world), json!({"conditionStates": [{"ruleStates": rules}]}));
    world.run("start e1");
    world.run("done e1 Source Branch=wip");
    world.run("rule-done e1 Gate");
    let shown = state(&mut world);
    let summary = "rule Branch failed: \"wip\" is not equal to \"main\"";
    assert_eq!(shown["latestExecution"], json!({"status": "Failed", "summary": summary}));
    let condition = &shown["conditionStates"][0];
    assert_eq!(
        condition["latestExecution"],
        json!({"status": "Failed", "summary": summary, "lastStatusChange": 1_795_428_000.0})
    );
    assert_eq!(condition["ruleStates"][0]["latestExecution"]["status"], "Succeeded");
    let failed = &condition["ruleStates"][1]["latestExecution"];
    assert_eq!(failed["errorDetails"], json!({"code": "JobFailed", "message": "\"wip\" is not equal to \"main\""}));

    let list = world.call("ListRuleExecutions", json!({"pipelineName": NAME})).unwrap();
    let details = list["ruleExecutionDetails"].as_array().unwrap();
    assert_eq!(details.len(), 2);
    let branch = &details[0];
    assert_eq!((&branch["ruleName"], &branch["stageName"]), (&json!("Branch"), &json!("Test")));
    let id = json!({"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"});
    assert_eq!(branch["input"]["ruleTypeId"], id);
    assert_eq!(branch["input"]["configuration"]["Variable"], "#{SourceVars.Branch}");
    assert_eq!(branch["input"]["resolvedConfiguration"]["Variable"], "wip");
    let actions = world.call("ListActionExecutions", json!({"pipelineName": NAME})).unwrap();
    assert_eq!(actions["actionExecutionDetails"].as_array().unwrap().len(), 1, "rules are no actions");
    world.run("retry e1 Test FAILED_ACTIONS");
    let filter = |range: &str| json!({"pipelineName": NAME, "filter": {"latestInPipelineExecution": {"pipelineExecutionId": world.names["e1"], "startTimeRange": range}}});
    let (latest, all) = (filter("Latest"), filter("All"));
    for input in [latest, all] {
        let list = world.call("ListRuleExecutions", input).unwrap();
        assert_eq!(list["ruleExecutionDetails"].as_array().unwrap().len(), 2);
    }
    let list = world.call("ListRuleExecutions", json!({"pipelineName": NAME, "maxResults": 3})).unwrap();
    assert_eq!(list["ruleExecutionDetails"].as_array().unwrap().len(), 3);
    assert!(list["nextToken"].is_string());
    let types = world.call("ListRuleTypes", json!({})).unwrap();
    let names: Vec<_> =
        types["ruleTypes"].as_array().unwrap().iter().map(|shown| shown["id"]["provider"].as_str().unwrap()).collect();
    assert_eq!(names, ["CloudWatchAlarm", "Commands", "DeploymentWindow", "LambdaInvoke", "VariableCheck"]);
    let elsewhere = world.call("ListRuleTypes", json!({"regionFilter": "eu-west-1"})).unwrap();
    assert_eq!(elsewhere, json!({"ruleTypes": []}));
    // AWS documents no event for rules, conditions and skipped stages.
    let kinds =
        ["Pipeline", "Stage", "Action"].map(|kind| json!(format!("CodePipeline {kind} Execution State Change")));
    for event in world.events.iter().filter_map(Event::to_eventbridge) {
        assert!(kinds.contains(&event["detail-type"]), "{event}");
        assert_ne!(event["detail"]["state"], "SKIPPED");
    }
}

#[test]
fn a_pipeline_in_the_parallel_mode_has_conditions() {
    check_pipeline(
        &with_condition(pipeline("PARALLEL Source: Source | Test: Unit"), 1, "beforeEntry", "FAIL", "Gate*lambda"),
        "start e1
         start e2
         done e1 Source
         done e2 Source
         rule-fail e1 Gate
         rule-done e2 Gate
         expect e1 Failed ?Gate=Failed Test:beforeEntry=-
         expect e2 InProgress .Unit=InProgress
         override e1 Test BEFORE_ENTRY
         expect e1 InProgress .Unit=InProgress",
    );
}
