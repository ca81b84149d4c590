//! A server on a real socket that answers, or fails, as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How one request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With a status, further header lines, and a body.
    With(u16, &'static str, String),
    /// The connection is closed before anything is answered.
    HangUp,
    /// With the start of an answer of this status.
    Cut(u16),
    /// After a while.
    Slow(Duration, u16),
    /// Not within the time of any test.
    Never,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::With(status, "", String::new())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
pub(crate) struct Script {
    replies: VecDeque<Reply>,
    received: Vec<Received>,
}

/// The server. What is beyond its script is answered like the last reply of it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) script: Arc<Mutex<Script>>,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Script { replies: replies.into_iter().collect(), received: Vec::new() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { script: Arc::new(Mutex::new(script)), port: listener.local_addr().unwrap().port() };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.script.lock().unwrap().received.clone()
    }

    /// One request on one connection.
    async fn serve(self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else { return };
        let reply = {
            let mut script = self.script.lock().unwrap();
            script.received.push(received);
            let only_one_left = script.replies.len() == 1;
            let next = if only_one_left { script.replies.front().cloned() } else { script.replies.pop_front() };
            next.unwrap_or(Reply::status(200))
        };
        let (status, headers, body, announced) = match reply {
            Reply::With(status, headers, body) => {
                let length = body.len();
                (status, headers, body, length)
            }
            Reply::Slow(pause, status) => {
                tokio::time::sleep(pause).await;
                (status, "", "ok".to_owned(), 2)
            }
            Reply::Cut(status) => (status, "", "{\"ok\"".to_owned(), 1000),
            Reply::HangUp => return,
            Reply::Never => return std::future::pending().await,
        };
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-length: {announced}\r\nconnection: close\r\n{headers}\r\n{body}");
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = head {
            let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut lines = text.lines();
            let line = lines.next()?.to_owned();
            let header = |line: &str| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            };
            let headers: Vec<_> = lines.filter_map(header).collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
            let length: usize = length.parse().ok()?;
            if bytes.len() >= end + 4 + length {
                return Some(Received { line, headers, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        match stream.read(&mut chunk).await.ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
