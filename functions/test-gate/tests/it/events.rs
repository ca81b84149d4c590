//! The events of the repository, each handed to the function, and its answer as `events/README.md` says.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{FunctionCommand, FunctionConfig, HostOptions, InvocationType, LambdaHost};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the first table in `events/README.md`, of the events that are handed to this gate: file and answer.
fn table() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("events/README.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| file |")).take_while(|line| line.starts_with('|'));
    let cells = rows.skip(2).map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].trim_matches('`').to_owned(), cells[4].to_owned())).collect()
}

type Answers = Arc<Mutex<Vec<(String, Value)>>>;

/// AWS as far as the gate asks it: every answer is taken, and every object is the same artifact of passing tests.
async fn aws(answers: Answers) -> String {
    let cases: String = (0..20).map(|n| format!(r#"<testcase classname="web" name="t{n}"/>"#)).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("TEST-web.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(format!("<testsuite>{cases}</testsuite>").as_bytes()).unwrap();
    let artifact = Bytes::from(zip.finish().unwrap().into_inner());
    let answer = async move |headers: HeaderMap, body: Bytes| -> Response {
        let Some(target) = headers.get("x-amz-target") else {
            let last = artifact.len() - 1;
            let range = format!("bytes 0-{last}/{}", artifact.len());
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

#[tokio::test]
async fn every_event_gets_the_answer_that_its_row_says() {
    let answers = Answers::default();
    let command = FunctionCommand::new(env!("CARGO_BIN_EXE_test-gate"));
    let mut function = FunctionConfig::new("gate", "arn:aws:lambda:eu-west-1:111122223333:function:gate", command);
    function.timeout = std::time::Duration::from_secs(60);
    function.memory_mb = 512;
    let config = std::path::absolute(root().join("infra/config/stagegate.yaml")).unwrap();
    function.environment.insert("STAGEGATE_CONFIG".to_owned(), config.to_str().unwrap().to_owned());
    function.environment.insert("AWS_ENDPOINT_URL".to_owned(), aws(answers.clone()).await);
    let host = LambdaHost::new(Clock::system(), HostOptions::default());
    host.create_function(function).unwrap();

    let mut files: Vec<_> =
        std::fs::read_dir(root().join("events")).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    let table = table();
    assert_eq!(files.len(), table.len(), "each event has a row: {table:?}");
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap();
        let event = std::fs::read(&path).unwrap();
        let done = host.invoke("gate", event, InvocationType::RequestResponse).await.unwrap();
        assert!(done.function_error.is_none(), "{file}: {done:?}");
        let given = std::mem::take(&mut *answers.lock().unwrap());
        let [(operation, input)] = given.as_slice() else { panic!("{file}: {given:?}") };
        let answer = match operation.as_str() {
            "PutJobSuccessResult" => "by policy".to_owned(),
            _ => format!("failed, `{}`", input["failureDetails"]["type"].as_str().unwrap()),
        };
        assert_eq!(answer, table[file], "{file}: {input}");
    }
    host.shutdown().await;
}
