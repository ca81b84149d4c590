//! The recorded events, each handed to the function, and its answer as the table beside them says.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{FunctionCommand, FunctionConfig, HostOptions, InvocationType, LambdaHost};

/// A gate whose check fails without a network, and one that judges reports.
const CONFIG: &str = "gates: {web-smoke: {checks: [{tcp: '127.0.0.1:9'}]}, web-tests: {sarif: {reports: [a]}}}";
/// A gate that passes without a network: the server of the test is on loopback, and its port stands in the text.
const PASSING: &str = "gates: {web-smoke: {checks: [{tcp: '127.0.0.1:PORT'}], network: {allow_networks: [127.0.0.1]}}}";

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/smoke-test")
}

/// A gate whose Hurl file lies in the layer, where a hook finds it.
const FROM_LAYER: &str = "gates: {web-smoke: {hurl: ['smoke/*.hurl'], variables: {base: 'http://127.0.0.1:PORT'}, network: {allow_networks: [127.0.0.1]}}}";

/// The rows of the table: file and answer.
fn table() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(events().join("README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())).collect()
}

type Answers = Arc<Mutex<Vec<(String, Value)>>>;

/// AWS as far as the function asks it: every answer is taken, and every object is the same artifact.
async fn aws(answers: Answers) -> String {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.hurl", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"GET {{base}}/\nHTTP 200\n").unwrap();
    let artifact = Bytes::from(zip.finish().unwrap().into_inner());
    let answer = async move |headers: HeaderMap, body: Bytes| -> Response {
        let Some(target) = headers.get("x-amz-target") else {
            let range = format!("bytes 0-{}/{}", artifact.len() - 1, artifact.len());
            let headers = [("content-range", range), ("etag", "\"1\"".to_owned())];
            return (StatusCode::PARTIAL_CONTENT, headers, artifact.clone()).into_response();
        };
        let operation = target.to_str().unwrap().rsplit('.').next().unwrap().to_owned();
        answers.lock().unwrap().push((operation, serde_json::from_slice(&body).unwrap()));
        ([("content-type", "application/x-amz-json-1.1")], "{}").into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    format!("http://{address}")
}

/// Hands each event to the function under a configuration; gives the answers by file.
async fn answered(config: &str, endpoint: &str, answers: &Answers, gate: Option<&str>) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stagegate.yaml"), config).unwrap();
    std::fs::create_dir(folder.path().join("smoke")).unwrap();
    std::fs::write(folder.path().join("smoke/a.hurl"), "GET {{base}}/\nHTTP 206\n").unwrap();
    let command = FunctionCommand::new(env!("CARGO_BIN_EXE_smoke-test"));
    let mut function = FunctionConfig::new("smoke", "arn:aws:lambda:eu-west-1:111122223333:function:smoke", command);
    function.timeout = std::time::Duration::from_secs(60);
    function.memory_mb = 512;
    let path = folder.path().join("stagegate.yaml").to_str().unwrap().to_owned();
    function.environment.insert("STAGEGATE_CONFIG".to_owned(), path);
    function.environment.insert("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned());
    if let Some(gate) = gate {
        function.environment.insert("STAGEGATE_GATE".to_owned(), gate.to_owned());
    }
    let host = LambdaHost::new(Clock::system(), HostOptions::default());
    host.create_function(function).unwrap();
    let mut all = BTreeMap::new();
    let mut files: Vec<_> = std::fs::read_dir(events()).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let event = std::fs::read(&path).unwrap();
        let done = host.invoke("smoke", event, InvocationType::RequestResponse).await.unwrap();
        let given = std::mem::take(&mut *answers.lock().unwrap());
        assert_eq!(done.function_error.is_some(), given.is_empty(), "{file}: {done:?}");
        let answer = match given.as_slice() {
            [] => "none".to_owned(),
            [(operation, _)] if operation == "PutJobSuccessResult" => "passed".to_owned(),
            [(operation, input)] if operation == "PutLifecycleEventHookExecutionStatus" => {
                assert_eq!(input["deploymentId"], "d-ABCDEF123");
                format!("hook `{}`", input["status"].as_str().unwrap())
            }
            [(_, input)] => format!("failed, `{}`", input["failureDetails"]["type"].as_str().unwrap()),
            several => panic!("{file}: {several:?}"),
        };
        all.insert(file, answer);
    }
    host.shutdown().await;
    all
}

#[tokio::test]
async fn every_event_gets_the_answer_that_its_row_says() {
    let answers = Answers::default();
    let endpoint = aws(answers.clone()).await;
    assert_eq!(answered(CONFIG, &endpoint, &answers, Some("web-smoke")).await, table());
}

#[tokio::test]
async fn a_hook_succeeds_only_where_its_gate_passes() {
    let answers = Answers::default();
    let endpoint = aws(answers.clone()).await;
    let port = endpoint.rsplit(':').next().unwrap();
    let passing = PASSING.replace("PORT", port);
    let from_layer = FROM_LAYER.replace("PORT", port);
    let lost = FROM_LAYER.replace("PORT", port).replace("smoke/*", "lost/*");
    for (config, gate, expected) in [
        (from_layer.as_str(), Some("web-smoke"), "hook `Succeeded`"),
        (lost.as_str(), Some("web-smoke"), "hook `Failed`"),
        (passing.as_str(), Some("web-smoke"), "hook `Succeeded`"),
        (passing.as_str(), None, "hook `Failed`"),
        (passing.as_str(), Some("web-smok"), "hook `Failed`"),
        (CONFIG, Some("web-smoke"), "hook `Failed`"),
        (CONFIG, Some("web-tests"), "hook `Failed`"),
        ("gates: [", Some("web-smoke"), "hook `Failed`"),
    ] {
        let given = answered(config, &endpoint, &answers, gate).await;
        assert_eq!(given["codedeploy-hook.json"], expected, "{config} {gate:?}");
        assert_eq!(given["codedeploy-hook-without-execution.json"], "none");
    }
}
