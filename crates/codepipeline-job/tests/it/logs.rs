//! What the function writes about a job.

use serde_json::{Value, json};

use crate::support::{CodePipeline, Function, JOB, SECRET, Settings, TOKEN, event};

#[tokio::test]
async fn a_job_is_logged_at_its_start_and_its_answer_and_never_with_its_secrets() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let settings = Settings {
        environment: vec![
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()),
            ("RUST_LOG", "trace,lambda_runtime=trace,aws_smithy_runtime=trace,hyper=trace".to_owned()),
        ],
        ..Settings::ample()
    };
    let mut function = Function::start(&codepipeline, &settings).await;
    let event = event(&json!({"do": "fail", "kind": "ConfigurationError", "message": "no such gate"}));
    function.invoke(&event, settings.time).await;
    function.ended().await;
    let output = function.stop().await;
    for secret in [SECRET, TOKEN, "ASIAEXAMPLEKEYID", "function-secret"] {
        assert!(!output.contains(secret), "{output}");
    }
    let lines: Vec<Value> = output
        .lines()
        // The test harness begins the first line.
        .filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok())
        .collect();
    let line = |message: &str| {
        lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("no {message:?} in {output}"))
    };
    let started = line("job started");
    assert_eq!(started["job_id"], JOB);
    assert_eq!(started["request_id"], "request-1");
    assert_eq!(started["level"], "INFO");
    let answered = line("job answered");
    assert_eq!(answered["job_id"], JOB);
    assert_eq!(answered["outcome"], "failed");
    assert_eq!(answered["kind"], "ConfigurationError");
    assert_eq!(answered["answer"], "no such gate");
    assert!(answered["duration_ms"].is_u64(), "{answered}");
    assert!(lines.iter().all(|line| line["level"] != "TRACE"), "{output}");
}
