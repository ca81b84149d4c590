//! What becomes of a message where a channel is down, slow, or answers with anything at all.

use std::time::Duration;

use stagegate_channel::{Found, Letter, Outcome};
use stagegate_config::Channel;
use stagegate_notice::Message;
use tokio::time::Instant;

use crate::server::{Reply, Server};
use crate::world::{BRIEF, CANARY, bulletin, channel, channels, http_channels, send, send_within};

/// What is expected of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Delivered,
    Refused,
    Rejected,
    Later,
    LaterBy(u64),
    Unknown,
}

fn check(outcome: &Outcome, expected: Expected, what: &str) {
    let fits = match (outcome, expected) {
        (Outcome::Delivered { .. }, Expected::Delivered)
        | (Outcome::Refused { .. }, Expected::Refused)
        | (Outcome::Rejected { .. }, Expected::Rejected)
        | (Outcome::Later { .. }, Expected::Later)
        | (Outcome::Unknown { .. }, Expected::Unknown) => true,
        (Outcome::Later { after, .. }, Expected::LaterBy(seconds)) => *after == Duration::from_secs(seconds),
        _ => false,
    };
    assert!(fits, "{what}: {expected:?} was expected of {outcome:?}");
    assert!(!format!("{outcome:?}").contains(CANARY), "{what}: {outcome:?}");
}

/// An answer by which a channel of a kind takes a message.
fn taken(kind: &str) -> Reply {
    match kind {
        "slack" => Reply::With(200, "", r#"{"ok":true,"channel":"C0123456789","ts":"1700000000.000001"}"#.to_owned()),
        "slack_webhook" => Reply::With(200, "", "ok".to_owned()),
        "teams" => Reply::status(202),
        _ => Reply::status(204),
    }
}

/// By kind: what is expected, after how many requests. `None`: as many as there was time for.
type Row = (&'static str, Vec<Reply>, [(Expected, Option<usize>); 4]);

fn rows() -> Vec<Row> {
    use Expected::{Delivered, LaterBy, Refused, Rejected, Unknown};
    let limited = |seconds: &'static str| Reply::With(429, seconds, String::new());
    vec![
        ("it works", vec![], [(Delivered, Some(1)); 4]),
        ("it asks to wait a moment", vec![limited("retry-after: 0\r\n")], [(Delivered, Some(2)); 4]),
        ("it asks to wait for long", vec![limited("retry-after: 900\r\n")], [(LaterBy(900), Some(1)); 4]),
        (
            "it fails once",
            vec![Reply::status(503)],
            // Slack's client does not repeat a post by itself.
            [(Expected::Later, Some(1)), (Expected::Later, Some(1)), (Delivered, Some(2)), (Delivered, Some(2))],
        ),
        (
            "it hangs up",
            vec![Reply::HangUp],
            [(Unknown, Some(1)), (Unknown, Some(1)), (Unknown, Some(1)), (Delivered, Some(2))],
        ),
        (
            "its answer is cut off",
            vec![Reply::Cut(200)],
            [(Unknown, Some(1)), (Unknown, Some(1)), (Delivered, Some(1)), (Delivered, Some(1))],
        ),
        ("it is slow", vec![Reply::Slow(Duration::from_millis(200), 500)], {
            [(Expected::Later, Some(1)), (Expected::Later, Some(1)), (Delivered, Some(2)), (Delivered, Some(2))]
        }),
        ("it is gone", vec![Reply::status(404)], [(Refused, Some(1)); 4]),
        ("it has been taken away", vec![Reply::status(410)], [(Refused, Some(1)); 4]),
        // A workflow of Teams that does not run answers so.
        (
            "it takes no such thing",
            vec![Reply::status(400)],
            [Rejected, Rejected, Refused, Rejected].map(|what| (what, Some(1))),
        ),
        ("it takes nothing so long", vec![Reply::status(413)], [(Rejected, Some(1)); 4]),
        (
            "it does not understand it",
            vec![Reply::status(422)],
            [Rejected, Rejected, Refused, Rejected].map(|what| (what, Some(1))),
        ),
        ("it does not know us", vec![Reply::status(401)], [(Refused, Some(1)); 4]),
        ("it does not let us in", vec![Reply::status(403)], [(Refused, Some(1)); 4]),
        ("it is something else", vec![Reply::status(405)], [(Refused, Some(1)); 4]),
        (
            "it sends us elsewhere",
            vec![Reply::With(302, "location: http://127.0.0.1:1/\r\n", String::new())],
            [(Refused, Some(1)); 4],
        ),
    ]
}

#[tokio::test]
async fn each_destination_says_what_became_of_it() {
    for (what, replies, expected) in rows() {
        for ((kind, channel), (expected, requests)) in http_channels().into_iter().zip(expected) {
            let server = Server::start(replies.iter().cloned().chain([taken(kind)])).await;
            let outcome = send(&channels(&server).await, &channel).await;
            let what = format!("{kind}: {what}");
            check(&outcome, expected, &what);
            if let Some(requests) = requests {
                assert_eq!(server.received().len(), requests, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn what_never_answers_may_have_taken_it() {
    let expected = [Expected::Unknown, Expected::Unknown, Expected::Unknown, Expected::Later];
    for ((kind, channel), expected) in http_channels().into_iter().zip(expected) {
        let server = Server::start([Reply::Never]).await;
        let outcome = send_within(&channels(&server).await, &channel, BRIEF).await;
        check(&outcome, expected, kind);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_or_fails_for_long_is_tried_later() {
    for ((kind, channel), requests) in http_channels().into_iter().zip([1, 1, 3, 3]) {
        // In the end it asks for a longer pause than there is time.
        let failures =
            [Reply::status(500), Reply::status(500), Reply::With(500, "retry-after: 900\r\n", String::new())];
        let server = Server::start(failures).await;
        let outcome = send(&channels(&server).await, &channel).await;
        check(&outcome, Expected::Later, kind);
        assert_eq!(server.received().len(), requests, "{kind}");
        // Nobody listens at port 1.
        let nobody = Server { port: 1, ..server };
        let outcome = send_within(&channels(&nobody).await, &channel, BRIEF).await;
        check(&outcome, Expected::Later, kind);
    }
}

#[tokio::test]
async fn slack_says_where_a_message_is_and_changes_it_there() {
    let server = Server::start([taken("slack")]).await;
    let channels = channels(&server).await;
    let outcome = send(&channels, &channel("{slack: C0123456789}")).await;
    let place = Message { channel: "C0123456789".to_owned(), ts: "1700000000.000001".to_owned() };
    assert_eq!(outcome, Outcome::Delivered { message: Some(place.clone()) });
    let bulletin = bulletin();
    for (below, replaces, line, parent) in [
        (Some(&place), None, "POST /api/chat.postMessage", Some("1700000000.000001")),
        (None, Some(&place), "POST /api/chat.update", None),
    ] {
        let letter = Letter { to: "a", id: "a", say: &bulletin, below, replaces };
        let slack = channel("{slack: C0123456789}");
        let outcome = channels.send(&slack, &letter, Instant::now() + Duration::from_secs(60)).await;
        assert_eq!(outcome, Outcome::Delivered { message: Some(place.clone()) });
        let last = server.received().pop().unwrap();
        assert!(last.line.starts_with(line), "{}", last.line);
        assert_eq!(last.json()["thread_ts"].as_str(), parent);
    }
}

/// Where somebody has deleted the head of a thread, what was to stand below it stands by itself.
#[tokio::test]
async fn a_reply_without_its_thread_stands_by_itself() {
    let place = Message { channel: "C0123456789".to_owned(), ts: "1700000000.000001".to_owned() };
    for word in ["thread_not_found", "cannot_reply_to_message"] {
        let refused = Reply::With(200, "", format!(r#"{{"ok":false,"error":"{word}"}}"#));
        let server = Server::start([refused, taken("slack")]).await;
        let bulletin = bulletin();
        let letter = Letter { to: "a", id: "a", say: &bulletin, below: Some(&place), replaces: None };
        let deadline = Instant::now() + Duration::from_secs(60);
        let outcome = channels(&server).await.send(&channel("{slack: C0123456789}"), &letter, deadline).await;
        check(&outcome, Expected::Delivered, word);
        let threads: Vec<_> = server.received().iter().map(|request| request.json()["thread_ts"].clone()).collect();
        assert_eq!(threads, [place.ts.clone().into(), serde_json::Value::Null], "{word}");
    }
}

/// What a channel knows by its id is sent again without a search.
#[tokio::test]
async fn a_message_is_looked_for_where_that_can_be_done() {
    let server = Server::start([Reply::With(200, "", r#"{"ok":true,"messages":[]}"#.to_owned())]).await;
    let channels = channels(&server).await;
    for (kind, channel) in http_channels() {
        let found = channels.find(&channel, "a", None, 1_700_000_000, Instant::now() + Duration::from_secs(60)).await;
        let expected = if matches!(kind, "slack" | "webhook") { Found::NotThere } else { Found::Unknown };
        assert_eq!(found, expected, "{kind}");
    }
    assert_eq!(server.received().len(), 1);
}

/// An answer of 200 with `"ok": false` is none that says that it was taken.
#[tokio::test]
async fn words_of_slack_are_understood() {
    for (word, expected) in [
        ("channel_not_found", Expected::Refused),
        ("not_in_channel", Expected::Refused),
        ("invalid_auth", Expected::Refused),
        ("something_new", Expected::Refused),
        ("invalid_blocks", Expected::Rejected),
        ("msg_too_long", Expected::Rejected),
        ("internal_error", Expected::Unknown),
        ("ratelimited", Expected::Later),
    ] {
        let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
        // Whoever is to wait has no time for it.
        let server = Server::start([Reply::With(200, "retry-after: 900\r\n", body)]).await;
        let outcome = send(&channels(&server).await, &channel("{slack: C0123456789}")).await;
        check(&outcome, expected, word);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named() {
    let server = Server::start([]).await;
    let channels = channels(&server).await;
    for (written, expected) in [
        ("{slack_webhook: /none}", "the SSM parameter /none: it does not exist"),
        ("{teams: /key}", "the URL in the SSM parameter /key: it is not a URL"),
        ("{slack_webhook: /token}", "it is read from the SSM parameter /token"),
        ("{webhook: {url: 'https://a.example', secret: /none}}", "the SSM parameter /none: it does not exist"),
        ("{webhook: {url: 'https://a.example', secret: /token}}", "shorter than 24 bytes"),
    ] {
        let channel: Channel = channel(written);
        let outcome = send(&channels, &channel).await;
        let Outcome::Refused { why } = &outcome else { panic!("{written}: {outcome:?}") };
        assert!(why.contains(expected) && !why.contains(CANARY), "{written}: {why}");
    }
    assert!(server.received().is_empty());
}
