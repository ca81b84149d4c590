//! The AWS configuration and clients of a process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_codepipeline::Client;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::OnceCell;

/// Loads an AWS configuration: once for the process, and once more for each deadline guard that has to answer.
pub(crate) type Loader = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = SdkConfig> + Send>> + Send + Sync>;

/// The AWS configuration of the process and the client that answers jobs, made at the first job.
#[derive(Clone)]
pub(crate) struct Aws {
    loader: Loader,
    shared: Arc<OnceCell<Connected>>,
}

#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) config: SdkConfig,
    pub(crate) codepipeline: Client,
}

impl Aws {
    pub(crate) fn new(loader: Loader) -> Self {
        Self { loader, shared: Arc::new(OnceCell::new()) }
    }

    pub(crate) fn from_environment() -> Self {
        Self::new(Arc::new(|| Box::pin(load_from_environment())))
    }

    /// What the process shares, loaded at the first call.
    pub(crate) async fn shared(&self) -> &Connected {
        self.shared.get_or_init(|| self.load()).await
    }

    /// Connections of their own.
    ///
    /// The shared ones belong to the runtime they were made on. When a handler blocks that runtime's thread, they stand
    /// still as well, so whoever runs elsewhere needs others.
    pub(crate) async fn separate(&self) -> Connected {
        self.load().await
    }

    async fn load(&self) -> Connected {
        let config = (self.loader)().await;
        // Answers are retried by this library, which knows how long it may.
        let settings = aws_sdk_codepipeline::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        Connected { codepipeline: Client::from_conf(settings.build()), config }
    }
}

async fn load_from_environment() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https_client()).load().await
}

/// The SDK's default HTTPS client, made so that all clients of a process share its connections and its TLS set-up.
fn https_client() -> SharedHttpClient {
    let client = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    });
    SharedHttpClient::new(OnDemand(client))
}

/// Makes a connector when it is first used.
///
/// The client beneath would make one more for every SDK client that is built, and throw it away, only to have the
/// root certificates parsed early; that costs milliseconds at each cold start.
#[derive(Debug)]
struct OnDemand(SharedHttpClient);

impl HttpClient for OnDemand {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
