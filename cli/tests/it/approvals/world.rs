//! A pipeline with an approval, the deployed template, and a Slack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::LogFiles;
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
pub(crate) const EVE: &str = "U0005";

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
        Self::configured(&config(terms, ""), change).await
    }

    /// A world with release gates, as `stagegate.yaml` has them below `gates`.
    pub(crate) async fn with_gates(terms: &str, gates: &str, change: impl FnOnce(Options) -> Options) -> Self {
        Self::configured(&config(terms, gates), change).await
    }

    /// A world with a `stagegate.yaml` of its own.
    pub(crate) async fn configured(config: &str, change: impl FnOnce(Options) -> Options) -> Self {
        Self::peopled(config, stagegate_local_slack::Options::default(), change).await
    }

    /// A world in which people wait longer than they do in Slack, for a machine that is busy.
    pub(crate) async fn patient(config: &str) -> Self {
        let long = Duration::from_secs(20);
        let slack = stagegate_local_slack::Options {
            acknowledge_within: long,
            trigger_lifetime: long,
            ..stagegate_local_slack::Options::default()
        };
        Self::peopled(config, slack, |options| options).await
    }

    /// A world with a Slack of its own.
    pub(crate) async fn peopled(
        config: &str,
        slack: stagegate_local_slack::Options,
        change: impl FnOnce(Options) -> Options,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        repository(&source);
        let infra = folder.path().join("infra");
        std::fs::create_dir_all(infra.join("config")).unwrap();
        std::fs::write(infra.join("config/stagegate.yaml"), config).unwrap();
        std::fs::copy(crate::root().join("infra/template.yaml"), infra.join("template.yaml")).unwrap();
        let slack = Slack::start(slack).await.unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_stagegate"));
        let template = std::fs::read_to_string(infra.join("template.yaml")).unwrap();
        let functions = template.lines().filter_map(|line| line.trim().strip_prefix("Binary: ").map(str::to_owned));
        let functions = functions.collect();
        let bootstraps = Bootstraps::Program { program, arguments: vec!["bootstrap".to_owned()], functions };
        let options = Options {
            source: Some(source),
            clock: Clock::system(),
            parameters: [("SlackAppId", "A0001"), ("SlackTeamId", "T0001")].map(owned).into(),
            environment: BTreeMap::from([owned(("STAGEGATE_SLACK_URL", &slack.api_url()))]),
            ..Options::new(folder.path().join("data"), infra.join("template.yaml"), bootstraps)
        };
        let options = change(options);
        let clock = options.clock.clone();
        let aws = LocalAws::start(options).await.unwrap();
        for (name, value) in [("signing-secret", slack.signing_secret()), ("bot-token", slack.bot_token())] {
            let parameter = json!({"Name": format!("/stagegate/slack/{name}"), "Value": value, "Type": "SecureString"});
            aws.ssm().call("PutParameter", &parameter).unwrap();
        }
        slack.set_interactivity_url(&aws.function_url("ApprovalResponse").unwrap());
        Self { aws, slack, clock, folder }
    }

    /// Creates the pipeline and runs it; gives the execution's id. `approval` changes the approval action.
    pub(crate) async fn start(&self, mode: &str, approval: Value) -> String {
        self.start_pipeline(&pipeline(mode, approval)).await
    }

    /// Creates a pipeline `web` and runs it.
    pub(crate) async fn start_pipeline(&self, definition: &Value) -> String {
        self.aws.put_pipeline(definition).await.unwrap();
        self.start_again().await
    }

    /// Runs the pipeline once more.
    pub(crate) async fn start_again(&self) -> String {
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

    /// A message, while the minutes pass, so that the watch looks again and again.
    pub(crate) async fn message_in_time(&self, channel: &str, text: &str) -> Message {
        tokio::select! {
            message = self.message(channel, text) => message,
            () = self.minutes_pass() => unreachable!("time passes for ever"),
        }
    }

    /// Waits for something, while the minutes pass.
    pub(crate) async fn until_in_time(&self, what: &str, holds: impl FnMut() -> bool) {
        tokio::select! {
            () = self.until(what, holds) => {}
            () = self.minutes_pass() => unreachable!("time passes for ever"),
        }
    }

    /// How an execution ended, while the minutes pass.
    pub(crate) async fn status_in_time(&self, execution: &str) -> String {
        tokio::select! {
            status = self.status(execution) => status,
            () = self.minutes_pass() => unreachable!("time passes for ever"),
        }
    }

    /// Lets the minutes pass, faster than the wall's: whenever no function is at work. A process that takes a second
    /// here must not seem to have taken minutes, or its lease would be over while it is alive.
    pub(crate) async fn minutes_pass(&self) {
        loop {
            self.rest().await;
            self.clock.advance(Duration::from_secs(61));
        }
    }

    /// Lets time pass at once, as soon as no function is at work.
    pub(crate) async fn passes(&self, time: Duration) {
        self.settle().await;
        self.clock.advance(time);
    }

    /// Waits until no function is at work.
    pub(crate) async fn settle(&self) {
        if tokio::time::timeout(PATIENCE, self.rest()).await.is_err() {
            panic!("the functions never rest: {}\n{}", self.said(RELEASES), self.logs());
        }
    }

    /// No function is at work in three looks in a row: between two invocations an event may be on its way.
    async fn rest(&self) {
        let mut idle = 0;
        while idle < 3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            idle = if self.is_idle() { idle + 1 } else { 0 };
        }
    }

    /// Whether every process of a function has answered what it was asked, by its log.
    pub(crate) fn is_idle(&self) -> bool {
        let ours = format!("AWS_ENDPOINT_URL={}", self.aws.endpoint_url());
        let logs = LogFiles::new(self.aws.data().join("logs/lambda"));
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
            let environment = String::from_utf8_lossy(&environment);
            let variable = |name: &str| environment.split('\0').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
            let (Some(function), Some(stream), true) = (
                variable("AWS_LAMBDA_FUNCTION_NAME"),
                variable("AWS_LAMBDA_LOG_STREAM_NAME"),
                environment.split('\0').any(|it| it == ours),
            ) else {
                continue;
            };
            let text = std::fs::read_to_string(logs.path(function, stream)).unwrap_or_default();
            let count = |mark: &str| text.matches(mark).count();
            let (started, ended) =
                (count("START RequestId"), count("REPORT RequestId") - count("INIT_REPORT RequestId"));
            // One that is still starting has no line yet, and was told the time already.
            if started == 0 || started > ended {
                return false;
            }
        }
        true
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

    /// A person clicks a button that they may not use, and is told why.
    ///
    /// A function that could not find out in time opens the modal all the same, and says so in its log. Then they are told
    /// what comes of it.
    pub(crate) async fn refused(&self, user: &str, message: &Message, button: &str, why: &str) -> Message {
        let is_it = |it: &&Message| it.says(why) && it.only_for.as_deref() == Some(user);
        let late = || self.logs().matches("not checked yet").count();
        let (told, known) = (self.slack.look(|state| state.messages(RELEASES).iter().filter(is_it).count()), late());
        self.click(user, message, button).await;
        let goes_on = async {
            self.slack.until(|state| state.modal(user).map(drop)).await;
            assert!(late() > known, "{user} sees a modal");
            self.slack.submit(user, &[("comment", "comment", "All the same.")]).await.unwrap();
            std::future::pending::<()>().await;
        };
        let next = self.slack.until(|state| state.messages(RELEASES).iter().filter(is_it).nth(told).cloned());
        let next = async {
            tokio::select! { message = next => message, () = goes_on => unreachable!("it waits for ever") }
        };
        match tokio::time::timeout(PATIENCE, next).await {
            Ok(message) => message,
            Err(_) => panic!("{user} never hears {why:?}: {}\n{}", self.said(RELEASES), self.logs()),
        }
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

    /// The folder of this world.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
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

    /// Whether a function has used a right of its role; the function by its name in the template.
    pub(crate) fn has_used(&self, function: &str, right: &str) -> bool {
        self.aws.rights_used().contains(&(function.to_owned(), right.to_owned()))
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

    /// The records of how approvals ended.
    pub(crate) fn audits(&self) -> Vec<Value> {
        self.documents("audit").into_iter().filter(|found| found["kind"] == "audit").collect()
    }

    /// A CloudWatch alarm in a state.
    pub(crate) fn alarm(&self, state: &str) {
        let alarm = json!({
            "AlarmName": "web-5xx", "Namespace": "Web", "MetricName": "5xx", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        });
        self.aws.cloudwatch().call("PutMetricAlarm", &alarm).unwrap();
        let state = json!({"AlarmName": "web-5xx", "StateValue": state, "StateReason": "the test says so"});
        self.aws.cloudwatch().call("SetAlarmState", &state).unwrap();
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
        assert_eq!(self.audits().len(), approvals.len());
        self.check_secrets();
    }

    /// No secret is in a log, in a message, or in a document in which it has no place.
    pub(crate) fn check_secrets(&self) {
        let mut tokens: Vec<_> = self
            .documents("approvals")
            .iter()
            .map(|approval| approval["document"]["token"].as_str().unwrap().to_owned())
            .collect();
        assert!(!tokens.is_empty());
        let slack = [self.slack.signing_secret().to_owned(), self.slack.bot_token().to_owned()];
        tokens.extend(slack.clone());
        // The credentials of the functions' roles.
        for name in self.aws.lambda().function_names() {
            let credentials = self.aws.lambda().function(&name).unwrap().credentials;
            tokens.extend([credentials.secret_access_key, credentials.session_token]);
        }
        let check = |place: &str, text: &str| {
            for secret in &tokens {
                assert!(!text.contains(secret.as_str()), "a secret is in {place}");
            }
        };
        check("the logs", &self.logs());
        check("the messages", &(self.said(RELEASES) + &self.said(ONCALL)));
        let calls = self.slack.look(|state| {
            let calls = state.calls().iter().map(|call| json!([call.method, call.arguments, call.answer]));
            json!(calls.collect::<Vec<_>>()).to_string()
        });
        check("what Slack was sent", &calls);
        for topic in self.aws.bus().topics() {
            let messages = self.aws.bus().messages(&topic).unwrap_or_default().into_iter();
            // CodePipeline's own messages about approvals have the token in them.
            let ours = messages.filter(|message| !message.message.contains("\"approvalReviewLink\""));
            ours.for_each(|message| check("a topic", &message.message));
        }
        for folder in ["audit", "open", "overrides", "executions"] {
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
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    commit(folder, &[("README", "a source is never empty")]);
}

/// Ada changes files; a path may lead through folders.
pub(crate) fn commit(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "Open the harbour <!channel>"]);
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=Ada Adler", "-c", "user.email=ada@example.com"]);
    let done = git.args(["-c", "commit.gpgSign=false"]).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Approvals of the pipeline `web` that are decided as `terms` says, with gates.
pub(crate) fn config(terms: &str, gates: &str) -> String {
    let indented =
        |text: &str, by: &str| text.lines().map(|line| format!("{by}{}\n", line.trim_end())).collect::<String>();
    let gates = if gates.is_empty() { String::new() } else { format!("gates:\n{}", indented(gates, "  ")) };
    let terms: String = terms.lines().map(|line| format!("    {}\n", line.trim())).collect();
    format!(
        "channels: {{releases: {{slack: {RELEASES}}}, oncall: {{slack: {ONCALL}}}}}\n{gates}approvals:\n  - pipeline: web*\n    channel: releases\n{terms}\n"
    )
}

pub(crate) fn pipeline(mode: &str, approval: Value) -> Value {
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
