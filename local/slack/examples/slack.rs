//! A local Slack with a few messages, to look at and click in: `cargo run -p stagegate-local-slack --example slack`.

#![expect(clippy::print_stdout, reason = "an example talks")]

use std::error::Error;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use jiff::{Timestamp, ToSpan};
use stagegate_local_slack::{Options, Slack};
use stagegate_slack::blocks::{Actions, Button, Confirm, Input, Message, Modal, Style};
use stagegate_slack::{ApiUrl, BotToken, HttpClient, Plain, SlackClient, Text};
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or_default();
    let slack = Slack::start(Options { port, ..Options::default() }).await?;
    let client = SlackClient::new(HttpClient::new(), ApiUrl::new(&slack.api_url())?, BotToken::new(slack.bot_token()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    slack.set_interactivity_url(&format!("http://{}/", listener.local_addr()?));
    let app = Router::new().route("/", post(clicked)).with_state(client.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let soon = || Instant::now() + Duration::from_secs(10);
    let channel = "C0001".parse()?;
    let posted = client.post_message(&channel, None, &request()?, soon()).await?;
    let reminder = Text::group(&"S0001".parse()?) + Text::literal(" *one more approval* is needed by ") + soon_text();
    client.post_message(&channel, Some(&posted.ts), &Message::new(reminder), soon()).await?;
    let refusal = Message::new(Text::escaped("You wrote this change, so somebody else must approve it."));
    client.post_ephemeral(&channel, &"U0004".parse()?, &refusal, soon()).await?;
    println!("{}", slack.page_url());
    std::future::pending().await
}

fn soon_text() -> Text {
    Text::time(Timestamp::now() + 8.hours())
}

fn request() -> Result<Message, Box<dyn Error>> {
    let commit = "https://github.com/example/web/commit/4f2a9c1".parse()?;
    let confirm = Confirm {
        title: Plain::new("Reject this release?"),
        text: Text::escaped("The pipeline ends here; a new commit starts it again."),
        confirm: Plain::new("Reject"),
        deny: Plain::new("Back"),
    };
    let approve = Button::new("approve", Plain::new("Approve"))?.value("a1")?.style(Style::Primary);
    let reject = Button::new("reject", Plain::new("Reject"))?.value("a1")?.style(Style::Danger).confirm(confirm);
    let message = Message::new(Text::escaped("web waits for approval in Production"))
        .header(Plain::new("web: release 1.4.0 to Production?"))
        .section(
            Text::link(&commit, "4f2a9c1")
                + Text::escaped(" Prices in the currency of the visitor <!channel> @here\nby Dan Diaz"),
        )
        .fields([
            Text::literal("*Tests*\n:white_check_mark: 1,204 passed, 3 skipped"),
            Text::literal("*Coverage*\n:white_check_mark: 84.2% of lines (+0.4)"),
            Text::literal("*Smoke test*\n:warning: 1 of 12 checks slow"),
            Text::literal("*Previous release*\n1.3.2, 2 days ago"),
        ])
        .divider()
        .section(Text::literal("*Approvers* ") + Text::group(&"S0001".parse()?) + Text::literal(", 2 needed"))
        .actions(Actions::new("decide")?.button(approve).button(reject))
        .context([Text::literal("Expires ") + soon_text(), Text::code("execution 7c1e2b")]);
    Ok(message)
}

async fn clicked(State(client): State<SlackClient>, body: Bytes) -> &'static str {
    // The example looks for the trigger only; a real app verifies the signature first.
    let form = String::from_utf8_lossy(&body).into_owned();
    let trigger =
        form.split("trigger_id%22%3A%22").nth(1).and_then(|rest| rest.split("%22").next()).unwrap_or_default();
    if form.contains("block_actions") {
        let trigger = trigger.to_owned();
        tokio::spawn(async move {
            let input = Input::new("comment", "text", Plain::new("Comment"))?
                .hint(Plain::new("Everybody in the channel reads it."));
            let modal =
                Modal::new("decide", Plain::new("Approve web 1.4.0"))?.submit(Plain::new("Approve")).input(input);
            let opened = client.open_view(&trigger, &modal, Instant::now() + Duration::from_secs(3)).await;
            if let Err(error) = opened {
                println!("failed to {error}");
            }
            Ok::<_, stagegate_slack::blocks::TooLong>(())
        });
    }
    ""
}
