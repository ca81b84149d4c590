//! Checks without HTTP, and TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use stagegate_hurl_runner::{Connector, FileRoot, NetworkPolicy, Outbound, Stream, probe};

use crate::support::{failures, options, run_with};

const CERTIFICATE: &[u8] = include_bytes!("../fixtures/cert.pem");
const KEY: &[u8] = include_bytes!("../fixtures/key.pem");
const TIMEOUT: Duration = Duration::from_secs(5);

/// A server that answers every request over TLS with `ok`, once per connection.
async fn tls_server(versions: &[&'static rustls::SupportedProtocolVersion]) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await?;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await?;
                stream.shutdown().await
            });
        }
    });
    port
}

fn outbound() -> Outbound {
    Outbound::new(NetworkPolicy::new().allow_network("127.0.0.0/8".parse().unwrap()))
}

#[tokio::test]
async fn hurl_files_run_over_tls() {
    let port = tls_server(rustls::ALL_VERSIONS).await;
    let asserts = "[Asserts]\nbody == \"ok\"\ncertificate \"Subject\" == \"C = DE, O = Example, CN = localhost\"\n\
        certificate \"Issuer\" contains \"localhost\"\ncertificate \"Expire-Date\" daysAfterNow > 30\n\
        certificate \"Start-Date\" daysBeforeNow >= 0\ncertificate \"Serial-Number\" matches /^([0-9a-f]{2}:)+[0-9a-f]{2}$/\n\
        certificate \"Subject-Alt-Name\" == \"DNS:localhost, IP address:127.0.0.1\"\n\
        certificate \"Value\" startsWith \"-----BEGIN CERTIFICATE-----\"\n";
    for (host, option, passes) in [
        ("127.0.0.1", "cacert: cert.pem", true),
        ("localhost", "cacert: cert.pem", true),
        ("127.0.0.1", "insecure: true", true),
        ("127.0.0.1", "tls-max: 1.2\ninsecure: true", true),
        ("127.0.0.1", "verbose: true", false),
        ("127.0.0.2", "cacert: cert.pem", false),
        ("127.0.0.1", "tls-max: 1.1\ninsecure: true", false),
    ] {
        let mut options = options();
        options.files = FileRoot::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"), 10_000);
        let source = format!("GET https://{host}:{port}/\n[Options]\n{option}\nHTTP 200\n{asserts}");
        let report = run_with("", &source, options).await;
        assert_eq!(report.passed, passes, "{host} {option}: {:?}", failures(&report));
        if passes {
            assert!(report.entries[0].calls[0].timings.tls_us > 0);
        } else {
            assert_eq!(report.entries[0].failures[0].title, "HTTP connection");
        }
    }
}

#[tokio::test]
async fn tls_probes_tell_what_they_saw() {
    let port = tls_server(rustls::ALL_VERSIONS).await;
    let trusted = || probe::TlsExpectation { authorities: Some(CERTIFICATE.to_vec()), ..Default::default() };
    let report = probe::tls(&outbound(), "localhost", port, &trusted(), TIMEOUT).await;
    assert!(report.passed, "{report:?}");
    let seen = report.tls.unwrap();
    assert_eq!((seen.version.as_str(), seen.subject.as_str()), ("TLSv1.3", "C = DE, O = Example, CN = localhost"));
    assert_eq!(seen.versions, ["TLSv1.2", "TLSv1.3"]);
    assert!(seen.days_left > 30_000 && seen.chain.len() == 1);
    for (expectation, failure) in [
        (probe::TlsExpectation::default(), "SSL connection problem"),
        (probe::TlsExpectation { min_days_left: 40_000, ..trusted() }, "more days"),
        (probe::TlsExpectation { require_tls13: true, ..trusted() }, "the server accepts TLS 1.2"),
        (probe::TlsExpectation { server_name: Some("other.test".to_owned()), ..trusted() }, "SSL connection problem"),
    ] {
        let report = probe::tls(&outbound(), "localhost", port, &expectation, TIMEOUT).await;
        assert!(!report.passed && report.failures[0].contains(failure), "{failure}: {report:?}");
        // What the server shows is told although it is not accepted.
        assert!(report.tls.is_some());
    }
    let only_13 = tls_server(&[&rustls::version::TLS13]).await;
    let expectation = probe::TlsExpectation { require_tls13: true, ..trusted() };
    let report = probe::tls(&outbound(), "localhost", only_13, &expectation, TIMEOUT).await;
    assert!(report.passed, "{report:?}");
    assert_eq!(report.tls.unwrap().versions, ["TLSv1.3"]);
    let only_12 = tls_server(&[&rustls::version::TLS12]).await;
    let report = probe::tls(&outbound(), "localhost", only_12, &expectation, TIMEOUT).await;
    assert!(report.failures[0].contains("the server accepts TLS 1.2"), "{report:?}");
    assert_eq!(report.tls.unwrap().versions, ["TLSv1.2"]);
}

/// A server that answers every first part of a request with `answer`, and closes the connection.
async fn answering(answer: &'static [u8]) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 16_384]).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// A server that shakes hands once, and then does something else than to refuse TLS 1.2, says nothing about it.
#[tokio::test]
async fn a_version_that_was_not_tried_is_not_refused() {
    const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    const PROTOCOL_VERSION: &[u8] = &[21, 3, 3, 0, 2, 2, 70];
    let port = tls_server(&[&rustls::version::TLS13]).await;
    for (then, passes) in [
        (None, false),
        (Some(answering(b"").await), false),
        (Some(answering(HANDSHAKE_FAILURE).await), false),
        (Some(answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await), false),
        (Some(answering(PROTOCOL_VERSION).await), true),
    ] {
        let once = Once { left: Arc::new(std::sync::atomic::AtomicUsize::new(1)), then };
        let outbound = outbound().with_connector(once);
        let expectation = probe::TlsExpectation {
            authorities: Some(CERTIFICATE.to_vec()),
            require_tls13: true,
            ..Default::default()
        };
        let report = probe::tls(&outbound, "localhost", port, &expectation, TIMEOUT).await;
        assert_eq!(report.passed, passes, "{report:?}");
        assert!(passes || report.failures[0].contains("could not be found out"), "{report:?}");
    }
}

/// Connects so many times, and then to another address or no more.
#[derive(Debug)]
struct Once {
    left: Arc<std::sync::atomic::AtomicUsize>,
    then: Option<std::net::SocketAddr>,
}

#[async_trait::async_trait]
impl Connector for Once {
    async fn connect(&self, address: std::net::SocketAddr) -> std::io::Result<Box<dyn Stream>> {
        use std::sync::atomic::Ordering::SeqCst;
        let address = match self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => address,
            Err(_) => self.then.ok_or_else(|| std::io::Error::other("no more connections"))?,
        };
        Ok(Box::new(tokio::net::TcpStream::connect(address).await?))
    }
}

#[tokio::test]
async fn tcp_and_dns_probes() {
    let port = tls_server(rustls::ALL_VERSIONS).await;
    let report = probe::tcp(&outbound(), "127.0.0.1", port, TIMEOUT).await;
    assert!(report.passed && report.addresses == ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()], "{report:?}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let report = probe::tcp(&outbound(), "127.0.0.1", closed, TIMEOUT).await;
    assert!(!report.passed && report.failures[0].contains("could not connect to"), "{report:?}");
    let loopback = "127.0.0.1".parse().unwrap();
    let other = "192.0.2.1".parse().unwrap();
    for (expected, exact, passes) in
        [(vec![], false, true), (vec![loopback], true, true), (vec![other], false, false), (vec![other], true, false)]
    {
        let report = probe::dns(&outbound(), "127.0.0.1", &expected, exact, TIMEOUT).await;
        assert_eq!(report.passed, passes, "{expected:?} {exact}: {report:?}");
    }
}
