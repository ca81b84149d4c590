//! What handlers return, and what CodePipeline is told.

use serde_json::{Value, json};

use crate::support::{Answer, CodePipeline, Ended, Expected, Function, JOB, Settings, check, event};

async fn answered(name: &str, parameters: Value, answer: Answer, outcome: &str) {
    let expected = Expected { answers: &[answer], ended: Some(Ended::outcome(outcome)) };
    check(name, &event(&parameters), Settings::ample(), &[], &expected).await;
}

#[tokio::test]
async fn success() {
    let variables = json!({"tests_total": "42", "a@b-c_d": ""});
    let answer = Answer::Success { summary: "42 tests passed".to_owned(), variables: Some(variables.clone()) };
    let parameters = json!({"do": "succeed", "summary": "42 tests passed", "variables": variables});
    answered("success", parameters, answer, "succeeded").await;
    for (name, summary, expected) in
        [("empty summary", "", "succeeded"), ("blank summary", " \n", "succeeded"), ("control", "a\u{0}b", "a b")]
    {
        let parameters = json!({"do": "succeed", "summary": summary});
        answered(name, parameters, Answer::success(expected), "succeeded").await;
    }
}

#[tokio::test]
async fn failure_of_each_kind() {
    for kind in [
        "ConfigurationError",
        "JobFailed",
        "PermissionError",
        "RevisionOutOfSync",
        "RevisionUnavailable",
        "SystemUnavailable",
    ] {
        let parameters = json!({"do": "fail", "kind": kind, "message": format!("{kind} it is")});
        answered(kind, parameters, Answer::failure(kind, &format!("{kind} it is")), "failed").await;
    }
    let parameters = json!({"do": "fail", "kind": "JobFailed", "message": ""});
    answered("no message", parameters, Answer::failure("JobFailed", "without saying why"), "failed").await;
}

#[tokio::test]
async fn failures_of_the_library() {
    for (name, parameters, kind, message) in [
        ("unknown act", json!({"do": "dance"}), "ConfigurationError", "UserParameters: unknown variant `dance`"),
        ("unknown key", json!({"do": "await", "ms": 1, "s": 1}), "ConfigurationError", "unknown field `s`"),
    ] {
        answered(name, parameters, Answer::failure(kind, message), "failed").await;
    }
    for (name, pointer, kind, message) in [
        (
            "no UserParameters",
            "/actionConfiguration/configuration/UserParameters",
            "ConfigurationError",
            "no UserParameters",
        ),
        ("no credentials", "/artifactCredentials", "ConfigurationError", "failed to find artifact credentials"),
    ] {
        let mut event = event(&json!({"do": "needCredentials"}));
        *event.pointer_mut(&format!("/CodePipeline.job/data{pointer}")).unwrap() = Value::Null;
        let expected = Expected { answers: &[Answer::failure(kind, message)], ended: Some(Ended::outcome("failed")) };
        check(name, &event, Settings::ample(), &[], &expected).await;
    }
}

#[tokio::test]
async fn panics() {
    let long = format!("no such report {}", "🎉".repeat(2000));
    for (name, parameters, message) in [
        (
            "message",
            json!({"do": "panic", "message": "index out of bounds"}),
            "the function panicked: index out of bounds",
        ),
        ("long message", json!({"do": "panic", "message": long}), "the function panicked: no such report 🎉"),
        ("static message", json!({"do": "panicBeforeFuture"}), "the function panicked: before the first await"),
        ("no message", json!({"do": "panicWithNumber"}), "the function panicked: without a message"),
    ] {
        answered(name, parameters, Answer::failure("JobFailed", message), "failed").await;
    }
}

#[tokio::test]
async fn texts_and_variables_beyond_the_limits() {
    let summary = "größer 🎉 ";
    answered(
        "summary",
        json!({"do": "succeed", "summary": summary, "repeat": 5000}),
        Answer::success(&format!("{}g…", summary.repeat(146))),
        "succeeded",
    )
    .await;
    let message = "ä".repeat(4000);
    answered(
        "message",
        json!({"do": "fail", "kind": "JobFailed", "message": message}),
        Answer::failure("JobFailed", &format!("{}…", "ä".repeat(2498))),
        "failed",
    )
    .await;
    let variables = json!({"ok": "1", "bad key": "2", "": "3", "ümlaut": "4", "#{x}": "5"});
    answered(
        "bad keys",
        json!({"do": "succeed", "summary": "s", "variables": variables}),
        Answer::Success { summary: "s".to_owned(), variables: Some(json!({"ok": "1"})) },
        "succeeded",
    )
    .await;
    let room = (122_880 - "ok".len() - "1".len() - "large".len()) / 2;
    answered(
        "large variable",
        json!({"do": "succeed", "summary": "s", "variables": {"ok": "1"}, "largeVariable": 400_000}),
        Answer::Success { summary: "s".to_owned(), variables: Some(json!({"ok": "1", "large": "ä".repeat(room)})) },
        "succeeded",
    )
    .await;
}

#[tokio::test]
async fn state_goes_round_by_continuation_tokens() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let settings = Settings::ample();
    let mut function = Function::start(&codepipeline, &settings).await;
    let mut event = event(&json!({"do": "count", "to": 3}));
    for round in 1..=3 {
        function.invoke(&event, settings.time).await;
        assert!(function.ended().await.matches(&Ended::outcome("continued")), "round {round}");
        let request = codepipeline.requests().pop().unwrap();
        assert_eq!(request["executionDetails"]["summary"], format!("round {round}"));
        assert_eq!(request["executionDetails"]["externalExecutionId"], "request-1");
        event["CodePipeline.job"]["data"]["continuationToken"] = request["continuationToken"].clone();
        codepipeline.open_again();
    }
    function.invoke(&event, settings.time).await;
    assert!(function.ended().await.matches(&Ended::outcome("succeeded")));
    let (last, _) = codepipeline.answers().pop().unwrap();
    assert!(last.matches(&Answer::success("3 rounds, grüß Gott")), "{last:?}");

    codepipeline.open_again();
    event["CodePipeline.job"]["data"]["continuationToken"] = json!("cj1:{\"rounds\":\"many\"}");
    function.invoke(&event, settings.time).await;
    assert!(function.ended().await.matches(&Ended::outcome("failed")));
    let (last, _) = codepipeline.answers().pop().unwrap();
    assert!(last.matches(&Answer::failure("JobFailed", "failed to read the continuation token")), "{last:?}");
}

#[tokio::test]
async fn a_second_invocation_for_the_same_event_changes_nothing() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let settings = Settings::ample();
    let mut function = Function::start(&codepipeline, &settings).await;
    for (act, outcome) in [
        (json!({"do": "succeed", "summary": "first"}), "succeeded"),
        (json!({"do": "succeed", "summary": "second"}), "alreadyAnswered"),
        (json!({"do": "fail", "kind": "JobFailed", "message": "third"}), "alreadyAnswered"),
        (json!({"do": "panic", "message": "fourth"}), "alreadyAnswered"),
    ] {
        function.invoke(&event(&act), settings.time).await;
        let ended = function.ended().await;
        assert!(ended.matches(&Ended::outcome(outcome)), "{act}: {ended:?}");
    }
    let answers = codepipeline.answers();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].0.matches(&Answer::success("first")), "{answers:?}");
}
