//! A channel that is an SNS topic.

use serde_json::{Value, json};
use stagegate_local_aws::Options;

use super::world::Notices;

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:stagegate-oncall";

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_told_by_the_function_in_its_own_role() {
    let routes = format!(
        "channels: {{oncall: {{sns: \"{TOPIC}\"}}}}\n\
         notifications: [{{pipeline: web, stages: [Test], on: [failed], channel: oncall}}]\n"
    );
    let with_topic = |options: Options| {
        let text = std::fs::read_to_string(&options.template).unwrap();
        let topic = "Resources:\n  Oncall: {Type: \"AWS::SNS::Topic\", Properties: {TopicName: stagegate-oncall}}\n";
        std::fs::write(&options.template, text.replacen("Resources:\n", topic, 1)).unwrap();
        options
    };
    let notices = Notices::configured(&routes, "QUEUED", with_topic).await;
    let aws = &notices.world.aws;
    notices.break_tests(true);
    let execution = notices.start().await;
    assert_eq!(notices.world.status(&execution).await, "Failed");
    let published = || aws.bus().messages(TOPIC).unwrap_or_default();
    notices.world.until("the message of SNS", || !published().is_empty()).await;
    notices.is_over().await;
    let messages = published();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.subject.as_deref(), Some("web: Unit has failed in Test"));
    let attributes: Value = message.attributes.iter().map(|(name, it)| (name.clone(), json!(it.value))).collect();
    let expected = json!({
        "kind": "failed", "subject": "pipeline", "pipeline": "web", "stage": "Test", "status": "failed",
    });
    assert_eq!(attributes, expected);
    assert!(message.message.contains(&execution), "{}", message.message);
    assert!(notices.world.has_used("DeployNotify", "sns:Publish"));
}
