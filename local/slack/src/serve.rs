//! The server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use stagegate_slack::{BotToken, SigningSecret};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::state::{State, secret};
use crate::{Options, Shared, Slack, StartError, api, hooks, page};

pub(crate) async fn start(options: Options) -> Result<Slack, StartError> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], options.port))).await;
    let listener = listener.map_err(|error| StartError(format!("serve Slack on port {}: {error}", options.port)))?;
    let address = listener.local_addr().map_err(|error| StartError(format!("find out Slack's port: {error}")))?;
    let (signing_secret, bot_token) = (secret(32), format!("xoxb-local-{}", secret(24)));
    let state =
        State { channels: options.channels, people: options.people, groups: options.groups, ..State::default() };
    let shared = Arc::new(Shared {
        address,
        signing_secret: (signing_secret.clone(), SigningSecret::new(&signing_secret)),
        bot_token: (bot_token.clone(), BotToken::new(&bot_token)),
        acknowledge_within: options.acknowledge_within,
        trigger_lifetime: options.trigger_lifetime,
        state: Mutex::new(state),
        revision: watch::Sender::new(0),
    });
    let api = Router::new()
        .route("/api/{method}", get(api::call).post(api::call))
        .route("/services/{team}/{app}/{secret}", post(hooks::webhook))
        .route("/actions/{team}/{number}/{secret}", post(hooks::response_url))
        .with_state(Arc::clone(&shared));
    // The server must not keep itself alive, so its own handle does not own it.
    let slack = Slack { shared, server: None };
    let router = api.merge(page::router(slack.clone(), ""));
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the local Slack has ended");
        }
    });
    Ok(Slack { server: Some(Arc::new(AbortOnDropHandle::new(server))), ..slack })
}
