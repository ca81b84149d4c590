//! Buckets, topics, rules, schedules, outputs, and what is left out or kept as it is.

use std::collections::BTreeMap;

use serde_json::json;
use stagegate_local_template::{Redrive, TargetInput};

use crate::read;

const TEMPLATE: &str = r#"
Conditions: {Never: !Equals [a, b]}
Resources:
  State:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: {ServerSideEncryptionConfiguration: []}
  Alerts:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: alerts
      Subscription: [{Protocol: email, Endpoint: a@example.com}]
  More:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Alerts, Protocol: sqs, Endpoint: !GetAtt Jobs.Arn, RawMessageDelivery: true}
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 5, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: "AWS::SQS::Queue"}
  Shop: {Type: "AWS::Events::EventBus", Properties: {Name: shop}}
  Failed:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.codepipeline]}
      State: DISABLED
      Targets:
        - Id: alerts
          Arn: !Ref Alerts
          InputTransformer: {InputPathsMap: {p: $.detail.pipeline}, InputTemplate: '"<p> failed"'}
  Hourly:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: {Mode: "OFF"}
      Target: {Arn: !GetAtt Jobs.Arn, RoleArn: !GetAtt Role.Arn, Input: "{}"}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Statement: []}, ManagedPolicyArns: [!ImportValue x]}
  Left: {Type: "AWS::SNS::Topic", Condition: Never}
Outputs:
  Bucket: {Description: where state is, Value: !Ref State}
  Unknown: {Value: !GetAtt Role.Unheard}
  Never: {Condition: Never, Value: !Ref Left}
"#;

#[test]
fn resources_are_wired() {
    let template = read(TEMPLATE);
    let state = &template.buckets[0];
    assert_eq!((state.name.as_str(), state.versioned), ("stagegate-state", true));
    assert_eq!(template.topics.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["alerts"]);
    let alerts = "arn:aws:sns:eu-west-1:111122223333:alerts";
    let jobs = "arn:aws:sqs:eu-west-1:111122223333:stagegate-Jobs";
    let subscriptions = template.subscriptions.iter();
    let subscriptions = subscriptions.map(|s| (s.topic_arn.as_str(), s.endpoint.as_str(), s.raw_message_delivery));
    assert_eq!(subscriptions.collect::<Vec<_>>(), [(alerts, "a@example.com", false), (alerts, jobs, true)]);
    let (first, dead) = (&template.queues[0], &template.queues[1]);
    assert_eq!((first.arn.as_str(), first.visibility_timeout_seconds, first.retention_seconds), (jobs, 5, 345_600));
    assert_eq!(first.redrive, Some(Redrive { dead_letter_arn: dead.arn.clone(), max_receive_count: 3 }));
    assert_eq!(template.event_buses, ["shop"]);
    let rule = &template.rules[0];
    assert_eq!((rule.enabled, &rule.pattern), (false, &Some(json!({"source": ["aws.codepipeline"]}))));
    let paths = BTreeMap::from([("p".to_owned(), "$.detail.pipeline".to_owned())]);
    assert_eq!(rule.targets[0].input, TargetInput::Transformer { paths, template: "\"<p> failed\"".into() });
    let schedule = &template.schedules[0];
    assert_eq!((schedule.expression.as_str(), schedule.target.arn.as_str()), ("rate(1 hour)", jobs));
}

#[test]
fn what_is_not_wired_is_kept_as_it_is() {
    let template = read(TEMPLATE);
    let others: Vec<&str> = template.other_resources.iter().map(|other| other.logical_id.as_str()).collect();
    assert_eq!(others, ["Role"]);
    assert_eq!(template.other_resources[0].properties["ManagedPolicyArns"][0], json!({"Fn::ImportValue": "x"}));
}

#[test]
fn outputs_are_resolved_where_they_can_be() {
    let outputs = read(TEMPLATE).outputs;
    assert_eq!(outputs.keys().collect::<Vec<_>>(), ["Bucket", "Unknown"]);
    assert_eq!(outputs["Bucket"].value.as_deref(), Some("stagegate-state"));
    assert_eq!(outputs["Bucket"].description.as_deref(), Some("where state is"));
    assert_eq!(outputs["Unknown"].value, None);
}
