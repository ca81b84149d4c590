//! A bucket in memory, requests, ZIP files and HTTP for the tests.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stagegate_local_codepipeline::provider::{ActionRequest, Artifact, ArtifactBucket, Progress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zip::write::SimpleFileOptions;

#[derive(Default)]
pub(crate) struct Bucket(Mutex<BTreeMap<String, Vec<u8>>>);

#[async_trait]
impl ArtifactBucket for Bucket {
    async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
        let objects = self.0.lock().unwrap();
        objects
            .get(&format!("{bucket}/{key}"))
            .cloned()
            .ok_or_else(|| format!("there is no object s3://{bucket}/{key}"))
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), String> {
        self.0.lock().unwrap().insert(format!("{bucket}/{key}"), body);
        Ok(())
    }
}

impl Bucket {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Puts an artifact where [`request`] expects it.
    pub(crate) fn store(&self, name: &str, body: Vec<u8>) {
        self.0.lock().unwrap().insert(format!("artifacts/web/{name}"), body);
    }

    pub(crate) fn object(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(path).cloned()
    }

    /// The files of an artifact that a provider has stored.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, String> {
        unzip(&self.object(&format!("artifacts/web/{name}")).unwrap_or_else(|| panic!("no artifact {name}")))
    }
}

pub(crate) fn artifact(name: &str) -> Artifact {
    Artifact {
        name: name.into(),
        bucket: "artifacts".into(),
        key: format!("web/{name}"),
        revision: Some("abc123".into()),
    }
}

pub(crate) fn request(
    provider: &str,
    configuration: &[(&str, &str)],
    inputs: &[&str],
    outputs: &[&str],
) -> ActionRequest {
    ActionRequest {
        pipeline: "web".into(),
        pipeline_execution_id: "11111111-2222-4333-8444-555555555555".into(),
        stage: "Stage".into(),
        action: "Action".into(),
        action_execution_id: "66666666-7777-4888-8999-000000000000".into(),
        provider: provider.into(),
        region: "eu-west-1".into(),
        configuration: configuration.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        commands: vec![],
        input_artifacts: inputs.iter().map(|name| artifact(name)).collect(),
        output_artifacts: outputs.iter().map(|name| artifact(name)).collect(),
        requested_revision: None,
    }
}

pub(crate) fn no_progress() -> Progress {
    Progress::new(|_| ())
}

/// A ZIP file. A name that ends in `*` is that of an executable file.
pub(crate) fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let mode = if name.ends_with('*') { 0o755 } else { 0o644 };
        zip.start_file(name.trim_end_matches('*'), SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The entries of a ZIP file. The names of executable files end in `*`, the names of links in `@`.
pub(crate) fn unzip(body: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(body)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mark = match (
                entry.is_symlink(),
                entry.system() != zip::System::Dos && entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0),
            ) {
                (true, _) => "@",
                (false, true) => "*",
                (false, false) => "",
            };
            let name = format!("{}{mark}", entry.name().unwrap());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            (name, content)
        })
        .collect()
}

/// GETs a path and returns the status code and the body.
pub(crate) async fn get(url: &str, path: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let status = response.split(' ').nth(1).unwrap().parse().unwrap();
    (status, response.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// Waits until a file has content.
pub(crate) async fn content_of(path: &std::path::Path) -> String {
    for _ in 0..6000 {
        match std::fs::read_to_string(path) {
            Ok(content) if content.ends_with('\n') => return content,
            _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    panic!("{} was never written", path.display());
}

/// Waits until a process is gone (or is only a zombie that nobody has waited for).
pub(crate) async fn is_gone(pid: &str) -> bool {
    for _ in 0..3000 {
        let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
        let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if state.is_empty() || state.starts_with('Z') {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    false
}
