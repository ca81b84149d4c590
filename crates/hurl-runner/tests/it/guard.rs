//! No spelling, redirect or rebinding reaches an address that the policy does not allow.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stagegate_hurl_runner::{Connector, FileReport, NetworkPolicy, Outbound, Resolver, RunOptions, Stream, probe};

use crate::server::Server;
use crate::support::{failures, options, run_with};

/// Answers with the next of several lists of addresses; the last one stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>);

impl Names {
    /// The names in the spellings.
    pub(crate) fn metadata() -> Self {
        Self::default()
            .with("metadata.test", &[&["169.254.169.254"]])
            .with("localhost", &[&["127.0.0.1", "::1"]])
            .with("six.test", &[&["64:ff9b::a9fe:a9fe"]])
    }

    pub(crate) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        self.0.lock().unwrap().insert(name.to_owned(), answers);
        self
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(host).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

/// Notes every address that is connected to, and leads all of them to one server.
#[derive(Clone, Debug)]
struct Recorder {
    connected: Arc<Mutex<Vec<SocketAddr>>>,
    server: SocketAddr,
}

#[async_trait]
impl Connector for Recorder {
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        self.connected.lock().unwrap().push(address);
        Ok(Box::new(tokio::net::TcpStream::connect(self.server).await?))
    }
}

struct World {
    server: Server,
    recorder: Recorder,
    names: Names,
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        let address = SocketAddr::from(([127, 0, 0, 1], server.port));
        let recorder = Recorder { connected: Arc::default(), server: address };
        let names = Names::metadata()
            .with("staging.test", &[&["93.184.216.34"]])
            .with("mixed.test", &[&["127.0.0.1", "93.184.216.34", "::ffff:169.254.169.254"]])
            .with("rebind.test", &[&["93.184.216.34"], &["169.254.169.254"]]);
        Self { server, recorder, names }
    }

    fn outbound(&self, policy: NetworkPolicy) -> Outbound {
        let policy = policy.never("127.0.0.1:9001".parse().unwrap());
        Outbound::new(policy).with_resolver(self.names.clone()).with_connector(self.recorder.clone())
    }

    async fn run(&self, policy: NetworkPolicy, source: &str) -> FileReport {
        self.run_to("", policy, source).await
    }

    /// Runs a file in which `{{url}}` is set.
    async fn run_to(&self, url: &str, policy: NetworkPolicy, source: &str) -> FileReport {
        let mut options = RunOptions { outbound: self.outbound(policy), ..options() };
        options.variables.set("url", url);
        run_with("http://staging.test", source, options).await
    }

    fn connected(&self) -> Vec<String> {
        self.recorder.connected.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

/// Spellings of the metadata services and of the Runtime API.
pub(crate) const SPELLINGS: [&str; 26] = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254:80/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.170.2/v2/credentials",
    "http://metadata.test/",
    "http://METADATA.test./",
    "http://six.test/",
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "http://127.1:9001/",
    "http://2130706433:9001/",
    "http://0x7f000001:9001/",
    "http://017700000001:9001/",
    "http://0:9001/",
    "http://[::1]:9001/",
    "http://localhost:9001/",
    "http://user:pass@169.254.169.254/",
];

/// Spellings that no file and no `Location` header has, but that a variable can bring.
pub(crate) const OTHER_SPELLINGS: [&str; 11] = [
    "http://169\u{3002}254\u{3002}169\u{3002}254/",
    "http://\u{ff11}\u{ff16}\u{ff19}.254.169.254/",
    "http://\u{2460}\u{2465}\u{2468}.254.169.254/",
    "http://%31%36%39.254.169.254/",
    "http://169.254.169.254./",
    "http://%5b::ffff:169.254.169.254%5d/",
    "http:\\\\169.254.169.254/",
    "http:///169.254.169.254/",
    "http://staging.test@169.254.169.254/",
    "http://127.0.0.1.:9001/",
    "http://0.0.0.0:9001/",
];

#[tokio::test]
async fn no_spelling_reaches_the_metadata_service_or_the_runtime_api() {
    let world = World::new().await;
    for url in SPELLINGS.into_iter().chain(OTHER_SPELLINGS) {
        let report = world.run_to(url, NetworkPolicy::new(), "GET {{url}}\nHTTP *\n").await;
        assert!(!report.passed, "{url}");
        let failure = &failures(&report)[0];
        let is_refused = failure.contains("the network policy refuses the connection");
        assert!(is_refused || failure.contains("Invalid URL"), "{url}: {failure}");
    }
    assert_eq!(world.connected(), [""; 0]);
    assert!(world.server.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_redirect_reaches_them_either() {
    let world = World::new().await;
    for (status, url) in [301, 302, 303, 307, 308].into_iter().cycle().zip(SPELLINGS) {
        let target = url.replacen("http://", "http/", 1);
        for option in ["location", "location-trusted"] {
            let source = format!("GET {{{{base}}}}/redirect/{status}/{target}\n[Options]\n{option}: true\nHTTP *\n");
            let report = world.run(NetworkPolicy::new(), &source).await;
            assert!(!report.passed, "{url}");
            assert!(failures(&report)[0].contains("the network policy refuses"), "{url}: {:?}", failures(&report));
        }
    }
    // Only the first hop was connected to.
    assert!(world.connected().iter().all(|address| address == "93.184.216.34:80"));
    assert_eq!(world.connected().len(), 2 * SPELLINGS.len());
}

#[tokio::test]
async fn no_option_reaches_them_either() {
    let world = World::new().await;
    for option in [
        "resolve: staging.test:80:169.254.169.254",
        "resolve: staging.test:80:::ffff:169.254.169.254",
        "resolve: *:80:127.0.0.1",
        "connect-to: staging.test:80:metadata.test:80",
        "connect-to: staging.test:80:127.0.0.1:9001",
        "connect-to: :::9001:",
        "connect-to: ::[::1]:9001",
    ] {
        let source = format!("GET {{{{base}}}}/echo\n[Options]\n{option}\nHTTP *\n");
        let report = world.run(NetworkPolicy::new(), &source).await;
        assert!(!report.passed, "{option}");
    }
    assert_eq!(world.connected(), [""; 0]);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_judged_each_time_and_connected_where_it_was_judged() {
    let world = World::new().await;
    let source =
        "GET http://rebind.test/echo\n[Options]\nhttp1.0: true\nHTTP 200\n\nGET http://rebind.test/echo\nHTTP *\n";
    let report = world.run(NetworkPolicy::new(), source).await;
    assert!(!report.passed);
    assert_eq!(report.entries[1].line, 6);
    // The name was resolved once for each connection, and the first answer was connected to.
    assert_eq!(world.connected(), ["93.184.216.34:80"]);
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_connected_to() {
    let world = World::new().await;
    let report = world.run(NetworkPolicy::new(), "GET http://mixed.test/echo\nHTTP 200\n").await;
    assert!(report.passed, "{:?}", failures(&report));
    assert_eq!(world.connected(), ["93.184.216.34:80"]);
}

#[tokio::test]
async fn the_runtime_api_stays_closed_where_loopback_is_open() {
    let world = World::new().await;
    let open = || NetworkPolicy::new().allow_network("127.0.0.0/8".parse().unwrap());
    for url in SPELLINGS.iter().filter(|url| url.contains(":9001")) {
        let report = world.run(open(), &format!("GET {url}\nHTTP *\n")).await;
        assert!(!report.passed, "{url}");
    }
    assert_eq!(world.connected(), [""; 0]);
    let report = world.run(open(), "GET http://localhost:8080/echo\nHTTP 200\n").await;
    assert!(report.passed, "{:?}", failures(&report));
    assert_eq!(world.connected(), ["127.0.0.1:8080"]);
}

#[tokio::test]
async fn only_allowed_hosts_are_reached_along_redirects_too() {
    let world = World::new().await;
    let policy = || NetworkPolicy::new().allow_host("staging.test".parse().unwrap());
    let source = "GET {{base}}/redirect/302/http/mixed.test/echo\n[Options]\nlocation: true\nHTTP *\n";
    let report = world.run(policy(), source).await;
    assert!(failures(&report)[0].contains("mixed.test:80 is not among the allowed hosts"), "{:?}", failures(&report));
    let report = world.run(policy(), "GET {{base}}/echo\n[Options]\nconnect-to: ::mixed.test:80\nHTTP *\n").await;
    assert!(!report.passed);
    assert_eq!(world.connected(), ["93.184.216.34:80"]);
}

/// A host is allowed where it is. A Hurl file, which can come from the commit that is judged, cannot move it.
#[tokio::test]
async fn an_allowed_host_keeps_its_addresses() {
    let world = World::new().await;
    let policy = |host: &str| NetworkPolicy::new().allow_host(host.parse().unwrap());
    let staging = || policy("staging.test");
    let with_address = |host: &str| staging().allow_host(host.parse().unwrap());
    let with_network = |network: &str| staging().allow_network(network.parse().unwrap());
    for (policy, given, passes) in [
        (staging(), "203.0.113.7", false),
        (staging(), "10.0.0.7", false),
        (staging(), "[2001:db8::7]", false),
        (policy("*.test"), "203.0.113.7", false),
        // Its own address, which it may also be among others.
        (staging(), "93.184.216.34", true),
        (staging(), "203.0.113.7,93.184.216.34", true),
        // What is allowed by itself.
        (with_address("203.0.113.7"), "203.0.113.7", true),
        (with_address("203.0.113.7:443"), "203.0.113.7", false),
        (with_network("203.0.113.0/24"), "203.0.113.7", true),
        (with_network("203.0.113.0/24"), "198.51.100.7", false),
        // Without `allow_hosts`, every public address may be reached, by any name.
        (NetworkPolicy::new(), "203.0.113.7", true),
    ] {
        for name in ["staging.test", "*"] {
            world.recorder.connected.lock().unwrap().clear();
            let option = format!("resolve: {name}:80:{given}");
            let report =
                world.run(policy.clone(), &format!("GET {{{{base}}}}/echo\n[Options]\n{option}\nHTTP 200\n")).await;
            assert_eq!(report.passed, passes, "{option} under {policy:?}: {:?}", failures(&report));
            if !passes {
                let failure = &failures(&report)[0];
                assert!(failure.contains("in place of the addresses of an allowed host"), "{failure}");
                assert_eq!(world.connected(), [""; 0], "{option}");
            }
        }
    }
    // A name without an address has none that could be allowed.
    let source = "GET http://nowhere.test/echo\n[Options]\nresolve: nowhere.test:80:93.184.216.34\nHTTP 200\n";
    let report = world.run(policy("nowhere.test"), source).await;
    assert!(failures(&report)[0].contains("the network policy refuses"), "{:?}", failures(&report));
}

#[tokio::test]
async fn a_name_is_asked_for_at_no_port() {
    let world = World::new().await;
    let timeout = std::time::Duration::from_secs(1);
    for (pattern, passes) in [("staging.test:443", true), ("*.test:443", true), ("other.test", false)] {
        let outbound = world.outbound(NetworkPolicy::new().allow_host(pattern.parse().unwrap()));
        let report = probe::dns(&outbound, "staging.test", &[], false, timeout).await;
        assert_eq!(report.passed, passes, "{pattern}: {report:?}");
        assert!(passes || report.failures[0].contains("staging.test is not among the allowed hosts"), "{report:?}");
    }
}

#[tokio::test]
async fn probes_are_behind_the_same_policy() {
    let world = World::new().await;
    let outbound = world.outbound(NetworkPolicy::new());
    let timeout = std::time::Duration::from_secs(1);
    for (host, port) in [("metadata.test", 80), ("127.0.0.1", 9001), ("[::ffff:127.0.0.1]", 9001), ("localhost", 22)] {
        assert!(!probe::tcp(&outbound, host, port, timeout).await.passed, "{host}");
        assert!(!probe::tls(&outbound, host, port, &probe::TlsExpectation::default(), timeout).await.passed, "{host}");
    }
    assert_eq!(world.connected(), [""; 0]);
    assert!(probe::tcp(&outbound, "staging.test", 443, timeout).await.passed);
}
