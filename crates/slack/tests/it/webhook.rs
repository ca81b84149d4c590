//! Webhooks and the answers to interactions.

use std::time::Duration;

use serde_json::json;
use stagegate_slack::blocks::Message;
use stagegate_slack::{ErrorKind, HttpClient, ResponseUrl, Text, Visibility, Webhook};
use tokio::time::Instant;

use crate::server::{Reply, Server, soon};

fn message() -> Message {
    Message::new(Text::escaped("hello"))
}

#[tokio::test]
async fn a_webhook_takes_a_message() {
    let limited = [Reply::Limited(Some(0)), Reply::Plain(200, "ok".into())];
    let server = Server::start(limited).await;
    let webhook = Webhook::new(HttpClient::new(), &server.url("/services/T1/B1/canary")).unwrap();
    webhook.post(&message(), soon()).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!((received[1].target.as_str(), &received[1].authorization), ("/services/T1/B1/canary", &None));
    assert_eq!(received[1].body, json!({"text": "hello", "blocks": []}));
    assert_eq!(format!("{webhook:?}"), "Webhook(redacted)");
}

#[tokio::test]
async fn refusals_of_webhooks_are_named_without_their_url() {
    use ErrorKind as K;
    let cases = [
        (Reply::Plain(404, "channel_not_found".into()), K::NotFound, false),
        (Reply::Plain(410, "channel_is_archived".into()), K::NotFound, false),
        (Reply::Plain(403, "action_prohibited".into()), K::Permission, false),
        (Reply::Plain(404, "no_service".into()), K::Permission, false),
        (Reply::Plain(400, "invalid_payload".into()), K::Rejected, false),
        (Reply::Plain(403, "<html>Forbidden</html>".into()), K::Permission, false),
        (Reply::Plain(500, "rollup_error".into()), K::Unavailable, true),
        (Reply::Cut, K::Unavailable, true),
    ];
    for (reply, kind, may_have_been_done) in cases {
        let server = Server::start([reply.clone()]).await;
        let webhook = Webhook::new(HttpClient::new(), &server.url("/services/T1/B1/canary")).unwrap();
        let error = webhook.post(&message(), soon()).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_done()), (kind, may_have_been_done), "{reply:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert_eq!(server.received().len(), 1, "{reply:?}");
    }
    for url in ["http://hooks.slack.com/services/canary", "canary", "https://a:canary@hooks.slack.com/"] {
        let error = Webhook::new(HttpClient::new(), url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn an_interaction_is_answered_or_its_message_replaced() {
    let used = Reply::Plain(404, json!({"ok": false, "error": "used_url"}).to_string());
    let server = Server::start([Reply::Plain(200, "ok".into()), Reply::json(&json!({"ok": true})), used]).await;
    let url = ResponseUrl::new(&server.url("/actions/T1/1/canary")).unwrap();
    let http = HttpClient::new();
    url.reply(&http, Visibility::Ephemeral, &message(), soon()).await.unwrap();
    url.replace_original(&http, &message(), soon()).await.unwrap();
    let error = url.reply(&http, Visibility::Channel, &message(), soon()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("used_url")));
    let bodies: Vec<_> = server.received().into_iter().map(|request| request.body).collect();
    assert_eq!(
        bodies[0],
        json!({"text": "hello", "blocks": [], "response_type": "ephemeral", "replace_original": false})
    );
    assert_eq!(bodies[1], json!({"text": "hello", "blocks": [], "replace_original": true}));
    assert_eq!(bodies[2]["response_type"], "in_channel");
}

/// A reply may not be repeated, a replacement may.
#[tokio::test]
async fn a_replacement_is_tried_again() {
    let server = Server::start([Reply::Plain(503, String::new()), Reply::Plain(200, "ok".into())]).await;
    let url = ResponseUrl::new(&server.url("/actions")).unwrap();
    url.replace_original(&HttpClient::new(), &message(), Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!(server.received().len(), 2);
}
