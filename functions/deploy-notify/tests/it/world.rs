//! A pipeline that has really run, its events, and a CodePipeline that still knows of it; and for each case a state bucket
//! and a Slack of its own.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_codepipeline::config::{Credentials, SharedCredentialsProvider};
use deploy_notify::{Notifier, Parts, Visit};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagegate_channel::{Channels, Secrets};
use stagegate_config::Config;
use stagegate_desk::{Clock, Pipelines, Settings};
use stagegate_http_client::HttpClient;
use stagegate_local_aws::{Bootstraps, LOCAL_ACCESS_KEY, LocalAws, Options};
use stagegate_local_events::Passed;
use stagegate_local_slack::Slack;
use stagegate_slack::ApiUrl;
use stagegate_state_store::StateStore;
use tempfile::TempDir;
use tokio::time::Instant;

/// Everything here takes seconds; this is for a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const RELEASES: &str = "C0001";
pub(crate) const ONCALL: &str = "C0002";

/// One thread, and failures and recoveries for those who are on call.
pub(crate) const ROUTES: &str = "
channels: {releases: {slack: C0001}, oncall: {slack: C0002}}
notifications:
  - {pipeline: web, on: [started, failed, succeeded, recovered, superseded, stopped, rolled_back], channel: releases}
  - {pipeline: web, on: [failed, recovered], channel: oncall, thread: false}
";

/// The local AWS, and the executions that have run in it.
pub(crate) struct World {
    pub(crate) aws: LocalAws,
    folder: TempDir,
}

/// An execution that has run.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) events: Vec<Value>,
}

/// A function with a state bucket and a Slack of its own.
pub(crate) struct Case {
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) slack: Slack,
    pub(crate) start: Timestamp,
}

thread_local! {
    /// What this thread has logged, while somebody wants to know.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// The errors that are logged on this thread. All threads have one subscriber: what each of several of them wants of a
/// place in the code is kept once for all, and what one has just begun to want may be missed.
pub(crate) struct Log(());

/// Where they are written.
struct Writer;

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|logged| logged.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn of_errors() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Writer);
            tracing::subscriber::set_global_default(subscriber.with_max_level(tracing::Level::ERROR).finish()).unwrap();
        });
        LOGGED.set(Some(Vec::new()));
        Self(())
    }

    pub(crate) fn said(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone().unwrap_or_default()).unwrap())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LOGGED.set(None);
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|options| options).await
    }

    /// A world whose local AWS differs from the usual one.
    pub(crate) async fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("template.yaml");
        std::fs::write(
            &template,
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  State: {Type: \"AWS::S3::Bucket\"}\n",
        )
        .unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir_all(&source).unwrap();
        std::fs::write(source.join("README"), "a source is never empty").unwrap();
        let nothing = Bootstraps::Partial(folder.path().to_owned());
        let options = Options { source: Some(source), ..Options::new(folder.path().join("data"), template, nothing) };
        let aws = LocalAws::start(change(options)).await.unwrap();
        let world = Self { aws, folder };
        world.aws.put_pipeline(&world.pipeline()).await.unwrap();
        world
    }

    fn pipeline(&self) -> Value {
        let action = |name: &str, category: &str, provider: &str| {
            let kind = json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
            json!({"name": name, "actionTypeId": kind})
        };
        let mut source = action("Source", "Source", "CodeStarSourceConnection");
        source["configuration"] = json!({
            "ConnectionArn": "arn:aws:codestar-connections:us-east-1:111122223333:connection/1",
            "FullRepositoryId": "example/web", "BranchName": "main",
        });
        source["outputArtifacts"] = json!([{"name": "Source"}]);
        let commands = |name: &str, command: String| {
            let mut action = action(name, "Compute", "Commands");
            action["inputArtifacts"] = json!([{"name": "Source"}]);
            action["commands"] = json!([command]);
            action
        };
        let broken = self.marker().display().to_string();
        json!({
            "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": "artifacts"}, "executionMode": "QUEUED",
            "stages": [
                {"name": "Source", "actions": [source]},
                {"name": "Test", "actions": [commands("Unit", format!("test ! -e {broken}"))]},
                {"name": "Production", "actions": [commands("Deploy", "true".to_owned())]},
            ],
        })
    }

    /// While this file is there, the tests fail.
    fn marker(&self) -> PathBuf {
        self.folder.path().join("broken")
    }

    /// Runs the pipeline; `failures` tries of its tests fail, and where `recovers`, another one does not.
    pub(crate) async fn run(&self, failures: usize, recovers: bool) -> Story {
        let mut observed = self.aws.bus().subscribe();
        let codepipeline = self.aws.codepipeline();
        if failures > 0 {
            std::fs::write(self.marker(), "").unwrap();
        }
        let started = codepipeline.call("StartPipelineExecution", json!({"name": "web"})).await.unwrap();
        let id = started["pipelineExecutionId"].as_str().unwrap().to_owned();
        let tries = failures + usize::from(recovers);
        for left in (0..tries).rev() {
            let ended = tokio::time::timeout(PATIENCE, codepipeline.wait_for_execution("web", &id)).await.unwrap();
            if left == 0 {
                break;
            }
            assert_eq!(ended.unwrap().as_str(), "Failed");
            if left == 1 && recovers {
                std::fs::remove_file(self.marker()).unwrap();
            }
            let retry = json!({
                "pipelineName": "web", "stageName": "Test", "pipelineExecutionId": id, "retryMode": "FAILED_ACTIONS",
            });
            codepipeline.call("RetryStageExecution", retry).await.unwrap();
        }
        let _ = std::fs::remove_file(self.marker());
        let last = if recovers { "SUCCEEDED" } else { "FAILED" };
        let mut events = Vec::new();
        let mut ends = 0;
        while ends < if recovers { 1 } else { failures } {
            let passed = tokio::time::timeout(PATIENCE, observed.recv()).await.unwrap().unwrap().passed;
            let Passed::Event { event, .. } = passed else { continue };
            if event["source"] != "aws.codepipeline" || event["detail"]["execution-id"] != id.as_str() {
                continue;
            }
            let is_end = event["detail-type"] == "CodePipeline Pipeline Execution State Change"
                && event["detail"]["state"] == last;
            ends += usize::from(is_end);
            events.push(event);
        }
        Story { events }
    }

    fn sdk(&self) -> SdkConfig {
        let credentials = Credentials::new(LOCAL_ACCESS_KEY, LOCAL_ACCESS_KEY, None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.aws.region().to_owned()))
            .endpoint_url(self.aws.endpoint_url())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// A function that knows nothing yet. `name` is in no other case.
    pub(crate) async fn case(&self, name: &str, config: &str) -> Case {
        let bucket = format!("state-{name}");
        self.aws.s3().create_bucket(&bucket).await.unwrap();
        let slack = Slack::start(stagegate_local_slack::Options::default()).await.unwrap();
        let token = json!({"Name": format!("/{name}/token"), "Value": slack.bot_token(), "Type": "SecureString"});
        self.aws.ssm().call("PutParameter", &token).unwrap();
        let sdk = self.sdk();
        let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true);
        let secrets = Arc::new(Secrets::new(aws_sdk_ssm::Client::new(&sdk)));
        let channels = Channels::new(&sdk, HttpClient::new(), secrets)
            .with_slack(ApiUrl::new(&slack.api_url()).unwrap(), &format!("/{name}/token"));
        let parts = Parts {
            settings: Settings::of(Config::parse("stagegate.yaml", config).unwrap()),
            store: StateStore::new(s3, bucket, None),
            channels,
            pipelines: Pipelines::new(aws_sdk_codepipeline::Client::new(&sdk)),
            builds: aws_sdk_codebuild::Client::new(&sdk),
            deployments: aws_sdk_codedeploy::Client::new(&sdk),
        };
        Case { notifier: Arc::new(Notifier::new(parts)), slack, start: Timestamp::now() }
    }
}

impl Case {
    fn visit(&self, holder: &str, minutes: i64) -> Visit {
        Visit {
            holder: holder.to_owned(),
            clock: Clock::showing(self.start + SignedDuration::from_mins(minutes)),
            ends: Instant::now() + PATIENCE,
        }
    }

    /// Hands an event over, `minutes` after the start.
    pub(crate) async fn hear(&self, event: &Value, holder: &str, minutes: i64) {
        self.notifier.handle(event, &self.visit(holder, minutes)).await.unwrap();
    }

    /// The round of a minute; gives how much was open.
    pub(crate) async fn round(&self, minutes: i64) -> u64 {
        let tick = json!({"detail-type": "Scheduled Event", "source": "aws.events"});
        let done = self.notifier.handle(&tick, &self.visit(&format!("round-{minutes}"), minutes)).await.unwrap();
        assert_eq!(done["failed"], 0, "{done}");
        done["open"].as_u64().unwrap()
    }

    /// What a channel shows, without what Slack has made up: heads, and replies below them, each as one text.
    pub(crate) fn shown(&self, channel: &str) -> Vec<String> {
        let mut shown = self.slack.look(|state| {
            let messages = state.messages(channel).iter();
            let text = |message: &stagegate_local_slack::Message| {
                let mut blocks = message.blocks.clone();
                blocks.iter_mut().for_each(|block| {
                    block.as_object_mut().unwrap().remove("block_id");
                });
                let place = if message.thread.is_some() { "reply" } else { "message" };
                format!("{place} {} {}", message.text, json!(blocks))
            };
            messages.map(text).collect::<Vec<_>>()
        });
        shown.sort_unstable();
        shown
    }

    /// How often something was posted, whether or not Slack said so.
    pub(crate) fn posts(&self) -> usize {
        self.slack.look(|state| [RELEASES, ONCALL].iter().map(|channel| state.messages(channel).len()).sum())
    }
}
