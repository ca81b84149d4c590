//! The actions CodeDeploy and CodeDeployToECS of a pipeline.

use serde_json::{Value, json};
use stagegate_local_aws::Options;

use crate::codedeploy::FUNCTIONS;
use crate::world::{World, eventually};

const APPSPEC: &str = "version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}
Hooks:
  - BeforeInstall: stagegate-Before
  - AfterAllowTestTraffic: stagegate-After
";
const TASK: &str = r#"{"family": "web", "containerDefinitions": [{"name": "web", "image": "<IMAGE1_NAME>"}]}"#;

struct Piped {
    world: World,
    _source: tempfile::TempDir,
}

impl Piped {
    async fn new(files: &[(&str, &str)], provider: &str, configuration: Value) -> Self {
        let source = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(source.path().join(name), text).unwrap();
        }
        let folder = source.path().to_owned();
        let world = World::new(FUNCTIONS, |options: &mut Options| options.source = Some(folder)).await;
        let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
        let deploy = json!({
            "name": "Deploy", "actionTypeId": kind("Deploy", provider), "configuration": configuration,
            "inputArtifacts": [{"name": "Code"}],
        });
        let source_action = json!({
            "name": "Source", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}],
            "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
        });
        let pipeline = json!({
            "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [{"name": "Source", "actions": [source_action]}, {"name": "Deploy", "actions": [deploy]}],
        });
        world.aws.put_pipeline(&pipeline).await.unwrap();
        Self { world, _source: source }
    }

    async fn start(&self) -> String {
        let started =
            self.world.aws.codepipeline().call("StartPipelineExecution", json!({"name": "web"})).await.unwrap();
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    /// The deploy action of an execution that has ended.
    async fn ended(&self, execution: &str) -> Value {
        self.world.aws.codepipeline().wait_for_execution("web", execution).await.unwrap();
        let input = json!({"pipelineName": "web", "filter": {"pipelineExecutionId": execution}});
        let actions = self.world.aws.codepipeline().call("ListActionExecutions", input).await.unwrap();
        let all = actions["actionExecutionDetails"].as_array().unwrap();
        all.iter().find(|action| action["actionName"] == "Deploy").unwrap().clone()
    }

    /// Answers the hook that a function is asked for at its `number`th call.
    async fn answer(&self, function: &str, known: &mut Vec<Value>, status: &str) {
        let calls = self.world.events(function, known.len() + 1).await;
        let call = calls.iter().find(|call| !known.contains(call)).unwrap().clone();
        let input = json!({
            "deploymentId": call["DeploymentId"],
            "lifecycleEventHookExecutionId": call["LifecycleEventHookExecutionId"],
            "status": status,
        });
        self.world.aws.codedeploy().call("PutLifecycleEventHookExecutionStatus", input).await.unwrap();
        known.push(call);
    }
}

fn ecs() -> Value {
    json!({
        "ApplicationName": "shop", "DeploymentGroupName": "live",
        "TaskDefinitionTemplateArtifact": "Code", "AppSpecTemplateArtifact": "Code",
        "Image1ArtifactName": "Code", "Image1ContainerName": "IMAGE1_NAME",
    })
}

/// The files of the source, the configuration, and a part of the message.
type Case<'a> = (&'a [(&'a str, &'a str)], Value, &'a str);

const IMAGE: (&str, &str) =
    ("imageDetail.json", r#"{"ImageURI": "111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1"}"#);

#[tokio::test(flavor = "multi_thread")]
async fn a_task_set_gets_traffic_after_its_hooks() {
    let files = [("appspec.yaml", APPSPEC), ("taskdef.json", TASK), IMAGE];
    let piped = Piped::new(&files, "CodeDeployToECS", ecs()).await;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let execution = piped.start().await;
    piped.answer("Before", &mut before, "Succeeded").await;
    piped.answer("After", &mut after, "Succeeded").await;
    let action = piped.ended(&execution).await;
    assert_eq!(action["status"], "Succeeded", "{action}");
    let id = action["output"]["executionResult"]["externalExecutionId"].as_str().unwrap();
    assert_eq!(before[0]["DeploymentId"], id);
    let codedeploy = piped.world.aws.codedeploy();
    let target = json!({"deploymentId": id, "targetId": "local:live"});
    let target = codedeploy.call("GetDeploymentTarget", target).await.unwrap()["deploymentTarget"]["ecsTarget"].clone();
    let events: Vec<&Value> =
        target["lifecycleEvents"].as_array().unwrap().iter().map(|event| &event["lifecycleEventName"]).collect();
    let expected = [
        "BeforeInstall",
        "Install",
        "AfterInstall",
        "AllowTestTraffic",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AllowTraffic",
        "AfterAllowTraffic",
    ];
    assert_eq!(events, expected);
    assert_eq!(target["taskSetsInfo"][0]["trafficWeight"], 100.0);
    let first = codedeploy.deployments().pop().unwrap();
    assert!(first.content.contains("arn:aws:ecs:us-east-1:111122223333:task-definition/web:1"), "{}", first.content);

    // The second one is refused while it gets test traffic only.
    let execution = piped.start().await;
    piped.answer("Before", &mut before, "Succeeded").await;
    piped.answer("After", &mut after, "Failed").await;
    let action = piped.ended(&execution).await;
    let error = &action["output"]["executionResult"]["errorDetails"];
    assert_eq!((&action["status"], &error["code"]), (&json!("Failed"), &json!("JobFailed")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the former task set has all traffic"), "{message}");
    assert!(message.contains("AfterAllowTestTraffic: the function stagegate-After has answered Failed"), "{message}");
    let states: Vec<_> = codedeploy.deployments().iter().map(|deployment| deployment.status.name()).collect();
    assert_eq!(states, ["Succeeded", "Failed"]);
    piped.world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_action_stops_its_deployment() {
    let files = [("appspec.yaml", APPSPEC), ("taskdef.json", TASK), IMAGE];
    let piped = Piped::new(&files, "CodeDeployToECS", ecs()).await;
    let execution = piped.start().await;
    let call = piped.world.events("Before", 1).await.remove(0);
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": execution, "abandon": true});
    piped.world.aws.codepipeline().call("StopPipelineExecution", stop).await.unwrap();
    let codedeploy = piped.world.aws.codedeploy();
    let status = || codedeploy.deployments()[0].status;
    eventually("the deployment is stopped", || status() == stagegate_local_codedeploy::Status::Stopped).await;
    let late = json!({
        "deploymentId": call["DeploymentId"],
        "lifecycleEventHookExecutionId": call["LifecycleEventHookExecutionId"],
        "status": "Succeeded",
    });
    let error = codedeploy.call("PutLifecycleEventHookExecutionStatus", late).await.unwrap_err();
    assert_eq!(error.code, "LifecycleEventAlreadyCompletedException");
    assert_eq!(status(), stagegate_local_codedeploy::Status::Stopped);
    piped.world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ecs_action_cannot_use_is_told() {
    let with = |key: &str, value: Option<&str>| {
        let mut configuration = ecs();
        match value {
            Some(value) => configuration[key] = value.into(),
            None => drop(configuration.as_object_mut().unwrap().shift_remove(key)),
        }
        configuration
    };
    let all = [("appspec.yaml", APPSPEC), ("taskdef.json", TASK), IMAGE];
    let bad_hook = APPSPEC.replace("BeforeInstall", "BeforeInstal");
    let cases: [Case<'_>; 8] = [
        (&all, with("ApplicationName", None), "no ApplicationName in its configuration"),
        (&all, with("AppSpecTemplatPath", Some("x")), "AppSpecTemplatPath is no configuration of CodeDeployToECS"),
        (&all, with("Image1ContainerName", None), "Image1ArtifactName and Image1ContainerName go together"),
        (&all, with("AppSpecTemplateArtifact", Some("Built")), "no input artifact Built"),
        (&all, with("Image1ContainerName", Some("OTHER")), "the image <IMAGE1_NAME> is a placeholder"),
        (&all[1..], ecs(), "appspec.yaml of the artifact Code: the artifact has no such file"),
        (&[all[0], all[1], ("imageDetail.json", "{}")], ecs(), "has no ImageURI"),
        (&[("appspec.yaml", &bad_hook), all[1], IMAGE], ecs(), "no lifecycle event \"BeforeInstal\""),
    ];
    for (files, configuration, expected) in cases {
        let piped = Piped::new(files, "CodeDeployToECS", configuration).await;
        let action = piped.ended(&piped.start().await).await;
        let message = action["output"]["executionResult"]["errorDetails"]["message"].as_str().unwrap().to_owned();
        assert!(action["status"] == "Failed" && message.contains(expected), "{message}");
        assert!(piped.world.aws.codedeploy().deployments().is_empty());
        piped.world.aws.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_to_instances_are_in_the_api_too() {
    let appspec = "version: 0.0\nos: linux\nfiles: [{source: index.html, destination: /var/www/html}]\n";
    let configuration = json!({"ApplicationName": "site", "DeploymentGroupName": "Staging"});
    let piped = Piped::new(&[("appspec.yml", appspec), ("index.html", "x")], "CodeDeploy", configuration.clone()).await;
    let action = piped.ended(&piped.start().await).await;
    let id = &action["output"]["executionResult"]["externalExecutionId"];
    let codedeploy = piped.world.aws.codedeploy();
    let call = async |operation, input| codedeploy.call(operation, input).await.unwrap();
    let deployment = call("GetDeployment", json!({"deploymentId": id})).await["deploymentInfo"].clone();
    assert_eq!((&deployment["status"], &deployment["computePlatform"]), (&json!("Succeeded"), &json!("Server")));
    assert_eq!(call("ListDeployments", json!({})).await["deployments"], json!([id]));
    let named = json!({"applicationName": "site", "deploymentGroupName": "Staging"});
    assert_eq!(call("ListDeployments", named.clone()).await["deployments"], json!([id]));
    assert_eq!(call("GetDeploymentGroup", named).await["deploymentGroupInfo"]["computePlatform"], "Server");
    let targets = call("ListDeploymentTargets", json!({"deploymentId": id})).await["targetIds"].clone();
    let targets = call("BatchGetDeploymentTargets", json!({"deploymentId": id, "targetIds": targets})).await;
    let events = &targets["deploymentTargets"][0]["instanceTarget"]["lifecycleEvents"];
    assert_eq!(events.as_array().unwrap().len(), 7, "{events}");
    let status = json!({"deploymentId": id, "lifecycleEventHookExecutionId": "x", "status": "Succeeded"});
    for (operation, input) in
        [("PutLifecycleEventHookExecutionStatus", status), ("StopDeployment", json!({"deploymentId": id}))]
    {
        let error = codedeploy.call(operation, input).await.unwrap_err();
        assert_eq!(error.code, "UnsupportedActionForDeploymentTypeException", "{operation}");
    }
    piped.world.aws.shutdown().await;
}
