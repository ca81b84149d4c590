//! Manual approvals, and what EventBridge and SNS are told.

use serde_json::{Value, json};
use stagegate_local_codepipeline::events::{Change, Event};

use crate::harness::{NAME, World, check, pipeline};

const APPROVED: &str = "SUPERSEDED Source: Source | Prod: Ask*manual Ship*deploy@2";

/// A world whose approval waits, with the given configuration of the action.
fn asking(configuration: Value, timeout: Option<u32>) -> World {
    let mut declaration = pipeline(APPROVED);
    let action = &mut declaration["stages"][1]["actions"][0];
    action["configuration"] = configuration;
    if let Some(minutes) = timeout {
        action["timeoutInMinutes"] = json!(minutes);
    }
    let mut world = World::of(&declaration);
    world.run("start e1");
    world.run("done e1 Source");
    world
}

fn answer(token: &str) -> Value {
    let result = json!({"status": "Approved", "summary": ""});
    json!({"pipelineName": NAME, "stageName": "Prod", "actionName": "Ask", "result": result, "token": token})
}

#[test]
fn an_approval_is_answered_once() {
    check(
        APPROVED,
        "start e1
         done e1 Source
         expect e1 InProgress .Ask=InProgress .Ship=-
         approve e1 Ask
         approve e1 Ask ! ApprovalAlreadyCompletedException
         reject e1 Ask ! ApprovalAlreadyCompletedException
         expect e1 InProgress .Ask=Succeeded .Ship=InProgress",
    );
    check(
        APPROVED,
        "start e1
         done e1 Source
         reject e1 Ask
         expect e1 Failed Prod=FAILED .Ask=Failed .Ship=-
         approve e1 Ask ! ApprovalAlreadyCompletedException
         retry e1 Prod FAILED_ACTIONS
         approve e1 Ask
         expect e1 InProgress .Ship=InProgress",
    );
    check(
        APPROVED,
        "start e1
         done e1 Source
         stop e1 abandon
         approve e1 Ask ! InvalidApprovalTokenException
         expect e1 Stopped .Ask=Abandoned",
    );
}

#[test]
fn an_approval_expires() {
    for (timeout, before, words) in [
        (None, "advance 167h59m", "7 days"),
        (Some(5), "advance 4m", "5 minutes"),
        (Some(86_400), "advance 1439h59m", "60 days"),
    ] {
        let mut world = asking(json!({}), timeout);
        world.run(before);
        world.run("expect e1 InProgress .Ask=InProgress");
        world.run("advance 1m");
        world.run("expect e1 Failed .Ask=Failed");
        world.run("approve e1 Ask ! InvalidApprovalTokenException");
        let error = world.action("e1", "Ask").unwrap()["output"]["executionResult"]["errorDetails"].take();
        let message = format!("the approval was not answered within {words}");
        assert_eq!(error, json!({"code": "JobFailed", "message": message}));
    }
}

#[test]
fn the_errors_of_an_answer_tell_what_is_not_there() {
    let mut world = asking(json!({}), None);
    let token = world.token("Prod", "Ask").unwrap();
    let cases = [
        ("pipelineName", "other", "PipelineNotFoundException"),
        ("stageName", "Other", "StageNotFoundException"),
        ("actionName", "Other", "ActionNotFoundException"),
        ("actionName", "Ship", "InvalidApprovalTokenException"),
        ("token", "11111111-2222-4333-8444-555555555555", "InvalidApprovalTokenException"),
        ("token", "no token", "ValidationException"),
    ];
    for (member, value, code) in cases {
        let mut input = answer(&token);
        input[member] = json!(value);
        let error = world.call("PutApprovalResult", input).unwrap_err();
        assert_eq!(error.code, code, "{member} {value}");
        assert!(!error.message.contains(&token) && !error.message.contains("no token"), "{}", error.message);
    }
    let output = world.call("PutApprovalResult", answer(&token)).unwrap();
    assert_eq!(output, json!({"approvedAt": 1_795_428_000.0}));
    assert_eq!(world.token("Prod", "Ask"), None);
}

#[test]
fn a_rejection_says_who_and_why() {
    let mut world = asking(json!({}), None);
    world.run("reject e1 Ask");
    let detail = world.action("e1", "Ask").unwrap();
    let caller = "arn:aws:sts::111122223333:assumed-role/local/stagegate";
    assert_eq!(detail["updatedBy"], caller);
    let result = &detail["output"]["executionResult"];
    assert_eq!(result["externalExecutionSummary"], "by a test");
    assert_eq!(result["errorDetails"]["message"], format!("rejected by {caller}: by a test"));
}

#[test]
fn the_message_has_the_documented_shape() {
    let arn = "arn:aws:sns:us-east-1:111122223333:releases";
    let full = json!({
        "NotificationArn": arn,
        "CustomData": "execution #{codepipeline.PipelineExecutionId}",
        "ExternalEntityLink": "https://example.com",
    });
    let mut world = asking(full, Some(90));
    let token = world.token("Prod", "Ask").unwrap();
    let console = "https://console.aws.amazon.com/codepipeline/home?region=us-east-1#/view/web";
    let id = world.names["e1"].clone();
    let expected = json!({
        "region": "us-east-1",
        "consoleLink": console,
        "approval": {
            "pipelineName": "web",
            "stageName": "Prod",
            "actionName": "Ask",
            "token": token,
            "expires": "2026-11-23T11:30Z",
            "externalEntityLink": "https://example.com",
            "approvalReviewLink": format!("{console}/Prod/Ask/approve/{token}"),
            "customData": format!("execution {id}"),
        },
    });
    let subject = "APPROVAL NEEDED: AWS CodePipeline web for action Ask";
    assert_eq!(world.notifications, [(arn.to_owned(), subject.to_owned(), expected)]);

    let mut world = asking(json!({"NotificationArn": arn}), None);
    let members: Vec<_> = world.notifications[0].2["approval"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["pipelineName", "stageName", "actionName", "token", "expires", "approvalReviewLink"]);
    let id = world.running("e1", "Ask");
    world.engine.notification_refused(world.now, &id, "there is no topic releases");
    world.drain();
    world.run("expect e1 Failed .Ask=Failed");
    assert!(asking(json!({}), None).notifications.is_empty());
}

#[test]
fn a_token_is_not_in_debug_output() {
    let arn = "arn:aws:sns:us-east-1:111122223333:releases";
    let mut world = asking(json!({"NotificationArn": arn}), None);
    let token = world.token("Prod", "Ask").unwrap();
    let opened = world.events.iter().find(|event| matches!(event.change, Change::ApprovalOpened(_))).unwrap();
    let Change::ApprovalOpened(approval) = &opened.change else { unreachable!() };
    assert_eq!(approval.token.expose(), token);
    assert!(!format!("{:?}", world.events).contains(&token));
}

/// The EventBridge events as `Kind place STATE`.
fn told(events: &[Event]) -> Vec<String> {
    let messages = events.iter().filter_map(Event::to_eventbridge).map(|message| {
        let kind = message["detail-type"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned();
        let detail = &message["detail"];
        let place = detail.get("action").or(detail.get("stage")).unwrap_or(&detail["pipeline"]);
        format!("{kind} {} {}", place.as_str().unwrap(), detail["state"].as_str().unwrap())
    });
    messages.collect()
}

#[test]
fn eventbridge_is_told_in_order() {
    let mut world = World::of(&pipeline("SUPERSEDED Source: Source | Build: Compile"));
    for line in ["start e1", "done e1 Source", "fail e1 Compile", "retry e1 Build FAILED_ACTIONS", "stop e1 abandon"] {
        world.run(line);
    }
    let expected = [
        "Pipeline web STARTED",
        "Stage Source STARTED",
        "Action Source STARTED",
        "Action Source SUCCEEDED",
        "Stage Source SUCCEEDED",
        "Stage Build STARTED",
        "Action Compile STARTED",
        "Action Compile FAILED",
        "Stage Build FAILED",
        "Pipeline web FAILED",
        "Pipeline web RESUMED",
        "Stage Build RESUMED",
        "Action Compile STARTED",
        "Pipeline web STOPPING",
        "Stage Build STOPPING",
        "Action Compile ABANDONED",
        "Stage Build STOPPED",
        "Pipeline web STOPPED",
    ];
    assert_eq!(told(&world.events), expected);
}

#[test]
fn eventbridge_is_told_of_what_ends_from_outside() {
    let after = |script: &[&str], lines: usize| {
        let mut world = World::of(&pipeline("SUPERSEDED Source: Source | Build: Compile"));
        script.iter().for_each(|line| world.run(line));
        let mut told = told(&world.events);
        told.split_off(told.len() - lines)
    };
    // One that waits in front of a stage is in none.
    assert_eq!(after(&["start e1", "start e2", "start e3"], 2), ["Pipeline web STARTED", "Pipeline web SUPERSEDED"]);
    let updated = ["Action Compile CANCELED", "Stage Build CANCELED", "Pipeline web CANCELED"];
    assert_eq!(after(&["start e1", "done e1 Source", "update"], 3), updated);
    let stopped = ["Action Compile SUCCEEDED", "Stage Build STOPPED", "Pipeline web STOPPED"];
    assert_eq!(after(&["start e1", "done e1 Source", "stop e1 wait", "done e1 Compile"], 3), stopped);
    let rolled_back = ["Pipeline web STARTED", "Stage Build STARTED", "Action Compile STARTED"];
    assert_eq!(after(&["start e1", "done e1 Source", "done e1 Compile", "rollback r Build e1"], 3), rolled_back);
}

#[test]
fn eventbridge_messages_have_the_documented_shape() {
    let mut world = World::of(&pipeline("SUPERSEDED Source: Source | Build: Compile"));
    world.run("start e1");
    world.advance("765ms".parse().unwrap());
    world.run("done e1 Source");
    world.run("fail e1 Compile");
    let id = world.names["e1"].clone();
    let messages: Vec<_> = world.events.iter().filter_map(Event::to_eventbridge).collect();
    let envelope = |message: &Value, kind: &str, time: &str| {
        assert_eq!(message["detail-type"], format!("CodePipeline {kind} Execution State Change"));
        assert_eq!((&message["version"], &message["source"]), (&json!("0"), &json!("aws.codepipeline")));
        assert_eq!((&message["account"], &message["region"]), (&json!("111122223333"), &json!("us-east-1")));
        assert_eq!(message["resources"], json!(["arn:aws:codepipeline:us-east-1:111122223333:web"]));
        assert_eq!(message["time"], time);
    };
    envelope(&messages[0], "Pipeline", "2026-11-23T10:00:00Z");
    let trigger = json!({
        "trigger-type": "StartPipelineExecution",
        "trigger-detail": "arn:aws:sts::111122223333:assumed-role/local/stagegate",
    });
    let expected = json!({
        "pipeline": "web", "execution-id": id, "start-time": "2026-11-23T10:00:00.000Z", "execution-trigger": trigger,
        "state": "STARTED", "version": 1.0, "pipeline-execution-attempt": 1.0,
    });
    assert_eq!(messages[0]["detail"], expected);
    assert!(messages[0].to_string().contains(r#""version":1.0,"pipeline-execution-attempt":1.0"#));

    envelope(&messages[5], "Stage", "2026-11-23T10:00:00Z");
    let expected = json!({
        "pipeline": "web", "execution-id": id, "start-time": "2026-11-23T10:00:00.765Z", "stage": "Build",
        "state": "STARTED", "version": 1.0, "pipeline-execution-attempt": 1.0,
    });
    assert_eq!(messages[5]["detail"], expected);

    envelope(&messages[7], "Action", "2026-11-23T10:00:00Z");
    let detail = &messages[7]["detail"];
    let expected = json!({
        "pipeline": "web", "execution-id": id, "start-time": "2026-11-23T10:00:00.765Z", "stage": "Build",
        "execution-result": {"external-execution-summary": "it broke", "error-code": "JobFailed"},
        "input-artifacts": detail["input-artifacts"], "action-execution-id": detail["action-execution-id"],
        "action": "Compile", "state": "FAILED", "region": "us-east-1",
        "type": {"owner": "AWS", "provider": "CodeBuild", "category": "Build", "version": "1"},
        "version": 1.0, "pipeline-execution-attempt": 1.0,
    });
    assert_eq!(*detail, expected);
    assert_eq!(detail["input-artifacts"][0]["s3location"]["bucket"], "artifacts");
    assert_eq!(messages[3]["detail"]["output-artifacts"], detail["input-artifacts"]);
}
