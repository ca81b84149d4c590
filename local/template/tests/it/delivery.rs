//! Pipelines and what they build and deploy with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stagegate_local_template::{Settings, Template, parameter_names, parse_template, read_template};

fn infra(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra").join(file)
}

/// The example pipeline beside the functions of this repository, with parameters.
fn example(parameters: &[(&str, &str)]) -> Template {
    let functions = read_template(&infra("template.yaml"), &Settings::default()).unwrap();
    let settings = Settings {
        stack_name: "web".to_owned(),
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        imports: functions.exports(),
        made_up_networks: true,
        ..Settings::default()
    };
    read_template(&infra("example-pipeline.yaml"), &settings).unwrap()
}

/// The stages of the only pipeline: name, and provider of each action and rule.
fn stages(template: &Template) -> Vec<String> {
    let [pipeline] = template.pipelines.as_slice() else { panic!("one pipeline is expected") };
    let providers = |stage: &Value| -> Vec<String> {
        let of = |value: &Value, member: &str| value[member]["provider"].as_str().unwrap().to_owned();
        let rules = |member: &str| -> Vec<String> {
            let rules = stage[member]["conditions"][0]["rules"].as_array().cloned().unwrap_or_default();
            rules.iter().map(|rule| format!("{member} {}", of(rule, "ruleTypeId"))).collect()
        };
        let actions = stage["actions"].as_array().unwrap().iter().map(|action| of(action, "actionTypeId"));
        let mut all = rules("beforeEntry");
        all.extend(actions);
        all.extend(rules("onSuccess"));
        all
    };
    let all = pipeline.definition["stages"].as_array().unwrap().iter();
    all.map(|stage| format!("{}: {}", stage["name"].as_str().unwrap(), providers(stage).join(", "))).collect()
}

#[test]
fn the_example_pipeline_is_what_its_parameters_say() {
    let deployed = ["Approve: Manual", "Production: CodeDeployToECS"];
    let with_actions = |source: &str, gate: [&str; 3]| {
        let first = [
            format!("Source: {source}"),
            "Build: CodeBuild".to_owned(),
            format!("TestGate: {}", gate[0]),
            "Staging: CodeDeployToECS".to_owned(),
            format!("SmokeTest: {}", gate[1]),
            format!("ReleaseGate: {}", gate[2]),
        ];
        first.into_iter().chain(deployed.map(str::to_owned)).collect::<Vec<_>>()
    };
    let conditions = [
        "Source: CodeStarSourceConnection",
        "Build: CodeBuild, onSuccess LambdaInvoke",
        "Staging: CodeDeployToECS, onSuccess LambdaInvoke",
        "Approve: beforeEntry LambdaInvoke, Manual",
        "Production: CodeDeployToECS",
    ];
    let lambda = ["Lambda", "Lambda", "Lambda"];
    for (parameters, expected) in [
        (vec![], with_actions("CodeStarSourceConnection", lambda)),
        (vec![("SourceProvider", "CodeCommit")], with_actions("CodeCommit", lambda)),
        (vec![("SourceProvider", "S3")], with_actions("S3", lambda)),
        (
            vec![("Gates", "CustomActions")],
            with_actions(
                "CodeStarSourceConnection",
                ["Stagegate-TestGate", "Stagegate-SmokeTest", "Stagegate-ReleaseGate"],
            ),
        ),
        (vec![("Gates", "StageConditions")], conditions.map(str::to_owned).to_vec()),
    ] {
        assert_eq!(stages(&example(&parameters)), expected, "{parameters:?}");
    }
}

#[test]
fn the_example_pipeline_builds_and_deploys_with_what_it_declares() {
    let template = example(&[]);
    let [project] = template.build_projects.as_slice() else { panic!("{:?}", template.build_projects) };
    assert_eq!((project.name.as_str(), project.buildspec.as_deref()), ("web", Some("buildspec.yml")));
    assert_eq!(project.environment["HOOK_FUNCTION"], "CodeDeployHook_stagegate-smoke-test");
    assert_eq!(project.environment["IMAGE_REPOSITORY"], "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web");
    let groups: Vec<_> =
        template.deployment_groups.iter().map(|group| (group.application.as_str(), group.name.as_str())).collect();
    assert_eq!(groups, [("web", "Staging"), ("web", "Production")]);
    let listener = |id: &str| template.listeners.iter().find(|one| one.logical_id == id).map(|one| one.arn.clone());
    let staging = &template.deployment_groups[0];
    assert_eq!(staging.production_listener, listener("StagingListener"));
    assert_eq!(staging.test_listener, listener("StagingTestListener"));
    assert_eq!(staging.service, Some(("web".to_owned(), "web-staging".to_owned())));
    assert_eq!(staging.rollback_on, ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"]);
    let ports: Vec<_> = template.listeners.iter().map(|one| (one.port, one.port_parameter.as_deref())).collect();
    assert_eq!(
        ports,
        [(80, Some("StagingPort")), (8080, Some("StagingTestPort")), (80, Some("ProductionPort"))],
        "the local AWS gives each listener a port by its parameter"
    );
    // The gate of the hook finds the address where stagegate.yaml says.
    let stored = &template.stored_parameters[0];
    let config = std::fs::read_to_string(infra("config/stagegate.yaml")).unwrap();
    assert!(config.contains(&format!("secrets: {{base: {}}}", stored.name)), "{}", stored.name);
    assert!(stored.value.ends_with(":8080"), "{}", stored.value);
    let action = &template.pipelines[0].definition["stages"][2]["actions"][0];
    assert_eq!(action["configuration"]["FunctionName"], "stagegate-test-gate");
    let parameters: Value = serde_json::from_str(action["configuration"]["UserParameters"].as_str().unwrap()).unwrap();
    assert_eq!((&parameters["gate"], &parameters["pipeline"]), (&json!("web-tests"), &json!("web")));
}

const PIPELINE: &str = r#"Parameters:
  Late: {Type: String, Default: "no"}
Conditions:
  IsLate: !Equals [!Ref Late, "yes"]
Resources:
  Release:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      RoleArn: arn:aws:iam::111122223333:role/pipeline
      PipelineType: V2
      RestartExecutionOnUpdate: true
      ArtifactStores:
        - Region: eu-west-1
          ArtifactStore: {Type: S3, Location: artifacts}
      DisableInboundStageTransitions: [{StageName: Late, Reason: not yet}]
      Tags: [{Key: a, Value: b}]
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              RunOrder: 1
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: 1}
              Configuration: {S3Bucket: sources, S3ObjectKey: web.zip, PollForSourceChanges: false}
              OutputArtifacts: [{Name: Code}]
        - !If
          - IsLate
          - Name: Late
            Actions: []
          - !Ref AWS::NoValue
        - Name: Approve
          Actions:
            - Name: Approve
              TimeoutInMinutes: 60
              ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: "1"}
              Configuration:
                CustomData: !Sub "${AWS::Region} says \"go\""
"#;

#[test]
fn a_pipeline_has_the_form_of_the_api() {
    let template = parse_template(PIPELINE, "t.yaml", &Settings::default()).unwrap();
    let pipeline = &template.pipelines[0];
    let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    let expected = json!({
        "name": "stagegate-Release",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "pipelineType": "V2",
        "artifactStores": {"eu-west-1": {"type": "S3", "location": "artifacts"}},
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Source", "runOrder": 1, "actionTypeId": kind("Source", "S3"),
                // A template may write a truth value, the API takes texts.
                "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip", "PollForSourceChanges": "false"},
                "outputArtifacts": [{"name": "Code"}],
            }]},
            {"name": "Approve", "actions": [{
                "name": "Approve", "timeoutInMinutes": 60, "actionTypeId": kind("Approval", "Manual"),
                "configuration": {"CustomData": "eu-west-1 says \"go\""},
            }]},
        ],
    });
    assert_eq!(pipeline.definition, expected);
    assert_eq!(serde_json::from_str::<Value>(&pipeline.text).unwrap(), expected);
    assert_eq!(pipeline.disabled_transitions, [("Late".to_owned(), "not yet".to_owned())]);
    let late = Settings { parameters: BTreeMap::from([("Late".into(), "yes".into())]), ..Settings::default() };
    let template = parse_template(PIPELINE, "t.yaml", &late).unwrap();
    assert_eq!(template.pipelines[0].definition["stages"].as_array().unwrap().len(), 3);
}

/// A message about a line of the definition is one about that line of the template.
#[test]
fn values_stand_on_the_lines_that_they_have_in_the_template() {
    let written = std::fs::read_to_string(infra("example-pipeline.yaml")).unwrap();
    let read = example(&[]).pipelines[0].text.clone();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (written, read) = (lines(&written), lines(&read));
    let mut compared = 0;
    for (number, (template, definition)) in written.iter().zip(&read).enumerate() {
        // The key of the line, where it is one that the API knows too.
        let Some((key, _)) = template.trim_start().trim_start_matches("- ").split_once(':') else { continue };
        let mut letters = key.chars();
        let key: String = letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default();
        if !definition.trim().is_empty() && !key.starts_with(['#', '"']) && definition.contains(&format!("\"{key}\":"))
        {
            compared += 1;
        }
        assert!(number < 1000);
    }
    assert!(compared > 60, "only {compared} lines have the key that they have in the template");
    let line = |text: &[String], part: &str| text.iter().position(|line| line.contains(part));
    assert_eq!(line(&read, "appspec-production.yaml"), line(&written, "AppSpecTemplatePath: appspec-production.yaml"));
    assert_eq!(line(&read, "Release version"), line(&written, "(#{Source.CommitId}) to production?"));
}

#[test]
fn what_is_wrong_in_a_pipeline_is_said_with_its_line() {
    let line = |part: &str| PIPELINE.lines().position(|line| line.contains(part)).unwrap() + 1;
    for (from, to, expected, at) in [
        ("RunOrder: 1", "RunOder: 1", "`RunOder` is no property of an action; did you mean `RunOrder`?", "RunOrder"),
        ("RunOrder: 1", "RunOrder: first", "a whole number is expected, not `first`", "RunOrder"),
        (
            "Name: Approve\n          Actions",
            "Nmae: Approve\n          Actions",
            "no property of a stage",
            "Name: Approve",
        ),
        ("OutputArtifacts: [{Name: Code}]", "OutputArtifacts: Code", "must be a list, not `Code`", "OutputArtifacts"),
        ("PollForSourceChanges: false", "PollForSourceChanges: [a]", "must be a text, not a list", "PollForSource"),
        ("- IsLate", "- IsLaet", "there is no condition `IsLaet`; did you mean `IsLate`?", "- IsLate"),
        ("- !Ref AWS::NoValue", "- !GetAZs ''", "Fn::GetAZs is not supported here", "!Ref AWS::NoValue"),
        ("!Sub \"${AWS::Region}", "!Sub \"${Regoin}", "there is no resource or parameter `Regoin`", "CustomData"),
        ("CustomData: !Sub", "CustomData: !Length [a] #", "Fn::Length is not supported here", "CustomData"),
        ("Reason: not yet", "Raeson: not yet", "did you mean `Reason`?", "DisableInbound"),
        ("- Region: eu-west-1\n          ", "- ", "an entry of `ArtifactStores` needs `region`", "ArtifactStore:"),
    ] {
        let text = PIPELINE.replacen(from, to, 1);
        assert_ne!(text, PIPELINE, "{from}");
        let error = parse_template(&text, "t.yaml", &Settings::default()).unwrap_err().to_string();
        let line = line(at) - usize::from(at == "ArtifactStore:");
        assert!(error.starts_with(&format!("read t.yaml:{line}:")), "{from}: line {line} is expected: {error}");
        assert!(error.contains(expected), "{from}: {error}");
    }
}

#[test]
fn what_is_wrong_in_projects_and_groups_is_said_with_its_place() {
    let project = "Resources:\n  B:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment: {EnvironmentVariables: [{Name: A, Value: b}]}\n      Source: {Type: CODEPIPELINE}\n";
    let group = "Resources:\n  D:\n    Type: AWS::CodeDeploy::DeploymentGroup\n    Properties:\n      ApplicationName: web\n      ServiceRoleArn: arn\n      ECSServices: [{ClusterName: c, ServiceName: s}]\n      LoadBalancerInfo: {TargetGroupPairInfoList: [{ProdTrafficRoute: {ListenerArns: [a]}}]}\n";
    let listener =
        "Resources:\n  L:\n    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties:\n      Port: 80\n";
    for text in [project, group, listener] {
        parse_template(text, "t.yaml", &Settings::default()).unwrap();
    }
    for (template, from, to, expected) in [
        (
            project,
            "Value: b",
            "Type: SECRETS_MANAGER, Value: b",
            "t.yaml:5:44: the variable `A` is of the type SECRETS_MANAGER",
        ),
        (project, "CODEPIPELINE", "GITHUB", "t.yaml:6:22: `Type` is `GITHUB`, supported here is CODEPIPELINE"),
        (
            project,
            "Source:",
            "Triggers: {}\n      Source:",
            "t.yaml:6:7: `Triggers` is no property of AWS::CodeBuild::Project",
        ),
        (project, "Source:", "TimeoutInMinutes: 4\n      Source:", "from 5 to 2160, not `4`"),
        (group, "ServiceRoleArn", "ServiceRolArn", "did you mean `ServiceRoleArn`?"),
        (group, "[{ClusterName: c, ServiceName: s}]", "[]", "t.yaml:7:20: a deployment group has one ECS service"),
        (group, "ListenerArns: [a]", "ListenerArns: [a, b]", "`ProdTrafficRoute` has one listener"),
        (
            group,
            "ApplicationName",
            "AlarmConfiguration: {Enabled: true}\n      ApplicationName",
            "`AlarmConfiguration` is no property",
        ),
        (listener, "Port: 80", "Port: 70000", "t.yaml:5:13: `Port` must be a whole number from 1 to 65535"),
    ] {
        let text = template.replacen(from, to, 1);
        assert_ne!(text, template, "{from}");
        let error = parse_template(&text, "t.yaml", &Settings::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{from} -> {to}: {error}");
    }
}

#[test]
fn networks_are_made_up_only_where_that_is_wanted() {
    let text = "Parameters:\n  Vpc: {Type: 'AWS::EC2::VPC::Id'}\n  Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}\n  Key: {Type: String, Default: a}\nResources: {}\n";
    let error = parse_template(text, "t.yaml", &Settings::default()).unwrap_err().to_string();
    assert!(error.contains("t.yaml:2:8: the parameter `Vpc` has no default"), "{error}");
    let mut settings = Settings { made_up_networks: true, ..Settings::default() };
    let template = parse_template(text, "t.yaml", &settings).unwrap();
    assert_eq!(format!("{:?}", template.parameters["Vpc"]), "Text(\"vpc-00000000\")");
    assert_eq!(format!("{:?}", template.parameters["Subnets"]), "List([\"subnet-00000000\", \"subnet-00000001\"])");
    settings.parameters.insert("Vpc".into(), "vpc-1".into());
    let template = parse_template(text, "t.yaml", &settings).unwrap();
    assert_eq!(format!("{:?}", template.parameters["Vpc"]), "Text(\"vpc-1\")");
    let file = tempfile_with(text);
    assert_eq!(parameter_names(file.path()).unwrap(), ["Vpc", "Subnets", "Key"]);
}

fn tempfile_with(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn what_a_stack_exports_another_imports() {
    let text = "Resources:\n  Topic: {Type: 'AWS::SNS::Topic', Properties: {TopicName: t}}\nOutputs:\n  A: {Value: !Ref Topic, Export: {Name: !Sub '${AWS::StackName}-topic'}}\n  B: {Value: b}\n";
    let template = parse_template(text, "t.yaml", &Settings::default()).unwrap();
    let expected = ("stagegate-topic".to_owned(), "arn:aws:sns:eu-west-1:111122223333:t".to_owned());
    assert_eq!(template.exports(), BTreeMap::from([expected]));
}
