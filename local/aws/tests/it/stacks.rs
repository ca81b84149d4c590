//! A template with a pipeline, as a stack beside that of the functions.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use stagegate_local_aws::{LocalAws, Options, Stack};

use crate::codedeploy::FUNCTIONS;
use crate::wire::call;
use crate::world::World;

const EXPORT: &str = "Outputs:\n  After: {Value: !Ref After, Export: {Name: stagegate-After}}\n";

const STACK: &str = r#"Parameters:
  Port: {Type: Number, Default: 80}
  TestPort: {Type: Number, Default: 8080}
  Colour: {Type: String, Default: green}
  Vpc: {Type: "AWS::EC2::VPC::Id"}
Resources:
  Artifacts: {Type: "AWS::S3::Bucket"}
  Where: {Type: "AWS::SSM::Parameter", Properties: {Name: /web/url, Type: String, Value: !Sub "http://${Balancer.DNSName}:${TestPort}"}}
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: web
      Source:
        Type: CODEPIPELINE
        BuildSpec: |
          version: 0.2
          phases: {build: {commands: ['sed -i "s/HOOK/$HOOK/" appspec.yaml', 'mkdir site', 'echo "$COLOUR $(cat words)" >site/index.html']}}
          artifacts: {files: ["**/*"]}
      Environment: {EnvironmentVariables: [{Name: COLOUR, Value: !Ref Colour}, {Name: HOOK, Value: !ImportValue stagegate-After}]}
  Application: {Type: "AWS::CodeDeploy::Application", Properties: {ApplicationName: shop, ComputePlatform: ECS}}
  Live:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref Application
      DeploymentGroupName: live
      ServiceRoleArn: arn:aws:iam::111122223333:role/deploy
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE]}
      ECSServices: [{ClusterName: shop, ServiceName: web}]
      LoadBalancerInfo:
        TargetGroupPairInfoList:
          - ProdTrafficRoute: {ListenerArns: [!Ref Listener]}
            TestTrafficRoute: {ListenerArns: [!Ref TestListener]}
  Balancer: {Type: "AWS::ElasticLoadBalancingV2::LoadBalancer"}
  Listener: {Type: "AWS::ElasticLoadBalancingV2::Listener", Properties: {Port: !Ref Port}}
  TestListener: {Type: "AWS::ElasticLoadBalancingV2::Listener", Properties: {Port: !Ref TestPort}}
  Alarm: {Type: "AWS::CloudWatch::Alarm"}
  Role: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {}}}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: web
      PipelineType: V2
      RoleArn: arn:aws:iam::111122223333:role/pipeline
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"}
              Configuration: {S3Bucket: sources, S3ObjectKey: web.zip, PollForSourceChanges: false}
              OutputArtifacts: [{Name: Code}]
        - Name: Build
          Actions:
            - Name: Build
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              Configuration: {ProjectName: !Ref Build}
              InputArtifacts: [{Name: Code}]
              OutputArtifacts: [{Name: Built}]
        - Name: Deploy
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CodeDeployToECS, Version: "1"}
              Configuration:
                ApplicationName: !Ref Application
                DeploymentGroupName: !Ref Live
                TaskDefinitionTemplateArtifact: Built
                AppSpecTemplateArtifact: Built
              InputArtifacts: [{Name: Built}]
"#;

const APPSPEC: &str = "version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties: {TaskDefinition: <TASK_DEFINITION>, LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}}
Hooks:
  - AfterAllowTestTraffic: HOOK
";

const TASK: &str = r#"{"family": "web", "containerDefinitions": [
    {"name": "web", "image": "web:1", "dockerLabels": {"stagegate.local.site": "site"}}]}"#;

fn write(folder: &Path, words: &str) {
    for (name, text) in [("appspec.yaml", APPSPEC), ("taskdef.json", TASK), ("words", words)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

async fn create(aws: &LocalAws, folder: &Path, text: &str, parameters: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let template = folder.join("stack.yaml");
    std::fs::write(&template, text).unwrap();
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let created = aws.create_stack(&Stack { template, name: "web".to_owned(), parameters }).await;
    created.map(|created| created.absent).map_err(|error| error.to_string())
}

/// What a listener answers: the status and the body.
async fn seen(url: &str) -> String {
    let (head, body) = call(&format!("{url}/"), "GET /", &[], "").await;
    format!("{} {}", head.split(' ').nth(1).unwrap_or_default(), body.trim())
}

async fn start(aws: &LocalAws) -> String {
    let started = aws.codepipeline().call("StartPipelineExecution", json!({"name": "web"})).await.unwrap();
    started["pipelineExecutionId"].as_str().unwrap().to_owned()
}

/// Answers the hook of the newest deployment.
async fn answer(world: &World, known: &mut Vec<Value>, status: &str) {
    let calls = world.events("After", known.len() + 1).await;
    let call = calls.iter().find(|call| !known.contains(call)).unwrap().clone();
    let input = json!({
        "deploymentId": call["DeploymentId"],
        "lifecycleEventHookExecutionId": call["LifecycleEventHookExecutionId"],
        "status": status,
    });
    known.push(call);
    world.aws.codedeploy().call("PutLifecycleEventHookExecutionStatus", input).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_serves_what_its_pipeline_deploys() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::create_dir(&source).unwrap();
    write(&source, "one");
    let functions = format!("{FUNCTIONS}{EXPORT}");
    let from = source.clone();
    let world = World::new(&functions, |options: &mut Options| options.source = Some(from)).await;
    let aws = &world.aws;
    let absent = create(aws, folder.path(), STACK, &[("Colour", "blue")]).await.unwrap();
    assert_eq!(absent, ["Alarm (AWS::CloudWatch::Alarm)"]);
    let live = aws.instance_url("shop", "live").unwrap();
    let test = aws.codedeploy().test_url("shop", "live").unwrap();
    // Whoever refers to the port in the template gets the one that is open here.
    let stored = aws.ssm().call("GetParameter", &json!({"Name": "/web/url"})).unwrap();
    assert_eq!(stored["Parameter"]["Value"], test.as_str());
    assert!(seen(&live).await.starts_with("503"), "nothing is deployed yet");

    let mut asked = Vec::new();
    let execution = start(aws).await;
    world.events("After", 1).await;
    assert_eq!((seen(&test).await.as_str(), &seen(&live).await[..3]), ("200 blue one", "503"));
    answer(&world, &mut asked, "Succeeded").await;
    aws.codepipeline().wait_for_execution("web", &execution).await.unwrap();
    assert_eq!((seen(&test).await, seen(&live).await), ("200 blue one".to_owned(), "200 blue one".to_owned()));

    // A version that the hook refuses is seen by the hook and by nobody else.
    write(&source, "two");
    let execution = start(aws).await;
    world.events("After", 2).await;
    assert_eq!((seen(&test).await, seen(&live).await), ("200 blue two".to_owned(), "200 blue one".to_owned()));
    answer(&world, &mut asked, "Failed").await;
    aws.codepipeline().wait_for_execution("web", &execution).await.unwrap();
    assert_eq!((seen(&test).await, seen(&live).await), ("200 blue one".to_owned(), "200 blue one".to_owned()));
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stack_cannot_have_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().to_owned();
    let functions = format!("{FUNCTIONS}{EXPORT}");
    let world = World::new(&functions, |options: &mut Options| options.source = Some(source)).await;
    let line = |part: &str| STACK.lines().position(|line| line.contains(part)).unwrap() + 1;
    let imported = format!("stack.yaml:{}:", line("!ImportValue"));
    let pipeline = format!("stack.yaml:{}:7)", line("PipelineType") - 1);
    for (from, to, parameters, expected) in [
        ("stagegate-After", "stagegate-Aftr", vec![], vec![imported.as_str(), "did you mean `stagegate-After`?"]),
        ("Port: !Ref TestPort", "Port: !Ref Port", vec![], vec!["another listener takes its port from Port too"]),
        (
            "!Ref Application\n      Dep",
            "other\n      Dep",
            vec![],
            vec!["create Live:", "no CodeDeploy application other"],
        ),
        (
            "ListenerArns: [!Ref Listener]",
            "ListenerArns: [arn:x]",
            vec![],
            vec!["the listener arn:x is none of this template"],
        ),
        ("Resources:\n", "Resources:\n  T: {Type: 'AWS::SNS::Topic'}\n", vec![], vec!["it declares topics"]),
        ("Provider: CodeBuild", "Provider: CodeBiuld", vec![], vec!["the type", "CodeBiuld", pipeline.as_str()]),
        ("Colour: {", "Colour: {", vec![("Colur", "x")], vec!["no parameter `Colur`; did you mean `Colour`?"]),
    ] {
        let text = STACK.replacen(from, to, 1);
        let error = create(&world.aws, folder.path(), &text, &parameters).await.unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{from} -> {to} lacks {part:?}: {error}");
        }
    }
    // A port that is given is taken, or it is said that it cannot be.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = create(&world.aws, folder.path(), STACK, &[("Port", &port)]).await.unwrap_err();
    assert!(error.contains(&format!("open the port {port} of the listener Listener")), "{error}");
    world.aws.shutdown().await;
}
