//! The guard against real sockets: in a network namespace of its own, the addresses of a metadata service and of a
//! Runtime API belong to servers of the test, and nothing gets to them.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stagegate_hurl_runner::{FileReport, NetworkPolicy, Outbound, RunOptions, probe};
use tokio::net::TcpListener;

use crate::guard::{Names, OTHER_SPELLINGS, SPELLINGS};
use crate::server::Server;
use crate::support::{options, run_with};

/// Set for the process inside the namespace.
const INSIDE: &str = "STAGEGATE_TEST_NAMESPACE";

/// The address of the staging environment: private, and so allowed by default.
const STAGING: &str = "10.20.30.40";

/// Gives the loopback interface all addresses and then becomes the test.
const SCRIPT: &str =
    "ip link set lo up && ip addr add 169.254.169.254/32 dev lo && ip addr add 169.254.170.2/32 dev lo \
    && ip addr add 10.20.30.40/32 dev lo || exit 1
    ip -6 addr add fd00:ec2::254/128 dev lo nodad || true
    exec \"$0\" --exact namespace::nothing_reaches_them_over_real_sockets --nocapture";

/// Runs itself again inside a namespace. Where a machine allows none, the tests with an injected resolver and connector
/// remain, which show the same.
#[test]
fn nothing_reaches_them_over_real_sockets() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(inside());
    }
    let program = std::env::current_exe().unwrap();
    for namespaces in [&["--net"][..], &["--user", "--map-root-user", "--net"]] {
        let mut command = Command::new("unshare");
        command.args(namespaces).args(["sh", "-c", SCRIPT]).arg(&program).env(INSIDE, "1");
        let Ok(output) = command.output() else { return };
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        // What a machine refuses, it refuses before the test begins.
        if text.contains("running 1 test") {
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            return;
        }
    }
}

/// The services that nothing may reach, and how often something did.
#[derive(Clone, Default)]
struct Services {
    metadata: Arc<AtomicUsize>,
    runtime_api: Arc<AtomicUsize>,
}

impl Services {
    async fn start() -> Self {
        let services = Self::default();
        for (address, hits) in [
            ("169.254.169.254:80", &services.metadata),
            ("169.254.170.2:80", &services.metadata),
            ("[fd00:ec2::254]:80", &services.metadata),
            ("127.0.0.1:9001", &services.runtime_api),
            ("[::1]:9001", &services.runtime_api),
        ] {
            let listener = match TcpListener::bind(address).await {
                Ok(listener) => listener,
                // A machine without IPv6.
                Err(_) if address.starts_with('[') => continue,
                Err(error) => panic!("{address}: {error}"),
            };
            let hits = Arc::clone(hits);
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt as _;
                while let Ok((mut stream, _)) = listener.accept().await {
                    hits.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
                }
            });
        }
        services
    }

    /// Hits on the metadata services and on the Runtime API.
    fn hits(&self) -> (usize, usize) {
        (self.metadata.load(Ordering::SeqCst), self.runtime_api.load(Ordering::SeqCst))
    }
}

fn names() -> Names {
    Names::metadata()
        .with("staging.test", &[&[STAGING]])
        .with("rebind.test", &[&[STAGING], &["169.254.169.254"]])
        .with("loop.test", &[&[STAGING], &["127.0.0.1"]])
}

async fn run(policy: NetworkPolicy, url: &str, source: &str) -> FileReport {
    let outbound = Outbound::new(policy).with_resolver(names());
    let mut options = RunOptions { outbound, ..options() };
    options.variables.set("url", url);
    run_with(&format!("http://{STAGING}"), source, options).await
}

async fn inside() {
    let services = Services::start().await;
    let staging = Server::start_on(&format!("{STAGING}:80")).await;
    let default = NetworkPolicy::new;
    for url in SPELLINGS.iter().chain(&OTHER_SPELLINGS) {
        assert!(!run(default(), url, "GET {{url}}\nHTTP *\n").await.passed, "{url}");
    }
    for url in SPELLINGS {
        let source = format!(
            "GET {{{{base}}}}/redirect/302/{}\n[Options]\nlocation: true\nHTTP *\n",
            url.replacen("://", "/", 1)
        );
        assert!(!run(default(), url, &source).await.passed, "{url}");
    }
    assert_eq!(staging.seen.lock().unwrap().len(), SPELLINGS.len());
    rebinding(&staging).await;
    for option in [
        "resolve: staging.test:80:169.254.169.254",
        "resolve: staging.test:80:::ffff:169.254.169.254",
        "connect-to: staging.test:80:metadata.test:80",
        "connect-to: staging.test:80:127.0.0.1:9001",
        "connect-to: ::[::1]:9001",
    ] {
        let source = format!("GET http://staging.test/echo\n[Options]\n{option}\nHTTP *\n");
        assert!(!run(default(), "", &source).await.passed, "{option}");
    }
    let outbound = Outbound::new(default()).with_resolver(names());
    let timeout = Duration::from_secs(5);
    for (host, port) in [("metadata.test", 80), ("169.254.169.254", 80), ("localhost", 9001), ("0.0.0.0", 9001)] {
        assert!(!probe::tcp(&outbound, host, port, timeout).await.passed, "{host}");
        assert!(!probe::tls(&outbound, host, port, &probe::TlsExpectation::default(), timeout).await.passed, "{host}");
    }
    assert_eq!(services.hits(), (0, 0));
    opened(&services).await;
}

/// A name whose second answer is another address, over a connection for each request.
async fn rebinding(staging: &Server) {
    for name in ["rebind.test", "loop.test"] {
        let before = staging.seen.lock().unwrap().len();
        let port = if name == "loop.test" { ":9001" } else { "" };
        let source = format!(
            "GET http://{name}/echo\n[Options]\nhttp1.0: true\nHTTP 200\nGET http://{name}{port}/echo\nHTTP *\n"
        );
        let report = run(NetworkPolicy::new(), "", &source).await;
        assert!(report.entries[0].failures.is_empty() && !report.passed, "{report:?}");
        assert_eq!(staging.seen.lock().unwrap().len(), before + 1);
    }
}

/// The services do notice a connection, and an opened loopback leaves the Runtime API closed.
async fn opened(services: &Services) {
    let runtime_api: SocketAddr = "127.0.0.1:9001".parse().unwrap();
    let all = || {
        let policy = NetworkPolicy::new().allow_network("169.254.169.254".parse().unwrap());
        policy.allow_network("0.0.0.0/0".parse().unwrap()).allow_network("::/0".parse().unwrap())
    };
    for url in SPELLINGS.iter().chain(&OTHER_SPELLINGS).filter(|url| url.contains(":9001")) {
        assert!(!run(all().never(runtime_api), url, "GET {{url}}\nHTTP *\n").await.passed, "{url}");
    }
    assert_eq!(services.hits(), (0, 0));
    for url in ["http://169.254.169.254/", "http://2130706433:9001/"] {
        let report = run(all(), url, "GET {{url}}\nHTTP 200\n`secret`\n").await;
        assert!(report.passed, "{url}: {report:?}");
    }
    assert_eq!(services.hits(), (1, 1));
}
