//! One small request to a page that is served on this machine.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 1024 * 1024;

/// Gets a page of at most 1 MiB as text.
pub(crate) async fn get(url: &str) -> Result<String, String> {
    let page = async {
        let uri = url.parse().map_err(|error: ::http::uri::InvalidUri| error.to_string())?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&'static [u8]>>();
        let response = client.get(uri).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_BYTES).collect().await.map_err(|error| error.to_string())?;
        match status.is_success() {
            true => Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
            false => Err(format!("the answer is {status}")),
        }
    };
    match tokio::time::timeout(TIMEOUT, page).await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(reason)) => Err(format!("get {url}: {reason}")),
        Err(_) => Err(format!("get {url}: no answer in {} s", TIMEOUT.as_secs())),
    }
}
