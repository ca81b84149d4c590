//! ChromeDriver as a process, and its commands over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::BrowserError;

/// What Chromium needs to run as root, without a screen, and without asking for anything on the network.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How long the browser has to end.
const END: Duration = Duration::from_secs(10);

/// A driver with one session.
pub(crate) struct Driver {
    process: Child,
    address: SocketAddr,
    session: String,
    client: Client<HttpConnector, Full<Bytes>>,
    _profile: TempDir,
}

impl Driver {
    pub(crate) async fn start(width: u32, height: u32) -> Result<Self, BrowserError> {
        let failed = |reason: String| BrowserError::Driver { command: "start a session", reason };
        let profile = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| BrowserError::Missing(format!("chromedriver: {error}")))?;
        let port = process.stdout.take().and_then(port).ok_or_else(|| failed("chromedriver names no port".to_owned()));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let address = SocketAddr::from(([127, 0, 0, 1], port.unwrap_or_default()));
        let mut driver = Self { process, address, session: String::new(), client, _profile: profile };
        let window = format!("--window-size={width},{height}");
        let data = format!("--user-data-dir={}", driver._profile.path().join("profile").display());
        let arguments: Vec<_> = ARGUMENTS.into_iter().chain([window.as_str(), data.as_str()]).collect();
        let options = json!({"args": arguments});
        let capabilities =
            json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}});
        let session = driver.request(Method::POST, "/session", Some(capabilities)).await.map_err(failed)?;
        driver.session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(driver)
    }

    /// A command of the session: with a body it is posted.
    pub(crate) async fn call(
        &self,
        command: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, BrowserError> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let path = format!("/session/{}/{path}", self.session);
        self.request(method, &path, body).await.map_err(|reason| BrowserError::Driver { command, reason })
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(Full::from(body));
        let response =
            self.client.request(request.map_err(|error| text(&error))?).await.map_err(|error| text(&error))?;
        let body = response.into_body().collect().await.map_err(|error| text(&error))?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&body).map_err(|error| text(&error))?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }
}

impl Drop for Driver {
    /// Ends the browser by its session, so that none of its processes is left, and then the driver.
    fn drop(&mut self) {
        if !self.session.is_empty()
            && let Ok(mut stream) = TcpStream::connect_timeout(&self.address, END)
        {
            let _ = stream.set_read_timeout(Some(END));
            let request = format!(
                "DELETE /session/{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.session, self.address
            );
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The driver says on which port it listens.
fn port(output: impl Read) -> Option<u16> {
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let named = lines.filter(|line| line.contains("started successfully on port"));
    named.filter_map(|line| line.trim_end_matches('.').rsplit(' ').next()?.parse().ok()).next()
}
