//! Environments are reused and bounded, and nothing of them is left behind.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{
    DiscardLogs, HostOptions, InvocationType, InvokeError, LambdaHost, WarnAboutDestinations, measure_cold_start,
};

use crate::function::START_MODE;
use crate::support::{config, eventually, host_with, invoke, is_alive, json};

async fn pid(host: &LambdaHost) -> u64 {
    json(&invoke(host, "web", json!({"mode": "describe"})).await)["pid"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_environment_is_used_again() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let first = pid(&host).await;
    assert_eq!(pid(&host).await, first);
    host.update_function(config("web")).unwrap();
    assert_ne!(pid(&host).await, first, "a replaced function starts anew");
    eventually("the old process is gone", || !is_alive(first)).await;
    // A process that died while it was idle is not used.
    let second = pid(&host).await;
    assert!(Command::new("kill").args(["-9", &second.to_string()]).status().unwrap().success());
    eventually("the process is gone", || !is_alive(second)).await;
    assert_ne!(pid(&host).await, second);
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_end_by_itself_is_ended() {
    let (host, _) = host_with(Clock::system());
    let mut lingering = config("web");
    lingering.environment.insert(START_MODE.into(), "linger".into());
    host.create_function(lingering).unwrap();
    let pids = parent_and_child(&host).await;
    host.update_function(config("web")).unwrap();
    for pid in pids {
        eventually("the replaced processes are gone", || !is_alive(pid)).await;
    }
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_scale_out_up_to_the_limit() {
    let (host, recorder) = host_with(Clock::system());
    let mut two_at_a_time = config("web");
    two_at_a_time.max_concurrency = 2;
    host.create_function(two_at_a_time).unwrap();
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let host = host.clone();
            tokio::spawn(async move { invoke(&host, "web", json!({"mode": "sleep", "ms": 3000})).await })
        })
        .collect();
    eventually("both are under way", || recorder.platform_lines("START").len() == 2).await;
    let throttled = host.invoke("web", "{}", InvocationType::RequestResponse).await.unwrap_err();
    assert!(matches!(throttled, InvokeError::TooManyRequests { limit: 2, .. }), "{throttled}");
    assert_eq!((throttled.code(), throttled.status()), ("TooManyRequestsException", 429));
    for result in busy {
        assert_eq!(result.await.unwrap().function_error, None);
    }
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_goes_on_when_its_caller_goes_away() {
    let finished = Arc::new(AtomicU32::new(0));
    let observer = {
        let finished = Arc::clone(&finished);
        Arc::new(move |attempt: &stagegate_local_lambda::FinishedAttempt<'_>| {
            assert_eq!((attempt.function, attempt.attempt), ("web", 1));
            finished.fetch_add(1, Ordering::SeqCst);
        })
    };
    let options = HostOptions {
        logs: Arc::new(DiscardLogs),
        destinations: Arc::new(WarnAboutDestinations),
        observer: Some(observer),
        ..HostOptions::default()
    };
    let host = LambdaHost::new(Clock::system(), options);
    host.create_function(config("web")).unwrap();
    let event = json!({"mode": "sleep", "ms": 300}).to_string();
    let call = host.invoke("web", event, InvocationType::RequestResponse);
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    eventually("the invocation has finished", || finished.load(Ordering::SeqCst) == 1).await;
    host.shutdown().await;
}

/// A function that has started a process of its own; both numbers.
async fn parent_and_child(host: &LambdaHost) -> [u64; 2] {
    let pids = json(&invoke(host, "web", json!({"mode": "child"})).await);
    let pids = ["pid", "child"].map(|key| pids[key].as_u64().unwrap());
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    pids
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_idle_and_busy_environments() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let idle = parent_and_child(&host).await;
    let busy = tokio::spawn({
        let host = host.clone();
        async move { host.invoke("web", r#"{"mode": "block"}"#, InvocationType::RequestResponse).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.shutdown().await;
    assert!(matches!(busy.await.unwrap(), Err(InvokeError::ShuttingDown { .. })));
    for pid in idle {
        eventually("the processes are gone", || !is_alive(pid)).await;
    }
    assert!(matches!(
        host.invoke("web", "{}", InvocationType::RequestResponse).await,
        Err(InvokeError::ShuttingDown { .. })
    ));
    assert!(host.create_function(config("other")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_handle_ends_everything() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let pids = parent_and_child(&host).await;
    let other = host.clone();
    drop(host);
    assert!(is_alive(pids[0]), "there is another handle");
    drop(other);
    for pid in pids {
        eventually("the processes are gone", || !is_alive(pid)).await;
    }
}

#[test]
fn dropping_the_async_runtime_ends_everything() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (host, pids) = runtime.block_on(async {
        let (host, _) = host_with(Clock::system());
        host.create_function(config("web")).unwrap();
        let pids = parent_and_child(&host).await;
        (host, pids)
    });
    drop(runtime);
    drop(host);
    let started = Instant::now();
    while pids.iter().any(|pid| is_alive(*pid)) {
        assert!(started.elapsed() < Duration::from_secs(30), "{pids:?} are left");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const HOST_PROCESS: &str = "lifecycle::host_process";
const BE_HOST: &str = "TEST_BE_HOST";

/// Not a test but the host that the next test kills: it tells the processes of its function and waits.
#[test]
fn host_process() {
    if std::env::var_os(BE_HOST).is_none() {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (host, _) = host_with(Clock::system());
        host.create_function(config("web")).unwrap();
        let [pid, child] = parent_and_child(&host).await;
        let blocked = host.clone();
        tokio::spawn(
            async move { blocked.invoke("web", r#"{"mode": "block"}"#, InvocationType::RequestResponse).await },
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
        println!("\n{}", json!({"pids": [pid, child]}));
        tokio::time::sleep(Duration::from_secs(600)).await;
    });
}

#[test]
fn killing_the_host_ends_functions_that_block() {
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", HOST_PROCESS, "--nocapture"])
        .env(BE_HOST, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let told: Value = lines.map_while(Result::ok).find_map(|line| serde_json::from_str(&line).ok()).unwrap();
    let pids: Vec<u64> = told["pids"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(*pid)));
    host.kill().unwrap();
    host.wait().unwrap();
    let started = Instant::now();
    while pids.iter().any(|pid| is_alive(*pid)) {
        assert!(started.elapsed() < Duration::from_secs(30), "{pids:?} are left");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_named() {
    let (host, _) = host_with(Clock::system());
    let mut absent = config("web");
    absent.command.program = "/no/such/bootstrap".into();
    absent.command.task_root = Some("/".into());
    host.create_function(absent).unwrap();
    let error = host.invoke("web", "{}", InvocationType::RequestResponse).await.unwrap_err();
    assert!(error.to_string().contains("program /no/such/bootstrap: No such file"), "{error}");
    assert_eq!(error.status(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn cold_starts_are_measured() {
    let stats = measure_cold_start(&config("web"), |_| "{}".to_owned(), 3).await.unwrap();
    assert_eq!((stats.total.len(), stats.init.len()), (3, 3));
    assert!(stats.min() <= stats.median() && stats.median() <= stats.p90());
    assert!(stats.init[0] > Duration::ZERO && stats.init[0] <= stats.total[2]);
    let error = measure_cold_start(&config("web"), |_| r#"{"mode": "error"}"#.to_owned(), 1).await.unwrap_err();
    assert!(error.to_string().contains("the handler says no"), "{error}");
}
