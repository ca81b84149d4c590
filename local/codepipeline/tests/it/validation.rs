//! Inputs that break the limits of the AWS model.

use serde_json::{Value, json};

use crate::harness::{World, pipeline};

const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const ID: &str = "11111111-2222-4333-8444-555555555555";

fn check(operation: &str, input: Value, message: &str) {
    let error = World::new().call(operation, input).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("ValidationException", message), "{operation}");
}

fn check_one(operation: &str, input: Value, violation: &str) {
    check(operation, input, &format!("1 validation error detected: {violation}"));
}

#[test]
fn required_members() {
    let null = |path: &str| format!("Value null at '{path}' failed to satisfy constraint: Member must not be null");
    check_one("GetPipeline", json!({}), &null("name"));
    check_one("GetPipeline", json!({"name": null}), &null("name"));
    check_one(
        "PutJobFailureResult",
        json!({"jobId": ID, "failureDetails": {"type": "JobFailed"}}),
        &null("failureDetails.message"),
    );
    check_one(
        "TagResource",
        json!({"resourceArn": "arn:aws:codepipeline:us-east-1:111122223333:web", "tags": [{"key": "a", "value": "b"}, {"key": "k"}]}),
        &null("tags.2.member.value"),
    );
    check_one(
        "TagResource",
        json!({"resourceArn": "arn:aws:codepipeline:us-east-1:111122223333:web", "tags": [null]}),
        &null("tags.1.member"),
    );
    let both = format!("2 validation errors detected: {}; {}", null("pipelineName"), null("pipelineExecutionId"));
    check("GetPipelineExecution", json!({}), &both);
}

#[test]
fn texts_numbers_and_enumerations() {
    let at = |value: &str, path: &str, constraint: &str| {
        format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}")
    };
    let pattern = r"Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+";
    check_one("GetPipeline", json!({"name": "a b"}), &at("a b", "name", pattern));
    check_one("GetPipeline", json!({"name": "web\n"}), &at("web\n", "name", pattern));
    let long = "x".repeat(101);
    let most = "Member must have length less than or equal to 100";
    check_one("GetPipeline", json!({"name": long}), &at(&long, "name", most));
    let least = "Member must have length greater than or equal to 1";
    let empty = format!("{}; {}", at("", "name", least), at("", "name", pattern));
    check("GetPipeline", json!({"name": ""}), &format!("2 validation errors detected: {empty}"));
    let low = at("0", "version", "Member must have value greater than or equal to 1");
    check_one("GetPipeline", json!({"name": "web", "version": 0}), &low);
    let high = at("101", "maxResults", "Member must have value less than or equal to 100");
    check_one("ListPipelineExecutions", json!({"pipelineName": "web", "maxResults": 101}), &high);
    let percent = at("500", "executionDetails.percentComplete", "Member must have value less than or equal to 100");
    let details = json!({"percentComplete": 500});
    check_one("PutJobSuccessResult", json!({"jobId": ID, "executionDetails": details}), &percent);
    let mode = at("SOME", "retryMode", "Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]");
    let input = json!({"pipelineName": "web", "stageName": "S", "pipelineExecutionId": ID, "retryMode": "SOME"});
    check_one("RetryStageExecution", input, &mode);
    let id = at("ABC", "jobId", &format!("Member must satisfy regular expression pattern: {UUID}"));
    check_one("GetJobDetails", json!({"jobId": "ABC"}), &id);
    // Characters are counted, not bytes.
    let ok = json!({"jobId": ID, "executionDetails": {"summary": "ß".repeat(2048)}});
    assert_eq!(World::new().call("PutJobSuccessResult", ok).unwrap_err().code, "JobNotFoundException");
    let summary = "ß".repeat(2049);
    let most = "Member must have length less than or equal to 2048";
    let shown = format!("{}...", "ß".repeat(256));
    let input = json!({"jobId": ID, "executionDetails": {"summary": summary}});
    check_one("PutJobSuccessResult", input, &at(&shown, "executionDetails.summary", most));
}

#[test]
fn secrets_are_not_repeated() {
    let pattern = format!("Member must satisfy regular expression pattern: {UUID}");
    let result = json!({"status": "Approved", "summary": ""});
    let input =
        json!({"pipelineName": "p", "stageName": "s", "actionName": "a", "result": result, "token": "a secret"});
    check_one("PutApprovalResult", input, &format!("Value at 'token' failed to satisfy constraint: {pattern}"));
    let most = "Member must have length less than or equal to 2048";
    let input = json!({"jobId": ID, "continuationToken": "s".repeat(2049)});
    check_one(
        "PutJobSuccessResult",
        input,
        &format!("Value at 'continuationToken' failed to satisfy constraint: {most}"),
    );
}

#[test]
fn members_of_a_declaration() {
    let declaration = |change: &dyn Fn(&mut Value)| {
        let mut declaration = pipeline("SUPERSEDED Source: Source | Gate: Check*lambda");
        change(&mut declaration);
        json!({"pipeline": declaration})
    };
    let name = declaration(&|p| p["stages"][0]["name"] = json!("no spaces"));
    let violation = r"Value 'no spaces' at 'pipeline.stages.1.member.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+";
    check_one("CreatePipeline", name, violation);
    let long = "x".repeat(1001);
    let value = declaration(&|p| p["stages"][1]["actions"][0]["configuration"]["UserParameters"] = json!(long));
    let violation = "Value at 'pipeline.stages.2.member.actions.1.member.configuration' failed to satisfy constraint: \
                     Map value must satisfy constraint: [Member must have length less than or equal to 1000, Member \
                     must have length greater than or equal to 1]";
    check_one("CreatePipeline", value, violation);
    let key = declaration(&|p| p["stages"][1]["actions"][0]["configuration"][&"k".repeat(51)] = json!("v"));
    let violation = violation.replace("Map value", "Map keys").replace("1000", "50");
    check_one("CreatePipeline", key, &violation);
    let commands = declaration(&|p| p["stages"][1]["actions"][0]["commands"] = json!([]));
    let violation = "Value '[]' at 'pipeline.stages.2.member.actions.1.member.commands' failed to satisfy constraint: \
                     Member must have length greater than or equal to 1";
    check_one("CreatePipeline", commands, violation);
    let timeout = declaration(&|p| p["stages"][1]["actions"][0]["timeoutInMinutes"] = json!(4));
    let violation = "Value '4' at 'pipeline.stages.2.member.actions.1.member.timeoutInMinutes' failed to satisfy \
                     constraint: Member must have value greater than or equal to 5";
    check_one("CreatePipeline", timeout, violation);
    let many = declaration(&|p| p["stages"] = (0..30).map(|_| json!({"name": "a b", "actions": []})).collect());
    let error = World::new().call("CreatePipeline", many).unwrap_err();
    assert!(error.message.starts_with("30 validation errors detected: "), "{error}");
    assert_eq!(error.message.matches("failed to satisfy").count(), 20);
}

#[test]
fn other_types_are_serialization_errors() {
    let cases = [
        ("GetPipeline", json!({"name": 1}), "name must be a string and is a number"),
        ("GetPipeline", json!({"name": "web", "version": 1.5}), "version must be an integer and is a number"),
        ("GetPipeline", json!([]), "the input must be a JSON object"),
        ("CreatePipeline", json!({"pipeline": []}), "pipeline must be an object and is an array"),
        ("CreatePipeline", json!({"pipeline": {"stages": {}}}), "pipeline.stages must be an array and is an object"),
        (
            "PutJobSuccessResult",
            json!({"jobId": ID, "outputVariables": {"k": 1}}),
            "outputVariables.k.member must be a string and is a number",
        ),
    ];
    for (operation, input, message) in cases {
        let error = World::new().call(operation, input).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("SerializationException", message));
    }
    for operation in ["PollForThirdPartyJobs", "", "Pipeline"] {
        let error = World::new().call(operation, json!({})).unwrap_err();
        assert_eq!(error.code, "UnknownOperationException");
    }
}
