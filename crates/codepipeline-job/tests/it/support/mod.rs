//! What the tests stand on: a Lambda Runtime API, a CodePipeline endpoint, and the function's process.

mod codepipeline;
mod lambda;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use codepipeline::{Answer, CodePipeline, Fault, Operation};
pub(crate) use lambda::{Ended, Function, Settings};

pub(crate) const JOB: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI-SECRET";
pub(crate) const TOKEN: &str = "FwoGZXIvYXdz-SESSION";

/// A job event as CodePipeline sends it, with these UserParameters.
pub(crate) fn event(parameters: &Value) -> Value {
    json!({"CodePipeline.job": {
        "id": JOB,
        "accountId": "111122223333",
        "data": {
            "actionConfiguration": {"configuration": {
                "FunctionName": "gate", "UserParameters": parameters.to_string(),
            }},
            "inputArtifacts": [{
                "name": "Source", "revision": null,
                "location": {"type": "S3", "s3Location": {"bucketName": "artifacts", "objectKey": "web/Source/TdOSFRV"}},
            }],
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": "ASIAEXAMPLEKEYID", "secretAccessKey": SECRET, "sessionToken": TOKEN,
                "expirationTime": 1_795_000_000_000_u64,
            },
        },
    }})
}

/// What must become of one invocation.
pub(crate) struct Expected<'text> {
    /// The answers that CodePipeline accepts, in their order.
    pub(crate) answers: &'text [Answer],
    /// How the invocation ends; none when the process may be killed first.
    pub(crate) ended: Option<Ended>,
}

/// Long enough never to matter.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// Sends one event to a function of its own, and checks what CodePipeline and AWS Lambda were told. Gives the answers that
/// CodePipeline has accepted.
pub(crate) async fn check(
    name: &str,
    event: &Value,
    settings: Settings,
    faults: &[Fault],
    expected: &Expected<'_>,
) -> Vec<Answer> {
    let codepipeline = CodePipeline::start(JOB, faults).await;
    let mut function = Function::start(&codepipeline, &settings).await;
    let deadline = function.invoke(event, settings.time).await;
    if let Some(ended) = &expected.ended {
        let found = function.ended().await;
        assert!(found.matches(ended), "{name}: the invocation ended with {found:?}, not {ended:?}");
        // The last moments are short; a busy machine may take longer for them.
        assert!(Instant::now() < deadline + Duration::from_secs(1), "{name}: the invocation ended after its deadline");
    } else {
        codepipeline.wait_for_answer(settings.time).await;
    }
    let answers = codepipeline.answers();
    assert_eq!(answers.len(), expected.answers.len(), "{name}: CodePipeline accepted {answers:?}");
    for ((answer, at), expected) in answers.iter().zip(expected.answers) {
        assert!(answer.matches(expected), "{name}: CodePipeline accepted {answer:?}, not {expected:?}");
        assert!(*at < deadline, "{name}: answered after the deadline");
    }
    let output = function.stop().await;
    for secret in [SECRET, TOKEN] {
        assert!(!output.contains(secret), "{name}: a secret in the output: {output}");
    }
    answers.into_iter().map(|(answer, _)| answer).collect()
}
