//! The Web API through the client that functions use.

use std::time::Duration;

use stagegate_local_slack::{Channel, Fault, Injection};
use stagegate_slack::blocks::{Actions, Button, Message};
use stagegate_slack::{ErrorKind, HttpClient, Plain, Text, Webhook};

use crate::{client, releases, slack, soon};

fn message(text: &str) -> Message {
    Message::new(Text::escaped(text))
}

#[tokio::test]
async fn messages_are_posted_answered_updated_and_linked() {
    let slack = slack().await;
    let client = client(&slack);
    let posted = client.post_message(&releases(), None, &message("first"), soon()).await.unwrap();
    let button = Button::new("a", Plain::new("A")).unwrap();
    let with_button = message("reply").actions(Actions::new("b").unwrap().button(button));
    let reply = client.post_message(&releases(), Some(&posted.ts), &with_button, soon()).await.unwrap();
    // A reply to a reply is in the same thread.
    client.post_message(&releases(), Some(&reply.ts), &message("another"), soon()).await.unwrap();
    client.post_ephemeral(&releases(), &"U0002".parse().unwrap(), &message("psst"), soon()).await.unwrap();
    client.update(&posted, &message("changed"), soon()).await.unwrap();
    client.update(&reply, &message("no button any more"), soon()).await.unwrap();
    let shown: Vec<_> = slack.look(|state| {
        let seen =
            |m: &stagegate_local_slack::Message| (m.text.clone(), m.thread.clone(), m.only_for.clone(), m.updates);
        state.messages("C0001").iter().map(seen).collect()
    });
    let thread = Some(posted.ts.as_str().to_owned());
    let expected = [
        ("changed".to_owned(), None, None, 1),
        ("no button any more".to_owned(), thread.clone(), None, 1),
        ("another".to_owned(), thread, None, 0),
        ("psst".to_owned(), None, Some("U0002".to_owned()), 0),
    ];
    assert_eq!(shown, expected);
    assert!(slack.look(|state| state.message("C0001", reply.ts.as_str()).unwrap().buttons().is_empty()));
    let link = client.permalink(&posted, soon()).await.unwrap();
    assert!(link.as_str().starts_with(&slack.page_url()) && link.path().starts_with("/archives/C0001/p"), "{link}");
}

#[tokio::test]
async fn people_and_groups_are_known() {
    let slack = slack().await;
    let client = client(&slack);
    let ada = client.user(&"U0001".parse().unwrap(), soon()).await.unwrap();
    assert_eq!(
        (ada.name.as_str(), ada.email.as_deref(), ada.is_email_confirmed),
        ("Ada Adler", Some("ada@example.com"), true)
    );
    assert_eq!(client.user_by_email("ADA@example.com", soon()).await.unwrap(), Some(ada));
    assert_eq!(client.user_by_email("nobody@example.com", soon()).await.unwrap(), None);
    let group = client.group_users(&"S0001".parse().unwrap(), soon()).await.unwrap();
    assert_eq!(group.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["U0001", "U0002", "U0003"]);
    let errors = [
        client.user(&"U0099".parse().unwrap(), soon()).await.unwrap_err(),
        client.group_users(&"S0099".parse().unwrap(), soon()).await.unwrap_err(),
    ];
    assert_eq!(errors.map(|error| error.code().unwrap().to_owned()), ["user_not_found", "no_such_subteam"]);
}

#[tokio::test]
async fn channels_refuse_as_in_slack() {
    let slack = slack().await;
    let (mut old, mut private) = (Channel::new("C0003", "old"), Channel::new("C0004", "private"));
    (old.is_archived, private.has_app) = (true, false);
    slack.add_channel(old);
    slack.add_channel(private);
    let client = client(&slack);
    for (channel, code) in [("C0003", "is_archived"), ("C0004", "not_in_channel"), ("C0099", "channel_not_found")] {
        let error = client.post_message(&channel.parse().unwrap(), None, &message("x"), soon()).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    let thread = "1.000001".parse().unwrap();
    let error = client.post_message(&releases(), Some(&thread), &message("x"), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("thread_not_found"));
    let error = client.post_message(&releases(), None, &message(""), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("no_text"));
}

/// The client and this Slack agree on every limit: whatever is put into a message is taken.
#[tokio::test]
async fn the_largest_messages_are_taken() {
    let slack = slack().await;
    let client = client(&slack);
    let words = "& 👩 words ".repeat(3000);
    let much = || Text::escaped(&words);
    let messages = [
        Message::new(much()).section(much()),
        Message::new(much()).header(Plain::new(&words)).context([much(), much()]).fields((0..30).map(|_| much())),
        (0..200).fold(Message::new(much()), |message, _| message.section(Text::escaped("x"))),
    ];
    for message in messages {
        client.post_message(&releases(), None, &message, soon()).await.unwrap();
    }
}

/// 200 messages to two channels, with limits, failures that did nothing, and a slow answer between them.
#[tokio::test]
async fn a_burst_arrives_in_order_in_each_channel_and_none_twice() {
    let slack = slack().await;
    for after in [0, 7, 20, 50, 51, 52, 120, 180] {
        let fault = Fault::RateLimited { retry_after: 0 };
        slack.inject(Injection { method: Some("chat.postMessage".into()), fault, after, times: 2 });
    }
    slack.inject(Injection { method: None, fault: Fault::Slow(Duration::from_millis(50)), after: 90, times: 1 });
    let client = client(&slack);
    let send = async |channel: &str| {
        let channel = channel.parse().unwrap();
        for number in 0..100 {
            client.post_message(&channel, None, &message(&format!("{number}")), soon()).await.unwrap();
        }
    };
    tokio::join!(send("C0001"), send("C0002"));
    let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    for channel in ["C0001", "C0002"] {
        let texts: Vec<_> = slack.look(|state| state.messages(channel).iter().map(|m| m.text.clone()).collect());
        assert_eq!(texts, expected, "{channel}");
    }
    let refused = slack.look(|state| state.calls().iter().filter(|call| call.answer.is_none()).count());
    assert!(refused >= 8, "{refused} were limited");
}

/// A cut answer is that of a message that was posted: the client says so, and does not post it again.
#[tokio::test]
async fn faults_do_what_they_say() {
    let slack = slack().await;
    let client = client(&slack);
    slack.inject(Injection::next("chat.postMessage", Fault::Cut, 1));
    let error = client.post_message(&releases(), None, &message("cut"), soon()).await.unwrap_err();
    assert!(error.may_have_been_done(), "{error}");
    slack.inject(Injection::next("chat.postMessage", Fault::Status(503), 1));
    let error = client.post_message(&releases(), None, &message("lost"), soon()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    client.post_message(&releases(), None, &message("fine"), soon()).await.unwrap();
    let texts: Vec<_> = slack.look(|state| state.messages("C0001").iter().map(|m| m.text.clone()).collect());
    assert_eq!(texts, ["cut", "fine"]);
}

#[tokio::test]
async fn webhooks_write_into_their_channel() {
    let slack = slack().await;
    let webhook = Webhook::new(HttpClient::new(), &slack.webhook_url("C0002")).unwrap();
    webhook.post(&message("by webhook"), soon()).await.unwrap();
    let found = slack.look(|state| state.find("C0002", "by webhook").cloned()).unwrap();
    assert!(found.by_webhook);
    let posted = stagegate_slack::Posted { channel: "C0002".parse().unwrap(), ts: found.ts.parse().unwrap() };
    let error = client(&slack).update(&posted, &message("x"), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("cant_update_message"));
    let wrong = slack.webhook_url("C0002").replace("/B0001/", "/B0001/x");
    let error = Webhook::new(HttpClient::new(), &wrong).unwrap().post(&message("x"), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("no_service"));
}
