//! The HTTP client against a server on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_codepipeline::error::DisplayErrorContext;
use axum::serve::ListenerExt as _;
use stagegate_aws_environment::http_client;

/// An endpoint that answers every call with an empty object, and how many connections it was reached by.
async fn endpoint() -> (SocketAddr, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    let listener = listener.tap_io(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let router = axum::Router::new().fallback(async || "{}");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, connections)
}

fn config(endpoint: String) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint)
        .http_client(http_client())
        .build()
}

#[tokio::test]
async fn a_plain_address_is_spoken_to_plainly() {
    let (address, connections) = endpoint().await;
    let client = aws_sdk_codepipeline::Client::new(&config(format!("http://{address}")));
    client.list_pipelines().send().await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn any_other_address_is_spoken_to_in_tls() {
    let (address, connections) = endpoint().await;
    let client = aws_sdk_codepipeline::Client::new(&config(format!("https://{address}")));
    let error = client.list_pipelines().send().await.expect_err("the endpoint knows no TLS");
    assert!(DisplayErrorContext(&error).to_string().contains("InvalidContentType"), "{}", DisplayErrorContext(&error));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
