//! 10,000 events of 500 executions through one process of `deploy-notify`: its memory as it goes on, and the time for an event
//! beside that of a bare function that answers with its event.
//!
//! `cargo bench -p deploy-notify --bench many_events`; with `--profile measure` it is built in a fraction of the time. Each
//! event is read from and written to a local S3, and most change a message in a local Slack; both run in the process that
//! measures.
//!
//! Both functions are run once more without trace ids. `lambda_runtime` puts the id of each invocation into the environment,
//! and glibc keeps every value that was ever there, so that the memory of any function grows by it, until `deploy-notify`
//! starts its program anew; the bare function never does.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{FunctionCommand, FunctionConfig, HostOptions, InvocationType, LambdaHost};
use stagegate_local_slack::{Channel, Slack};

const EXECUTIONS: usize = 500;
/// The channel of `infra/config/stagegate.yaml`.
const CHANNEL: &str = "C0123456789";
/// After so many events the memory is looked at.
const EACH: usize = 1000;

#[tokio::main]
async fn main() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_deploy-notify"));
    let echo = build_echo(&program);
    let data = tempfile::tempdir().expect("a folder");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let channels = vec![Channel::new(CHANNEL, "releases")];
    let slack = Slack::start(stagegate_local_slack::Options { channels, ..Default::default() }).await.expect("a Slack");
    let environment = BTreeMap::from([
        ("STAGEGATE_SLACK_URL".to_owned(), slack.api_url()),
        ("AWS_ENDPOINT_URL_CODEPIPELINE".to_owned(), codepipeline().await),
    ]);
    let folder = program.parent().expect("a program lies in a folder").to_owned();
    let options = Options { environment, ..Options::new(data.path(), template, Bootstraps::Partial(folder)) };
    let aws = LocalAws::start(options).await.expect("start");
    let token = json!({"Name": "/stagegate/slack/bot-token", "Value": slack.bot_token(), "Type": "SecureString"});
    aws.ssm().call("PutParameter", &token).expect("a parameter");

    let config = aws.lambda().function("stagegate-deploy-notify").expect("the template has it");
    let mut bare =
        FunctionConfig::new("echo", "arn:aws:lambda:us-east-1:111122223333:function:echo", FunctionCommand::new(echo));
    bare.environment.clone_from(&config.environment);
    bare.memory_mb = config.memory_mb;

    let events = |first: usize| (first..first + EXECUTIONS).flat_map(execution).collect::<Vec<_>>();
    let (bare_untraced, bare) = (run(&bare, &events(0), false).await, run(&bare, &events(0), true).await);
    let notify = run(&config, &events(0), true).await;
    let untraced = run(&config, &events(EXECUTIONS), false).await;
    let posts = slack.look(|state| state.messages(CHANNEL).len());
    assert_eq!(posts, 2 * EXECUTIONS, "each execution has one message");
    report(&notify, &bare);
    println!("| peak memory grows with {EACH} events of the second half by, KB | deploy-notify | bare function |");
    println!("|---|---|---|");
    println!("| with trace ids | {:.0} | {:.0} |", growth(&notify), growth(&bare));
    println!("| without | {:.0} | {:.0} |", growth(&untraced), growth(&bare_untraced));
}

fn report(notify: &[(f64, Duration)], bare: &[(f64, Duration)]) {
    println!("| events | peak memory, MB | time for an event, ms |\n|---|---|---|");
    for (number, (memory, time)) in notify.iter().enumerate() {
        println!("| {} | {memory:.1} | {:.2} |", (number + 1) * EACH, ms(*time));
    }
    let (first, last) = (notify.first().expect("a part"), notify.last().expect("a part"));
    let (bare, mean) = (bare.last().expect("a part").1, mean(notify));
    println!("peak memory after {} events / after {EACH} = {:.3}", notify.len() * EACH, last.0 / first.0);
    println!(
        "bare function: {:.2} ms for an event; deploy-notify / bare = {:.1}",
        ms(bare),
        mean.as_secs_f64() / bare.as_secs_f64()
    );
}

/// By how many KB the peak memory grows with each part of the second half: by then there is as much in the documents of the
/// pipeline as there will ever be.
fn growth(parts: &[(f64, Duration)]) -> f64 {
    let half = parts.get((parts.len() / 2).saturating_sub(1)..).unwrap_or_default();
    let (Some((first, _)), Some((last, _))) = (half.first(), half.last()) else { return f64::NAN };
    let parts = u32::try_from(half.len().saturating_sub(1)).unwrap_or(u32::MAX);
    (last - first) * 1024.0 / f64::from(parts)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn mean(parts: &[(f64, Duration)]) -> Duration {
    let sum: Duration = parts.iter().map(|(_, time)| *time).sum();
    sum / u32::try_from(parts.len()).unwrap_or(1).max(1)
}

/// Hands events to one process, one after the other. Gives the peak memory in MB and the time for an event of each part.
async fn run(config: &FunctionConfig, events: &[Value], traces: bool) -> Vec<(f64, Duration)> {
    let host = LambdaHost::new(Clock::system(), HostOptions { traces, ..HostOptions::default() });
    host.update_function(config.clone()).expect("a function");
    let mut parts = Vec::new();
    for part in events.chunks(EACH) {
        let started = Instant::now();
        let mut memory = 0;
        for event in part {
            let invoked = host.invoke(&config.name, event.to_string(), InvocationType::RequestResponse).await;
            let result = invoked.expect("it is invoked");
            assert!(result.function_error.is_none(), "{:?} {}", result.function_error, result.log_tail);
            memory = result.metrics.and_then(|metrics| metrics.max_memory_kb).unwrap_or_default().max(memory);
        }
        let each = started.elapsed() / u32::try_from(part.len()).unwrap_or(1).max(1);
        parts.push((f64::from(u32::try_from(memory).unwrap_or(u32::MAX)) / 1024.0, each));
    }
    host.shutdown().await;
    parts
}

/// The twenty events of an execution with three stages of two actions each.
fn execution(number: usize) -> Vec<Value> {
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    // Of today, since an execution in which nothing has gone on for an hour counts as stuck.
    let begun = Timestamp::now();
    let mut second = 0;
    let mut event = |kind: &str, state: &str, more: Value| {
        second += 1;
        let mut detail = json!({
            "pipeline": "web", "execution-id": id, "start-time": begun.to_string(), "state": state,
            "version": 3.0, "pipeline-execution-attempt": 1.0,
        });
        detail.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({
            "version": "0", "id": format!("{number}-{second}"), "account": "111122223333", "region": "eu-west-1",
            "source": "aws.codepipeline", "time": (begun + SignedDuration::from_secs(second)).to_string(), "resources": [],
            "detail-type": format!("CodePipeline {kind} Execution State Change"), "detail": detail,
        })
    };
    let trigger = json!({"execution-trigger": {"trigger-type": "StartPipelineExecution", "trigger-detail": "mary"}});
    let mut events = vec![event("Pipeline", "STARTED", trigger)];
    for stage in ["Build", "Staging", "Production"] {
        events.push(event("Stage", "STARTED", json!({"stage": stage})));
        for action in ["First", "Second"] {
            let of = json!({
                "stage": stage, "action": action, "action-execution-id": format!("{id}-{stage}-{action}"),
                "type": {"owner": "AWS", "provider": "CodeBuild", "category": "Build", "version": "1"},
            });
            events.push(event("Action", "STARTED", of.clone()));
            events.push(event("Action", "SUCCEEDED", of));
        }
        events.push(event("Stage", "SUCCEEDED", json!({"stage": stage})));
    }
    events.push(event("Pipeline", "SUCCEEDED", json!({})));
    events
}

/// A CodePipeline in which every execution runs, and which says nothing of its actions.
async fn codepipeline() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its number");
    let answer = |headers: axum::http::HeaderMap, body: String| async move {
        let asked: Value = serde_json::from_str(&body).unwrap_or_default();
        let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let stages = ["Build", "Staging", "Production"].map(|name| json!({"name": name, "actions": []}));
        let answer = match operation.rsplit('.').next() {
            Some("GetPipelineExecution") => json!({"pipelineExecution": {
                "pipelineName": "web", "pipelineVersion": 3, "status": "InProgress",
                "pipelineExecutionId": asked["pipelineExecutionId"],
            }}),
            Some("GetPipeline") => json!({"pipeline": {
                "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline",
                "stages": stages,
            }}),
            Some("ListPipelineExecutions") => json!({"pipelineExecutionSummaries": []}),
            _ => json!({"actionExecutionDetails": []}),
        };
        ([("content-type", "application/x-amz-json-1.1")], answer.to_string())
    };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Builds the bare function with the profile of the measured one.
fn build_echo(program: &Path) -> PathBuf {
    let folder = program.parent().expect("a program lies in a folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The folder has the name of the profile, but for one.
    let profile = folder.file_name().and_then(OsStr::to_str).expect("a name").replace("debug", "dev");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "stagegate-local-lambda", "--example", "echo", "--profile", &profile]);
    assert!(build.status().expect("cargo starts").success(), "the bare function is built");
    folder.join("examples").join("echo")
}
