//! EventBridge, SNS, SQS and destinations, wired from a template to functions in processes of their own.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use serde_json::{Value, json};
use stagegate_local_aws::{Arrival, Call, Options, Origin, Passed};
use stagegate_local_clock::Clock;

use crate::world::{World, eventually};

const RULES: &str = r#"
  Listener: {RECORDER {
    Events: {
      Failed: {Type: EventBridgeRule, Properties: {
        Pattern: {source: [aws.codepipeline], detail: {state: [FAILED], pipeline: [{prefix: web}]}}}},
      Own: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}, InputPath: $.detail.order}}}}}
  Alerts: {Type: "AWS::SNS::Topic"}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {detail: {state: [FAILED]}}
      Targets:
        - {Id: a, Arn: !Ref Alerts, InputTransformer: {InputPathsMap: {p: $.detail.pipeline}, InputTemplate: '"<p> failed"'}}
        - {Id: q, Arn: !GetAtt Failures.Arn}
  Failures: {Type: "AWS::SQS::Queue"}
"#;

fn change(pipeline: &str, state: &str) -> Value {
    json!({"source": "aws.codepipeline", "detail-type": "x", "detail": {"pipeline": pipeline, "state": state}})
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_choose_events_and_shape_what_targets_get() {
    let world = World::new(RULES, |_| {}).await;
    let bus = world.aws.bus();
    bus.put_event(change("web-1", "SUCCEEDED"));
    bus.put_event(change("api", "FAILED"));
    bus.put_event(change("web-2", "FAILED"));
    assert_eq!(world.events("Listener", 1).await, [change("web-2", "FAILED")]);
    let messages = bus.messages("Alerts").unwrap();
    let texts: Vec<&str> = messages.iter().map(|message| message.message.as_str()).collect();
    assert_eq!(texts, ["\"api failed\"", "\"web-2 failed\""]);
    assert_eq!(bus.queue_messages("Failures").unwrap().len(), 2);
    world.aws.shutdown().await;
}

const TOPIC: &str = r#"
  Approvals:
    Type: AWS::SNS::Topic
    Properties: {Subscription: [{Protocol: email, Endpoint: a@example.com}]}
  Everything: {RECORDER {Events: {All: {Type: SNS, Properties: {Topic: !Ref Approvals}}}}}
  Urgent: {RECORDER {Events: {Some: {Type: SNS, Properties: {Topic: !Ref Approvals, FilterPolicy: {level: [urgent]}}}}}}
  Big: {RECORDER {Events: {Some: {Type: SNS, Properties: {
    Topic: !Ref Approvals, FilterPolicyScope: MessageBody, FilterPolicy: {size: [{numeric: [">", 10]}]}}}}}}
  Queue: {Type: "AWS::SQS::Queue"}
  ToQueue: {Type: "AWS::SNS::Subscription", Properties: {
    TopicArn: !Ref Approvals, Protocol: sqs, Endpoint: !GetAtt Queue.Arn, RawMessageDelivery: true}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_publishes_to_functions_queues_and_the_inbox() {
    let world = World::new(TOPIC, |_| {}).await;
    let sns = aws_sdk_sns::Client::new(&world.sdk());
    let arn = &world.aws.bus().topics()[0];
    let level = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap();
    let published = sns.publish().topic_arn(arn).subject("A & B <c>").message("now & <then>");
    let published = published.message_attributes("level", level("urgent")).send().await.unwrap();
    let entry = |id: &str, text: &str| PublishBatchRequestEntry::builder().id(id).message(text).build().unwrap();
    let batch = sns.publish_batch().topic_arn(arn).publish_batch_request_entries(entry("1", r#"{"size": 11}"#));
    let batch = batch.publish_batch_request_entries(entry("2", r#"{"size": 9}"#)).send().await.unwrap();
    assert_eq!((batch.successful().len(), batch.failed().len()), (2, 0));

    let all = world.events("Everything", 3).await;
    let first = all.iter().map(|event| &event["Records"][0]["Sns"]).find(|sns| sns["Subject"] == "A & B <c>").unwrap();
    assert_eq!(first["MessageId"], published.message_id().unwrap());
    assert_eq!((&first["Message"], &first["TopicArn"]), (&json!("now & <then>"), &json!(arn)));
    assert_eq!(first["MessageAttributes"], json!({"level": {"Type": "String", "Value": "urgent"}}));
    assert_eq!(all[0]["Records"][0]["EventSource"], "aws:sns");
    assert_eq!(world.events("Urgent", 1).await[0]["Records"][0]["Sns"]["Message"], "now & <then>");
    assert_eq!(world.events("Big", 1).await[0]["Records"][0]["Sns"]["Message"], r#"{"size": 11}"#);
    let inbox = world.aws.bus().messages("Approvals").unwrap();
    assert_eq!((inbox.len(), inbox[0].subject.as_deref()), (3, Some("A & B <c>")));
    let queue = world.aws.bus().queue_messages("Queue").unwrap();
    assert_eq!((queue[0].body.as_str(), queue[0].attributes["level"].value.as_str()), ("now & <then>", "urgent"));

    let call = Call { service: "sns", operation: "PublishBatch".to_owned(), function: None };
    assert_eq!(world.aws.calls().get(&call), Some(&1));
    let missing =
        sns.publish().topic_arn(format!("{arn}x")).message("m").send().await.unwrap_err().into_service_error();
    assert!(missing.is_not_found_exception(), "{missing:?}");
    let empty = sns.publish().topic_arn(arn).message("").send().await.unwrap_err().into_service_error();
    assert!(empty.is_invalid_parameter_exception(), "{empty:?}");
    world.aws.shutdown().await;
}

const DESTINATIONS: &str = r#"
  Gate: {RECORDER {
    DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn},
    EventInvokeConfig: {MaximumRetryAttempts: 1, DestinationConfig: {
      OnFailure: {Type: Lambda, Destination: !GetAtt Guard.Arn}, OnSuccess: {Type: SQS, Destination: !GetAtt Done.Arn}}}}}
  Guard: {RECORDER {EventInvokeConfig: {DestinationConfig: {OnSuccess: {
    Type: EventBridge, Destination: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"}}}}}
  Watcher: {RECORDER {Events: {Guarded: {Type: EventBridgeRule, Properties: {Pattern: {source: [lambda]}}}}}}
  Dead: {Type: "AWS::SQS::Queue"}
  Done: {Type: "AWS::SQS::Queue"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn destinations_and_dead_letter_queues_get_what_functions_leave() {
    let clock = Clock::scaled(600.0);
    let world = World::new(DESTINATIONS, |options: &mut Options| options.clock = clock.clone()).await;
    let send = |event: Value| world.aws.lambda().send_event("stagegate-Gate", event.to_string()).unwrap();
    send(json!({"text": "please fail"}));
    let record = world.events("Guard", 1).await.remove(0);
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(record["requestPayload"], json!({"text": "please fail"}));
    assert_eq!(record["responsePayload"]["errorMessage"], "the event asks for it");
    // The guard's own end goes by the event bus to the watcher.
    let guarded = world.events("Watcher", 1).await.remove(0);
    assert_eq!(guarded["detail-type"], "Lambda Function Invocation Result - Success");
    assert_eq!(guarded["detail"]["requestPayload"]["requestContext"], record["requestContext"]);
    let bus = world.aws.bus();
    eventually("the dead letter is there", || !bus.queue_messages("Dead").unwrap().is_empty()).await;
    let dead = &bus.queue_messages("Dead").unwrap()[0];
    assert_eq!(serde_json::from_str::<Value>(&dead.body).unwrap(), json!({"text": "please fail"}));
    let attribute = |name: &str| (dead.attributes[name].data_type.as_str(), dead.attributes[name].value.as_str());
    assert_eq!(attribute("ErrorCode"), ("Number", "200"));
    assert_eq!(attribute("ErrorMessage"), ("String", "the event asks for it"));

    send(json!({"text": "all is well"}));
    eventually("the success is there", || !bus.queue_messages("Done").unwrap().is_empty()).await;
    let done: Value = serde_json::from_str(&bus.queue_messages("Done").unwrap()[0].body).unwrap();
    assert_eq!(done["requestContext"]["condition"], "Success");
    assert_eq!(bus.queue_messages("Dead").unwrap().len(), 1);
    world.aws.shutdown().await;
}

const REFUSED: &str = r#"
  Listener: {RECORDER {Events: {Own: {Type: EventBridgeRule, Properties: {
    Pattern: {source: [shop]}, DeadLetterConfig: {Arn: !GetAtt Dead.Arn},
    InputTransformer: {InputPathsMap: {n: $.detail.n}, InputTemplate: "no JSON <n>"}}}}}}
  Dead: {Type: "AWS::SQS::Queue"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_cannot_succeed_goes_to_the_dead_letter_queue_of_the_rule() {
    let world = World::new(REFUSED, |_| {}).await;
    let mut passing = world.aws.bus().subscribe();
    world.aws.bus().put_event(json!({"source": "shop", "detail": {"n": 7}}));
    let dead = world.aws.bus().queue_messages("Dead").unwrap().remove(0);
    assert_eq!(dead.body, "no JSON 7");
    let rule = "arn:aws:events:us-east-1:111122223333:rule/ListenerOwn";
    assert_eq!(dead.attributes["RULE_ARN"].value, rule);
    assert_eq!(dead.attributes["ERROR_CODE"].value, "INVALID_REQUEST");
    assert!(matches!(passing.recv().await.unwrap().passed, Passed::Event { bus, .. } if bus == "default"));
    match passing.recv().await.unwrap().passed {
        Passed::Undelivered { from, dead_letter: Some(_), .. } => assert_eq!(from, Origin::Rule(rule.to_owned())),
        other => panic!("{other:?}"),
    }
    world.aws.shutdown().await;
}

const FAULTS: &str = r#"
  Listener: {RECORDER {Events: {Own: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}, InputPath: $.detail}}}}}
  Queue: {Type: "AWS::SQS::Queue"}
  Rule: {Type: "AWS::Events::Rule", Properties: {
    EventPattern: {source: [shop]}, Targets: [{Id: q, Arn: !GetAtt Queue.Arn, InputPath: $.detail.n}]}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_test_loses_repeats_delays_and_reorders_deliveries() {
    let clock = Clock::system();
    let world = World::new(FAULTS, |options: &mut Options| {
        options.clock = clock.clone();
        options.delivery_fault = Some(Arc::new(|sent| match (sent.to.contains(":sqs:"), sent.number) {
            (true, 1) => vec![],
            (true, 2) => vec![Arrival::Now, Arrival::Now],
            (true, 3) => vec![Arrival::Behind(1)],
            (true, 5) => vec![Arrival::After(Duration::from_secs(3600))],
            _ => vec![Arrival::Now],
        }));
    })
    .await;
    let bus = world.aws.bus();
    let texts = || bus.queue_messages("Queue").unwrap().into_iter().map(|message| message.body).collect::<Vec<_>>();
    for n in 1..=6 {
        bus.put_event(json!({"source": "shop", "detail": {"n": n}}));
    }
    assert_eq!(texts(), ["2", "2", "4", "3", "6"]);
    clock.advance(Duration::from_secs(3601));
    eventually("the late one is there", || texts().len() == 6).await;
    assert_eq!(texts()[5], "5");
    // Nothing else is touched.
    world.events("Listener", 6).await;
    world.aws.shutdown().await;
}
