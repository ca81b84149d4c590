//! The page in a real browser: questions before a click, modals, and what only one person sees.

use stagegate_local_browser::{Browser, BrowserError};
use stagegate_slack::blocks::{self, Actions, Button, Confirm, Input, Message, Modal};
use stagegate_slack::interaction::Interaction;
use stagegate_slack::{Plain, Text};

use crate::app::App;
use crate::{client, releases, slack, soon};

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know that this one did not look")]
async fn browser() -> Option<Browser> {
    let browser = Browser::start(1280, 900).await.unwrap_or_else(|error| panic!("failed to {error}"));
    if browser.is_none() {
        eprintln!("skipped: neither chromium nor chromedriver is installed");
    }
    browser
}

fn question() -> Message {
    let confirm = Confirm {
        title: Plain::new("Reject this release?"),
        text: Text::escaped("The pipeline ends here."),
        confirm: Plain::new("Yes"),
        deny: Plain::new("Back"),
    };
    let reject = Button::new("reject", Plain::new("Reject")).unwrap().confirm(confirm);
    Message::new(Text::escaped("Release web?"))
        .section(Text::escaped("Release web?"))
        .actions(Actions::new("decide").unwrap().button(reject))
}

fn modal() -> Modal {
    let comment = Input::new("comment", "text", Plain::new("Why?")).unwrap();
    Modal::new("reject", Plain::new("Reject web")).unwrap().submit(Plain::new("Reject")).input(comment)
}

/// A click that is taken back is none; one that is confirmed opens a modal, which is corrected and submitted.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_confirms_fills_in_and_submits() {
    let Some(browser) = browser().await else { return };
    let slack = slack().await;
    let app = App::start(&slack, |interaction| match interaction {
        Interaction::ViewSubmission(view) if view.value("comment", "text") == Some("no") => {
            (200, blocks::errors(&[("comment", "Say more.")]).to_string())
        }
        _ => (200, String::new()),
    })
    .await;
    let slack_client = client(&slack);
    let posted = slack_client.post_message(&releases(), None, &question(), soon()).await.unwrap();
    let done = async {
        browser.open(&format!("{}?as=U0003", slack.page_url())).await?;
        browser.click("[data-action=reject]").await?;
        browser.click("dialog[open] [data-closes]").await?;
        browser.wait_until_gone("dialog[open]").await?;
        assert!(app.received().is_empty(), "the click was taken back");
        browser.click("[data-action=reject]").await?;
        assert_eq!(browser.text("dialog[open] h3").await?, "Reject this release?");
        browser.click("dialog[open] [data-confirms=reject]").await?;
        let trigger = loop {
            match app.received().pop() {
                Some(Interaction::BlockActions(click)) => break click.trigger_id,
                _ => browser.wait_until_gone("dialog[open]").await?,
            }
        };
        slack_client.open_view(&trigger, &modal(), soon()).await.unwrap();
        browser.write("#input-comment", "no").await?;
        browser.click("#modal-submit-button").await?;
        assert_eq!(browser.text(".slack-error").await?, "Say more.");
        // What was written is still there, and the field has the focus.
        let value = browser.script("return document.activeElement.value;", serde_json::json!([])).await?;
        assert_eq!(value, "no");
        browser.write("#input-comment", " tests").await?;
        browser.click("#modal-submit-button").await?;
        browser.wait_until_gone(".slack-modal").await?;
        slack_client.update(&posted, &Message::new(Text::escaped("Rejected by Cora")), soon()).await.unwrap();
        browser.wait_until_gone("[data-action=reject]").await?;
        slack_client
            .post_ephemeral(&releases(), &"U0003".parse().unwrap(), &Message::new(Text::escaped("thanks")), soon())
            .await
            .unwrap();
        let only = browser.text(".slack-ephemeral").await?;
        assert!(only.contains("Only visible to you") && only.contains("thanks"), "{only}");
        Ok(())
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
    let Some(Interaction::ViewSubmission(submission)) = app.received().pop() else { panic!() };
    assert_eq!(submission.value("comment", "text"), Some("no tests"));
}

/// Escape closes a modal, as in Slack; nothing of the page comes from elsewhere, and everything has a name.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_can_be_used_without_a_mouse() {
    let Some(browser) = browser().await else { return };
    let slack = slack().await;
    let app = App::start(&slack, |_| (200, String::new())).await;
    let posted = client(&slack).post_message(&releases(), None, &question(), soon()).await.unwrap();
    slack.click("U0001", "C0001", posted.ts.as_str(), "reject").await.unwrap();
    let Some(Interaction::BlockActions(click)) = app.received().pop() else { panic!() };
    client(&slack).open_view(&click.trigger_id, &modal(), soon()).await.unwrap();
    let done = async {
        browser.open(&slack.page_url()).await?;
        browser.wait_for(".slack-modal").await?;
        let unnamed =
            "return [...document.querySelectorAll('button, input:not([type=hidden]), textarea, nav, dialog, [role]')]
            .filter(e => !(e.innerText || e.textContent || '').trim() && !e.labels?.length
                && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML);";
        assert_eq!(browser.script(unnamed, serde_json::json!([])).await?, serde_json::json!([]));
        let foreign = "return performance.getEntriesByType('resource').map(e => new URL(e.name).origin)
            .filter(origin => origin !== location.origin);";
        assert_eq!(browser.script(foreign, serde_json::json!([])).await?, serde_json::json!([]));
        browser.write("#input-comment", "\u{e00c}").await?;
        browser.wait_until_gone(".slack-modal").await
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
}
