//! A local AWS with a pipeline that waits for an approval, a Slack, and an app that asks in it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_config::Config;
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_codepipeline::{CodePipeline, OpenApproval};
use stagegate_local_console::Console;
use stagegate_local_slack::Slack;
use stagegate_slack::blocks::{Actions, Button, Message, Style};
use stagegate_slack::interaction::Interaction;
use stagegate_slack::signature::{SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER, verify};
use stagegate_slack::{ApiUrl, BotToken, HttpClient, Plain, Posted, SigningSecret, SlackClient, Text};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;

const TEMPLATE: &str = "
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  State:
    Type: AWS::S3::Bucket
";

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    pub(crate) slack: Slack,
    pub(crate) console: Console,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        file("source/index.html", "<p>web</p>");
        file("template.yaml", TEMPLATE);
        file("functions/README", "there is none");
        let long = Duration::from_secs(60);
        let slack = Slack::start(stagegate_local_slack::Options {
            acknowledge_within: long,
            trigger_lifetime: long,
            ..stagegate_local_slack::Options::default()
        });
        let slack = slack.await.unwrap();
        let functions = Bootstraps::Folder(folder.path().join("functions"));
        let aws = LocalAws::start(Options {
            source: Some(folder.path().join("source")),
            ..Options::new(folder.path().join("data"), folder.path().join("template.yaml"), functions)
        });
        let aws = aws.await.unwrap();
        aws.s3().create_bucket("site").await.unwrap();
        aws.put_pipeline(&pipeline()).await.unwrap();
        let console = Console::start(0, &aws, Some(slack.clone()), Config::default()).await.unwrap();
        Self { aws, slack, console, _folder: folder }
    }

    /// Starts an execution and waits until it asks for an approval.
    pub(crate) async fn start(&self) -> OpenApproval {
        self.aws.codepipeline().call("StartPipelineExecution", json!({"name": "web"})).await.unwrap();
        self.waiting().await
    }

    /// Waits until an approval is open.
    pub(crate) async fn waiting(&self) -> OpenApproval {
        let mut events = self.aws.codepipeline().subscribe();
        loop {
            if let Some(open) = self.aws.codepipeline().open_approvals().pop() {
                return open;
            }
            tokio::time::timeout(Duration::from_secs(60), events.recv()).await.unwrap().unwrap();
        }
    }

    pub(crate) async fn get(&self, query: &str) -> String {
        let (status, body) = self.send("GET", &format!("{}{query}", self.console.url()), "").await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, form: String) -> (u16, String) {
        self.send("POST", &format!("{}{path}", self.console.url()), &form).await
    }

    async fn send(&self, method: &str, url: &str, form: &str) -> (u16, String) {
        let request = axum::http::Request::builder().method(method).uri(url);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Full::from(form.to_owned())).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let response = client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

fn pipeline() -> Value {
    let action =
        |name: &str, (category, provider): (&str, &str), configuration: Value, input: &[&str], output: &[&str]| {
            let artifacts = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
            json!({
                "name": name, "runOrder": 1, "configuration": configuration,
                "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
                "inputArtifacts": artifacts(input), "outputArtifacts": artifacts(output),
            })
        };
    let repository = json!({"ConnectionArn": "arn:aws:codestar-connections:us-east-1:111122223333:connection/x",
        "FullRepositoryId": "example/web", "BranchName": "main"});
    let stage = |name: &str, action: Value| json!({"name": name, "actions": [action]});
    json!({
        "name": "web", "roleArn": "arn:aws:iam::111122223333:role/x", "pipelineType": "V2", "executionMode": "QUEUED",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            stage("Source", action("Source", ("Source", "CodeStarSourceConnection"), repository, &[], &["Code"])),
            stage("Approve", action("Approve", ("Approval", "Manual"), json!({"CustomData": "Release <b>web</b>?"}), &[], &[])),
            stage("Production", action("Deploy", ("Deploy", "S3"), json!({"BucketName": "site", "Extract": "true"}), &["Code"], &[])),
        ],
    })
}

/// An app that asks in Slack about an open approval, and answers the approval as it is told there.
#[derive(Clone)]
pub(crate) struct App {
    slack: SlackClient,
    secret: SigningSecret,
    codepipeline: CodePipeline,
    open: OpenApproval,
    posted: Arc<Mutex<Option<Posted>>>,
}

impl App {
    pub(crate) async fn ask(world: &World, open: OpenApproval) {
        let base = ApiUrl::new(&world.slack.api_url()).unwrap();
        let app = Self {
            slack: SlackClient::new(HttpClient::new(), base, BotToken::new(world.slack.bot_token())),
            secret: SigningSecret::new(world.slack.signing_secret()),
            codepipeline: world.aws.codepipeline().clone(),
            open,
            posted: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.slack.set_interactivity_url(&format!("http://{}/", listener.local_addr().unwrap()));
        let router = Router::new().fallback(clicked).with_state(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let button = |id: &str, label: &str| Button::new(id, Plain::new(label)).unwrap();
        let approve = button("approve", "Approve").style(Style::Primary);
        let message = Message::new(Text::escaped("web waits for an approval"))
            .header(Plain::new("Release web?"))
            .context([Text::code(&app.open.pipeline_execution_id)])
            .actions(Actions::new("decide").unwrap().button(approve).button(button("reject", "Reject")));
        let posted = app.slack.post_message(&"C0001".parse().unwrap(), None, &message, soon()).await.unwrap();
        *app.posted.lock().unwrap() = Some(posted);
    }
}

async fn clicked(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let request =
        SignedRequest { timestamp: header(TIMESTAMP_HEADER), signature: header(SIGNATURE_HEADER), body: &body };
    let verified = verify(&app.secret, request, Timestamp::now()).unwrap();
    let Interaction::BlockActions(click) = Interaction::parse(verified).unwrap() else { panic!() };
    let status = if click.actions[0].action_id == "approve" { "Approved" } else { "Rejected" };
    let input = json!({
        "pipelineName": app.open.pipeline, "stageName": app.open.stage, "actionName": app.open.action,
        "token": app.open.token.expose(), "result": {"status": status, "summary": format!("by {}", click.origin.user)},
    });
    app.codepipeline.call("PutApprovalResult", input).await.unwrap();
    let answered = Message::new(Text::escaped("answered"))
        .section(Text::escaped(status) + Text::escaped(" by ") + Text::user(&click.origin.user));
    let posted = app.posted.lock().unwrap().clone().unwrap();
    app.slack.update(&posted, &answered, soon()).await.unwrap();
    StatusCode::OK
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
