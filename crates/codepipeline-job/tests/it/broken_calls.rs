//! Answers that CodePipeline does not take at once, or not at all.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Ended, Expected, Fault, Operation, Settings, check, event};

fn success() -> Value {
    event(&json!({"do": "succeed", "summary": "all green"}))
}

fn failure() -> Value {
    event(&json!({"do": "fail", "kind": "ConfigurationError", "message": "no such gate"}))
}

#[tokio::test]
async fn a_call_is_repeated_while_it_may_help() {
    for faults in [
        vec![Fault::Error(400, "ThrottlingException")],
        vec![Fault::Error(429, "TooManyRequestsException"), Fault::Bare(429)],
        vec![Fault::Error(500, "InternalFailure"), Fault::Bare(500), Fault::Bare(503)],
        vec![Fault::Reset, Fault::Reset],
        vec![Fault::Hang],
    ] {
        let name = format!("{faults:?}");
        let expected = Expected { answers: &[Answer::success("all green")], ended: Some(Ended::outcome("succeeded")) };
        check(&name, &success(), Settings::ample(), &faults, &expected).await;
        let expected = Expected {
            answers: &[Answer::failure("ConfigurationError", "no such gate")],
            ended: Some(Ended::outcome("failed")),
        };
        check(&name, &failure(), Settings::ample(), &faults, &expected).await;
    }
}

#[tokio::test]
async fn an_answer_that_was_taken_is_not_doubled_by_repetition() {
    let expected =
        Expected { answers: &[Answer::success("all green")], ended: Some(Ended::outcome("alreadyAnswered")) };
    check("accepted, then reset", &success(), Settings::ample(), &[Fault::AcceptAndReset], &expected).await;
}

#[tokio::test]
async fn a_refused_success_becomes_a_failure() {
    for (fault, kind, message) in [
        (
            Fault::Error(400, "ValidationException"),
            "JobFailed",
            "ValidationException: as the test wants it): \"all green\"",
        ),
        (Fault::Error(400, "OutputVariablesSizeExceededException"), "JobFailed", "refused the success"),
        (
            Fault::Always(Operation::Success, 400, "AccessDeniedException"),
            "PermissionError",
            "allow codepipeline:PutJobSuccessResult on resource \"*\"",
        ),
        (Fault::Bare(403), "PermissionError", "allow codepipeline:PutJobSuccessResult"),
    ] {
        let expected = Expected { answers: &[Answer::failure(kind, message)], ended: Some(Ended::outcome("failed")) };
        check(&format!("{fault:?}"), &success(), Settings::ample(), &[fault], &expected).await;
    }
}

#[tokio::test]
async fn a_refused_failure_is_repeated_plainly() {
    let expected = Expected {
        answers: &[Answer::failure("ConfigurationError", "CodePipeline refused the message")],
        ended: Some(Ended::outcome("failed")),
    };
    check("failure", &failure(), Settings::ample(), &[Fault::Error(400, "ValidationException")], &expected).await;
    let expected = Expected {
        answers: &[Answer::failure("JobFailed", "CodePipeline refused the message")],
        ended: Some(Ended::outcome("failed")),
    };
    let faults = [Fault::Error(400, "ValidationException"), Fault::Error(400, "ValidationException")];
    check("success, failure", &success(), Settings::ample(), &faults, &expected).await;
}

#[tokio::test]
async fn without_an_answer_the_invocation_fails() {
    let denied = |operation| Fault::Always(operation, 400, "AccessDeniedException");
    let both = [denied(Operation::Success), denied(Operation::Failure)];
    for (name, event, faults, message) in [
        ("both denied", success(), both.as_slice(), "may not call codepipeline:PutJobSuccessResult"),
        ("failure denied", failure(), &both[1..], "may not call codepipeline:PutJobFailureResult"),
    ] {
        let expected = Expected { answers: &[], ended: Some(Ended::Error(message.to_owned())) };
        check(name, &event, Settings::ample(), faults, &expected).await;
    }
    let mut another = success();
    another["CodePipeline.job"]["id"] = json!("99999999-2222-4333-8444-555555555555");
    let expected = Expected { answers: &[], ended: Some(Ended::Error("JobNotFoundException".to_owned())) };
    check("another job", &another, Settings::ample(), &[], &expected).await;
}

#[tokio::test]
async fn codepipeline_that_stays_away_ends_the_invocation_in_time() {
    let settings = Settings { time: Duration::from_secs(3), ..Settings::ample() };
    for fault in
        [Fault::Down, Fault::Always(Operation::Failure, 500, "InternalFailure"), Fault::AlwaysHang(Operation::Failure)]
    {
        let expected = Expected { answers: &[], ended: Some(Ended::Error("CodePipelineJob.NotAnswered".to_owned())) };
        check(&format!("{fault:?}"), &failure(), settings.clone(), &[fault], &expected).await;
    }
}
