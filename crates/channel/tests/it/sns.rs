//! SNS: who gets what, and what becomes of a publication where SNS fails.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stagegate_channel::{Channels, Letter, Outcome, Secrets};
use stagegate_config::Channel;
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_slack::HttpClient;

use crate::server::{Reply, Server};
use crate::world::{BRIEF, bulletin, channels, sdk, send, send_within};

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Oncall:
    Type: AWS::SNS::Topic
    Properties: {Subscription: [{Protocol: email, Endpoint: a@example.com}]}
  Failures: {Type: "AWS::SQS::Queue"}
  ToFailures: {Type: "AWS::SNS::Subscription", Properties: {
    TopicArn: !Ref Oncall, Protocol: sqs, Endpoint: !GetAtt Failures.Arn, RawMessageDelivery: true,
    FilterPolicy: {kind: [failed], pipeline: [web], stage: [Test]}}}
  Others: {Type: "AWS::SQS::Queue"}
  ToOthers: {Type: "AWS::SNS::Subscription", Properties: {
    TopicArn: !Ref Oncall, Protocol: sqs, Endpoint: !GetAtt Others.Arn, RawMessageDelivery: true,
    FilterPolicy: {kind: [{anything-but: [failed]}]}}}
"#;

/// People get text, programs get JSON, and each subscription what its filter policy asks for.
#[tokio::test(flavor = "multi_thread")]
async fn each_subscriber_gets_what_it_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, TEMPLATE).unwrap();
    let bootstraps =
        Bootstraps::Program { program: PathBuf::from("/bin/true"), arguments: Vec::new(), functions: Vec::new() };
    let aws = LocalAws::start(Options::new(folder.path().join("data"), template, bootstraps)).await.unwrap();
    let sdk = sdk(&aws.endpoint_url(), aws.region());
    let secrets = Arc::new(Secrets::new(aws_sdk_ssm::Client::new(&sdk)));
    let channels = Channels::new(&sdk, HttpClient::new(), secrets);
    let topic = Channel::Sns(aws.bus().topics()[0].clone());
    assert_eq!(send(&channels, &topic).await, Outcome::Delivered { message: None });
    let mail = aws.bus().messages("Oncall").unwrap().pop().unwrap();
    assert_eq!(mail.subject.as_deref(), Some("web: Gate has failed in Test"));
    assert!(mail.message.contains("Reason: 3 of 120 tests failed (JobFailed)\n"), "{}", mail.message);
    let attribute = |name: &str| mail.attributes.get(name).map(|attribute| attribute.value.as_str());
    let attributes = ["kind", "subject", "pipeline", "project", "stage", "status"].map(attribute);
    assert_eq!(attributes, [Some("failed"), Some("pipeline"), Some("web"), None, Some("Test"), Some("failed")]);
    let queue = |name: &str| aws.bus().queue_messages(name).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while queue("Failures").is_empty() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let failures = queue("Failures");
    assert_eq!(failures.len(), 1);
    let data: Value = serde_json::from_str(&failures[0].body).unwrap();
    assert_eq!(data, stagegate_channel::Say::data(&bulletin()));
    assert!(queue("Others").is_empty());
    let huge = crate::bulletins::hostile(&"\u{1b}<!channel> ".repeat(8_000));
    let letter = Letter { to: "oncall", id: "huge", say: &huge, below: None, replaces: None };
    let outcome = channels.send(&topic, &letter, deadline).await;
    assert!(outcome.is_delivered(), "{outcome:?}");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_publication_is_repeated_only_where_sns_has_not_taken_it() {
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        )
    };
    let topic = Channel::Sns("arn:aws:sns:eu-west-1:111122223333:oncall".to_owned());
    for (reply, expected) in [
        (Reply::With(403, "", error("AuthorizationError")), "refused"),
        (Reply::With(404, "", error("NotFound")), "refused"),
        (Reply::With(400, "", error("InvalidParameter")), "rejected"),
        // The topic of another Region.
        (Reply::With(400, "", error("InvalidParameter").replace(">no<", ">Invalid parameter: TopicArn<")), "refused"),
        (Reply::With(400, "", error("Throttling")), "later"),
        (Reply::With(500, "", error("InternalError")), "later"),
        (Reply::With(503, "", String::new()), "later"),
        (Reply::HangUp, "unknown"),
        (Reply::Cut(200), "unknown"),
        (Reply::Never, "unknown"),
    ] {
        let server = Server::start([reply.clone()]).await;
        let channels = channels(&server).await;
        let outcome = match reply {
            Reply::Never => send_within(&channels, &topic, BRIEF).await,
            _ => send(&channels, &topic).await,
        };
        let found = match &outcome {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Refused { .. } => "refused",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Later { .. } => "later",
            Outcome::Unknown { .. } => "unknown",
        };
        assert_eq!(found, expected, "{reply:?}: {outcome:?}");
        assert_eq!(server.received().len(), 1, "{reply:?}: it was sent again");
    }
    let nobody = Server { port: 1, ..Server::start([]).await };
    let outcome = send(&channels(&nobody).await, &topic).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
}
