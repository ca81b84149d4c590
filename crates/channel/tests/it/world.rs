//! Channels whose secrets lie in a real Parameter Store, and something to say.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::json;
use stagegate_channel::{Channels, Letter, Outcome, Secrets};
use stagegate_config::Channel;
use stagegate_local_clock::Clock;
use stagegate_local_ssm::{Ssm, router};
use stagegate_notice::{Bulletin, Kind, Line, Mark, Revision, StageLine, Status, Subject};
use stagegate_slack::HttpClient;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::server::Server;

/// Must not appear in anything that is logged or told.
pub(crate) const CANARY: &str = "canary-4f1c9e";

/// The key of webhooks.
pub(crate) const KEY: &str = "whsec_Y2FuYXJ5LTRmMWM5ZS1hbmQtbW9yZS1vZi1pdA==";

pub(crate) fn sdk(endpoint: &str, region: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

/// A Parameter Store with these parameters.
async fn ssm(parameters: &[(&str, &str)]) -> aws_sdk_ssm::Client {
    let ssm = Ssm::new(Clock::system(), "eu-west-1", "111122223333");
    for (name, value) in parameters {
        ssm.call("PutParameter", &json!({"Name": name, "Type": "SecureString", "Value": value})).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router(ssm)).await });
    aws_sdk_ssm::Client::new(&sdk(&endpoint, "eu-west-1"))
}

/// Channels that know the secrets of a server: `/url` leads to it, `/key` holds the key, `/token` the bot token.
pub(crate) async fn channels(server: &Server) -> Channels {
    let url = server.url(&format!("/{CANARY}"));
    let secrets = ssm(&[("/url", &url), ("/key", KEY), ("/token", &format!("xoxb-{CANARY}"))]).await;
    let secrets = Arc::new(Secrets::new(secrets));
    let base = server.url("/api/").parse::<String>().unwrap();
    let slack = stagegate_slack::ApiUrl::new(&base).unwrap();
    Channels::new(&sdk(&server.url(""), "eu-west-1"), HttpClient::new(), secrets).with_slack(slack, "/token")
}

/// The channel `a` of a configuration.
pub(crate) fn channel(written: &str) -> Channel {
    let config = stagegate_config::Config::parse("stagegate.yaml", &format!("channels: {{a: {written}}}")).unwrap();
    config.channel("a").unwrap().clone()
}

/// A channel of each kind of HTTP that leads to a server.
pub(crate) fn http_channels() -> [(&'static str, Channel); 4] {
    [
        ("slack", channel("{slack: C0123456789}")),
        ("slack_webhook", channel("{slack_webhook: /url}")),
        ("teams", channel("{teams: /url}")),
        ("webhook", channel("{webhook: {url_parameter: /url, secret: /key, network: {allow_networks: [127.0.0.1]}}}")),
    ]
}

pub(crate) async fn send_within(channels: &Channels, channel: &Channel, within: Duration) -> Outcome {
    let bulletin = bulletin();
    let letter = Letter { to: "a", id: "execution-1/a/failed", say: &bulletin, below: None, replaces: None };
    channels.send(channel, &letter, Instant::now() + within).await
}

/// For a server that never answers. Whatever is answered has a minute.
pub(crate) const BRIEF: Duration = Duration::from_secs(2);

pub(crate) async fn send(channels: &Channels, channel: &Channel) -> Outcome {
    send_within(channels, channel, Duration::from_secs(60)).await
}

/// A notice with everything that one can have.
pub(crate) fn bulletin() -> Bulletin {
    let stage = |name: &str, mark, actions| StageLine { name: name.to_owned(), mark, actions };
    Bulletin {
        key: "failed/action-1".to_owned(),
        kind: Some(Kind::Failed),
        subject: Subject::Pipeline,
        name: "web".to_owned(),
        execution: "3f2a0c9e-8b1d-4c6f-9a57-0e4d2b7c8f13".to_owned(),
        stage: Some("Test".to_owned()),
        status: Status::Failed,
        title: "Gate has failed in Test".to_owned(),
        lines: vec![
            Line { label: "Reason".into(), text: "3 of 120 tests failed (JobFailed)".to_owned(), url: None },
            Line {
                label: "Details".into(),
                text: "open".to_owned(),
                url: Some("https://eu-west-1.console.aws.amazon.com/x".to_owned()),
            },
        ],
        stages: vec![
            stage("Source", Mark::Done, vec![]),
            stage("Test", Mark::Failed, vec![("Gate".to_owned(), Mark::Failed)]),
            stage("Production", Mark::NotBegun, vec![]),
        ],
        about: vec![
            Line {
                label: "Change".into(),
                text: "0123456789ab Say hello".to_owned(),
                url: Some("https://example.com/commit/0123456789ab".to_owned()),
            },
            Line { label: "Author".into(), text: "Mary".to_owned(), url: None },
        ],
        revision: Some(Revision {
            id: "0123456789abcdef".to_owned(),
            summary: Some("Say hello".to_owned()),
            url: Some("https://example.com/commit/0123456789ab".to_owned()),
        }),
        author: Some("Mary".to_owned()),
        trigger: Some("Webhook".to_owned()),
        region: Some("eu-west-1".to_owned()),
        url: Some("https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web".to_owned()),
        mention: Some("U0123456789".to_owned()),
        is_reply: false,
    }
}
