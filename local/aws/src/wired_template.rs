//! The template with the addresses of this local AWS in it.

use std::collections::BTreeMap;

use stagegate_local_template::{Settings, Template, read_template};
use tokio::net::TcpListener;

use crate::options::Options;

/// A template whose expressions give local addresses.
pub(crate) struct WiredTemplate {
    pub(crate) template: Template,
    pub(crate) settings: Settings,
    /// The ports of function URLs, by the logical ids of the functions.
    pub(crate) ports: BTreeMap<String, TcpListener>,
}

impl WiredTemplate {
    /// Reads the template twice: first to learn which functions have a URL, then, with a port for each of these, to give
    /// the addresses to whoever refers to them.
    ///
    /// # Errors
    ///
    /// If the template cannot be read, or there is no free port.
    pub(crate) async fn read(options: &Options, endpoint_url: &str) -> Result<Self, String> {
        let mut settings = Settings {
            region: options.region.clone(),
            parameters: options.parameters.clone(),
            queue_endpoint: Some(endpoint_url.to_owned()),
            ..Settings::default()
        };
        let read = |settings: &Settings| read_template(&options.template, settings).map_err(|error| error.to_string());
        let mut ports = BTreeMap::new();
        for function in read(&settings)?.functions.iter().filter(|function| function.url.is_some()) {
            let failed = |error| format!("serve the URL of the function {}: {error}", function.logical_id);
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
            let url = format!("http://{}/", listener.local_addr().map_err(failed)?);
            settings.attributes.insert(format!("{}Url.FunctionUrl", function.logical_id), url);
            ports.insert(function.logical_id.clone(), listener);
        }
        Ok(Self { template: read(&settings)?, settings, ports })
    }
}
