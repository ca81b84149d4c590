//! `AWS::Serverless::Function` and `Globals`.

use std::collections::BTreeMap;

use serde_json::json;
use stagegate_local_template::{Build, EventInvoke, EventSource, FunctionUrl, Logging, RetryPolicy, TargetInput};

use crate::{function, read};

#[test]
fn a_bare_function_has_the_defaults_of_lambda() {
    let template = read(&function(""));
    let gate = template.function("Gate").unwrap();
    assert_eq!(gate.function_name, "stagegate-Gate");
    assert_eq!(gate.arn, "arn:aws:lambda:eu-west-1:111122223333:function:stagegate-Gate");
    assert_eq!((gate.timeout_seconds, gate.memory_mb, gate.architecture.as_str()), (3, 128, "x86_64"));
    assert_eq!((&gate.event_invoke, &gate.build), (&EventInvoke::default(), &Build::default()));
    assert_eq!(gate.logging.log_group, "/aws/lambda/stagegate-Gate");
    assert!(gate.events.is_empty() && gate.layers.is_empty() && gate.url.is_none() && gate.role_arn.is_none());
}

const MERGED: &str = r#"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 10
    Architectures: [arm64]
    Layers: [!Ref Configuration]
    LoggingConfig: {LogFormat: JSON, SystemLogLevel: INFO}
    Environment: {Variables: {COMMON: a, OVERRIDDEN: global}}
Resources:
  Configuration:
    Type: AWS::Serverless::LayerVersion
    Properties: {LayerName: config, ContentUri: config/}
  GateLogs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /gates, RetentionInDays: 90}
  Topic: {Type: "AWS::SNS::Topic"}
  Guard:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ../functions/job-guard}
  Gate:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: test-gate}}
    Properties:
      FunctionName: !Sub "${AWS::StackName}-test-gate"
      CodeUri: ../functions/test-gate
      Timeout: "120"
      MemorySize: 256
      ReservedConcurrentExecutions: 5
      Layers: [!Sub "arn:aws:lambda:${AWS::Region}:999999999999:layer:own:7"]
      LoggingConfig: {ApplicationLogLevel: DEBUG, LogGroup: !Ref GateLogs}
      Environment: {Variables: {OVERRIDDEN: own, NUMBER: 7}}
      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ["*"]}}
      Policies:
        - Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: !GetAtt NoBucket.Arn}]
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 1200
        DestinationConfig:
          OnFailure: {Type: Lambda, Destination: !GetAtt Guard.Arn}
          OnSuccess: {Type: SNS, Destination: !Ref Topic}
      DeadLetterQueue: {Type: SNS, TargetArn: !Ref Topic}
"#;

#[test]
fn globals_and_properties_come_together() {
    let template = read(MERGED);
    let gate = template.function("stagegate-test-gate").unwrap();
    assert_eq!(template.function("Gate"), Some(gate));
    assert_eq!((gate.timeout_seconds, gate.memory_mb, gate.architecture.as_str()), (120, 256, "arm64"));
    let own_layer = "arn:aws:lambda:eu-west-1:999999999999:layer:own:7".to_owned();
    assert_eq!(gate.layers, [template.layers[0].arn.clone(), own_layer]);
    assert_eq!(template.layers[0].content_uri, "config/");
    let environment = [("COMMON", "a"), ("NUMBER", "7"), ("OVERRIDDEN", "own")];
    assert_eq!(gate.environment, BTreeMap::from(environment.map(|(name, value)| (name.into(), value.into()))));
    let logging = Logging {
        format: "JSON".into(),
        application_log_level: Some("DEBUG".into()),
        system_log_level: Some("INFO".into()),
        log_group: "/gates".into(),
    };
    assert_eq!(gate.logging, logging);
    assert_eq!(template.log_groups[0].retention_days, Some(90));
    let topic = "arn:aws:sns:eu-west-1:111122223333:stagegate-Topic".to_owned();
    let event_invoke = EventInvoke {
        maximum_retry_attempts: Some(1),
        maximum_event_age_seconds: Some(1200),
        on_success: Some(topic.clone()),
        on_failure: Some("arn:aws:lambda:eu-west-1:111122223333:function:stagegate-Guard".into()),
    };
    assert_eq!((&gate.event_invoke, gate.dead_letter_arn.as_deref()), (&event_invoke, Some(topic.as_str())));
    let build = Build { method: Some("rust-cargolambda".into()), binary: Some("test-gate".into()) };
    assert_eq!((&gate.build, gate.reserved_concurrency), (&build, Some(5)));
    assert_eq!(gate.url, Some(FunctionUrl { auth_type: "NONE".into() }));
    // Policies are kept with their expressions, even such that refer to nothing.
    let resource = &gate.policies.as_ref().unwrap()[0]["Statement"][0]["Resource"];
    assert_eq!(*resource, json!({"Fn::GetAtt": "NoBucket.Arn"}));
    assert_eq!(template.function("Guard").unwrap().timeout_seconds, 10);
}

#[test]
fn events_are_read() {
    let template = read(&function(
        r#"      Events:
        Approvals:
          Type: SNS
          Properties:
            Topic: !Ref Topic
            FilterPolicy: {kind: [approval]}
            RedrivePolicy: {deadLetterTargetArn: "arn:aws:sqs:eu-west-1:111122223333:lost"}
        Failures:
          Type: EventBridgeRule
          Properties:
            Pattern: {source: [aws.codepipeline], detail: {state: [FAILED]}}
            RetryPolicy: {MaximumRetryAttempts: 3}
            DeadLetterConfig: {Arn: "arn:aws:sqs:eu-west-1:111122223333:lost"}
        Watch: {Type: Schedule, Properties: {Schedule: rate(1 minute), Input: '{"a":1}', Enabled: false}}
        Office:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 9 ? * MON-FRI *)
            ScheduleExpressionTimezone: Europe/Berlin
            Name: office
  Topic: {Type: "AWS::SNS::Topic"}
"#,
    ));
    let sources: Vec<&EventSource> = template.functions[0].events.iter().map(|event| &event.source).collect();
    let expected = [
        EventSource::Sns {
            topic_arn: "arn:aws:sns:eu-west-1:111122223333:stagegate-Topic".into(),
            filter_policy: Some(json!({"kind": ["approval"]})),
            filter_policy_scope: "MessageAttributes".into(),
            dead_letter_arn: Some("arn:aws:sqs:eu-west-1:111122223333:lost".into()),
        },
        EventSource::EventBridgeRule {
            rule_name: "GateFailures".into(),
            pattern: json!({"source": ["aws.codepipeline"], "detail": {"state": ["FAILED"]}}),
            event_bus: "default".into(),
            enabled: true,
            input: TargetInput::Event,
            retry_policy: RetryPolicy {
                maximum_retry_attempts: Some(3),
                maximum_event_age_seconds: None,
                dead_letter_arn: Some("arn:aws:sqs:eu-west-1:111122223333:lost".into()),
            },
        },
        EventSource::Schedule {
            name: "GateWatch".into(),
            expression: "rate(1 minute)".into(),
            time_zone: "UTC".into(),
            is_scheduler: false,
            enabled: false,
            input: TargetInput::Constant(r#"{"a":1}"#.into()),
            retry_policy: RetryPolicy::default(),
        },
        EventSource::Schedule {
            name: "office".into(),
            expression: "cron(0 9 ? * MON-FRI *)".into(),
            time_zone: "Europe/Berlin".into(),
            is_scheduler: true,
            enabled: true,
            input: TargetInput::Event,
            retry_policy: RetryPolicy::default(),
        },
    ];
    assert_eq!(sources, expected.iter().collect::<Vec<_>>());
}

#[test]
fn debug_shows_no_value_of_a_variable() {
    let template = read(&function("      Environment: {Variables: {TOKEN: hidden-value}}\n"));
    let shown = format!("{template:?}");
    assert!(shown.contains("TOKEN") && !shown.contains("hidden-value"), "{shown}");
}
