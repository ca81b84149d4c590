//! The Web API over real connections, with the failures that Slack and networks have.

use std::time::Duration;

use serde_json::json;
use stagegate_slack::blocks::{Message, Modal};
use stagegate_slack::{
    ApiUrl, BotToken, ChannelId, ErrorKind, HttpClient, MessageTs, Plain, Posted, SlackClient, SlackError, Text, UserId,
};
use tokio::time::Instant;

use crate::server::{Reply, Server, soon};

fn client(server: &Server) -> SlackClient {
    let base = ApiUrl::new(&server.url("/api")).unwrap();
    SlackClient::new(HttpClient::new(), base, BotToken::new("xoxb-canary"))
}

fn channel() -> ChannelId {
    "C0001".parse().unwrap()
}

fn message(text: &str) -> Message {
    Message::new(Text::escaped(text))
}

fn posted() -> Posted {
    Posted { channel: channel(), ts: "1700000000.000001".parse().unwrap() }
}

fn refused(code: &str) -> Reply {
    Reply::json(&json!({"ok": false, "error": code}))
}

async fn post(server: &Server, within: Duration) -> Result<Posted, SlackError> {
    client(server).post_message(&channel(), None, &message("hello"), Instant::now() + within).await
}

#[tokio::test]
async fn a_post_is_what_slack_expects() {
    let server = Server::start([]).await;
    let thread: MessageTs = "1700000000.000009".parse().unwrap();
    let done = client(&server).post_message(&channel(), Some(&thread), &message("a & b"), soon()).await.unwrap();
    assert_eq!(done, posted());
    let [request] = &server.received()[..] else { panic!() };
    assert_eq!(request.target, "/api/chat.postMessage");
    assert_eq!(request.authorization.as_deref(), Some("Bearer xoxb-canary"));
    assert_eq!(request.content_type.as_deref(), Some("application/json; charset=utf-8"));
    let expected = json!({"channel": "C0001", "text": "a &amp; b", "blocks": [], "parse": "none", "link_names": false,
        "unfurl_links": false, "unfurl_media": false, "thread_ts": "1700000000.000009"});
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn the_other_methods_are_what_slack_expects() {
    let user = json!({"ok": true, "user": {"id": "U0001", "name": "ada", "is_email_confirmed": true, "is_restricted": true,
        "profile": {"display_name": "", "real_name": "Ada L", "email": "ada@example.com"}}});
    let replies = [
        json!({"ok": true, "ts": "1700000000.000001"}),
        json!({"ok": true, "message_ts": "1700000000.000002"}),
        json!({"ok": true, "view": {"id": "V1", "hash": "1.x"}}),
        json!({"ok": true, "view": {"id": "V1", "hash": "2.x"}}),
        user.clone(),
        user,
        json!({"ok": false, "error": "users_not_found"}),
        json!({"ok": true, "users": ["U0001", "W0002"]}),
        json!({"ok": true, "permalink": "https://acme.slack.com/archives/C0001/p1700000000000001"}),
    ];
    let server = Server::start(replies.iter().map(Reply::json)).await;
    let slack = client(&server);
    let ada: UserId = "U0001".parse().unwrap();
    let modal = Modal::new("m", Plain::new("M")).unwrap();
    slack.update(&posted(), &message("new"), soon()).await.unwrap();
    slack.post_ephemeral(&channel(), &ada, &message("no"), soon()).await.unwrap();
    let view = slack.open_view("1.2", &modal, soon()).await.unwrap();
    let view = slack.update_view(&view.id, view.hash.as_deref(), &modal, soon()).await.unwrap();
    assert_eq!(view.hash.as_deref(), Some("2.x"));
    let known = slack.user(&ada, soon()).await.unwrap();
    assert_eq!((known.name.as_str(), known.email.as_deref()), ("Ada L", Some("ada@example.com")));
    assert!(known.is_email_confirmed && known.is_guest && !known.is_bot && !known.is_deleted && !known.is_stranger);
    assert_eq!(slack.user_by_email("ada@example.com", soon()).await.unwrap(), Some(known));
    assert_eq!(slack.user_by_email("a&b@example.com", soon()).await.unwrap(), None);
    assert_eq!(slack.group_users(&"S0001".parse().unwrap(), soon()).await.unwrap().len(), 2);
    let link = slack.permalink(&posted(), soon()).await.unwrap();
    assert_eq!(link.path(), "/archives/C0001/p1700000000000001");
    let targets: Vec<_> = server.received().into_iter().map(|request| request.target).collect();
    let expected = [
        "/api/chat.update",
        "/api/chat.postEphemeral",
        "/api/views.open",
        "/api/views.update",
        "/api/users.info?user=U0001",
        "/api/users.lookupByEmail?email=ada%40example.com",
        "/api/users.lookupByEmail?email=a%26b%40example.com",
        "/api/usergroups.users.list?usergroup=S0001",
        "/api/chat.getPermalink?channel=C0001&message_ts=1700000000.000001",
    ];
    assert_eq!(targets, expected);
}

/// Slack limits a burst; every message arrives all the same, in the order in which it was sent, and none twice.
#[tokio::test]
async fn a_burst_of_200_arrives_in_order_and_none_twice() {
    let limits = (0..225).map(|number| (number % 9 == 0).then_some(Reply::Limited(Some(0))));
    let server = Server::start_with(limits).await;
    let slack = client(&server);
    let texts: Vec<_> = (0..200).map(|number| format!("message {number}")).collect();
    for text in &texts {
        slack.post_message(&channel(), None, &message(text), soon()).await.unwrap();
    }
    assert_eq!(server.taken(), texts);
    assert_eq!(server.received().len(), 225, "every ninth request was limited");
}

#[tokio::test]
async fn slacks_pause_is_kept() {
    let server = Server::start([Reply::Limited(Some(2)), Reply::Limited(None), refused("ratelimited")]).await;
    let start = Instant::now();
    post(&server, Duration::from_secs(60)).await.unwrap();
    // Two seconds as asked, one where Slack names none, twice.
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(server.received().len(), 4);
}

/// Where the pause is longer than the time that is left, that is said at once.
#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let server = Server::start([Reply::Limited(Some(3600))]).await;
    let error = post(&server, Duration::from_secs(30)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(3600))));
    assert!(error.is_retryable() && !error.may_have_been_done());
    assert_eq!(server.received().len(), 1);
    assert_eq!(
        error.to_string(),
        "call Slack's chat.postMessage: it asks to wait 3600 s, which is longer than there is time"
    );
}

/// A post of which it is not known whether it was done is not repeated; an update is.
#[tokio::test]
async fn only_what_may_be_done_twice_is_tried_again() {
    let failures = [
        Reply::Plain(500, "oops".into()),
        Reply::Plain(503, String::new()),
        Reply::Cut,
        refused("internal_error"),
        refused("fatal_error"),
    ];
    for failure in failures {
        let server = Server::start([failure.clone()]).await;
        let error = post(&server, Duration::from_secs(60)).await.unwrap_err();
        assert!(error.may_have_been_done() && error.is_retryable(), "{failure:?}: {error:?}");
        assert!(error.to_string().ends_with("; it may have been done all the same"), "{error}");
        assert_eq!(server.received().len(), 1, "{failure:?}");

        let server = Server::start([failure.clone(), failure.clone(), failure.clone()]).await;
        client(&server).update(&posted(), &message("new"), soon()).await.unwrap();
        assert_eq!(server.received().len(), 4, "{failure:?}");
    }
}

#[tokio::test]
async fn a_deadline_ends_everything() {
    let within = Duration::from_millis(300);
    for _ in 0..2 {
        let server = Server::start(vec![Reply::Never; 50]).await;
        let start = Instant::now();
        let error = post(&server, within).await.unwrap_err();
        assert!(error.may_have_been_done(), "{error:?}");
        let error = client(&server).update(&posted(), &message("new"), Instant::now() + within).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
    let server = Server::start(vec![Reply::Plain(503, String::new()); 500]).await;
    let start = Instant::now();
    let error = client(&server).update(&posted(), &message("new"), Instant::now() + within).await.unwrap_err();
    assert_eq!(error.to_string(), "call Slack's chat.update: it answered with HTTP status 503");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// What was certainly not sent may be sent again; nobody listens here.
#[tokio::test]
async fn an_unreachable_slack_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = ApiUrl::new(&format!("http://{}/api/", free.local_addr().unwrap())).unwrap();
    drop(free);
    let slack = SlackClient::new(HttpClient::new(), base, BotToken::new("xoxb-canary"));
    let until = Instant::now() + Duration::from_millis(400);
    let error = slack.post_message(&channel(), None, &message("hello"), until).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!error.may_have_been_done(), "{error}");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn slacks_words_are_sorted_and_explained() {
    use ErrorKind as K;
    let blocks = json!({"ok": false, "error": "invalid_blocks",
        "errors": ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]});
    let scope = json!({"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"});
    let cases = [
        (
            refused("not_in_channel"),
            K::Permission,
            "it answered not_in_channel; invite the app to the channel with /invite",
        ),
        (
            refused("channel_not_found"),
            K::NotFound,
            "it answered channel_not_found; check the channel's id, and invite the app where the channel is private",
        ),
        (refused("message_not_found"), K::NotFound, "it answered message_not_found"),
        (
            refused("invalid_auth"),
            K::Permission,
            "it answered invalid_auth; install the app again and store its new bot token",
        ),
        (
            Reply::json(&scope),
            K::Permission,
            "it answered missing_scope (needed: chat:write); add the scope to the app and install it again",
        ),
        (
            Reply::json(&blocks),
            K::Rejected,
            "it answered invalid_blocks (must be less than 3001 characters [json-pointer:/blocks/0/text/text])",
        ),
        (refused("something_new"), K::Rejected, "it answered something_new"),
        (Reply::Plain(404, "nothing here".into()), K::NotFound, "it answered with HTTP status 404"),
        (Reply::Plain(302, String::new()), K::Rejected, "it answered with HTTP status 302"),
        (
            Reply::Plain(200, "<html>".into()),
            K::Unavailable,
            "the answer is not one of Slack's (it is no JSON object); check the URL and whatever stands between; it may have been done all the same",
        ),
        (
            Reply::json(&json!({"ok": "yes"})),
            K::Unavailable,
            "the answer is not one of Slack's (it has no \"ok\"); check the URL and whatever stands between; it may have been done all the same",
        ),
        (
            Reply::json(&json!({"ok": true})),
            K::Unavailable,
            "the answer is not one of Slack's (its \"ts\" is missing or has another form); check the URL and whatever stands between; it may have been done all the same",
        ),
    ];
    for (reply, kind, text) in cases {
        let server = Server::start([reply.clone()]).await;
        let error = post(&server, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("call Slack's chat.postMessage: {text}"));
        assert_eq!(error.kind(), kind, "{reply:?}");
        assert_eq!(server.received().len(), 1, "{reply:?}");
    }
}

/// What people can set right, or what passes, is no reason not to try it again.
#[tokio::test]
async fn a_message_that_cannot_be_changed_is_told_from_what_can_be_set_right() {
    let about_it = ["message_not_found", "cant_update_message", "edit_window_closed"];
    let other =
        ["token_revoked", "invalid_auth", "not_in_channel", "channel_not_found", "is_archived", "internal_error"];
    for (codes, expected) in [(&about_it[..], true), (&other[..], false)] {
        for code in codes {
            let server = Server::start([refused(code)]).await;
            let error = post(&server, Duration::from_secs(60)).await.unwrap_err();
            assert_eq!(error.cannot_be_changed(), expected, "{code}");
        }
    }
}

#[tokio::test]
async fn what_is_about_one_message_is_told_from_what_is_about_all() {
    for (reply, expected) in [
        (refused("invalid_blocks"), true),
        (refused("msg_too_long"), true),
        (refused("no_text"), true),
        (Reply::Plain(413, String::new()), true),
        (refused("not_in_channel"), false),
        (refused("something_new"), false),
        (Reply::Plain(404, String::new()), false),
        (Reply::Plain(302, String::new()), false),
    ] {
        let server = Server::start([reply.clone()]).await;
        let error = post(&server, Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.is_about_the_message(), expected, "{reply:?}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let server = Server::start([Reply::Plain(200, "x".repeat(5 << 20))]).await;
    let error = post(&server, Duration::from_secs(60)).await.unwrap_err();
    assert!(error.to_string().contains("length limit exceeded"), "{error}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for token in ["", " \n", "xoxb-\ncanary"] {
        let server = Server::start([]).await;
        let base = ApiUrl::new(&server.url("/api")).unwrap();
        let slack = SlackClient::new(HttpClient::new(), base, BotToken::new(token));
        let error = slack.post_message(&channel(), None, &message("hello"), soon()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(server.received().is_empty());
    }
}

#[test]
fn requests_leave_this_machine_over_tls_only() {
    let cases = [
        ("https://slack.com/api/", true),
        ("http://127.0.0.1:1234", true),
        ("http://[::1]:1/api", true),
        ("http://localhost:1/api", true),
        ("http://slack.com/api/", false),
        ("http://127.0.0.1.example.com/", false),
        ("http://localhost.example.com/", false),
        ("http://10.0.0.1/", false),
        ("ftp://127.0.0.1/", false),
        ("https://user:password@slack.com/", false),
        ("https://slack.com/api/?x=1", false),
        ("slack.com", false),
        ("", false),
    ];
    for (url, is_taken) in cases {
        assert_eq!(ApiUrl::new(url).is_ok(), is_taken, "{url}");
    }
    assert!(ApiUrl::new("http://token@10.0.0.1/").is_err_and(|error| !error.to_string().contains("token@")));
}

/// The secrets of a client are in none of its words.
#[tokio::test]
async fn no_secret_is_shown() {
    let server = Server::start([refused("invalid_auth")]).await;
    let slack = client(&server);
    let error = slack.post_message(&channel(), None, &message("hello"), soon()).await.unwrap_err();
    for text in [format!("{slack:?}"), format!("{error:?}"), error.to_string()] {
        assert!(!text.contains("canary"), "{text}");
    }
}
