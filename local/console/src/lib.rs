//! One page on the local AWS: pipelines with their stages and actions, what gates have found, approvals that can be
//! answered, what people hear of an execution, how its pipeline delivers, and the channels of the local Slack beside them.
//!
//! The page is rendered here and kept up to date by server-sent events; its script only exchanges the parts that have
//! changed. It needs nothing from outside this machine.

mod model;
mod page;
mod routes;
mod threads;
mod verdicts;

use std::net::SocketAddr;
use std::sync::Arc;

use stagegate_config::Config;
use stagegate_local_aws::{LocalAws, LocalS3};
use stagegate_local_codepipeline::CodePipeline;
use stagegate_local_slack::Slack;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// Why the console does not start. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("serve the console on port {port}: {reason}; choose another one, or 0 for any free one")]
pub struct StartError {
    port: u16,
    reason: String,
}

/// What the console shows.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) codepipeline: CodePipeline,
    pub(crate) s3: LocalS3,
    /// The buckets of the template, one of which holds the verdicts.
    pub(crate) buckets: Vec<String>,
    pub(crate) slack: Option<Slack>,
    /// What says which stage is production.
    pub(crate) config: Arc<Config>,
}

/// A running console. It ends when it is dropped.
pub struct Console {
    address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

impl Console {
    /// Serves the console on a loopback port, 0 for any free one. The configuration says what is production.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub async fn start(port: u16, aws: &LocalAws, slack: Option<Slack>, config: Config) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| StartError { port, reason: error.to_string() };
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let sources = Sources {
            codepipeline: aws.codepipeline().clone(),
            s3: aws.s3().clone(),
            buckets: aws.buckets().to_vec(),
            slack,
            config: Arc::new(config),
        };
        let router = routes::router(sources);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the console has ended");
            }
        });
        Ok(Self { address, _server: AbortOnDropHandle::new(server) })
    }

    /// The page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}
