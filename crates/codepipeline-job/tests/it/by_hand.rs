//! Answers given without a handler.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_codepipeline::config::{Credentials, SharedCredentialsProvider};
use codepipeline_job::{Accepted, Continuation, Delivery, Failure, Lifecycle, PendingAnswer, Success};
use lambda_runtime::Context;
use serde_json::json;

use crate::support::{Answer, CodePipeline, JOB, event};

fn lifecycle(codepipeline: &CodePipeline) -> Lifecycle {
    let url = codepipeline.url.clone();
    Lifecycle::new().sdk_config(move || {
        let credentials = Credentials::new("ASIAFUNCTION", "function-secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&url)
            .build();
        std::future::ready(config)
    })
}

async fn accept(codepipeline: &CodePipeline) -> PendingAnswer {
    let context = Context::default();
    match lifecycle(codepipeline).accept(&event(&json!({})), &context).await.unwrap() {
        Accepted::Open(job, context, pending) => {
            assert_eq!(job.id.as_str(), JOB);
            assert_eq!(context.deadline(), None);
            pending
        }
        Accepted::Settled(report) => panic!("{report:?}"),
    }
}

#[tokio::test]
async fn one_answer() {
    for (what, delivery, answer) in [
        ("succeed", Delivery::Succeeded, Answer::success("fine")),
        ("continue", Delivery::Continued, Answer::Continuation { summary: "in progress".to_owned() }),
        ("fail", Delivery::Failed, Answer::failure("JobFailed", "not fine")),
    ] {
        let codepipeline = CodePipeline::start(JOB, &[]).await;
        let pending = accept(&codepipeline).await;
        let delivered = match what {
            "succeed" => pending.succeed(Success::new("fine").output_variable("a", "b")).await,
            "continue" => pending.continue_later(Continuation::new(&1).unwrap()).await,
            _ => pending.fail(Failure::job_failed("not fine")).await,
        };
        assert_eq!(delivered.unwrap(), delivery);
        let answers = codepipeline.answers();
        assert!(answers.len() == 1 && answers[0].0.matches(&answer), "{what}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_answer_is_a_failure() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    drop(accept(&codepipeline).await);
    let answers = codepipeline.answers();
    let expected = Answer::failure("JobFailed", "the function ended without a result");
    assert!(answers.len() == 1 && answers[0].0.matches(&expected), "{answers:?}");
}

#[tokio::test]
async fn broken_data_are_settled_at_once() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let event = json!({"CodePipeline.job": {"id": JOB, "data": {}}});
    let accepted = lifecycle(&codepipeline).accept(&event, &Context::default()).await.unwrap();
    assert!(matches!(accepted, Accepted::Settled(report) if report.outcome == Delivery::Failed));
    assert_eq!(codepipeline.answers().len(), 1);
}
