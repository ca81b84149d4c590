//! Where a webhook may lead.

use stagegate_channel::Outcome;

use crate::server::{Reply, Server};
use crate::world::{channel, channels, send};

/// Nothing is sent to an address that the rules of a channel do not open, whatever name stands for it.
#[tokio::test]
async fn a_webhook_reaches_only_what_its_rules_open() {
    let server = Server::start([Reply::status(200)]).await;
    let channels = channels(&server).await;
    let port = server.port;
    for (webhook, why) in [
        ("url_parameter: /url, secret: /key".to_owned(), "is a loopback address"),
        (
            "url_parameter: /url, secret: /key, network: {allow_networks: [10.0.0.0/8]}".to_owned(),
            "is a loopback address",
        ),
        (
            format!("url: 'https://localhost:{port}/', secret: /key, network: {{allow_networks: [10.0.0.0/8]}}"),
            "is a loopback address",
        ),
        ("url: 'https://169.254.169.254/latest/meta-data', secret: /key".to_owned(), "is a metadata service"),
        ("url: 'https://[::ffff:169.254.169.254]/', secret: /key".to_owned(), "is a metadata service"),
        ("url: 'https://[fe80::1]/', secret: /key".to_owned(), "is a link-local address"),
        ("url: 'https://0.0.0.0/', secret: /key".to_owned(), "is an unspecified address"),
        ("url: 'https://10.1.2.3/', secret: /key, network: {deny_private: true}".to_owned(), "is a private address"),
        (
            "url: 'https://b.example/', secret: /key, network: {allow_hosts: [a.example]}".to_owned(),
            "is not among the allowed hosts",
        ),
    ] {
        let outcome = send(&channels, &channel(&format!("{{webhook: {{{webhook}}}}}"))).await;
        let Outcome::Refused { why: said } = &outcome else { panic!("{webhook}: {outcome:?}") };
        assert!(said.contains(why), "{webhook}: {said}");
    }
    assert!(server.received().is_empty());
    let opened = format!(
        "{{webhook: {{url: 'http://localhost:{port}/a', secret: /key, network: {{allow_networks: ['127.0.0.0/8', '::1']}}}}}}"
    );
    assert!(send(&channels, &channel(&opened)).await.is_delivered());
}

/// What an answer says about elsewhere is not followed.
#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let inside = Server::start([Reply::status(200)]).await;
    for status in [301, 302, 303, 307, 308] {
        let location: &'static str = Box::leak(format!("location: {}\r\n", inside.url("/")).into_boxed_str());
        let server = Server::start([Reply::With(status, location, String::new())]).await;
        let webhook = channel("{webhook: {url_parameter: /url, secret: /key, network: {allow_networks: [127.0.0.1]}}}");
        let outcome = send(&channels(&server).await, &webhook).await;
        assert!(outcome.why().is_some_and(|why| why.contains("redirects are not followed")), "{outcome:?}");
    }
    assert!(inside.received().is_empty());
}
