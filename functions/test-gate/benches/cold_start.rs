//! The cold start of the test gate beside that of a bare `lambda_runtime` function: from the start of the process to its
//! first answered invocation, in which the gate loads its policy, reads a report out of an artifact in S3 and answers
//! CodePipeline.
//!
//! `cargo bench -p test-gate --bench cold_start`; the last line is the ratio of the medians. The two are measured in turns, so
//! that whatever else the machine does slows both down.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LOCAL_ACCESS_KEY, LocalAws, Options};
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_local_lambda::{ColdStartStats, FunctionCommand, FunctionConfig, measure_cold_start};
use zip::write::SimpleFileOptions;

const TURNS: usize = 10;
const RUNS_IN_A_TURN: usize = 10;
const REPORT: &str = r#"<testsuite><testcase classname="web.login" name="accepts"/></testsuite>"#;

#[tokio::main]
async fn main() {
    let gate = PathBuf::from(env!("CARGO_BIN_EXE_test-gate"));
    let echo = build_echo();
    let data = tempfile::tempdir().expect("a folder");
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let folder = gate.parent().expect("a program lies in a folder").to_owned();
    let aws = LocalAws::start(Options::new(data.path(), template, Bootstraps::Partial(folder))).await.expect("start");
    aws.s3().create_bucket("artifacts").await.expect("a bucket");
    aws.s3().put("artifacts", "web/Reports/1", artifact()).await.expect("an artifact");
    let codepipeline = always_accepting().await;

    let mut config = aws.lambda().function("stagegate-test-gate").expect("the template has it");
    config.environment.insert("AWS_ENDPOINT_URL_CODEPIPELINE".to_owned(), codepipeline);
    let mut bare =
        FunctionConfig::new("echo", "arn:aws:lambda:us-east-1:111122223333:function:echo", FunctionCommand::new(echo));
    bare.environment.clone_from(&config.environment);
    bare.memory_mb = config.memory_mb;

    let (mut bare_stats, mut gate_stats) = (ColdStartStats::default(), ColdStartStats::default());
    for _ in 0..TURNS {
        bare_stats.add(
            measure_cold_start(&bare, |_| "{}".to_owned(), RUNS_IN_A_TURN).await.expect("the bare function answers"),
        );
        gate_stats
            .add(measure_cold_start(&config, |_| job().to_string(), RUNS_IN_A_TURN).await.expect("the gate answers"));
    }
    print("bare function", &bare_stats);
    print("test-gate", &gate_stats);
    println!(
        "cold start of test-gate / bare function = {:.2}",
        gate_stats.median().as_secs_f64() / bare_stats.median().as_secs_f64()
    );
}

fn print(name: &str, stats: &ColdStartStats) {
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0;
    let (min, median, p90) = (ms(stats.min()), ms(stats.median()), ms(stats.p90()));
    let memory = stats
        .max_memory_kb
        .map(|kb| format!(", peak memory {:.1} MB", f64::from(u32::try_from(kb).unwrap_or(u32::MAX)) / 1024.0));
    println!("{name:14} min {min:.2} ms, median {median:.2} ms, p90 {p90:.2} ms{}", memory.unwrap_or_default());
}

/// Builds the bare function with the profile of this benchmark.
fn build_echo() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "stagegate-local-lambda", "--example", "echo"])
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the bare function is built");
    Path::new(env!("CARGO_BIN_EXE_test-gate")).with_file_name("examples").join("echo")
}

fn artifact() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("reports/TEST-web.xml", SimpleFileOptions::default()).expect("a file");
    zip.write_all(REPORT.as_bytes()).expect("its content");
    zip.finish().expect("an archive").into_inner()
}

/// A CodePipeline that accepts every answer: the measured process is started anew for the same job.
async fn always_accepting() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its number");
    let router = axum::Router::new().fallback(async || ([("content-type", "application/x-amz-json-1.1")], "{}"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn job() -> Value {
    json!({"CodePipeline.job": {
        "id": "11111111-2222-4333-8444-555555555555",
        "accountId": "111122223333",
        "data": {
            "actionConfiguration": {"configuration": {
                "FunctionName": "stagegate-test-gate",
                "UserParameters": r#"{"tests":{"reports":["**/TEST-*.xml"]}}"#,
            }},
            "inputArtifacts": [{"name": "Reports", "revision": null, "location": {
                "type": "S3", "s3Location": {"bucketName": "artifacts", "objectKey": "web/Reports/1"},
            }}],
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": LOCAL_ACCESS_KEY, "secretAccessKey": LOCAL_ACCESS_KEY, "sessionToken": "local",
            },
        },
    }})
}
