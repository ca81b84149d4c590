//! The REST API on the wire.

use std::net::SocketAddr;

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{config, host_with};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

async fn call(address: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    // A server that refuses a large body may close before it has read all of it.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Request line, headers, body, status, and the body or the error's code.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_as_the_model_says() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn({
        let router = stagegate_local_lambda::router(host.clone());
        async move { axum::serve(listener, router).await }
    });
    let invocations = "POST /2015-03-31/functions/web/invocations";
    let large = format!("\"{}\"", "x".repeat(6 * 1024 * 1024));
    let cases: [Case<'_>; 14] = [
        (invocations, &[], r#"{"a": 1}"#, 200, r#"{"a":1}"#),
        (invocations, &[], "", 200, "{}"),
        (invocations, &[("X-Amz-Invocation-Type", "Event")], "{}", 202, ""),
        (invocations, &[("X-Amz-Invocation-Type", "DryRun")], "{}", 204, ""),
        (invocations, &[("X-Amz-Invocation-Type", "Never")], "{}", 400, "InvalidParameterValueException"),
        (invocations, &[("X-Amz-Log-Type", "Head")], "{}", 400, "InvalidParameterValueException"),
        (invocations, &[("X-Amz-Client-Context", "%%")], "{}", 400, "InvalidParameterValueException"),
        (invocations, &[], "{no json", 400, "InvalidRequestContentException"),
        (invocations, &[], &large, 413, "RequestTooLargeException"),
        (invocations, &[("X-Amz-Invocation-Type", "Event")], &large[..1_048_577], 413, "RequestTooLargeException"),
        ("POST /2015-03-31/functions/absent/invocations", &[], "{}", 404, "ResourceNotFoundException"),
        (
            "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Aweb/invocations",
            &[],
            "[7]",
            200,
            "[7]",
        ),
        (
            "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aweb/invocations",
            &[],
            "{}",
            404,
            "ResourceNotFoundException",
        ),
        ("GET /2015-03-31/functions/absent/configuration", &[], "", 404, "ResourceNotFoundException"),
    ];
    for case in cases {
        check(address, case).await;
    }
    check_descriptions(address).await;
    check_versions(address).await;
    server.abort();
    host.shutdown().await;
}

async fn check(address: SocketAddr, (line, headers, body, status, expected): Case<'_>) {
    let answer = call(address, line, headers, body).await;
    let case = format!("{line} {headers:?}: {} {}", answer.head, &answer.body[..answer.body.len().min(300)]);
    assert_eq!(answer.status, status, "{case}");
    if status >= 400 {
        assert_eq!(answer.header("x-amzn-errortype"), Some(expected), "{case}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(body["Message"].as_str().is_some_and(|message| !message.is_empty()), "{case}");
    } else {
        assert_eq!(answer.body, expected, "{case}");
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36), "{case}");
    }
}

async fn check_descriptions(address: SocketAddr) {
    let failed = call(
        address,
        "POST /2015-03-31/functions/web/invocations",
        &[("X-Amz-Log-Type", "Tail")],
        r#"{"mode": "error"}"#,
    )
    .await;
    assert_eq!((failed.status, failed.header("x-amz-function-error")), (200, Some("Unhandled")));
    let log = failed.header("x-amz-log-result").unwrap();
    let log = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, log).unwrap();
    assert!(String::from_utf8_lossy(&log).contains("REPORT RequestId"));

    let described = call(address, "GET /2015-03-31/functions/web", &[], "").await;
    let described: Value = serde_json::from_str(&described.body).unwrap();
    assert_eq!(described["Configuration"]["MemorySize"], json!(128));
    let listed = call(address, "GET /2015-03-31/functions/", &[], "").await;
    let listed: Value = serde_json::from_str(&listed.body).unwrap();
    assert_eq!(listed["Functions"][0]["FunctionName"], "web");
}

async fn check_versions(address: SocketAddr) {
    let (versions, aliases) = ("/2015-03-31/functions/web/versions", "/2015-03-31/functions/web/aliases");
    let cases: [Case<'_>; 9] = [
        (&format!("POST {versions}"), &[], "", 201, "Version=1"),
        (&format!("POST {aliases}"), JSON, r#"{"Name": "live", "FunctionVersion": "1"}"#, 201, "Name=live"),
        (
            &format!("POST {aliases}"),
            JSON,
            r#"{"Name": "live", "FunctionVersion": "1"}"#,
            409,
            "ResourceConflictException",
        ),
        (&format!("POST {aliases}"), JSON, r#"{"Name": "next"}"#, 400, "InvalidParameterValueException"),
        (&format!("PUT {aliases}/live"), JSON, r#"{"FunctionVersion": "9"}"#, 404, "ResourceNotFoundException"),
        (
            &format!("PUT {aliases}/live"),
            JSON,
            r#"{"RoutingConfig": {"AdditionalVersionWeights": {"1": "x"}}}"#,
            400,
            "InvalidParameterValueException",
        ),
        (&format!("GET {aliases}/none"), &[], "", 404, "ResourceNotFoundException"),
        (&format!("GET {aliases}/live"), &[], "", 200, "FunctionVersion=1"),
        ("GET /2015-03-31/functions/web?Qualifier=2", &[], "", 404, "ResourceNotFoundException"),
    ];
    for (line, headers, body, status, expected) in cases {
        let answer = call(address, line, headers, body).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        match expected.split_once('=') {
            None => assert_eq!(answer.header("x-amzn-errortype"), Some(expected), "{line}"),
            Some((member, value)) => {
                let body: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(body[member], value, "{line}: {body}");
            }
        }
    }
    for (path, version) in
        [("web/invocations?Qualifier=live", "1"), ("web%3Alive/invocations", "1"), ("web/invocations", "$LATEST")]
    {
        let answer = call(address, &format!("POST /2015-03-31/functions/{path}"), &[], "{}").await;
        assert_eq!(answer.header("x-amz-executed-version"), Some(version), "{path}");
    }
    let configure = "PUT /2015-03-31/functions/web/configuration";
    for (body, status) in [
        (r#"{"Environment": {"Variables": {"COLOUR": "green"}}, "Timeout": 9}"#, 200),
        (r#"{"Role": "x"}"#, 400),
        (r#"{"Timeout": 901}"#, 400),
        (r#"{"Timeout": "9"}"#, 400),
        (r#"{"Environment": {"Variables": {"A": 1}}}"#, 400),
        ("[]", 400),
    ] {
        let answer = call(address, configure, JSON, body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    let published = call(address, &format!("POST {versions}"), &[], "").await;
    let published: Value = serde_json::from_str(&published.body).unwrap();
    let shown = (&published["Version"], &published["Timeout"], &published["Environment"]["Variables"]);
    assert_eq!(shown, (&json!("2"), &json!(9.0), &json!({"COLOUR": "green"})));
    let listed = call(address, &format!("GET {versions}"), &[], "").await;
    let listed: Value = serde_json::from_str(&listed.body).unwrap();
    let arns: Vec<_> =
        listed["Versions"].as_array().unwrap().iter().map(|version| version["FunctionArn"].as_str()).collect();
    assert_eq!(arns.len(), 3);
    assert!(arns[1].unwrap().ends_with(":function:web:1"), "{arns:?}");
}
