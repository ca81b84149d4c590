//! What the local CodeDeploy refuses, and how.

use serde_json::{Value, json};
use stagegate_local_aws::LocalAws;

use crate::codedeploy::FUNCTIONS;
use crate::world::World;

const APPSPEC: &str = "version: 0.0\nResources: [{web: {Type: AWS::Lambda::Function, Properties: {Name: stagegate-Web, \
                       Alias: live, CurrentVersion: 1, TargetVersion: 2}}}]\n";

async fn code(aws: &LocalAws, operation: &str, input: Value) -> String {
    match aws.codedeploy().call(operation, input).await {
        Ok(answer) => format!("answered {answer}"),
        Err(error) => error.code.to_owned(),
    }
}

fn with(application: &str, group: &str, revision: Value) -> Value {
    json!({"applicationName": application, "deploymentGroupName": group, "revision": revision})
}

fn content(text: &str) -> Value {
    json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": text}})
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_refused_as_the_model_has_it() {
    let world = World::new(FUNCTIONS, |_| {}).await;
    let aws = &world.aws;
    let call = async |operation, input| aws.codedeploy().call(operation, input).await.unwrap();
    call("CreateApplication", json!({"applicationName": "web", "computePlatform": "Lambda"})).await;
    call("CreateApplication", json!({"applicationName": "shop", "computePlatform": "ECS"})).await;
    for application in ["web", "shop"] {
        call("CreateDeploymentGroup", json!({"applicationName": application, "deploymentGroupName": "live"})).await;
    }
    let s3 = |kind: &str| json!({"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": kind}});
    let digest = json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": APPSPEC, "sha256": "00"}});
    let config = |name: &str| {
        let mut input = with("web", "live", content(APPSPEC));
        input["deploymentConfigName"] = name.into();
        input
    };
    let put = "PutLifecycleEventHookExecutionStatus";
    for (operation, input, expected) in [
        (put, json!({}), "DeploymentIdRequiredException"),
        (put, json!({"deploymentId": "web"}), "InvalidDeploymentIdException"),
        (put, json!({"deploymentId": "d-ABCDEFGHI"}), "DeploymentDoesNotExistException"),
        (put, json!({"deploymentId": 7}), "SerializationException"),
        ("GetDeployment", json!({}), "DeploymentIdRequiredException"),
        ("GetDeployment", json!({"deploymentId": "d-abc"}), "InvalidDeploymentIdException"),
        ("GetDeployment", json!({"deploymentId": "d-ABCDEFGHI"}), "DeploymentDoesNotExistException"),
        ("StopDeployment", json!({"deploymentId": "d-ABCDEFGHI"}), "DeploymentDoesNotExistException"),
        ("BatchGetDeployments", json!({"deploymentIds": []}), "DeploymentIdRequiredException"),
        ("BatchGetDeployments", json!({"deploymentIds": vec!["d-ABCDEFGHI"; 26]}), "BatchLimitExceededException"),
        (
            "GetDeploymentTarget",
            json!({"deploymentId": "d-ABCDEFGHI", "targetId": "t"}),
            "DeploymentDoesNotExistException",
        ),
        ("ListDeployments", json!({"applicationName": "web"}), "DeploymentGroupNameRequiredException"),
        ("ListDeployments", json!({"deploymentGroupName": "live"}), "ApplicationNameRequiredException"),
        ("ListDeployments", json!({"includeOnlyStatuses": ["Green"]}), "InvalidDeploymentStatusException"),
        ("ListDeployments", json!({"nextToken": "made up"}), "InvalidNextTokenException"),
        ("GetApplication", json!({"applicationName": "none"}), "ApplicationDoesNotExistException"),
        ("GetApplication", json!({"applicationName": "a b"}), "InvalidApplicationNameException"),
        (
            "GetDeploymentGroup",
            json!({"applicationName": "web", "deploymentGroupName": "x"}),
            "DeploymentGroupDoesNotExistException",
        ),
        (
            "CreateApplication",
            json!({"applicationName": "web", "computePlatform": "ECS"}),
            "ApplicationAlreadyExistsException",
        ),
        (
            "CreateApplication",
            json!({"applicationName": "new", "computePlatform": "Server"}),
            "InvalidComputePlatformException",
        ),
        ("CreateDeployment", with("none", "live", content(APPSPEC)), "ApplicationDoesNotExistException"),
        ("CreateDeployment", with("web", "none", content(APPSPEC)), "DeploymentGroupDoesNotExistException"),
        ("CreateDeployment", with("web", "live", json!({})), "RevisionRequiredException"),
        ("CreateDeployment", with("web", "live", json!({"revisionType": "GitHub"})), "InvalidRevisionException"),
        ("CreateDeployment", with("web", "live", s3("zip")), "InvalidRevisionException"),
        ("CreateDeployment", with("web", "live", s3("YAML")), "RevisionDoesNotExistException"),
        ("CreateDeployment", with("web", "live", digest), "InvalidRevisionException"),
        ("CreateDeployment", with("web", "live", content("version: 0.0\nos: linux\n")), "InvalidRevisionException"),
        ("CreateDeployment", with("shop", "live", content(APPSPEC)), "InvalidRevisionException"),
        ("CreateDeployment", config("CodeDeployDefault.ECSAllAtOnce"), "InvalidDeploymentConfigNameException"),
        ("CreateDeployment", config("CodeDeployDefault.None"), "DeploymentConfigDoesNotExistException"),
        ("ContinueDeployment", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(code(aws, operation, input.clone()).await, expected, "{operation} {input}");
    }
    world.aws.shutdown().await;
}

/// Deployments that begin and fail before any traffic is shifted.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deployed_is_told_by_the_deployment() {
    let world = World::new(FUNCTIONS, |_| {}).await;
    let codedeploy = world.aws.codedeploy();
    let lambda = world.aws.lambda();
    let _ = lambda.publish_version("stagegate-Web").unwrap();
    let alias = |name: &str| stagegate_local_lambda::Alias {
        name: name.to_owned(),
        function_version: "1".to_owned(),
        additional: None,
    };
    lambda.create_alias("stagegate-Web", alias("live")).unwrap();
    let call = async |operation, input| codedeploy.call(operation, input).await.unwrap();
    call("CreateApplication", json!({"applicationName": "web", "computePlatform": "Lambda"})).await;
    call("CreateDeploymentGroup", json!({"applicationName": "web", "deploymentGroupName": "live"})).await;
    let changed = |from: &str, to: &str| APPSPEC.replace(from, to);
    for (appspec, code, expected) in [
        (changed("stagegate-Web", "none"), "INVALID_LAMBDA_FUNCTION", "the function none, which does not exist"),
        (changed("live", "next"), "INVALID_LAMBDA_CONFIGURATION", "failed to find the alias next"),
        (
            changed("CurrentVersion: 1", "CurrentVersion: 3"),
            "INVALID_LAMBDA_CONFIGURATION",
            "stands for version 1, not for version 3",
        ),
        (APPSPEC.to_owned(), "INVALID_LAMBDA_CONFIGURATION", "has no version 2"),
        (
            changed("TargetVersion: 2", "TargetVersion: 1") + "hooks: [{BeforeAllowTraffic: none}]\n",
            "INVALID_LAMBDA_FUNCTION",
            "BeforeAllowTraffic: there is no function none to be called; there are stagegate-After,",
        ),
    ] {
        let answer = call("CreateDeployment", with("web", "live", content(&appspec))).await;
        let id = answer["deploymentId"].clone();
        let deployment = loop {
            let found = call("GetDeployment", json!({"deploymentId": id})).await;
            if found["deploymentInfo"]["status"] != "InProgress" {
                break found["deploymentInfo"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        assert_eq!(deployment["status"], "Failed", "{appspec}");
        assert_eq!(deployment["errorInformation"]["code"], code, "{deployment}");
        let message = deployment["errorInformation"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        assert_eq!(lambda.alias("stagegate-Web", "live").unwrap(), alias("live"));
    }
    let listed = call("ListDeployments", json!({"applicationName": "web", "deploymentGroupName": "live"})).await;
    assert_eq!(listed["deployments"].as_array().unwrap().len(), 5);
    let none = call("ListDeployments", json!({"includeOnlyStatuses": ["Succeeded"]})).await;
    assert_eq!(none["deployments"], json!([]));
    world.aws.shutdown().await;
}
