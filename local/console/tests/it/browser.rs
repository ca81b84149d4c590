//! The page in a real browser: what a person sees changes without their doing.

use stagegate_local_browser::{Browser, BrowserError};

use crate::world::{App, World};

/// Keeps a picture where `STAGEGATE_SCREENSHOTS` names a folder for them.
async fn picture(browser: &Browser, name: &str) -> Result<(), BrowserError> {
    match std::env::var_os("STAGEGATE_SCREENSHOTS") {
        Some(folder) => browser.screenshot(&std::path::Path::new(&folder).join(name)).await,
        None => Ok(()),
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know that this one did not look")]
async fn browser() -> Option<Browser> {
    let browser = Browser::start(1280, 900).await.unwrap_or_else(|error| panic!("failed to {error}"));
    if browser.is_none() {
        eprintln!("skipped: neither chromium nor chromedriver is installed");
    }
    browser
}

/// A message comes with its buttons, a person clicks, the message changes and the release goes through.
#[tokio::test(flavor = "multi_thread")]
async fn a_click_in_slack_lets_the_release_through() {
    let Some(browser) = browser().await else { return };
    let world = World::new().await;
    let done = async {
        browser.open(&format!("{}?as=U0002", world.console.url())).await?;
        browser.wait_for(".slack-empty").await?;
        browser.click("#start").await?;
        browser.wait_for("[data-stage=Approve][data-status=waiting]").await?;
        App::ask(&world, world.waiting().await).await;
        browser.wait_for(".slack-message [data-action=approve]").await?;
        picture(&browser, "console-waiting.png").await?;
        browser.click(".slack-message [data-action=approve]").await?;
        browser.wait_for("[data-stage=Approve][data-status=succeeded]").await?;
        browser.wait_for("[data-stage=Production][data-status=succeeded]").await?;
        browser.wait_until_gone(".slack-message [data-action=approve]").await?;
        let message = browser.text(".slack-message").await?;
        assert!(message.contains("Approved by @Ben Boyd") && message.contains("(edited)"), "{message}");
        let summary = browser.text("[data-stage=Approve] .console-summary").await?;
        assert_eq!(summary.trim(), "by U0002");
        picture(&browser, "console-released.png").await
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
    world.aws.shutdown().await;
}

/// The approval is answered on the page itself, with a comment; what is written stays while the page changes around it.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_rejected_on_the_page() {
    let Some(browser) = browser().await else { return };
    let world = World::new().await;
    let done = async {
        world.start().await;
        browser.open(&world.console.url()).await?;
        browser.write("#comment-Approve-Approve", "not on a Friday").await?;
        // Somebody else's message comes in meanwhile.
        App::ask(&world, world.waiting().await).await;
        browser.wait_for(".slack-message").await?;
        browser.click("#reject-Approve-Approve").await?;
        browser.wait_for("[data-stage=Approve][data-status=failed]").await?;
        let summary = browser.text("[data-stage=Approve] .console-summary").await?;
        assert!(summary.contains("rejected at the console: not on a Friday"), "{summary}");
        Ok(())
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
    world.aws.shutdown().await;
}
