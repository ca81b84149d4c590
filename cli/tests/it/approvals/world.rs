//! A pipeline with an approval, the deployed template, and a Slack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_slack::{Message, Slack};
use tempfile::TempDir;

/// Everything here takes seconds; this is for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const RELEASES: &str = "C0001";
pub(crate) const ONCALL: &str = "C0002";
pub(crate) const ADA: &str = "U0001";
pub(crate) const BEN: &str = "U0002";
pub(crate) const CORA: &str = "U0003";
pub(crate) const DAN: &str = "U0004";

/// Ada, Ben and Cora decide.
pub(crate) const ANYBODY: &str = "approvers: {users: [U0001], groups: [S0001]}";

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    pub(crate) slack: Slack,
    pub(crate) clock: Clock,
    folder: TempDir,
}

impl World {
    /// A world in which approvals are decided as `terms` says.
    pub(crate) async fn new(terms: &str) -> Self {
        Self::with(terms, |options| options).await
    }

    /// A world whose local AWS differs from the usual one.
    pub(crate) async fn with(terms: &str, change: impl FnOnce(Options) -> Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        repository(&source);
        let infra = folder.path().join("infra");
        std::fs::create_dir_all(infra.join("config")).unwrap();
        let config = format!(
            "channels: {{releases: {{slack: {RELEASES}}}, oncall: {{slack: {ONCALL}}}}}\napprovals:\n  - pipeline: web\n    channel: releases\n{}\n",
            terms.lines().map(|line| format!("    {}\n", line.trim())).collect::<String>(),
        );
        std::fs::write(infra.join("config/stagegate.yaml"), config).unwrap();
        std::fs::copy(crate::root().join("infra/template.yaml"), infra.join("template.yaml")).unwrap();
        let slack = Slack::start(stagegate_local_slack::Options::default()).await.unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_stagegate"));
        let template = std::fs::read_to_string(infra.join("template.yaml")).unwrap();
        let functions = template.lines().filter_map(|line| line.trim().strip_prefix("Binary: ").map(str::to_owned));
        let functions = functions.collect();
        let bootstraps = Bootstraps::Program { program, arguments: vec!["bootstrap".to_owned()], functions };
        let clock = Clock::system();
        let options = Options {
            source: Some(source),
            clock: clock.clone(),
            parameters: [("SlackAppId", "A0001"), ("SlackTeamId", "T0001")].map(owned).into(),
            environment: BTreeMap::from([owned(("STAGEGATE_SLACK_URL", &slack.api_url()))]),
            ..Options::new(folder.path().join("data"), infra.join("template.yaml"), bootstraps)
        };
        let aws = LocalAws::start(change(options)).await.unwrap();
        for (name, value) in [("signing-secret", slack.signing_secret()), ("bot-token", slack.bot_token())] {
            let parameter = json!({"Name": format!("/stagegate/slack/{name}"), "Value": value, "Type": "SecureString"});
            aws.ssm().call("PutParameter", &parameter).unwrap();
        }
        slack.set_interactivity_url(&aws.function_url("ApprovalResponse").unwrap());
        Self { aws, slack, clock, folder }
    }

    /// Creates the pipeline and runs it; gives the execution's id. `approval` changes the approval action.
    pub(crate) async fn start(&self, mode: &str, approval: Value) -> String {
        self.aws.put_pipeline(&pipeline(mode, approval)).await.unwrap();
        let started = self.call("StartPipelineExecution", json!({"name": "web"})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// A message of a channel, as soon as it is there.
    pub(crate) async fn message(&self, channel: &str, text: &str) -> Message {
        self.message_that(channel, text, |_| true).await
    }

    pub(crate) async fn message_that(&self, channel: &str, text: &str, is_it: impl Fn(&Message) -> bool) -> Message {
        let find = self.slack.until(|state| {
            state.messages(channel).iter().find(|message| message.says(text) && is_it(message)).cloned()
        });
        match tokio::time::timeout(PATIENCE, find).await {
            Ok(message) => message,
            Err(_) => panic!("{channel} never says {text:?}: {}\n{}", self.said(channel), self.logs()),
        }
    }

    /// The request in the channel that is asked, with its buttons.
    pub(crate) async fn request(&self) -> Message {
        self.message_that(RELEASES, "Release web to Production?", |message| !message.buttons().is_empty()).await
    }

    /// Everything that a channel shows.
    pub(crate) fn said(&self, channel: &str) -> String {
        self.slack.look(|state| {
            let messages = state.messages(channel).iter();
            messages.map(|message| format!("{} {}\n", message.text, json!(message.blocks))).collect()
        })
    }

    /// A person clicks a button of the request.
    pub(crate) async fn click(&self, user: &str, message: &Message, button: &str) {
        let clicked = self.slack.click(user, RELEASES, &message.ts, button).await.unwrap();
        assert!(clicked.is_acknowledged(), "{clicked:?}\n{}", self.logs());
    }

    /// A person votes: clicks, and submits the modal.
    pub(crate) async fn vote(&self, user: &str, message: &Message, button: &str, comment: &str) {
        self.click(user, message, button).await;
        let values = [("comment", "comment", comment)];
        let values = if comment.is_empty() { &values[..0] } else { &values[..] };
        let submitted = self.slack.submit(user, values).await.unwrap_or_else(|error| {
            panic!("{error}\n{}\n{}", self.said(RELEASES), self.logs());
        });
        assert!(submitted.is_acknowledged(), "{submitted:?}\n{}", self.logs());
    }

    /// How an execution ended.
    pub(crate) async fn status(&self, execution: &str) -> String {
        let ended = self.aws.codepipeline().wait_for_execution("web", execution);
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(status) => status.unwrap().as_str().to_owned(),
            Err(_) => panic!("{execution} does not end: {}\n{}", self.said(RELEASES), self.logs()),
        }
    }

    /// How often the functions have made a call.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        let calls = self.aws.calls().into_iter();
        calls.filter(|(call, _)| call.operation == operation && call.function.is_some()).map(|(_, count)| count).sum()
    }

    /// How often one function has called AWS.
    pub(crate) fn calls_of(&self, function: &str) -> u64 {
        let calls = self.aws.calls().into_iter();
        calls.filter(|(call, _)| call.function.as_deref() == Some(function)).map(|(_, count)| count).sum()
    }

    /// The documents of a folder of the state bucket.
    pub(crate) fn documents(&self, folder: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let root = self.aws.data().join("s3");
        each_file(&root, &mut |path, bytes| {
            let text = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
            if !text.starts_with('.')
                && text.contains(&format!("/{folder}/"))
                && text.ends_with(".json")
                && !text.contains("/.")
            {
                found.extend(serde_json::from_slice::<Value>(bytes).ok());
            }
        });
        found
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let wait = async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{what} never comes: {}\n{}", self.said(RELEASES), self.logs());
        }
    }

    /// Checks what holds at the end of every approval: it is recorded once, and nothing is left to do.
    pub(crate) async fn check_over(&self) {
        self.until("the end of all approvals", || self.documents("open").is_empty()).await;
        let approvals = self.documents("approvals");
        let closed = approvals.iter().filter(|approval| approval["document"]["phase"]["closed"].is_object());
        assert_eq!(closed.count(), approvals.len(), "{approvals:?}");
        assert_eq!(self.documents("audit").len(), approvals.len());
        self.check_secrets();
    }

    /// No secret is in a log, in a message, or in a document in which it has no place.
    fn check_secrets(&self) {
        let mut tokens: Vec<_> = self
            .documents("approvals")
            .iter()
            .map(|approval| approval["document"]["token"].as_str().unwrap().to_owned())
            .collect();
        assert!(!tokens.is_empty());
        let slack = [self.slack.signing_secret().to_owned(), self.slack.bot_token().to_owned()];
        tokens.extend(slack.clone());
        let check = |place: &str, text: &str| {
            for secret in &tokens {
                assert!(!text.contains(secret.as_str()), "a secret is in {place}");
            }
        };
        check("the logs", &self.logs());
        check("the messages", &(self.said(RELEASES) + &self.said(ONCALL)));
        for folder in ["audit", "open"] {
            check(folder, &json!(self.documents(folder)).to_string());
        }
        let approvals = json!(self.documents("approvals")).to_string();
        assert!(slack.iter().all(|secret| !approvals.contains(secret.as_str())));
    }

    /// Everything that was logged by the functions.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        each_file(&self.folder.path().join("data/logs/lambda"), &mut |_, bytes| {
            text += &String::from_utf8_lossy(bytes)
        });
        text
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn each_file(folder: &Path, visit: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => each_file(&path, visit),
            // A file may be replaced at this moment.
            path => std::fs::read(&path).iter().for_each(|bytes| visit(&path, bytes)),
        }
    }
}

/// Ada has written the change.
fn repository(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("README"), "a source is never empty").unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder).args(["-c", "user.name=Ada Adler", "-c", "user.email=ada@example.com"]);
        let done = git.args(["-c", "commit.gpgSign=false"]).args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "Open the harbour <!channel>"]);
}

fn pipeline(mode: &str, approval: Value) -> Value {
    let action = |name: &str, category: &str, provider: &str| {
        json!({
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        })
    };
    let mut source = action("Source", "Source", "CodeStarSourceConnection");
    source["configuration"] = json!({
        "ConnectionArn": "arn:aws:codestar-connections:us-east-1:111122223333:connection/1",
        "FullRepositoryId": "example/web", "BranchName": "main",
    });
    source["outputArtifacts"] = json!([{"name": "Source"}]);
    let mut approve = action("Approve", "Approval", "Manual");
    for (key, value) in approval.as_object().into_iter().flatten() {
        approve[key] = value.clone();
    }
    json!({
        "name": "web",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "executionMode": mode,
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Production", "actions": [approve]},
        ],
    })
}
