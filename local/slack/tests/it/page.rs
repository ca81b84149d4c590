//! The page, as a browser without a script gets it.

use stagegate_local_slack::Slack;
use stagegate_slack::blocks::{Actions, Button, Confirm, Input, Message, Modal, Style};
use stagegate_slack::interaction::Interaction;
use stagegate_slack::{Plain, Text};

use crate::app::{App, send};
use crate::{client, releases, slack, soon};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn get(slack: &Slack, query: &str) -> String {
    let reply = send("GET", &format!("{}{query}", slack.page_url()), &[], "").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

#[tokio::test]
async fn each_person_sees_what_is_for_them() {
    let slack = slack().await;
    let client = client(&slack);
    let hostile = "<script>alert(1)</script> <!channel> *b*";
    let posted = client.post_message(&releases(), None, &Message::new(Text::escaped(hostile)), soon()).await.unwrap();
    client
        .post_message(&releases(), Some(&posted.ts), &Message::new(Text::user(&"U0002".parse().unwrap())), soon())
        .await
        .unwrap();
    client
        .post_ephemeral(&releases(), &"U0002".parse().unwrap(), &Message::new(Text::escaped("for Ben")), soon())
        .await
        .unwrap();
    client
        .post_message(&"C0002".parse().unwrap(), None, &Message::new(Text::escaped("in the other channel")), soon())
        .await
        .unwrap();
    let ada = get(&slack, "?channel=C0001&as=U0001").await;
    assert!(ada.contains("&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; <b>b</b>"), "{ada}");
    assert!(ada.contains("class=\"slack-thread\"") && ada.contains("@Ben Boyd"));
    assert!(!ada.contains("for Ben") && !ada.contains("in the other channel"));
    let ben = get(&slack, "?channel=C0001&as=U0002").await;
    assert!(ben.contains("for Ben") && ben.contains("Only visible to you"));
    assert!(get(&slack, "?channel=C0002").await.contains("in the other channel"));
    // What is not there is not shown, and the first is.
    assert!(get(&slack, "?channel=%3Cscript%3E&as=nobody").await.contains("# releases"));
    let link = client.permalink(&posted, soon()).await.unwrap();
    let reply = send("GET", link.as_str(), &[], "").await;
    let id = posted.ts.as_str().replace('.', "");
    assert_eq!((reply.status, reply.location.unwrap()), (303, format!("/?channel=C0001#m{id}")));
    assert!(ada.contains(&format!("id=\"m{id}\"")));
}

/// Links and forms work without the script: click, fill in, be corrected, submit.
#[tokio::test]
async fn forms_work_without_a_script() {
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let confirm = Confirm {
        title: Plain::new("Sure?"),
        text: Text::escaped("Really"),
        confirm: Plain::new("Yes"),
        deny: Plain::new("No"),
    };
    let reject = Button::new("reject", Plain::new("Reject")).unwrap().style(Style::Danger);
    let sure = Button::new("sure", Plain::new("Sure")).unwrap().confirm(confirm);
    let question = Message::new(Text::escaped("?")).actions(Actions::new("d").unwrap().button(reject).button(sure));
    let posted = client(&slack).post_message(&releases(), None, &question, soon()).await.unwrap();
    let page = get(&slack, "?as=U0003").await;
    assert!(page.contains("slack-danger") && page.contains("<dialog") && page.contains("Really"), "{page}");

    let post =
        async |path: &str, body: String| send("POST", &format!("{}{path}", slack.page_url()), &[FORM], body).await;
    let fields = format!("as=U0003&channel=C0001&ts={}&action_id=reject", posted.ts);
    let reply = post("click", fields).await;
    assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/?channel=C0001&as=U0003")));
    let Some(Interaction::BlockActions(click)) = app.received().pop() else { panic!() };
    let input = Input::new("comment", "text", Plain::new("Why?")).unwrap().hint(Plain::new("In a few words"));
    let modal = Modal::new("m", Plain::new("Reject"))
        .unwrap()
        .submit(Plain::new("Go"))
        .section(Text::escaped("web 7"))
        .input(input);
    client(&slack).open_view(&click.trigger_id, &modal, soon()).await.unwrap();

    let page = get(&slack, "?as=U0003").await;
    assert!(page.contains("role=\"dialog\"") && page.contains("Why?") && page.contains("web 7"));
    assert!(!get(&slack, "?as=U0001").await.contains("role=\"dialog\""));
    assert_eq!(post("submit", "as=U0003&comment+text=".into()).await.status, 303);
    assert!(get(&slack, "?as=U0003").await.contains("Please complete this required field."));
    assert_eq!(post("submit", "as=U0003&comment+text=because".into()).await.status, 303);
    let Some(Interaction::ViewSubmission(submission)) = app.received().pop() else { panic!() };
    assert_eq!(submission.value("comment", "text"), Some("because"));
    let reply = post("close", "as=U0003".into()).await;
    assert_eq!((reply.status, reply.body.as_str()), (409, "failed to use a modal: U0003 sees none"));
}

/// Another page that a person has open cannot click, and a name that was bent to this address gets nothing.
#[tokio::test]
async fn other_pages_are_kept_out() {
    let slack = slack().await;
    let host = slack.page_url().replace("http://", "").replace('/', "");
    let own = format!("http://{host}");
    let cases = [
        (vec![("origin", own.as_str())], 409),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", "http://127.0.0.1:1")], 403),
        (vec![("host", "evil.example")], 403),
    ];
    for (headers, status) in cases {
        let headers: Vec<_> = headers.into_iter().chain([FORM]).collect();
        let reply = send("POST", &format!("{}close", slack.page_url()), &headers, "as=U0001").await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_change_is_told_at_once() {
    use http_body_util::BodyExt;
    use hyper_util::client::legacy::Client;
    let slack = slack().await;
    let client_http = Client::builder(hyper_util::rt::TokioExecutor::new()).build_http::<axum::body::Body>();
    let request =
        axum::http::Request::get(format!("{}events", slack.page_url())).body(axum::body::Body::empty()).unwrap();
    let mut events = client_http.request(request).await.unwrap().into_body();
    let mut next = async || {
        let frame =
            tokio::time::timeout(std::time::Duration::from_secs(60), events.frame()).await.unwrap().unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(next().await.trim(), "data: 0");
    client(&slack).post_message(&releases(), None, &Message::new(Text::escaped("x")), soon()).await.unwrap();
    assert_eq!(next().await.trim(), "data: 1");
}
