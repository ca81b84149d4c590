//! People act, and a real app behind a real URL answers.

use std::time::Duration;

use serde_json::json;
use stagegate_local_slack::{ClickError, Delivery, Options, Slack};
use stagegate_slack::blocks::{self, Actions, Button, Input, Message, Modal};
use stagegate_slack::interaction::Interaction;
use stagegate_slack::{HttpClient, Plain, Posted, Text, Visibility};

use crate::app::App;
use crate::{client, releases, slack, soon};

fn question() -> Message {
    let approve = Button::new("approve", Plain::new("Approve")).unwrap().value("opaque").unwrap();
    Message::new(Text::escaped("Approve?"))
        .section(Text::escaped("Release web 7?"))
        .actions(Actions::new("decide").unwrap().button(approve))
}

fn comment() -> Modal {
    let input = Input::new("comment", "text", Plain::new("Comment")).unwrap().max_length(20);
    Modal::new("reject", Plain::new("Reject"))
        .unwrap()
        .submit(Plain::new("Reject"))
        .private_metadata("opaque")
        .unwrap()
        .input(input)
}

/// Posts the question and clicks it as Ada. Gives the message and what opens a modal.
async fn clicked(slack: &Slack, app: &App) -> (Posted, String) {
    let posted = client(slack).post_message(&releases(), None, &question(), soon()).await.unwrap();
    let delivery = slack.click("U0001", "C0001", posted.ts.as_str(), "approve").await.unwrap();
    assert!(delivery.is_acknowledged(), "{delivery:?}");
    let Some(Interaction::BlockActions(click)) = app.received().pop() else { panic!() };
    (posted, click.trigger_id)
}

#[tokio::test]
async fn a_click_reaches_the_app_signed_and_complete() {
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let (posted, _) = clicked(&slack, &app).await;
    let Some(Interaction::BlockActions(click)) = app.received().pop() else { panic!() };
    assert_eq!(
        (click.origin.app.as_str(), click.origin.team.as_str(), click.origin.user.as_str()),
        ("A0001", "T0001", "U0001")
    );
    let message = click.message.unwrap();
    assert_eq!((message.channel, message.ts, message.is_ephemeral), (posted.channel, posted.ts, false));
    let [action] = &click.actions[..] else { panic!() };
    assert_eq!(
        (action.block_id.as_str(), action.action_id.as_str(), action.value.as_deref()),
        ("decide", "approve", Some("opaque"))
    );
    let (http, url) = (HttpClient::new(), click.response_url.unwrap());
    url.reply(&http, Visibility::Ephemeral, &Message::new(Text::escaped("only you")), soon()).await.unwrap();
    url.reply(&http, Visibility::Channel, &Message::new(Text::escaped("all of you")), soon()).await.unwrap();
    url.replace_original(&http, &Message::new(Text::escaped("answered")), soon()).await.unwrap();
    for _ in 0..2 {
        url.replace_original(&http, &Message::new(Text::escaped("answered")), soon()).await.unwrap();
    }
    let error = url.replace_original(&http, &Message::new(Text::escaped("six")), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("used_url"));
    let seen: Vec<_> =
        slack.look(|state| state.messages("C0001").iter().map(|m| (m.text.clone(), m.only_for.clone())).collect());
    let expected = [("answered".into(), None), ("only you".into(), Some("U0001".into())), ("all of you".into(), None)];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn only_what_is_seen_can_be_clicked() {
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let client = client(&slack);
    let posted = client.post_message(&releases(), None, &question(), soon()).await.unwrap();
    let ts = posted.ts.as_str();
    client.post_ephemeral(&releases(), &"U0001".parse().unwrap(), &question(), soon()).await.unwrap();
    let own = slack.look(|state| state.messages("C0001")[1].ts.clone());
    let cases = [
        slack.click("U0099", "C0001", ts, "approve").await,
        slack.click("U0001", "C0001", "1.1", "approve").await,
        slack.click("U0001", "C0002", ts, "approve").await,
        slack.click("U0001", "C0001", ts, "other").await,
        slack.click("U0002", "C0001", &own, "approve").await,
    ];
    let expected = [
        ClickError::NoPerson("U0099".into()),
        ClickError::NoMessage("1.1".into()),
        ClickError::NoMessage(ts.into()),
        ClickError::NoButton("other".into()),
        ClickError::NoMessage(own.clone()),
    ];
    assert_eq!(cases.map(Result::unwrap_err), expected);
    assert!(app.received().is_empty());
    assert!(slack.click("U0001", "C0001", &own, "approve").await.unwrap().is_acknowledged());
    client.update(&posted, &Message::new(Text::escaped("closed")), soon()).await.unwrap();
    assert_eq!(slack.click("U0001", "C0001", ts, "approve").await, Err(ClickError::NoButton("approve".into())));
}

/// The person is told when the app does not answer as it should, and what they do then still works.
#[tokio::test]
async fn an_app_that_does_not_acknowledge_is_named() {
    let click = async |slack: &Slack| {
        let posted = client(slack).post_message(&releases(), None, &question(), soon()).await.unwrap();
        slack.click("U0001", "C0001", posted.ts.as_str(), "approve").await.unwrap()
    };
    let failed = |why: &str| Delivery::Failed(format!("Stagegate is not responding: {why}."));
    let slack = crate::slack().await;
    assert_eq!(click(&slack).await, failed("no interactivity URL is set"));
    let _app = App::start(&slack, |_| (500, "oops".into())).await;
    assert_eq!(click(&slack).await, failed("it answered with HTTP status 500"));
    assert_eq!(slack.look(|state| state.notices("U0001").len()), 2);
    assert!(slack.look(|state| state.notices("U0002").is_empty()));
    // Only for the app that says nothing is nobody patient.
    let brief = Options { acknowledge_within: Duration::from_millis(500), ..Options::default() };
    let slack = Slack::start(brief).await.unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    slack.set_interactivity_url(&format!("http://{}/", silent.local_addr().unwrap()));
    assert_eq!(click(&slack).await, failed("it did not answer within 0.5 s"));
    assert_eq!(slack.look(|state| state.notices("U0001").len()), 1);
    assert!(slack.look(|state| state.notices("U0002").is_empty()));
}

#[tokio::test]
async fn a_modal_is_filled_in_corrected_and_submitted() {
    let slack = slack().await;
    let app = App::start(&slack, |interaction| match interaction {
        Interaction::ViewSubmission(view) if view.value("comment", "text") == Some("no") => {
            (200, blocks::errors(&[("comment", "Say why.")]).to_string())
        }
        _ => (200, String::new()),
    })
    .await;
    let (_, trigger) = clicked(&slack, &app).await;
    let view = client(&slack).open_view(&trigger, &comment(), soon()).await.unwrap();
    assert_eq!(slack.look(|state| state.modal("U0001").unwrap().id.clone()), view.id);
    assert!(slack.look(|state| state.modal("U0002").is_none()));
    let submit = async |text: &str| slack.submit("U0001", &[("comment", "text", text)]).await;
    for text in ["", " \n", "more than twenty characters"] {
        assert!(matches!(submit(text).await, Err(ClickError::Incomplete(_))), "{text:?}");
    }
    assert_eq!(app.received().len(), 1, "Slack's client keeps these to itself");
    submit("no").await.unwrap();
    let errors = slack.look(|state| state.modal("U0001").unwrap().errors.clone());
    assert_eq!(errors.get("comment").map(String::as_str), Some("Say why."));
    submit("not tested").await.unwrap();
    assert!(slack.look(|state| state.modal("U0001").is_none()));
    let Some(Interaction::ViewSubmission(submission)) = app.received().pop() else { panic!() };
    assert_eq!((submission.callback_id.as_str(), submission.private_metadata.as_str()), ("reject", "opaque"));
    assert_eq!(submission.value("comment", "text"), Some("not tested"));
    assert_eq!((submission.view_id, submission.origin.user.as_str()), (view.id, "U0001"));
    assert_eq!(submit("again").await, Err(ClickError::NoModal("U0001".into())));
}

#[tokio::test]
async fn answers_update_push_and_clear_modals() {
    let slack = slack().await;
    let app = App::start(&slack, |interaction| match interaction {
        Interaction::ViewSubmission(view) => {
            let text = view.value("comment", "text").unwrap_or_default();
            let answer = match text {
                "clear" => json!({"response_action": "clear"}),
                "odd" => json!({"response_action": "dance"}),
                "bad" => json!({"response_action": "update", "view": {"type": "modal"}}),
                action => json!({"response_action": action, "view": comment().to_json()}),
            };
            (200, answer.to_string())
        }
        _ => (200, String::new()),
    })
    .await;
    let (_, trigger) = clicked(&slack, &app).await;
    let first = client(&slack).open_view(&trigger, &comment(), soon()).await.unwrap();
    let top = || slack.look(|state| state.modal("U0001").map(|view| view.id.clone()));
    let submit = async |text: &str| slack.submit("U0001", &[("comment", "text", text)]).await.unwrap();
    for (text, stays) in [("update", true), ("odd", true), ("bad", true), ("push", false)] {
        submit(text).await;
        assert_eq!(top() == Some(first.id.clone()), stays, "{text}");
    }
    assert_eq!(slack.look(|state| state.notices("U0001").len()), 2);
    submit("push").await;
    submit("push").await;
    assert_eq!(slack.look(|state| state.notices("U0001").len()), 3, "three lie on top of each other at most");
    submit("clear").await;
    assert_eq!(top(), None);
}

#[tokio::test]
async fn a_closed_modal_is_told_where_that_is_wanted() {
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    for is_wanted in [false, true] {
        let (_, trigger) = clicked(&slack, &app).await;
        let modal = if is_wanted { comment().notify_on_close() } else { comment() };
        client(&slack).open_view(&trigger, &modal, soon()).await.unwrap();
        assert_eq!(slack.close("U0001").await.unwrap().is_some(), is_wanted);
        let last = app.received().pop();
        assert_eq!(matches!(last, Some(Interaction::ViewClosed(_))), is_wanted, "{last:?}");
    }
    assert_eq!(slack.close("U0001").await, Err(ClickError::NoModal("U0001".into())));
}

#[tokio::test]
async fn a_trigger_opens_one_modal_and_soon() {
    let slack = Slack::start(Options {
        trigger_lifetime: Duration::ZERO,
        acknowledge_within: Duration::from_secs(60),
        ..Options::default()
    });
    let slack = slack.await.unwrap();
    let app = App::start(&slack, |_| (200, String::new())).await;
    let (_, trigger) = clicked(&slack, &app).await;
    let error = client(&slack).open_view(&trigger, &comment(), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("expired_trigger_id"));

    let slack = crate::slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let (_, trigger) = clicked(&slack, &app).await;
    let view = client(&slack).open_view(&trigger, &comment(), soon()).await.unwrap();
    let error = client(&slack).open_view(&trigger, &comment(), soon()).await.unwrap_err();
    assert_eq!(error.code(), Some("exchanged_trigger_id"));
    let stale = client(&slack).update_view(&view.id, Some("old"), &comment(), soon()).await.unwrap_err();
    assert_eq!(stale.code(), Some("hash_conflict"));
    client(&slack).update_view(&view.id, view.hash.as_deref(), &comment(), soon()).await.unwrap();
}

/// Many people click at once; each click arrives once.
#[tokio::test]
async fn fifty_clicks_at_once_arrive_once_each() {
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let posted = client(&slack).post_message(&releases(), None, &question(), soon()).await.unwrap();
    let clicks = (0..50).map(|number| {
        let (slack, ts) = (slack.clone(), posted.ts.as_str().to_owned());
        tokio::spawn(async move { slack.click(&format!("U000{}", number % 5 + 1), "C0001", &ts, "approve").await })
    });
    for click in clicks.collect::<Vec<_>>() {
        assert!(click.await.unwrap().unwrap().is_acknowledged());
    }
    assert_eq!(app.received().len(), 50);
}
