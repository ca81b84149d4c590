//! What each way to end leads to.

use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{FunctionConfig, InvocationType, LogFormat, LogSource};

use crate::function::START_MODE;
use crate::support::{config, host_with, invoke, json};

/// A mode and what the caller sees.
struct Case {
    name: &'static str,
    change: fn(&mut FunctionConfig),
    event: Value,
    /// Error type and a part of the message; `None` for a success. The type is empty where `lambda_runtime` takes it
    /// from the compiler.
    error: Option<(&'static str, &'static str)>,
    /// A part of the REPORT line.
    report: &'static str,
    /// Whether the same process serves the next invocation.
    survives: bool,
}

async fn check(case: Case) {
    let (host, recorder) = host_with(Clock::system());
    let mut config = config("web");
    (case.change)(&mut config);
    host.create_function(config).unwrap();

    let result = invoke(&host, "web", case.event).await;
    let seen = result.function_error.as_ref().map(|error| (error.error_type.as_str(), error.message.as_str()));
    match (seen, case.error) {
        (None, None) => {}
        (Some((error_type, message)), Some((expected_type, expected_message))) => {
            assert!(expected_type.is_empty() || error_type == expected_type, "{}: {error_type}", case.name);
            assert!(message.contains(expected_message), "{}: {message}", case.name);
            assert_eq!(json(&result)["errorType"], error_type, "{}", case.name);
            assert_eq!(json(&result)["errorMessage"], message, "{}", case.name);
        }
        (seen, _) => panic!("{}: {seen:?}\n{}", case.name, result.log_tail),
    }
    let reports = recorder.platform_lines("REPORT");
    assert_eq!(reports.len(), 1, "{}", case.name);
    assert!(reports[0].contains(case.report), "{}: {}", case.name, reports[0]);
    for line in ["START", "END", "REPORT"] {
        let line = format!("{line} RequestId: {}", result.request_id);
        assert!(result.log_tail.contains(&line), "{}: {}", case.name, result.log_tail);
    }

    if !case.error.is_some_and(|(_, message)| message.contains("at start")) && !case.name.contains("start") {
        let next = invoke(&host, "web", json!({"mode": "echo"})).await;
        assert_eq!(next.function_error, None, "{}", case.name);
        assert_eq!(next.metrics.unwrap().init.is_none(), case.survives, "{}", case.name);
    }
    host.shutdown().await;
}

const KILLED: &str = "Error: Runtime exited with error: signal: killed";

const SAME: fn(&mut FunctionConfig) = |_| {};
const QUICK: fn(&mut FunctionConfig) = |config| config.timeout = Duration::from_millis(1500);

fn case(
    name: &'static str,
    change: fn(&mut FunctionConfig),
    event: Value,
    error: Option<(&'static str, &'static str)>,
    report: &'static str,
    survives: bool,
) -> Case {
    Case { name, change, event, error, report, survives }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_has_its_result() {
    for case in [
        case("echo", SAME, json!({"mode": "echo"}), None, "Init Duration", true),
        case("error", SAME, json!({"mode": "error"}), Some(("", "the handler says no")), "Duration", true),
        case("panic", SAME, json!({"mode": "panic"}), Some(("", "the handler panics")), "Duration", true),
        case("sleep a little", SAME, json!({"mode": "sleep", "ms": 5}), None, "Duration", true),
        case(
            "answer too large",
            SAME,
            json!({"mode": "large", "bytes": 7_000_000}),
            Some(("Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size (6291556 bytes)")),
            "Duration",
            true,
        ),
        case("answer of 6 MB", SAME, json!({"mode": "large", "bytes": 6_291_456}), None, "Duration", true),
    ] {
        check(case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_of_the_process_has_its_result() {
    for case in [
        case(
            "exit 1",
            SAME,
            json!({"mode": "exit", "code": 1}),
            Some(("Runtime.ExitError", "Error: Runtime exited with error: exit status 1")),
            "Status: error\tError Type: Runtime.ExitError",
            false,
        ),
        case(
            "exit 0",
            SAME,
            json!({"mode": "exit", "code": 0}),
            Some(("Runtime.ExitError", "Error: Runtime exited without providing a reason")),
            "Status: error",
            false,
        ),
        case(
            "abort",
            SAME,
            json!({"mode": "abort"}),
            Some(("Runtime.ExitError", "Error: Runtime exited with error: signal: aborted")),
            "Status: error",
            false,
        ),
    ] {
        check(case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lateness_and_failed_start_has_its_result() {
    for case in [
        case(
            "sleep too long",
            QUICK,
            json!({"mode": "sleep", "ms": 600_000}),
            Some(("Sandbox.Timedout", "Error: Task timed out after 1.50 seconds")),
            "Status: timeout",
            false,
        ),
        case(
            "block the thread",
            QUICK,
            json!({"mode": "block"}),
            Some(("Sandbox.Timedout", "Error: Task timed out after 1.50 seconds")),
            "Status: timeout",
            false,
        ),
        case(
            "exit at start",
            |config| drop(config.environment.insert(START_MODE.into(), "exit".into())),
            json!({}),
            Some(("Runtime.ExitError", "exit status 7")),
            "Status: error",
            false,
        ),
        case(
            "panic at start",
            |config| drop(config.environment.insert(START_MODE.into(), "panic".into())),
            json!({}),
            Some(("Runtime.ExitError", "exit status 101")),
            "Status: error",
            false,
        ),
    ] {
        check(case).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn memory_over_the_limit_kills() {
    check(Case {
        name: "allocate too much",
        change: |_| {},
        event: json!({"mode": "allocate", "mb": 200, "ms": 600_000}),
        error: Some(("Runtime.OutOfMemory", KILLED)),
        report: "Error Type: Runtime.OutOfMemory",
        survives: false,
    })
    .await;
    // An answer given while the process was over its limit does not count either.
    check(Case {
        name: "allocate too much for a moment",
        change: |_| {},
        event: json!({"mode": "allocate", "mb": 200, "ms": 0}),
        error: Some(("Runtime.OutOfMemory", KILLED)),
        report: "Error Type: Runtime.OutOfMemory",
        survives: false,
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn peak_memory_is_measured() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let peak = |result: stagegate_local_lambda::InvokeResult| result.metrics.unwrap().max_memory_kb.unwrap();
    let small = peak(invoke(&host, "web", json!({})).await);
    let large = peak(invoke(&host, "web", json!({"mode": "allocate", "mb": 40, "ms": 0})).await);
    assert!(large >= small + 39 * 1024, "{small} kB, then {large} kB");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_is_tried_once_more_within_the_time() {
    let (host, recorder) = host_with(Clock::system());
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("started");
    let mut config = config("web");
    config.environment.insert(START_MODE.into(), "exit-once".into());
    config.environment.insert("TEST_MARKER".into(), marker.to_str().unwrap().into());
    host.create_function(config.clone()).unwrap();
    let result = invoke(&host, "web", json!({"a": 1})).await;
    std::fs::remove_file(&marker).unwrap();
    assert_eq!(json(&result), json!({"a": 1}));

    // The second start takes 0.7 seconds of the time that the invocation has.
    config.timeout = Duration::from_millis(1500);
    host.update_function(config).unwrap();
    let late = invoke(&host, "web", json!({"mode": "sleep", "ms": 1100})).await;
    std::fs::remove_file(&marker).unwrap();
    assert_eq!(late.function_error.unwrap().error_type, "Sandbox.Timedout");
    assert!(late.metrics.unwrap().duration >= Duration::from_millis(1500));

    let reports = recorder.platform_lines("INIT_REPORT");
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].ends_with("Phase: init\tStatus: error\tError Type: Runtime.ExitError"), "{reports:?}");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_of_any_kind_reaches_the_log() {
    let (host, recorder) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let result = invoke(&host, "web", json!({"mode": "garbage", "bytes": 600_000})).await;
    assert_eq!(json(&result), "printed");
    assert!(result.log_tail.contains("the last line, without an end"), "{}", result.log_tail);
    assert!(result.log_tail.len() <= 4096);
    let lines = recorder.lines.lock().unwrap().clone();
    let id = Some(result.request_id);
    let mut of_request = lines.iter().filter(|(source, request, _)| *source == LogSource::Stdout && *request == id);
    assert!(of_request.any(|(.., line)| line == "\u{fffd}\u{fffd} broken \u{fffd}"));
    let longest: usize = lines.iter().map(|(.., line)| line.matches('x').count()).filter(|count| *count > 100).sum();
    assert_eq!(longest, 600_000);
    assert!(lines.iter().all(|(.., line)| line.len() <= 256 * 1024));
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_that_of_lambda_and_nothing_else() {
    let (host, _) = host_with(Clock::system());
    let mut config = config("web");
    config.environment.insert("OWN".into(), "value".into());
    config.logging.format = LogFormat::Json;
    config.logging.log_group = Some("/gates".into());
    host.create_function(config).unwrap();
    let event = json!({"mode": "describe"}).to_string();
    let context = Some(json!({"custom": {"k": "v"}}).to_string());
    let before = jiff::Timestamp::now().as_millisecond();
    let result = host.invoke_with_context("web", event, InvocationType::RequestResponse, context).await.unwrap();
    let seen = json(&result);
    let names: Vec<&str> = seen["names"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let expected = "AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_MEMORY_SIZE \
                    AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE \
                    AWS_LAMBDA_LOG_FORMAT AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_LEVEL AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION \
                    AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT LANG OWN PATH TZ \
                    _HANDLER";
    // `lambda_runtime` sets the trace id for each invocation.
    let names: Vec<&str> = names.into_iter().filter(|name| *name != "_X_AMZN_TRACE_ID").collect();
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    for (name, value) in [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "web"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/gates"),
        ("TZ", ":UTC"),
        ("OWN", "value"),
    ] {
        assert_eq!(seen["variables"][name], value, "{name}");
    }
    assert_eq!(seen["request_id"], result.request_id);
    assert_eq!(seen["arn"], "arn:aws:lambda:eu-west-1:111122223333:function:web");
    assert!(seen["trace"].as_str().unwrap().starts_with("Root=1-"), "{}", seen["trace"]);
    assert_eq!(seen["client"]["custom"]["k"], "v");
    let left = seen["deadline"].as_i64().unwrap() - before;
    assert!((30_000..60_000).contains(&left), "{left} ms are left of 30 s");
    host.shutdown().await;
}
