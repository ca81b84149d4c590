//! A local AWS whose functions write down what they get.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_codepipeline::config::{Credentials, SharedCredentialsProvider};
use serde_json::Value;
use stagegate_local_aws::{LOCAL_ACCESS_KEY, LocalAws, Options};
use tempfile::TempDir;

use crate::function;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    records: PathBuf,
    _folder: TempDir,
}

/// What a function got.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) function: String,
    pub(crate) event: Value,
    /// The time that it was told.
    pub(crate) now: Option<String>,
    /// The process that it ran in.
    pub(crate) pid: u64,
}

impl World {
    /// Functions are written `RECORDER`, which stands for the properties that they all have.
    pub(crate) async fn new(resources: &str, change: impl FnOnce(&mut Options)) -> Self {
        let (world, started) = Self::try_new(resources, change).await;
        let (records, folder) = world;
        Self { aws: started.unwrap(), records, _folder: folder }
    }

    /// The error of a local AWS that does not start.
    pub(crate) async fn error(resources: &str) -> String {
        match Self::try_new(resources, |_| {}).await.1 {
            Ok(_) => panic!("it starts"),
            Err(error) => error.to_string(),
        }
    }

    async fn try_new(
        resources: &str,
        change: impl FnOnce(&mut Options),
    ) -> ((PathBuf, TempDir), Result<LocalAws, stagegate_local_aws::StartError>) {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        std::fs::create_dir(&records).unwrap();
        let template = folder.path().join("template.yaml");
        let head = "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Handler: bootstrap\n    \
                    Runtime: provided.al2023\n    CodeUri: .\n    Timeout: 30\n    Environment: {Variables: {RECORD_DIR: ";
        let text = format!("{head}{}}}}}\nResources:\n{resources}", records.display());
        let recorder =
            "{Type: \"AWS::Serverless::Function\", Metadata: {BuildProperties: {Binary: recorder}}, Properties: ";
        std::fs::write(&template, text.replace("{RECORDER ", recorder)).unwrap();
        let mut options = Options::new(folder.path().join("data"), template, function::bootstraps());
        change(&mut options);
        ((records, folder), LocalAws::start(options).await)
    }

    /// What functions got so far.
    pub(crate) fn records(&self) -> Vec<Record> {
        let files = std::fs::read_dir(&self.records).unwrap().flatten();
        let files = files.filter(|file| file.path().extension().is_some_and(|end| end == "json"));
        let read = |file: std::fs::DirEntry| {
            let record: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            let text = |member: &str| record[member].as_str().map(str::to_owned);
            Record {
                function: text("function").unwrap(),
                event: record["event"].clone(),
                now: text("now"),
                pid: record["pid"].as_u64().unwrap(),
            }
        };
        files.map(read).collect()
    }

    /// Waits for `count` events that a function got, in no order; more are an error.
    pub(crate) async fn events(&self, function: &str, count: usize) -> Vec<Value> {
        let name = format!("stagegate-{function}");
        let got = || -> Vec<Value> {
            self.records().into_iter().filter(|record| record.function == name).map(|record| record.event).collect()
        };
        eventually(&format!("{function} got {count} events"), || got().len() >= count).await;
        let got = got();
        assert_eq!(got.len(), count, "{got:#?}");
        got
    }

    pub(crate) fn sdk(&self) -> SdkConfig {
        let credentials = Credentials::new(LOCAL_ACCESS_KEY, LOCAL_ACCESS_KEY, None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.aws.region().to_owned()))
            .endpoint_url(self.aws.endpoint_url())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "in vain waited until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
