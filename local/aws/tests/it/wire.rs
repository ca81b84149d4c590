//! Plain HTTP.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The status line and headers, and the body, of an answer.
pub(crate) async fn call(url: &str, request_line: &str, headers: &[&str], body: &str) -> (String, String) {
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!(
        "{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// Calls an operation of a JSON service; gives the status line and the answer.
pub(crate) async fn call_json(url: &str, version: &str, target: &str, input: &Value) -> (String, Value) {
    let headers = [format!("Content-Type: application/x-amz-json-{version}"), format!("X-Amz-Target: {target}")];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let (head, body) = call(url, "POST /", &headers, &input.to_string()).await;
    (head.lines().next().unwrap_or_default().to_owned(), serde_json::from_str(&body).unwrap())
}
