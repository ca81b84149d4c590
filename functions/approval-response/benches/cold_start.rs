//! The cold start of `approval-response` to the acknowledged click, beside that of a Python function that does the same with
//! boto3 and urllib: read the signing secret from SSM, verify the request, read the approval from S3, ask Slack who the
//! person is, open the modal, acknowledge. Both run in the local Lambda, against the same local AWS and the same Slack.
//!
//! `cargo bench -p approval-response --bench cold_start`; the last line is the ratio of the medians. The Python function
//! needs a `python3` with boto3, or the one that `STAGEGATE_BENCH_PYTHON` names; without it, only ours is measured, and
//! that is said. The two are measured in turns, so that whatever else the machine does slows both down.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_approval::{
    Approval, Delivery, Installation, NoticeState, Place, Release, Request, SlackMessage, Terms, Token,
};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_local_lambda::{ColdStartStats, FunctionCommand, FunctionConfig, measure_cold_start};
use stagegate_slack::SigningSecret;
use stagegate_slack::signature::sign;

const TURNS: usize = 5;
const RUNS_IN_A_TURN: usize = 5;
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

#[tokio::main]
async fn main() {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_approval-response"));
    let data = tempfile::tempdir().expect("a folder");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let folder = ours.parent().expect("a program lies in a folder").to_owned();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let modals = Arc::new(AtomicUsize::new(0));
    let aws = LocalAws::start(Options {
        parameters: [("SlackAppId", "A0001"), ("SlackTeamId", "T0001")].map(owned).into(),
        environment: BTreeMap::from([owned(("STAGEGATE_SLACK_URL", &slack(&modals).await))]),
        ..Options::new(data.path(), template, Bootstraps::Partial(folder))
    });
    let aws = aws.await.expect("start");
    for (name, value) in [("signing-secret", SECRET), ("bot-token", "xoxb-local")] {
        let parameter = json!({"Name": format!("/stagegate/slack/{name}"), "Value": value, "Type": "SecureString"});
        aws.ssm().call("PutParameter", &parameter).expect("a parameter");
    }
    let approval = approval();
    let bucket = aws.bucket("State").expect("the template has it").to_owned();
    let stored = json!({"kind": "approval", "version": 1, "write": "0", "document": approval});
    aws.s3()
        .put(&bucket, &format!("approvals/{}.json", approval.id), stored.to_string().into_bytes())
        .await
        .expect("put");

    let config = aws.lambda().function("stagegate-approval-response").expect("the template has it");
    let python = python().map(|python| stand_in(&config, &python));
    let (mut our_stats, mut their_stats) = (ColdStartStats::default(), ColdStartStats::default());
    for _ in 0..TURNS {
        our_stats.add(measure(&config, &approval, &modals).await);
        if let Some(python) = &python {
            their_stats.add(measure(python, &approval, &modals).await);
        }
    }
    print("approval-response", &our_stats);
    if python.is_none() {
        println!(
            "skipped: there is no python3 with boto3 here, so that there is nothing to compare with (STAGEGATE_BENCH_PYTHON)"
        );
        return;
    }
    print("python, boto3", &their_stats);
    println!(
        "cold start to the acknowledged click, approval-response / python = {:.3}",
        our_stats.median().as_secs_f64() / their_stats.median().as_secs_f64()
    );
}

async fn measure(config: &FunctionConfig, approval: &Approval, modals: &AtomicUsize) -> ColdStartStats {
    let before = modals.load(Ordering::SeqCst);
    // A signature holds for five minutes.
    let event = click(approval).to_string();
    let stats = measure_cold_start(config, |_| event.clone(), RUNS_IN_A_TURN)
        .await
        .expect("the function acknowledges the click");
    let opened = modals.load(Ordering::SeqCst) - before;
    // One start more than are counted fills the file cache.
    assert_eq!(opened, RUNS_IN_A_TURN + 1, "a click was refused, so that its time says nothing");
    stats
}

fn print(name: &str, stats: &ColdStartStats) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let (min, median, p90) = (ms(stats.min()), ms(stats.median()), ms(stats.p90()));
    let megabytes = |kb: u64| f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1024.0;
    let memory = stats.max_memory_kb.map(|kb| format!(", peak memory {:.1} MB", megabytes(kb)));
    println!("{name:17} min {min:.2} ms, median {median:.2} ms, p90 {p90:.2} ms{}", memory.unwrap_or_default());
}

/// A python3 that has boto3.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("STAGEGATE_BENCH_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    // The local Lambda starts a program by its whole path.
    let found = Command::new(&python).args(["-c", "import boto3, sys; print(sys.executable)"]).output().ok()?;
    found.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()))
}

/// The same function, played by Python.
fn stand_in(config: &FunctionConfig, python: &Path) -> FunctionConfig {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/approval_response.py");
    let mut config = config.clone();
    // As in a deployed package: what is imported was compiled before. `-I` keeps the person's own modules away.
    config.command = FunctionCommand::new(python).args([Path::new("-I"), &script]);
    config
}

/// A Slack that knows everybody and opens every modal.
async fn slack(modals: &Arc<AtomicUsize>) -> String {
    let modals = Arc::clone(modals);
    let user = json!({"ok": true, "user": {
        "id": "U0001", "name": "ada", "real_name": "Ada Adler", "is_email_confirmed": true,
        "profile": {"email": "ada@example.com", "real_name": "Ada Adler"},
    }});
    let view = json!({"ok": true, "view": {"id": "V0001", "hash": "1"}});
    let answer = |json: Value| async move { ([("content-type", "application/json")], json.to_string()) };
    let router = Router::new().route("/api/users.info", axum::routing::any(move || answer(user.clone()))).route(
        "/api/views.open",
        post(move || {
            modals.fetch_add(1, Ordering::SeqCst);
            answer(view.clone())
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its number");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/api/")
}

/// An approval that people are asked about, in a message that has its buttons.
fn approval() -> Approval {
    let request = Request {
        place: Place { pipeline: "web".into(), stage: "Production".into(), action: "Approve".into() },
        token: Token::new("1a2b3c4d-573f-4ea7-a67e-0123456789ab"),
        execution: Some("11111111-2222-4333-8444-555555555555".into()),
        action_execution: None,
        expires_at: None,
        custom_data: None,
        review_link: None,
        console_link: None,
        release: Release::default(),
    };
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/config/stagegate.yaml");
    let config = stagegate_config::Config::load(&config).expect("the deployed configuration");
    let policy = config.approval("web", "Production", "Approve").expect("it is about this approval");
    let installation = Installation { app: "A0001".into(), team: "T0001".into() };
    let mut approval = request.open(Terms::from(policy), Some(installation), Timestamp::now());
    let message = SlackMessage { channel: "C0001".into(), ts: "1608059435.001000".into(), link: None };
    approval.notices[0].state = NoticeState::Sent(Delivery { message: Some(message), shown: 0 });
    approval
}

/// A click on Approve, signed now.
fn click(approval: &Approval) -> Value {
    let payload = json!({
        "type": "block_actions", "api_app_id": "A0001", "team": {"id": "T0001"}, "trigger_id": "1.2",
        "user": {"id": "U0001", "username": "ada"},
        "container": {"type": "message", "channel_id": "C0001", "message_ts": "1608059435.001000"},
        "actions": [{"action_id": "approve", "block_id": "decide", "value": approval.id.as_str()}],
    });
    let escaped: String = payload.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = format!("payload={escaped}");
    let now = Timestamp::now();
    json!({
        "version": "2.0", "rawPath": "/", "isBase64Encoded": false, "body": body,
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": now.as_second().to_string(),
            "x-slack-signature": sign(&SigningSecret::new(SECRET), now, body.as_bytes()),
        },
    })
}
