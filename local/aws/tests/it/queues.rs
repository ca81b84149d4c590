//! SQS and PutEvents over the wire, and deliveries that are tried again.

use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::{Options, Passed};
use stagegate_local_clock::Clock;

use crate::wire::call_json;
use crate::world::World;

const QUEUES: &str = r#"
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 60, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}
  Dead: {Type: "AWS::SQS::Queue"}
  Shop: {Type: "AWS::Events::EventBus", Properties: {Name: shop}}
  Own: {Type: "AWS::Events::Rule", Properties: {
    EventBusName: shop, EventPattern: {source: [shop]}, Targets: [{Id: q, Arn: !GetAtt Jobs.Arn}]}}
"#;

async fn sqs(world: &World, operation: &str, input: Value) -> Value {
    let (status, answer) = call_json(&world.aws.endpoint_url(), "1.0", &format!("AmazonSQS.{operation}"), &input).await;
    assert!(status.contains("200"), "{operation}: {status} {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_received_hidden_deleted_and_given_up() {
    let clock = Clock::system();
    let world = World::new(QUEUES, |options: &mut Options| options.clock = clock.clone()).await;
    let found = sqs(&world, "GetQueueUrl", json!({"QueueName": "stagegate-Jobs"})).await;
    let url = found["QueueUrl"].as_str().unwrap();
    let attributes = json!({"kind": {"DataType": "String", "StringValue": "x"}});
    let sent =
        sqs(&world, "SendMessage", json!({"QueueUrl": url, "MessageBody": "one", "MessageAttributes": attributes}))
            .await;
    // `printf one | md5sum`, and the digest of the attributes by the guide's recipe in Python.
    assert_eq!(sent["MD5OfMessageBody"], "f97c5d29941bfb1b2fdab0874906ab82");
    assert_eq!(sent["MD5OfMessageAttributes"], "57dd03eb020678b56fd5c31e88f4cff1");
    let receive =
        json!({"QueueUrl": url, "MessageAttributeNames": ["All"], "AttributeNames": ["ApproximateReceiveCount"]});
    let first = sqs(&world, "ReceiveMessage", receive.clone()).await;
    let message = &first["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageAttributes"]), (&json!("one"), &attributes));
    assert_eq!(message["Attributes"], json!({"ApproximateReceiveCount": "1"}));
    let all = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let counts = async || {
        let attributes = sqs(&world, "GetQueueAttributes", all.clone()).await["Attributes"].clone();
        ["", "NotVisible"]
            .map(|which| attributes[format!("ApproximateNumberOfMessages{which}")].as_str().unwrap().to_owned())
    };
    assert_eq!(counts().await, ["0", "1"]);
    assert_eq!(sqs(&world, "ReceiveMessage", receive.clone()).await, json!({}), "it is hidden");
    clock.advance(Duration::from_secs(61));
    let second = sqs(&world, "ReceiveMessage", receive.clone()).await;
    assert_eq!(second["Messages"][0]["Attributes"], json!({"ApproximateReceiveCount": "2"}));
    clock.advance(Duration::from_secs(61));
    assert_eq!(sqs(&world, "ReceiveMessage", receive.clone()).await, json!({}));
    assert_eq!(world.aws.bus().queue_messages("Dead").unwrap()[0].body, "one", "it was received too often");

    // A receiver that waits gets what comes meanwhile.
    let waiting = sqs(&world, "ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let sending = sqs(&world, "SendMessage", json!({"QueueUrl": url, "MessageBody": "two"}));
    let (received, _) = tokio::join!(waiting, sending);
    assert_eq!(received["Messages"][0]["Body"], "two");
    let handle = &received["Messages"][0]["ReceiptHandle"];
    sqs(&world, "DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    assert_eq!(counts().await, ["0", "0"]);

    let missing = json!({"QueueUrl": "http://x/1/gone", "MessageBody": "m"});
    let (status, error) = call_json(&world.aws.endpoint_url(), "1.0", "AmazonSQS.SendMessage", &missing).await;
    assert!(status.contains("400") && error["__type"] == "QueueDoesNotExist", "{status} {error}");
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_put_one_by_one() {
    let world = World::new(QUEUES, |_| {}).await;
    let put = async |entries: Value| {
        let input = json!({"Entries": entries});
        call_json(&world.aws.endpoint_url(), "1.1", "AWSEvents.PutEvents", &input).await
    };
    let entry = |source: &str, detail: &str| json!({"Source": source, "DetailType": "t", "Detail": detail, "EventBusName": "shop"});
    let mut timed = entry("shop", r#"{"n": 1}"#);
    timed["Time"] = json!(1_700_000_000.5);
    let (status, answer) = put(json!([
        timed,
        entry("aws.codepipeline", "{}"),
        entry("shop", "[]"),
        {"Source": "shop", "DetailType": "t", "EventBusName": "shop"},
        {"Source": "shop", "DetailType": "t", "Detail": "{}", "EventBusName": "gone"},
        {"Source": "shop", "DetailType": "t", "Detail": "{}"},
    ]))
    .await;
    assert!(status.contains("200"), "{status} {answer}");
    assert_eq!(answer["FailedEntryCount"], 4);
    let codes: Vec<&str> = (0..6).map(|index| answer["Entries"][index]["ErrorCode"].as_str().unwrap_or("")).collect();
    let expected = ["", "NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", "InvalidArgument", ""];
    assert_eq!(codes, expected);
    // The last one is on the default bus, where no rule looks at it.
    let queued = world.aws.bus().queue_messages("Jobs").unwrap();
    let event: Value = serde_json::from_str(&queued[0].body).unwrap();
    assert_eq!((queued.len(), &event["id"]), (1, &answer["Entries"][0]["EventId"]));
    assert_eq!((&event["time"], &event["detail"]), (&json!("2023-11-14T22:13:20Z"), &json!({"n": 1})));
    assert!(put(json!([])).await.0.contains("400"));
    world.aws.shutdown().await;
}

const THROTTLED: &str = r#"
  Busy: {RECORDER {ReservedConcurrentExecutions: 1, Events: {Own: {Type: EventBridgeRule, Properties: {
    Pattern: {source: [shop]}, RetryPolicy: {MaximumRetryAttempts: 2}, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}}}}}
  Dead: {Type: "AWS::SQS::Queue"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_delivery_is_tried_again_and_given_up() {
    let clock = Clock::system();
    let world = World::new(THROTTLED, |options: &mut Options| options.clock = clock.clone()).await;
    // One event occupies the function, and so many wait that Lambda takes no more.
    let wait = json!({"text": "please wait"}).to_string();
    while world.aws.lambda().send_event("stagegate-Busy", wait.clone()).is_ok() {}
    let mut passing = world.aws.bus().subscribe();
    world.aws.bus().put_event(json!({"source": "shop", "n": 1}));
    let (mut refused, mut given_up) = (0, None);
    while given_up.is_none() {
        clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
        while let Ok(observation) = passing.try_recv() {
            match observation.passed {
                Passed::Refused { .. } => refused += 1,
                Passed::Undelivered { dead_letter, .. } => given_up = Some(dead_letter),
                _ => {}
            }
        }
    }
    assert_eq!(refused, 3, "once and two retries");
    assert!(given_up.unwrap().is_some());
    let dead = world.aws.bus().queue_messages("Dead").unwrap().remove(0);
    let attribute = |name: &str| dead.attributes[name].value.as_str();
    assert_eq!((attribute("ERROR_CODE"), attribute("RETRY_ATTEMPTS")), ("TOO_MANY_REQUESTS", "2"));
    assert_eq!(attribute("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    world.aws.shutdown().await;
}
