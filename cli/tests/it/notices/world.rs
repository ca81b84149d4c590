//! A pipeline that builds and deploys, whose actions fail and wait at a test's will.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::Options;
use stagegate_local_slack::Message;

use crate::approvals::world::{RELEASES, World};

/// One thread in the channel `releases`.
pub(crate) const ROUTES: &str = "
channels: {releases: {slack: C0001}, oncall: {slack: C0002}}
notifications:
  - pipeline: web
    on: [started, failed, succeeded, recovered, superseded, stopped, rolled_back, stuck]
    stuck_after: 30m
    channel: releases
    mention_author: true
";

/// A world with the pipeline.
pub(crate) struct Notices {
    pub(crate) world: World,
}

impl Notices {
    pub(crate) async fn new(mode: &str, change: impl FnOnce(Options) -> Options) -> Self {
        Self::configured(ROUTES, mode, change).await
    }

    /// With a `stagegate.yaml` of its own.
    pub(crate) async fn configured(routes: &str, mode: &str, change: impl FnOnce(Options) -> Options) -> Self {
        let world = World::configured(routes, change).await;
        let notices = Self { world };
        let commands = |name: &str, command: String| {
            let mut action = action(name, "Compute", "Commands");
            action["commands"] = json!([command]);
            action
        };
        let (broken, held) = (notices.file("broken").display().to_string(), notices.file("held").display().to_string());
        let mut definition = pipeline(&[
            ("Test", commands("Unit", format!("test ! -e {broken}"))),
            ("Production", commands("Deploy", format!("while test -e {held}; do sleep 0.05; done"))),
        ]);
        definition["executionMode"] = json!(mode);
        notices.world.aws.put_pipeline(&definition).await.unwrap();
        notices
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.folder().join(name)
    }

    /// From now on the tests fail, or do not.
    pub(crate) fn break_tests(&self, are_broken: bool) {
        self.set("broken", are_broken);
    }

    /// From now on deployments wait, or do not.
    pub(crate) fn hold_deployments(&self, are_held: bool) {
        self.set("held", are_held);
    }

    fn set(&self, name: &str, is_there: bool) {
        if is_there {
            std::fs::write(self.file(name), "").unwrap();
        } else {
            std::fs::remove_file(self.file(name)).unwrap();
        }
    }

    /// Starts the pipeline; gives the execution's id.
    pub(crate) async fn start(&self) -> String {
        self.world.start_again().await
    }

    /// The head message of an execution, as soon as it has this title.
    pub(crate) async fn head(&self, execution: &str, title: &str) -> Message {
        self.world.message_that(RELEASES, title, |message| message.thread.is_none() && message.says(execution)).await
    }

    /// A reply below a head message.
    pub(crate) async fn reply(&self, head: &Message, text: &str) -> Message {
        self.world.message_that(RELEASES, text, |message| message.thread.as_ref() == Some(&head.ts)).await
    }

    /// How many messages there are.
    pub(crate) fn count(&self) -> usize {
        self.world.slack.look(|state| state.messages(RELEASES).len())
    }

    /// Lets minutes pass until something holds.
    pub(crate) async fn minutes_until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        for _ in 0..200 {
            if holds(self) {
                return;
            }
            self.world.clock.advance(Duration::from_secs(61));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("{what} never comes: {}\n{}", self.world.said(RELEASES), self.world.logs());
    }

    /// So many messages are there, and then nothing is open any more.
    pub(crate) async fn posted(&self, count: usize) {
        self.minutes_until(&format!("message {count}"), |notices| notices.count() >= count).await;
        self.is_over().await;
    }

    /// Nothing is open any more.
    pub(crate) async fn is_over(&self) {
        self.minutes_until("the end of all threads", |notices| notices.world.documents("watched").is_empty()).await;
    }
}

/// An action with the source as its input.
pub(crate) fn action(name: &str, category: &str, provider: &str) -> Value {
    let kind = json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    json!({"name": name, "actionTypeId": kind, "inputArtifacts": [{"name": "Source"}]})
}

/// A pipeline `web` that reads its source and then has these stages, with one action each.
pub(crate) fn pipeline(stages: &[(&str, Value)]) -> Value {
    let mut source = action("Source", "Source", "CodeStarSourceConnection");
    source["configuration"] = json!({
        "ConnectionArn": "arn:aws:codestar-connections:us-east-1:111122223333:connection/1",
        "FullRepositoryId": "example/web", "BranchName": "main",
    });
    source["inputArtifacts"] = json!([]);
    source["outputArtifacts"] = json!([{"name": "Source"}]);
    let source = ("Source", source);
    let stages = std::iter::once(&source).chain(stages);
    json!({
        "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"}, "executionMode": "QUEUED",
        "stages": stages.map(|(name, action)| json!({"name": name, "actions": [action]})).collect::<Vec<_>>(),
    })
}
