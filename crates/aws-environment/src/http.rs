//! The HTTP client.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

const PROXY_VARIABLES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The SDK's default HTTP client, made so that all SDK clients that are given it share its connections and its TLS set-up,
/// and so that nothing is set up before a request needs it.
///
/// The connections belong to the runtime on which they were made.
pub fn http_client() -> SharedHttpClient {
    let tls = Builder::new().build_with_connector_fn(|settings, components| {
        let provider = tls::Provider::Rustls(CryptoMode::AwsLc);
        configured(ConnectorBuilder::default(), settings, components).tls_provider(provider).build()
    });
    let plain = Builder::new().build_with_connector_fn(|settings, components| {
        configured(ConnectorBuilder::default(), settings, components).build_http()
    });
    // The way to a proxy may need TLS even where the address behind it does not.
    let is_proxied = PROXY_VARIABLES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let plain = if is_proxied { tls.clone() } else { plain };
    SharedHttpClient::new(OnDemand { plain, tls })
}

/// Makes a connector when a request needs it.
///
/// The client beneath would make one for every SDK client that is built, and throw it away, only to have the root
/// certificates read early; and it would read them where no request goes to an `https` address. That takes milliseconds.
#[derive(Clone, Debug)]
struct OnDemand {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
}

impl HttpClient for OnDemand {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let (settings, components) = (settings.clone(), components.clone());
        SharedHttpConnector::new(ByScheme { clients: self.clone(), settings, components })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.tls.connector_metadata()
    }
}

/// Sends each request as its address says.
#[derive(Debug)]
struct ByScheme {
    clients: OnDemand,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_plain = request.uri().starts_with("http://");
        let client = if is_plain { &self.clients.plain } else { &self.clients.tls };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

fn configured(
    mut connector: ConnectorBuilder,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> ConnectorBuilder {
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector.set_proxy_config(Some(ProxyConfig::from_env()));
    connector
}
