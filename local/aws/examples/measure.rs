//! What the functions weigh: the size of each ZIP, its cold start beside that of a bare function, and its memory.
//!
//! `release/measure` builds what is needed and calls this with the folder of the programs, `<function>/bootstrap`, and the
//! bare function. A cold start is the time from the start of the process to the answer to its first event, which is a real
//! one. Functions and the bare one are measured in turns, so that whatever else the machine does slows both down.
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LOCAL_ACCESS_KEY, LocalAws, Options};
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_local_lambda::{ColdStartStats, FunctionCommand, FunctionConfig, measure_cold_start};
use zip::write::SimpleFileOptions;

const TURNS: usize = 5;
const RUNS_IN_A_TURN: usize = 4;
const REPORT: &str = r#"<testsuite><testcase classname="web.login" name="accepts"/></testsuite>"#;

const LIMITS: &str = include_str!("../../../release/limits.json");

#[derive(Deserialize)]
struct Limits {
    /// What is wanted of the functions as they are released. To miss it is an error.
    aim: Weights,
    /// What is an error for functions that are not optimised: with `--quick`.
    quick: Weights,
}

/// The size of a ZIP, the cold start in terms of the bare function's, the peak memory.
#[derive(Deserialize)]
struct Weights {
    zip_kb: usize,
    cold_start_ratio: f64,
    memory_kb: u64,
}

impl Weights {
    fn text(&self) -> String {
        let Self { zip_kb, cold_start_ratio, memory_kb } = self;
        format!("ZIP {zip_kb} KB, cold start {cold_start_ratio} times the bare one, memory {} MB", memory_kb / 1024)
    }
}

/// The functions by their programs, each with the name of the function and the recorded event that it is measured with.
const FUNCTIONS: [(&str, &str, &str); 9] = [
    ("test-gate", "stagegate-test-gate", ""),
    ("smoke-test", "stagegate-smoke-test", "smoke-test/codepipeline-job.json"),
    ("release-gate", "stagegate-release-gate", "release-gate/codepipeline-job.json"),
    ("job-guard", "stagegate-job-guard", "schedule"),
    ("job-worker", "stagegate-job-worker", "schedule"),
    ("approval-request", "stagegate-approval-request", "approvals/pipeline-execution-superseded.json"),
    ("approval-response", "stagegate-approval-response", "unsigned"),
    ("approval-watch", "stagegate-approval-watch", "schedule"),
    ("deploy-notify", "stagegate-deploy-notify", "schedule"),
];

struct World {
    aws: LocalAws,
    codepipeline: String,
    _data: tempfile::TempDir,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let is_quick = arguments.first().is_some_and(|first| first == "--quick");
    let paths = arguments.split_off(usize::from(is_quick));
    let [programs, bare] = &paths[..] else {
        println!("usage: measure [--quick] FOLDER BARE_FUNCTION");
        return ExitCode::from(64);
    };
    // Programs are started in a folder of their own.
    let absolute = |path: &OsString| std::path::absolute(path).expect("a path");
    let (programs, bare) = (absolute(programs), absolute(bare));
    let Limits { aim, quick } = serde_json::from_str(LIMITS).expect("the limits");
    let most = if is_quick { &quick } else { &aim };
    println!("| function | ZIP, KB | cold start / bare | cold start, ms | memory, MB | misses its aim |");
    println!("|---|---|---|---|---|---|");
    let (mut measured, mut over) = (0, false);
    for (program, function, event) in FUNCTIONS {
        let bootstrap = programs.join(program).join("bootstrap");
        if !bootstrap.is_file() {
            continue;
        }
        // What another function left in the state bucket would be in its way: the local S3 looks through all of it for a list.
        let world = World::start(&programs).await;
        let row = world.measure(&bootstrap, &bare, function, world.event(event)).await;
        world.aws.shutdown().await;
        println!("| `{program}` | {} | {} |", row.text(), row.over(&aim).join(", "));
        over |= !row.over(most).is_empty();
        measured += 1;
    }
    println!("\n{measured} of {} functions are built in {}", FUNCTIONS.len(), programs.display());
    println!("aims: {}", aim.text());
    println!("over which it fails: {}", most.text());
    if over || measured == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What one function weighs.
struct Row {
    zip_bytes: usize,
    own: ColdStartStats,
    bare: ColdStartStats,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.own.median().as_secs_f64() / self.bare.median().as_secs_f64()
    }

    fn text(&self) -> String {
        let memory = self.own.max_memory_kb.map_or("?".to_owned(), |kb| format!("{}", kb.div_ceil(1024)));
        let ms = self.own.median().as_secs_f64() * 1000.0;
        format!("{} | {:.2} | {ms:.1} | {memory}", self.zip_bytes.div_ceil(1024), self.ratio())
    }

    /// What of it is more than that.
    fn over(&self, most: &Weights) -> Vec<&'static str> {
        let memory = self.own.max_memory_kb.is_some_and(|kb| kb > most.memory_kb);
        let zip = self.zip_bytes.div_ceil(1024) > most.zip_kb;
        let found = [(zip, "ZIP"), (self.ratio() > most.cold_start_ratio, "cold start"), (memory, "memory")];
        found.into_iter().filter_map(|(is_over, name)| is_over.then_some(name)).collect()
    }
}

impl World {
    async fn start(programs: &Path) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        let mut options = Options::new(data.path(), template, Bootstraps::Partial(programs.to_owned()));
        let parameters = [("CustomActions", "on"), ("SlackAppId", "A0123456789"), ("SlackTeamId", "T0123456789")];
        options.parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let aws = LocalAws::start(options).await.expect("start");
        aws.s3().create_bucket("artifacts").await.expect("a bucket");
        aws.s3().put("artifacts", "web/Reports/1", artifact()).await.expect("an artifact");
        let secret =
            json!({"Name": "/stagegate/slack/signing-secret", "Type": "SecureString", "Value": "a".repeat(32)});
        aws.ssm().call("PutParameter", &secret).expect("a secret");
        Self { aws, codepipeline: always_accepting().await, _data: data }
    }

    fn event(&self, name: &str) -> Value {
        match name {
            "" => job(),
            "schedule" => {
                json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
            }
            "unsigned" => json!({
                "version": "2.0", "rawPath": "/", "rawQueryString": "", "isBase64Encoded": false, "body": "payload=%7B%7D",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
                "requestContext": {"http": {"method": "POST", "path": "/"}},
            }),
            file => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(file);
                serde_json::from_slice(&std::fs::read(path).expect("the event")).expect("it is JSON")
            }
        }
    }

    async fn measure(&self, bootstrap: &Path, bare: &Path, function: &str, event: Value) -> Row {
        let mut own = self.aws.lambda().function(function).expect("the template has it");
        // The measured process is started anew for the same job, so that every answer must be taken.
        own.environment.insert("AWS_ENDPOINT_URL_CODEPIPELINE".to_owned(), self.codepipeline.clone());
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:bare";
        let mut compared = FunctionConfig::new("bare", arn, FunctionCommand::new(bare));
        compared.environment.clone_from(&own.environment);
        compared.memory_mb = own.memory_mb;
        let mut row = Row::of(bootstrap);
        for turn in 0..TURNS {
            let of_bare = measure_cold_start(&compared, |_| "{}".to_owned(), RUNS_IN_A_TURN).await;
            row.bare.add(of_bare.expect("the bare function answers"));
            let event = |run: usize| of_execution(&event, turn * 100 + run).to_string();
            row.own.add(measure_cold_start(&own, event, RUNS_IN_A_TURN).await.expect("the function answers"));
        }
        row
    }
}

impl Row {
    fn of(bootstrap: &Path) -> Self {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        // As `release/build` compresses it.
        let options = SimpleFileOptions::default().compression_level(Some(9));
        zip.start_file("bootstrap", options).expect("a file");
        zip.write_all(&std::fs::read(bootstrap).expect("the program")).expect("its content");
        let zip_bytes = zip.finish().expect("an archive").into_inner().len();
        Self { zip_bytes, own: ColdStartStats::default(), bare: ColdStartStats::default() }
    }
}

/// The event as an action of a new execution gives it: most executions are judged once by a gate.
fn of_execution(event: &Value, number: usize) -> Value {
    const PARAMETERS: &str = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
    let mut event = event.clone();
    if let Some(written) = event.pointer_mut(PARAMETERS) {
        let text = written.as_str().expect("UserParameters are a text");
        let mut parameters: Value = serde_json::from_str(text).expect("UserParameters are JSON");
        if let Some(execution) = parameters.get_mut("execution") {
            *execution = Value::String(format!("{number:08x}-0000-4000-8000-000000000000"));
        }
        *written = Value::String(parameters.to_string());
    }
    event
}

fn artifact() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("reports/TEST-web.xml", SimpleFileOptions::default()).expect("a file");
    zip.write_all(REPORT.as_bytes()).expect("its content");
    zip.finish().expect("an archive").into_inner()
}

/// A CodePipeline that accepts every answer.
async fn always_accepting() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its number");
    let router = axum::Router::new().fallback(async || ([("content-type", "application/x-amz-json-1.1")], "{}"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A job with a report in an artifact, which is read with the credentials of the job.
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
