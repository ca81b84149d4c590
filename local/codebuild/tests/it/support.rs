//! A local CodeBuild that builds, and the official client.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_codebuild::Client;
use aws_sdk_codebuild::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_codebuild::error::{ProvideErrorMetadata, SdkError};
use stagegate_local_actions::{BuildRecord, CodeBuildProvider};
use stagegate_local_clock::Clock;
use stagegate_local_codebuild::{CodeBuild, router};
use stagegate_local_codepipeline::provider::{ActionProvider, ActionRequest, Artifact, ArtifactBucket, Progress};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use zip::write::SimpleFileOptions;

pub(crate) const ACCOUNT: &str = "arn:aws:codebuild:eu-west-1:111122223333";

/// Artifacts in memory. Output artifacts are taken once the test lets them through.
struct Bucket {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    gate: Semaphore,
}

#[async_trait]
impl ArtifactBucket for Bucket {
    async fn get(&self, _: &str, key: &str) -> Result<Vec<u8>, String> {
        self.objects.lock().unwrap().get(key).cloned().ok_or_else(|| format!("there is no {key}"))
    }

    async fn put(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), String> {
        self.gate.acquire().await.unwrap().forget();
        Ok(())
    }
}

pub(crate) struct Local {
    _data: TempDir,
    bucket: Arc<Bucket>,
    provider: Arc<CodeBuildProvider>,
    pub(crate) codebuild: CodeBuild,
    pub(crate) client: Client,
}

impl Local {
    pub(crate) async fn start() -> Self {
        let data = TempDir::new().unwrap();
        let bucket = Arc::new(Bucket { objects: Mutex::default(), gate: Semaphore::new(0) });
        let provider = Arc::new(CodeBuildProvider::new(data.path(), bucket.clone(), Clock::system()));
        let codebuild = CodeBuild::new(provider.clone(), "eu-west-1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router(codebuild.clone());
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let config = aws_sdk_codebuild::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
            .endpoint_url(format!("http://{address}"))
            .build();
        Self { _data: data, bucket, provider, codebuild, client: Client::from_conf(config) }
    }

    /// Builds `files` with what stands under `reports` in the buildspec; fails where a file is named `fail`.
    pub(crate) async fn build(&self, project: &str, reports: &str, files: &[(&str, &str)]) -> BuildRecord {
        let request = self.request(project, reports, files, &[]);
        // Whether it succeeds is for the test to know.
        let _ = self.provider.run(request, Progress::new(|_| ())).await;
        self.newest()
    }

    /// Puts a ZIP file into a bucket.
    pub(crate) fn put(&self, key: &str, files: &[(&str, &str)]) {
        self.bucket.objects.lock().unwrap().insert(key.to_owned(), zip_of(files.iter().copied()));
    }

    /// Builds until everything but the output artifact is done.
    pub(crate) async fn build_halfway(&self, project: &str, reports: &str, files: &[(&str, &str)]) -> Halfway<'_> {
        let request = self.request(project, reports, files, &["Out"]);
        let before = self.provider.builds().list().len();
        let provider = Arc::clone(&self.provider);
        let task = tokio::spawn(async move {
            let _ = provider.run(request, Progress::new(|_| ())).await;
        });
        while self.provider.builds().list().len() == before || self.newest().reports.is_empty() {
            tokio::task::yield_now().await;
        }
        Halfway { local: self, record: self.newest(), task }
    }

    fn newest(&self) -> BuildRecord {
        self.provider.builds().list().pop().unwrap()
    }

    fn request(&self, project: &str, reports: &str, files: &[(&str, &str)], outputs: &[&str]) -> ActionRequest {
        let artifact = |name: &str| Artifact {
            name: name.into(),
            bucket: "artifacts".into(),
            key: format!("web/{name}"),
            revision: Some("abc123".into()),
        };
        let buildspec = format!(
            "version: 0.2\nenv: {{exported-variables: [FLAVOUR]}}\n\
             phases: {{build: {{commands: ['export FLAVOUR=mild', '! test -e fail']}}}}\n\
             reports: {{{reports}}}\nartifacts: {{files: [buildspec.yml]}}\n"
        );
        let source = zip_of(files.iter().copied().chain([("buildspec.yml", buildspec.as_str())]));
        self.bucket.objects.lock().unwrap().insert("web/Source".into(), source);
        ActionRequest {
            pipeline: "web".into(),
            pipeline_execution_id: "11111111-2222-4333-8444-555555555555".into(),
            stage: "Build".into(),
            action: "Build".into(),
            action_execution_id: "66666666-7777-4888-8999-000000000000".into(),
            provider: "CodeBuild".into(),
            region: "eu-west-1".into(),
            configuration: BTreeMap::from([("ProjectName".into(), project.into())]),
            commands: vec![],
            input_artifacts: vec![artifact("Source")],
            output_artifacts: outputs.iter().map(|name| artifact(name)).collect(),
            requested_revision: None,
        }
    }
}

/// A build that waits for its output artifact to be taken.
pub(crate) struct Halfway<'a> {
    local: &'a Local,
    pub(crate) record: BuildRecord,
    task: tokio::task::JoinHandle<()>,
}

impl Halfway<'_> {
    pub(crate) async fn finish(self) {
        self.local.bucket.gate.add_permits(1);
        self.task.await.unwrap();
    }

    pub(crate) async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn zip_of<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A JUnit report; a name that begins with `fail`, `error` or `skip` ends so.
pub(crate) fn junit(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let case = |name: &str| {
        let outcome = match name {
            name if name.starts_with("fail") => r#"<failure message="expected 401"/>"#,
            name if name.starts_with("error") => r#"<error message="no connection"/>"#,
            name if name.starts_with("skip") => "<skipped/>",
            _ => "",
        };
        format!(r#"<testcase classname="web.Login" name="{name}" time="0.25">{outcome}</testcase>"#)
    };
    let cases: String = names.into_iter().map(|name| case(name.as_ref())).collect();
    format!(r#"<testsuite name="login">{cases}</testsuite>"#)
}

/// The code of an error, which has a message.
pub(crate) fn code<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> String {
    let error = result.expect_err("the call fails");
    assert!(error.message().is_some_and(|message| !message.is_empty()), "{error:?}");
    error.code().unwrap_or_default().to_owned()
}
